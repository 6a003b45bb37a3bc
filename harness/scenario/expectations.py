"""What must be: of an answer, of a record or node, and the matchers inside."""

import re
from collections.abc import Callable
from typing import Any, Final

from harness.scenario.fields import SELECTED_BY, WIRE_SELECTORS, check_field, check_fields
from harness.scenario.kinds import read_json, read_kind
from harness.scenario.reading import Reading
from harness.scenario.references import is_reference
from harness.scenario.source import Mapping, Node, Scalar, Sequence, describe
from harness.scenario.suggest import nearest
from harness.scenario.verbs import (
    ANSWER_FIELDS,
    EXISTS,
    LIST_FIELDS,
    LISTS,
    MATCHERS,
    SUBJECTS,
    Kind,
)

_SELECTED_BY: Final = {
    "task": Kind.TASK,
    "agent": Kind.AGENT,
    "record": Kind.RECORD,
    "since": Kind.MOMENT,
}
"""The keys that select by name; all others are fields."""

_SUBJECT: Final = 0.75
"""How like a subject a field must be to be its slip: `status` and `task` are not."""

_SLIP: Final = 0.85
"""How like a matcher a lone key must be to be its slip: far enough from fields such as `tasks`."""

_WORDY: Final = tuple(name for name in MATCHERS if len(name) > 4)
"""The matchers that no field's name is a letter away from."""

_TIMES: Final = "takes"


def read_answer(reading: Reading, node: Node) -> dict[str, Any] | None:
    """Return what a call's answer must be."""
    reading.expectations += 1
    mapping = reading.mapping(node, "what the answer must be")
    if mapping is None:
        return None
    if not mapping.entries:
        reading.wrong(mapping, "expected what the answer must be, got an empty mapping")
    for key, _ in mapping.entries:
        if key.text not in ANSWER_FIELDS:
            reading.unknown_key(key, "a field of an answer", ANSWER_FIELDS)
    return _fields(reading, mapping)


def read_look(reading: Reading, node: Node) -> dict[str, Any] | None:
    """Return what is looked at, and what it must be."""
    reading.expectations += 1
    mapping = reading.mapping(node, "what to look at and what it must be")
    if mapping is None:
        return None
    subjects = [key for key, _ in mapping.entries if key.text in SUBJECTS]
    if len(subjects) != 1:
        _wrong_subjects(reading, mapping, subjects)
        return _fields(reading, mapping)
    subject = subjects[0]
    fields = tuple((key, value) for key, value in mapping.entries if key is not subject)
    if not fields:
        reading.wrong(mapping, f"expected something said about the {subject.text}, got nothing")
    _check_fields(reading, subject.text, fields)
    value = mapping.get(subject.text)
    assert value is not None
    rest = Mapping(mapping.place, mapping.end, fields)
    said = _several(reading, rest) if subject.text in LISTS else _mapping(reading, rest)
    return {subject.text: _subject(reading, subject.text, value), **said}


def _several(reading: Reading, mapping: Mapping) -> dict[str, Any]:
    """Return what is said of several things: two of these keys hold what no field does."""
    said: dict[str, Any] = {}
    for key, value in mapping.entries:
        match key.text:
            case "every":
                said[key.text] = reading.duration(value)
            case "in_order":
                items = reading.sequence(value, "things in their order")
                said[key.text] = [read_value(reading, item) for item in items]
            case _:
                said[key.text] = read_value(reading, value)
    return said


def _wrong_subjects(reading: Reading, mapping: Mapping, subjects: list[Scalar]) -> None:
    listed = ", ".join(SUBJECTS)
    if subjects:
        got = " and ".join(repr(key.text) for key in subjects)
        reading.wrong(subjects[1], f"expected one thing to look at ({listed}), got {got}")
        return
    near = (nearest(key.text, SUBJECTS, _SUBJECT) for key, _ in mapping.entries)
    meant = next((one for one in near if one is not None), None)
    hint = None if meant is None else f"did you mean {meant!r}?"
    reading.wrong(mapping, f"expected one thing to look at ({listed}), got none", hint)


def _check_fields(reading: Reading, subject: str, fields: tuple[tuple[Scalar, Node], ...]) -> None:
    if subject in LISTS:
        for key, value in fields:
            if key.text not in LIST_FIELDS:
                reading.unknown_key(key, "what can be said about several things", LIST_FIELDS)
            elif key.text == "every":
                if subject != "calls":
                    reading.wrong(key, f"expected 'every' about calls only, got it about {subject}")
            elif key.text != "count":
                check_fields(reading, subject, value)
        return
    said = tuple(one for one in fields if one[0].text != EXISTS)
    if said:
        check_fields(reading, subject, Mapping(said[0][0].place, said[-1][1].end, said))
    exists = next((value for key, value in fields if key.text == EXISTS), None)
    if exists is None:
        return
    there = read_kind(reading, Kind.FLAG, exists)
    if there is False and len(fields) > 1:
        reading.wrong(exists, f"expected nothing else about a {subject} that is not there")


