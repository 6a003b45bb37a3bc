"""JSON as the real master reads and writes it.

Reading is as lenient as Go's decoder (protocol facts, section 1.2): key case does not matter,
unknown keys and bytes after the first value are ignored, `null` leaves a field alone, a wrong type
is an error although the other fields are filled in.
A body that needs none of that leniency takes the fast path through msgspec; every other body is
read again by the slow one, which is the specification.

Writing is compact, in the order of declaration, with `<`, `>`, `&` and the two line separators
escaped. A message field with a default is left out when it has that default ("omitempty").
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct

INT64_MAX: Final = 2**63 - 1

Int = Annotated[int, Meta(ge=-(2**63), le=INT64_MAX)]
"""A signed 64-bit number of an incoming message."""
Uint = Annotated[int, Meta(ge=0, le=INT64_MAX)]
"""An id or a count of an incoming message."""


class Inbound(Struct, forbid_unknown_fields=True, gc=False):
    """Base of messages that come in: every field has its zero value as default."""


class Outbound(Struct, frozen=True, omit_defaults=True, gc=False):
    """Base of messages that go out; each is declared `kw_only`, so that keys keep their order."""


class BindError(Exception):
    """A body that is no message.

    Attributes:
        partial: the message as far as it could be read; all zero after a syntax error.

    """

    def __init__(self, message: str, partial: Any = None) -> None:
        super().__init__(message)
        self.partial = partial


M = TypeVar("M", bound=Inbound)

_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"invalid character in literal {name}")


_decoder = json.JSONDecoder(
    parse_int=float,  # its values are never looked at, and Python refuses integers of 4,300 digits
    parse_constant=_refuse_constant,
)


class Binder(Generic[M]):
    """Reads bodies into one type of message.

    Args:
        message: the type; its field annotations say what each key may hold.

    """

    def __init__(self, message: type[M]) -> None:
        self._message = message
        self._fast = msgspec.json.Decoder(message)
        self._fields = {
            field.encode_name: (field.name, _reader(field.type))
            for field in msgspec.structs.fields(message)
        }
        self._folded = {_fold(name): name for name in self._fields}
        readers = [read for _, read in self._fields.values()]
        self._has_raw = _read_raw in readers
        self._has_uint = _read_uint in readers or _read_uints in readers
        self._nil = {
            field.encode_name for field in msgspec.structs.fields(message) if field.default is None
        }

    def __call__(self, body: bytes) -> M:
        """Return the message that a request body holds.

        Raises:
            BindError: the body is empty, no JSON, no object, or has a value of the wrong type.

        """
        if self._has_uint and b"-0" in body:  # msgspec takes -0 for 0, Go's unsigned numbers do not
            return self._bind(body.decode("utf-8", "replace"))
        try:
            message = self._fast.decode(body)
            if self._has_raw:
                body.decode()  # msgspec does not look into raw values
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._bind(body.decode("utf-8", "replace"))
        return message

    def _bind(self, text: str) -> M:
        zero = self._message()
        start = _skip(text, 0)
        if start == len(text):
            raise BindError("EOF", zero)
        try:
            value, end = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise BindError(str(error), zero) from None
        if value is None:
            return zero
        if not isinstance(value, dict):
            raise BindError(f"cannot unmarshal {_kind(value)} into an object", zero)
        try:
            wrong = self._fill(zero, text[start:end])
        except RecursionError as error:
            wrong = str(error)
        if wrong is not None:
            raise BindError(wrong, zero)
        return zero

    def _fill(self, message: M, text: str) -> str | None:
        """Set the fields that an object's text names; return what was wrong with the first."""
        wrong: str | None = None
        for key, raw in _members(text):
            name = key if key in self._fields else self._folded.get(_fold(key))
            if name is None:
                continue
            attribute, read = self._fields[name]
            if raw == "null" and read is not _read_raw:
                if name in self._nil:  # lists and objects become nil again
                    setattr(message, attribute, None)
                continue
            try:
                setattr(message, attribute, read(raw))
            except ValueError as error:
                wrong = wrong or f"cannot unmarshal {error} into field {name}"
        return wrong


