"""What a key may hold: one reader for each `Kind` that means the same everywhere."""

from collections.abc import Callable
from typing import Any, Final

from harness.scenario.reading import Reading
from harness.scenario.references import SCRATCH_REFERENCE, is_reference
from harness.scenario.source import Mapping, Node, Scalar, Sequence, describe
from harness.scenario.suggest import did_you_mean
from harness.scenario.verbs import Kind

FILE_MAX: Final = 67_108_864
"""Bytes of one file that a scenario makes: enough to be in the middle of it for a while."""


def read_kind(reading: Reading, kind: Kind, node: Node) -> Any:
    """Return what a key holds; what is wrong with it is noted."""
    return _READERS[kind](reading, node)


def read_json(reading: Reading, node: Node) -> Any:
    """Return a node as a JSON value, its references checked."""
    if isinstance(node, Mapping):
        return {_json_key(reading, key): read_json(reading, value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [read_json(reading, item) for item in node.items]
    if node.missing:
        reading.wrong(node, "expected a value, got nothing", "write null if that is meant")
    if isinstance(node.value, str):
        reading.check_references(node, node.value)
    return node.value


def _json_key(reading: Reading, key: Scalar) -> str:
    if "${" in key.text:
        reading.wrong(key, f"expected a key without references, got {key.text!r}")
    return key.text


def _agent(reading: Reading, node: Node) -> Any:
    return _declared(reading, node, "agent", list(reading.names.agents))


def _task(reading: Reading, node: Node) -> Any:
    return _id(node, lambda: _declared(reading, node, "task", list(reading.names.tasks)))


def _target(reading: Reading, node: Node) -> Any:
    return _id(node, lambda: _declared(reading, node, "target", list(reading.names.targets)))


def _declared(reading: Reading, node: Node, what: str, known: list[str]) -> Any:
    """Return the name of something declared, or a reference."""
    text = reading.text(node, f"the name of a declared {what}")
    if text is None:
        return None
    if is_reference(text):
        reading.check_references(node, text)
    elif what == "agent" and text in known and not reading.names.is_agent(text):
        reading.wrong(node, *reading.group_message(text))
    elif text not in known and not (what == "agent" and reading.names.is_agent(text)):
        listed = f" ({', '.join(known)})" if known else f", and no {what} is declared"
        message = f"expected the name of a declared {what}{listed}, got {text!r}"
        reading.wrong(node, message, did_you_mean(text, known))
    return text


def _id(node: Node, otherwise: Callable[[], Any]) -> Any:
    """Return an id that is written as a number, any: what a master does with a bad one is worth a look."""
    if isinstance(node, Scalar) and type(node.value) is int:
        return node.value
    return otherwise()


def _given(reading: Reading, node: Node, what: str, *, ids: bool = True) -> Any:
    """Return a name given with `as`, a reference, or an id."""
    if ids and isinstance(node, Scalar) and type(node.value) is int:
        return node.value
    text = reading.text(node, f"{what}: a name given with 'as'")
    if text is None:
        return None
    if ids and is_reference(text):
        reading.check_references(node, text)
    elif text not in reading.names.known:
        reading.unknown_name(node, text, f"{what}: a name given with 'as' in an earlier step")
    return text


def read_answer_name(reading: Reading, node: Node, *, background: bool) -> Any:
    """Return the name of a call's answer."""
    text = _given(reading, node, "an answer", ids=False)
    given = reading.names.known.get(text)
    if given is not None and not given.call:
        named = "no call" if given.moment else "a row of the database"
        what = "an event stream" if given.feed else named
        reading.wrong(node, f"expected an answer, got {text!r}, which names {what}")
    elif given is not None and background and not given.background:
        message = f"expected the answer of a call in the background, got {text!r}"
        reading.wrong(node, message, f"write 'background: true' in line {given.place.line}")
    return text


def _feed(reading: Reading, node: Node) -> Any:
    """Return the name of an event stream."""
    text = _given(reading, node, "an event stream", ids=False)
    given = reading.names.known.get(text)
    if given is not None and not given.feed:
        reading.wrong(node, f"expected an event stream, got {text!r}, which 'listen' has not named")
    return text


def _moment(reading: Reading, node: Node) -> Any:
    """Return the name of a moment."""
    text = _given(reading, node, "a moment", ids=False)
    given = reading.names.known.get(text)
    if given is not None and not given.moment:
        reading.wrong(node, f"expected a moment, got {text!r}, which 'mark' has not named")
    return text


def _path(reading: Reading, node: Node) -> str | None:
    """Return a path that is of nobody else: below the scenario's own folder, or what a reference says."""
    text = reading.text(node, "a path")
    if text is None:
        return None
    reading.check_references(node, text)
    if not reading.tested:
        reading.wrong(node, "expected an agent that is 'tested': there are no files without one")
    elif not text.startswith(SCRATCH_REFERENCE) or ".." in text.split("/"):
        reading.wrong(node, f"expected a path below {SCRATCH_REFERENCE}, got {text!r}")
    return text


def _files(reading: Reading, node: Node) -> dict[str, Any]:
    """Return files by their paths: each a text, a number of bytes, or a link."""
    mapping = reading.mapping(node, "files by their paths")
    found: dict[str, Any] = {}
    for key, value in mapping.entries if mapping else ():
        parts = key.text.split("/")
        if key.text.startswith("/") or ".." in parts or not key.text.strip("/"):
            reading.wrong(key, f"expected a path below 'at', got {key.text!r}")
        found[key.text] = _file(reading, value)
    return found


def _file(reading: Reading, node: Node) -> Any:
    if not isinstance(node, Mapping):
        return _text(reading, node)
    names = [key.text for key, _ in node.entries]
    if names == ["size"]:
        return {"size": reading.whole(node.entries[0][1], "a number of bytes", 0, FILE_MAX)}
    if names == ["link"]:
        return {"link": reading.text(node.entries[0][1], "the path that a link leads to")}
    got = " and ".join(map(repr, names)) or "an empty mapping"
    reading.wrong(node, f"expected a text, {{size: …}} or {{link: …}}, got {got}")
    return None


def _text(reading: Reading, node: Node) -> str | None:
    if isinstance(node, Scalar) and node.value == "":
        return ""
    text = reading.text(node, "text")
    if text is not None:
        reading.check_references(node, text)
    return text


def _number(reading: Reading, node: Node) -> Any:
    if isinstance(node, Scalar) and type(node.value) in {int, float}:
        return node.value
    reading.wrong(node, f"expected a number, got {describe(node)}")
    return None


def _flag(reading: Reading, node: Node) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    reading.wrong(node, f"expected true or false, got {describe(node)}")
    return None


def _mapping(reading: Reading, node: Node) -> Any:
    return None if reading.mapping(node, "fields") is None else read_json(reading, node)


def _list(reading: Reading, node: Node) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str) and is_reference(node.value):
        reading.check_references(node, node.value)
        return node.value
    return [read_json(reading, item) for item in reading.sequence(node, "items")]


_READERS: Final[dict[Kind, Callable[[Reading, Node], Any]]] = {
    Kind.AGENT: _agent,
    Kind.TASK: _task,
    Kind.TARGET: _target,
    Kind.COMMAND: lambda reading, node: _given(reading, node, "a command"),
    Kind.RECORD: lambda reading, node: _given(reading, node, "a backup record"),
    Kind.RESTORE: lambda reading, node: _given(reading, node, "a restore record"),
    Kind.ANSWER: lambda reading, node: read_answer_name(reading, node, background=False),
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.DURATION: lambda reading, node: reading.duration(node),
    Kind.JSON: read_json,
    Kind.MAPPING: _mapping,
    Kind.LIST: _list,
    Kind.FEED: _feed,
    Kind.MOMENT: _moment,
    Kind.PATH: _path,
    Kind.FILES: _files,
}
