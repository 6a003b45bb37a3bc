"""Mutants of HTTP: how bodies are read and written."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "unreadable-body-is-empty",
        "HTTP-7",
        "A report that cannot be read counts with what could be read of it.",
        (
            '            message = str(error) if code == "INVALID_INPUT" else None\n',
            '            if code == "INVALID_INPUT":\n                return error.partial\n            message = None\n',
        ),
    ),
    mutant(
        "no-body-is-a-message",
        "HTTP-7",
        "An empty body counts as a message that says nothing.",
        ('            raise BindError("EOF", zero)\n', "            return zero\n"),
    ),
    mutant(
        "a-list-is-a-message",
        "HTTP-7",
        "A body that is a list, a number or text counts as a message that says nothing.",
        (
            '            raise BindError(f"cannot unmarshal {_kind(value)} into an object", zero)\n',
            "            return zero\n",
        ),
    ),
    mutant(
        "numbers-in-quotes",
        "HTTP-7",
        "Text counts as a number when it looks like one.",
        (
            "def _read_int(raw: str, low: int = -(2**63), high: int = INT64_MAX) -> int:\n",
            "def _read_int(raw: str, low: int = -(2**63), high: int = INT64_MAX) -> int:\n    raw = raw.strip('\"')\n",
        ),
    ),
    mutant(
        "keys-to-the-letter",
        "HTTP-8",
        "A key whose case is different is unknown.",
        (
            "name = key if key in self._fields else self._folded.get(_fold(key))",
            "name = key if key in self._fields else None",
        ),
    ),
    mutant(
        "unknown-keys-refused",
        "HTTP-8",
        "A body with an unknown key is refused.",
        (
            "            if name is None:\n                continue\n            attribute, read",
            '            if name is None:\n                wrong = wrong or "unknown"\n                continue\n            attribute, read',
        ),
    ),
    mutant(
        "null-body-refused",
        "HTTP-8",
        "A body that is null is refused.",
        (
            "        if value is None:\n            return zero\n",
            '        if value is None:\n            raise BindError("null", zero)\n',
        ),
    ),
    mutant(
        "bytes-behind-refused",
        "HTTP-8",
        "Bytes behind the first value are refused.",
        (
            "        if value is None:\n            return zero\n",
            '        if text[end:].strip():\n            raise BindError("more", zero)\n        if value is None:\n            return zero\n',
        ),
    ),
    mutant(
        "null-clears-a-field",
        "HTTP-8",
        "A field that is null is refused as text.",
        (
            '            if raw == "null" and read is not _read_raw:\n',
            '            if raw == "nil" and read is not _read_raw:\n',
        ),
    ),
    mutant(
        "unreadable-heartbeat-refused",
        "HTTP-13",
        "A heartbeat whose body cannot be read is answered 400.",
        (
            "        report = error.partial\n",
            '        raise ApiError("INVALID_INPUT", str(error)) from None\n',
        ),
    ),
    mutant(
        "unreadable-heartbeat-says-nothing",
        "HTTP-13",
        "Of a heartbeat whose body cannot be read nothing counts.",
        ("        report = error.partial\n", "        report = type(error.partial)()\n"),
    ),
    mutant(
        "no-escapes",
        "HTTP-14",
        "Angle brackets leave the master as they are.",
        ('    (b"<", b"\\\\u003c"),\n    (b">", b"\\\\u003e"),\n', ""),
    ),
    mutant(
        "ampersand-as-entity",
        "HTTP-14",
        "An ampersand is written as an entity of HTML.",
        ('    (b"&", b"\\\\u0026"),\n', '    (b"&", b"&amp;"),\n'),
    ),
    mutant(
        "first-key-counts",
        "HTTP-18",
        "Of several keys of one name the first counts.",
        (
            "            attribute, read = self._fields[name]\n",
            "            attribute, read = self._fields[name]\n            if getattr(message, attribute) != getattr(self._message(), attribute):\n                continue\n",
        ),
        (
            "            message = self._fast.decode(body)\n",
            '            message = self._bind(body.decode("utf-8", "replace"))\n',
        ),
    ),
    mutant(
        "capital-key-beside-loses",
        "HTTP-18",
        "A key in other letters counts only when the right one is not there.",
        (
            "            attribute, read = self._fields[name]\n",
            "            attribute, read = self._fields[name]\n            if key != name and f'\"{name}\"' in text:\n                continue\n",
        ),
    ),
    mutant(
        "broken-characters-refused",
        "HTTP-19",
        "A text with what is no character is refused.",
        (
            '    return _SURROGATE.sub("\\ufffd", text)\n',
            '    if _SURROGATE.search(text):\n        raise ValueError("string")\n    return text\n',
        ),
    ),
    mutant(
        "broken-characters-dropped",
        "HTTP-19",
        "What is no character in a text is left out.",
        ('    return _SURROGATE.sub("\\ufffd", text)\n', '    return _SURROGATE.sub("", text)\n'),
    ),
    mutant(
        "line-separators-as-they-are",
        "HTTP-14",
        "The line separator of Unicode leaves the master as it is.",
        ('    ("\\u2028".encode(), b"\\\\u2028"),\n', ""),
    ),
    mutant(
        "keys-in-small-letters-alone",
        "HTTP-8",
        "Keys are compared in small letters, not as Unicode folds them.",
        (
            "folded if len(folded := character.casefold()) == 1 else character",
            "folded if len(folded := character.lower()) == 1 else character",
        ),
    ),
    mutant(
        "null-takes-back",
        "HTTP-8",
        "A null takes back what the same key said before.",
        (
            "                if name in self._nil:  # lists and objects become nil again\n                    setattr(message, attribute, None)\n                continue",
            "                setattr(message, attribute, getattr(self._message(), attribute))\n                continue",
        ),
    ),
    mutant(
        "true-is-one",
        "HTTP-7",
        "A size of `true` is one byte.",
        (
            "if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):",
            "if not isinstance(value, kind):",
        ),
    ),
)
