"""A YAML file as values that know their place: read strictly, so that it says one thing only.

The YAML is a subset: one document of mappings, lists and scalars. What makes a file mean more than
it shows (anchors, aliases, merge keys, tags) is refused, and so are unquoted words that YAML
versions disagree about. The tree is built from the parser's events, which know the place of every
value and key.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from harness.scenario.errors import ScenarioError
from harness.scenario.model import Place

SIZE_MAX: Final = 1_048_576
"""Bytes of one file: the longest scenario is a thousandth of it."""

NESTING_MAX: Final = 32
"""Mappings and lists inside one another: more than a JSON body of the protocol needs, four times."""

_NUMBER_MAX: Final = 40
"""Characters of one number; the largest of the protocol (2^64) has 20."""

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_FRACTION: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_UNCLEAR: Final = re.compile(
    r"~|yes|no|on|off|true|false|null"
    r"|[-+]?\.(inf|nan)|[-+]?[0-9][0-9_]*|\+[0-9.]+|[-+]?\.[0-9]+|[-+]?[0-9]+\.|0x[0-9a-f_]+|0o[0-7_]+",
    re.IGNORECASE,
)
_WORDS: Final[dict[str, Any]] = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar; `text` is what is written, `value` what it says."""

    place: Place
    end: tuple[int, int]
    text: str
    value: str | int | float | bool | None
    plain: bool

    @property
    def missing(self) -> bool:
        """Whether nothing is written at all."""
        return self.plain and not self.text


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    end: tuple[int, int]
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; each key is there once."""

    place: Place
    end: tuple[int, int]
    entries: tuple[tuple[Scalar, "Node"], ...]

    def get(self, key: str) -> "Node | None":
        """Return the value of a key."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar:
        """Return a key that is there."""
        return next(name for name, _ in self.entries if name.text == key)


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Page:
    """A file that is being read, and what is wrong with it so far."""

    path: Path
    lines: list[str] = field(default_factory=list)
    errors: list[ScenarioError] = field(default_factory=list)
    noun: str = "scenario"

    def wrong(self, place: Place, message: str, hint: str | None = None) -> None:
        """Note a mistake."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        self.errors.append(ScenarioError(place, message, line, hint))

    def place(self, line: int, column: int) -> Place:
        """Return a place, given lines and columns that count from 0."""
        return Place(self.path, line + 1, column + 1)

    def excerpt(self, node: Node) -> str:
        """Return what is written from a node's beginning to its end, moved to the margin."""
        column = node.place.column - 1
        last, end = node.end
        lines = self.lines[node.place.line - 1 : last + 1]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][column:]
        margin = " " * column
        return "\n".join(line.removeprefix(margin).rstrip() for line in lines).rstrip()


def describe(node: Node) -> str:
    """Return what a node is, in the words of an error message."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(value=str(text)):
            return repr(text if len(text) <= 60 else f"{text[:59]}…")
        case Scalar(missing=True):
            return "nothing"
        case Scalar(value=None | bool()):
            return node.text
        case _:
            return f"the number {node.text}"


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield all values inside a node, without keys."""
    match node:
        case Mapping():
            for _, value in node.entries:
                yield from scalars(value)
        case Sequence():
            for item in node.items:
                yield from scalars(item)
        case _:
            yield node


def read_page(path: Path, noun: str = "scenario") -> tuple[Page, Node | None]:
    """Return a file's content, or `None` and what is wrong with it in the page's errors.

    Args:
        path: the file.
        noun: what it is, in the words of an error message.

    """
    page = Page(path, noun=noun)
    text = _read_text(page)
    if text is None:
        return page, None
    page.lines = _BREAK.split(text)
    try:
        root = _Tree(page, text).read()
    except _RefusedError as error:
        page.wrong(error.place, str(error), error.hint)
        return page, None
    if root is None:
        page.wrong(page.place(0, 0), f"expected a {noun}, got an empty file")
    return page, root


def _read_text(page: Page) -> str | None:
    start = page.place(0, 0)
    try:
        with page.path.open("rb") as file:
            raw = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        page.wrong(start, f"expected a file that can be read: {why}")
        return None
    if len(raw) > SIZE_MAX:
        page.wrong(start, f"expected a file of at most {SIZE_MAX} bytes, got a longer one")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        page.lines = _BREAK.split(raw.decode("utf-8", "replace"))
        before = _BREAK.split(raw[: error.start].decode("utf-8", "replace"))
        place = page.place(len(before) - 1, len(before[-1]))
        page.wrong(place, f"expected UTF-8, got the byte 0x{raw[error.start]:02x}")
        return None