def _subject(reading: Reading, subject: str, node: Node) -> Any:
    kind = SUBJECTS[subject]
    if kind is not Kind.MAPPING:
        return read_kind(reading, kind, node)
    mapping = reading.mapping(node, f"which {subject} to look at")
    if mapping is None:
        return None
    selected = {}
    by = SELECTED_BY[subject]
    selects = {key.text for key, _ in mapping.entries} & {*by, *WIRE_SELECTORS}
    if subject == "calls":
        reading.required(mapping, "calls", ("agent",))
    elif not selects and set(reading.clocks) - {"virtual"}:
        message = f"expected {subject} selected by {' or '.join(by)}, or 'clocks: [virtual]'"
        reading.wrong(mapping, f"{message}: a real master has those of other scenarios too")
    for key, value in mapping.entries:
        own = _SELECTED_BY.get(key.text) if key.text in by else None
        if own is None:
            check_field(reading, subject, key, value)
        selected[key.text] = (
            read_json(reading, value) if own is None else read_kind(reading, own, value)
        )
    return selected


# --- values and matchers --------------------------------------------------------------------


def read_value(reading: Reading, node: Node) -> Any:
    """Return what one value must be."""
    if isinstance(node, Mapping):
        return _mapping(reading, node)
    if isinstance(node, Sequence):
        return [read_value(reading, item) for item in node.items]
    return read_json(reading, node)


def _fields(reading: Reading, mapping: Mapping) -> dict[str, Any]:
    """Return a mapping that matches key by key."""
    return {
        key.text: _times(reading, value) if key.text == _TIMES else read_value(reading, value)
        for key, value in mapping.entries
    }


def _mapping(reading: Reading, mapping: Mapping) -> dict[str, Any]:
    names = [key.text for key, _ in mapping.entries]
    if len(names) == 1:
        name, argument = names[0], mapping.entries[0][1]
        if name in MATCHERS:
            return {name: _ARGUMENTS[name](reading, argument)}
        slip = nearest(name, _WORDY, _SLIP)
        if slip is not None:
            message = f"expected a field or a matcher, got {name!r}"
            reading.wrong(mapping.entries[0][0], message, f"did you mean {slip!r}?")
    elif names and all(name in MATCHERS for name in names):
        message = f"expected one matcher a mapping, got {' and '.join(names)}"
        hint = "write 'between' for both limits" if set(names) == {"at_least", "at_most"} else None
        reading.wrong(mapping.entries[1][0], message, hint)
    return _fields(reading, mapping)


def _options(reading: Reading, node: Node) -> list[Any]:
    return [read_value(reading, item) for item in reading.sequence(node, "values to choose from")]


def _regex(reading: Reading, node: Node) -> Any:
    text = reading.text(node, "a regular expression")
    if text is None:
        return None
    reading.check_references(node, text)
    try:
        re.compile(re.sub(r"\$\{[^}]*\}", "x", text))
    except (re.error, OverflowError, RecursionError) as error:
        reading.wrong(node, f"expected a regular expression, got {describe(node)}: {error}")
    return text


def _number(reading: Reading, node: Node) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str) and is_reference(node.value):
        reading.check_references(node, node.value)
        return node.value
    return read_kind(reading, Kind.NUMBER, node)


def _pair(reading: Reading, node: Node, what: str, read: Callable[[Node, int], Any]) -> list[Any]:
    """Return two values in a list."""
    if not isinstance(node, Sequence) or len(node.items) != 2:
        got = f"a list of {len(node.items)}" if isinstance(node, Sequence) else describe(node)
        reading.wrong(node, f"expected a list of two {what}, got {got}")
        return []
    return [read(item, at) for at, item in enumerate(node.items)]


def _between(reading: Reading, node: Node) -> Any:
    bounds = _pair(reading, node, "numbers", lambda item, _: _number(reading, item))
    numbers = [bound for bound in bounds if isinstance(bound, int | float)]
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        reading.wrong(node, f"expected the smaller number first, got {numbers[0]} and {numbers[1]}")
    return bounds


def _times(reading: Reading, node: Node) -> Any:
    bounds = _pair(
        reading, node, "durations", lambda item, at: reading.duration(item, zero=at == 0)
    )
    found = [bound for bound in bounds if bound is not None]
    if len(found) == 2 and reading.seconds(found[0]) > reading.seconds(found[1]):
        message = "expected the shorter duration first"
        reading.wrong(node, f"{message}, got {found[0].text} and {found[1].text}")
    return tuple(found)


def _length(reading: Reading, node: Node) -> Any:
    return reading.whole(node, "a length", 0, 2**31)


def _exactly(reading: Reading, node: Node) -> Any:
    mapping = reading.mapping(node, "all the keys and what each must be")
    return None if mapping is None else _fields(reading, mapping)


def _texts(reading: Reading, node: Node) -> list[Any]:
    items = reading.sequence(node, "texts", empty=True)
    return [read_kind(reading, Kind.TEXT, item) for item in items]


def _parts(reading: Reading, node: Node) -> list[Any]:
    items = reading.sequence(node, "texts in their order")
    return [read_kind(reading, Kind.TEXT, item) for item in items]


_ARGUMENTS: Final[dict[str, Callable[[Reading, Node], Any]]] = {
    "not": read_value,
    "one_of": _options,
    "contains": read_json,
    "matches": _regex,
    "at_least": _number,
    "at_most": _number,
    "between": _between,
    "length": _length,
    "takes": _times,
    "exactly": _exactly,
    "absent": lambda reading, node: read_kind(reading, Kind.FLAG, node),
    "json": read_value,
    "keys": _texts,
    "all": read_value,
    "any": read_value,
    "in_order": _parts,
}