def _fold(key: str) -> str:
    """Fold case as Unicode's simple folding does: character by character, never to more of them."""
    return "".join(
        folded if len(folded := character.casefold()) == 1 else character for character in key
    )


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a well-formed JSON object with their values' own text, in order."""
    at = _skip(text, 1)
    while text[at] != "}":
        key, at = _decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # behind the colon
        _, end = _decoder.raw_decode(text, at)
        yield key, text[at:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case None:
            return "null"
        case _:
            return "object"


def clean(text: str) -> str:
    """Replace what is no Unicode text (a lone surrogate) by U+FFFD, as Go's decoder does."""
    return _SURROGATE.sub("\ufffd", text)


def _clean_all(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case list():
            return [_clean_all(item) for item in value]
        case dict():
            return {clean(key): _clean_all(item) for key, item in value.items()}
        case _:
            return value


def _read_raw(raw: str) -> Any:
    return Raw(clean(raw).encode())


def _strict(kind: type | tuple[type, ...], raw: str) -> Any:
    value = json.loads(raw)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(_kind(value))
    return _clean_all(value)


def _read_int(raw: str, low: int = -(2**63), high: int = INT64_MAX) -> int:
    value: int = _strict(int, raw)
    if not low <= value <= high:
        raise ValueError(f"number {raw}")
    return value


def _read_uint(raw: str) -> int:
    if raw.startswith("-"):
        raise ValueError(f"number {raw}")
    return _read_int(raw, 0, 2 * INT64_MAX + 1)


def _read_list(read: Callable[[str], Any], zero: Any) -> Callable[[str], list[Any]]:
    def read_list(raw: str) -> list[Any]:
        items = _strict(list, raw)
        return [zero if item is None else read(json.dumps(item)) for item in items]

    return read_list


_read_uints = _read_list(_read_uint, 0)

_READERS: dict[Any, Callable[[str], Any]] = {
    str: lambda raw: _strict(str, raw),
    bool: lambda raw: _strict(bool, raw),
    Int: _read_int,
    Uint: _read_uint,
    Raw: _read_raw,
    dict[str, Any]: lambda raw: _strict(dict, raw),
    list[str]: _read_list(lambda raw: _strict(str, raw), ""),
    list[Uint]: _read_uints,
}


def _read_message(message: type[Inbound]) -> Callable[[str], Any]:
    binder = Binder(message)

    def read_message(raw: str) -> Any:
        try:
            return binder(raw.encode())
        except BindError as error:
            raise ValueError(str(error)) from None

    return read_message


def _reader(annotation: Any) -> Callable[[str], Any]:
    if get_origin(annotation) is list:
        [item] = get_args(annotation)
        if isinstance(item, type) and issubclass(item, Inbound):
            return _read_list(_read_message(item), item())
    arms = [arm for arm in getattr(annotation, "__args__", ()) if arm is not type(None)]
    reader = _READERS.get(annotation) or (_reader(arms[0]) if len(arms) == 1 else None)
    if reader is None:
        raise TypeError(f"no incoming message may have a field of type {annotation}")
    return reader


# --- writing --------------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


def encode(message: Any) -> bytes:
    """Return a message's JSON, as the real master would write it."""
    body = _encode(message)
    for character, escape in _ESCAPES:
        if character in body:
            body = body.replace(character, escape)
    return body


_QUOTED: Final = {
    **{character: "\\" + character for character in '\\"'},
    **dict(zip("\a\b\f\n\r\t\v", (f"\\{letter}" for letter in "abfnrtv"), strict=True)),
}


def quoted(text: str) -> str:
    """Return a text in quotes, with escapes for what cannot be printed, as Go's `%q` writes it."""
    return f'"{"".join(map(_quoted, text))}"'


def _quoted(character: str) -> str:
    if character in _QUOTED:
        return _QUOTED[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def compact(raw: bytes | str) -> Raw:
    """Return stored JSON text without the white space between its tokens.

    Raises:
        ValueError: it is no JSON.

    """
    text = raw.encode() if isinstance(raw, str) else raw
    try:
        return Raw(msgspec.json.format(text, indent=-1))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and numbers as Go writes those of a free-form map."""
    return encode(_ordered(value)).decode()


def _ordered(value: Any) -> Any:
    match value:
        case dict():
            return {key: _ordered(value[key]) for key in sorted(value)}
        case list():
            return [_ordered(item) for item in value]
        case bool() | None:
            return value
        case int() | float():
            return Raw(_number(float(value)).encode())
        case _:
            return value


def _number(value: float) -> str:
    """Write a float64 as Go's encoder does."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"e([+-])0+", r"e\1", repr(value))