class _RefusedError(Exception):
    """The file cannot be read any further."""

    def __init__(self, place: Place, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.hint = hint


class _Tree:
    """Builds the nodes of one file from its parser's events."""

    def __init__(self, page: Page, text: str) -> None:
        self._page = page
        self._text = text
        self._events = self._parsed()
        self._at = page.place(0, 0)

    def read(self) -> Node | None:
        """Return the file's only document, or `None` if there is none."""
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._check_document(event, first=root is None)
            elif isinstance(event, NodeEvent):
                root = self._node(event, 1)
        if isinstance(root, Scalar) and root.missing:
            return None
        return root

    def _parsed(self) -> Iterator[Event]:
        try:
            for event in YAML(typ="safe", pure=True).parse(self._text):
                self._at = self._place(event.start_mark)
                yield event
        except YAMLError as error:
            raise self._syntax_error(error) from None
        except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
            # What the parser was not written for: impossible escapes and directives.
            message = "expected YAML, got an escape or a directive behind this that means nothing"
            raise _RefusedError(self._at, message) from None

    def _syntax_error(self, error: YAMLError) -> _RefusedError:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is not None:
            place = self._place(mark)
        else:
            before = _BREAK.split(self._text[: getattr(error, "position", 0)])
            place = self._page.place(len(before) - 1, len(before[-1]))
        problem = getattr(error, "problem", None) or "a character that YAML does not allow"
        context = getattr(error, "context", None)
        hint = None
        if "'\\t'" in problem or self._begins_with_tab(place):
            hint = "indent with spaces, YAML takes no tabs"
        message = f"YAML: {problem}" + (f" ({context})" if context else "")
        return _RefusedError(place, message, hint)

    def _begins_with_tab(self, place: Place) -> bool:
        line = self._page.lines[place.line - 1] if place.line <= len(self._page.lines) else ""
        return "\t" in line[: len(line) - len(line.lstrip())]

    def _place(self, mark: Any) -> Place:
        return self._page.place(mark.line, mark.column)

    def _check_document(self, event: DocumentStartEvent, *, first: bool) -> None:
        if event.version is not None or event.tags:
            raise _RefusedError(self._at, f"expected a {self._page.noun}, got a YAML directive")
        if not first:
            message = f"expected one {self._page.noun} a file, got a second document"
            raise _RefusedError(self._at, message)

    def _node(self, event: Event, depth: int) -> Node:
        place = self._place(event.start_mark)
        if isinstance(event, AliasEvent):
            raise _RefusedError(place, "expected a value, got an alias (*)", _WRITE_OUT)
        if getattr(event, "anchor", None) is not None:
            raise _RefusedError(place, "expected a value, got an anchor (&)", _WRITE_OUT)
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(place, "expected a value, got a YAML tag", _WRITE_OUT)
        if depth > NESTING_MAX:
            message = f"expected at most {NESTING_MAX} mappings and lists inside one another"
            raise _RefusedError(place, message)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, place)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(place, depth)
        return self._mapping(place, depth)

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), CollectionEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(place, self._end(event, items[-1:]), tuple(items))

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        places: dict[str, Place] = {}
        while not isinstance(event := next(self._events), CollectionEndEvent):
            key = self._key(self._node(event, depth + 1))
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, Scalar) and value.missing:
                value = self._nothing_behind(key)
            if key.text in places:
                first = f"the first is in line {places[key.text].line}"
                self._page.wrong(
                    key.place, f"expected each key once, got {key.text!r} again", first
                )
            else:
                places[key.text] = key.place
                entries.append((key, value))
        last = [value for _, value in entries[-1:]]
        return Mapping(place, self._end(event, last), tuple(entries))

    def _nothing_behind(self, key: Scalar) -> Scalar:
        """Return a missing value at its key: the parser says it is where the next thing is."""
        line, column = key.end
        return Scalar(self._page.place(line, column + 1), (line, column + 1), "", None, plain=True)

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise _RefusedError(node.place, f"expected text as a key, got {describe(node)}")
        if node.plain and node.text == "<<":
            raise _RefusedError(node.place, "expected a key, got the merge key <<", _WRITE_OUT)
        return node

    def _end(self, event: Event, last: list[Node]) -> tuple[int, int]:
        """Return where a collection ends: a block's end event comes too late, at the next token."""
        if event.end_mark.index > event.start_mark.index or not last:
            return event.end_mark.line, event.end_mark.column
        return last[0].end

    def _scalar(self, event: ScalarEvent, place: Place) -> Scalar:
        text, plain = str(event.value), event.style is None
        end = (event.end_mark.line, event.end_mark.column)
        value: Any = text
        if plain:
            value = self._plain_value(text, place)
        return Scalar(place, end, text, value, plain)

    def _plain_value(self, text: str, place: Place) -> str | int | float | bool | None:
        """Return what an unquoted scalar says, if all agree about that."""
        if not text or text in _WORDS:
            return _WORDS.get(text)
        if len(text) <= _NUMBER_MAX and _FRACTION.fullmatch(text):
            number = int(text) if _INTEGER.fullmatch(text) else float(text)
            if math.isfinite(number):
                return number
        if _UNCLEAR.fullmatch(text) or _FRACTION.fullmatch(text):
            message = (
                f"expected a value that is clearly text, a number, true, false or null, got {text}"
            )
            self._page.wrong(place, message, f'write "{text}" if text is meant')
        return text


_WRITE_OUT: Final = "write the value out: a scenario is read from top to bottom"
