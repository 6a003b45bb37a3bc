"""The steps of a scenario."""

from collections.abc import Callable
from typing import Any, Final

from harness.scenario.expectations import read_answer, read_look
from harness.scenario.fields import check_table
from harness.scenario.kinds import read_answer_name, read_kind
from harness.scenario.model import Step
from harness.scenario.reading import Reading
from harness.scenario.source import Mapping, Node, Scalar
from harness.scenario.verbs import CALL_KEYS, LOSABLE, STEP_KEYS, VERBS, Kind, Verb

TIMES_MAX: Final = 1_000
"""Calls at the same moment: beyond any race, below the sockets of a machine."""

ARTIFACT_MAX: Final = 16_777_216
"""Bytes of an uploaded backup: it is held in memory, and in the history."""

_BESIDE: Final = {**CALL_KEYS, **STEP_KEYS}
_ON_WIRE: Final = frozenset({"token"})
"""Keys beside a verb that are also fields of bodies, so that they can stand inside an open verb."""


def read_steps(reading: Reading, node: Node) -> tuple[Step, ...]:
    """Return steps that happen one after the other."""
    steps = [_step(reading, item) for item in reading.sequence(node, "steps")]
    return tuple(step for step in steps if step is not None)


def _together(reading: Reading, node: Node) -> tuple[Step, ...]:
    """Return steps that happen at the same moment."""
    steps = []
    with reading.names.at_once() as moment:
        for item in reading.sequence(node, "steps"):
            with moment.one():
                steps.append(_step(reading, item))
    return tuple(step for step in steps if step is not None)


def _step(reading: Reading, node: Node) -> Step | None:
    mapping = reading.mapping(node, "a step")
    if mapping is None:
        return None
    key = _verb_key(reading, mapping)
    if key is None:
        reading.expectations += 1  # there is no knowing what the step was to be
        _give_name(reading, mapping)
        return None
    name = key.text
    verb = VERBS[name]
    beside = [(k, v) for k, v in mapping.entries if k is not key]
    for other, _ in beside:
        _check_beside(reading, name, verb, other)
    value = mapping.get(name)
    assert value is not None
    args = _args(reading, name, verb, value)
    return Step(
        verb=name,
        args=args,
        place=mapping.place,
        source=reading.page.excerpt(mapping),
        clauses=_clauses(reading, mapping),
        **(_call(reading, mapping) if verb.call else {"name": args.get("as")}),
    )


def _verb_key(reading: Reading, mapping: Mapping) -> Scalar | None:
    """Return the key that is the step's verb: `expect` is one only where there is no call."""
    keys = [key for key, _ in mapping.entries]
    verbs = [key for key in keys if key.text in VERBS and key.text not in _BESIDE]
    unknown = [key for key in keys if key.text not in VERBS and key.text not in _BESIDE]
    if not verbs and not unknown:
        verbs = [key for key in keys if key.text in VERBS]
    if len(verbs) == 1:
        return verbs[0]
    if verbs:
        got = " and ".join(repr(key.text) for key in verbs)
        reading.page.wrong(verbs[1].place, f"expected one verb a step, got {got}")
    elif unknown:
        reading.unknown_key(unknown[0], "a verb", VERBS)
    else:
        got = ", ".join(repr(key.text) for key in keys) or "an empty mapping"
        reading.wrong(mapping, f"expected a step with a verb, got {got}")
    return None


def _check_beside(reading: Reading, name: str, verb: Verb, key: Scalar) -> None:
    """Note a key beside a verb that does not belong there."""
    if key.text in STEP_KEYS or (verb.call and key.text in CALL_KEYS):
        return
    reading.expectations += 1  # the key may have been one
    if key.text in verb.keys:
        hint = f"write '{name}: {{{key.text}: …}}'"
        reading.wrong(key, f"expected {key.text!r} inside {name!r}, got it beside it", hint)
    elif key.text in CALL_KEYS:
        reading.wrong(key, f"expected {key.text!r} beside calls only, got it beside {name!r}")
    else:
        known = [*(CALL_KEYS if verb.call else ()), *STEP_KEYS]
        reading.unknown_key(key, f"a key beside {name!r}", known)


# --- beside the verb --------------------------------------------------------------------------


def _give_name(reading: Reading, mapping: Mapping) -> str | None:
    node = mapping.get("as")
    if node is None:
        return None
    waits = mapping.get("background")
    background = isinstance(waits, Scalar) and waits.value is True
    return _name(reading, node, call=True, background=background)


def _name(reading: Reading, node: Node, **what: bool) -> str | None:
    """Return a name that is being given; see `Names.give` for what it may name."""
    if reading.text(node, "a name") is None or not isinstance(node, Scalar):
        return None
    name = reading.new_name(node, "a name")
    earlier = reading.names.earlier(name)
    if earlier is not None:
        line = earlier.place.line
        reading.wrong(node, f"expected a new name, got {name!r}, which is given in line {line}")
    reading.names.give(name, node.place, **what)
    return name


def _clauses(reading: Reading, mapping: Mapping) -> tuple[str, ...]:
    node = mapping.get("clauses")
    return () if node is None else reading.words(node, "clause", reading.clauses)


def _call(reading: Reading, mapping: Mapping) -> dict[str, Any]:
    expect, token = mapping.get("expect"), mapping.get("token")
    background, times = mapping.get("background"), mapping.get("times")
    waits = background is not None and read_kind(reading, Kind.FLAG, background) is True
    if waits and mapping.get("as") is None:
        message = "expected 'as' beside 'background', for an 'answer' step to name it"
        reading.wrong(mapping.key("background"), message)
    if waits and expect is not None:
        message = "expected no 'expect' beside 'background', where no answer is waited for"
        reading.wrong(mapping.key("expect"), message, "write 'answer: {of: …, expect: …}'")
    lose = mapping.get("lose")
    if lose is not None and expect is not None:
        message = "expected no 'expect' beside 'lose', where no answer comes"
        reading.wrong(mapping.key("expect"), message)
    most = TIMES_MAX
    return {
        "token": None if token is None else read_kind(reading, Kind.TEXT, token),
        "background": waits,
        "lose": None if lose is None else reading.word(lose, "what gets lost", LOSABLE),
        "times": 1 if times is None else reading.whole(times, "a number of calls", 1, most) or 1,
        # Named behind what the call sends, and before what its answer must be.
        "name": _give_name(reading, mapping),
        "expect": None if expect is None else read_answer(reading, expect),
    }


# --- the verb's own ---------------------------------------------------------------------------


def _args(reading: Reading, name: str, verb: Verb, node: Node) -> dict[str, Any]:
    """Return what a verb is told, in its long form."""
    short = verb.short
    kind = None if short is None else verb.keys[short]
    if short is not None and (kind is Kind.MATCHERS or not isinstance(node, Mapping)):
        return {short: _arg(reading, name, short, verb.keys[short], node)}
    mapping = reading.mapping(node, f"the keys of {name!r}")
    if mapping is None:
        return {}
    reading.required(mapping, repr(name), verb.required)
    for key, _ in mapping.entries:
        _check_inside(reading, name, verb, key)
    rule = _RULES.get(name)
    if rule is not None:
        rule(reading, mapping)
    if name == "for_each":
        return _for_each(reading, mapping)
    return {
        key.text: _arg(reading, name, key.text, verb.keys.get(key.text, Kind.JSON), value)
        for key, value in mapping.entries
    }


def _check_inside(reading: Reading, name: str, verb: Verb, key: Scalar) -> None:
    """Note a key inside a verb that does not belong there."""
    if key.text in verb.keys:
        return
    if key.text in STEP_KEYS or (verb.call and key.text in CALL_KEYS):
        if not (verb.open and key.text in _ON_WIRE):
            reading.wrong(key, f"expected {key.text!r} beside {name!r}, got it inside it")
    elif not verb.open:
        reading.unknown_key(key, f"a key of {name!r}", verb.keys)


def _arg(reading: Reading, verb: str, key: str, kind: Kind, node: Node) -> Any:
    if kind is Kind.STEPS:
        return _together(reading, node) if verb == "together" else read_steps(reading, node)
    if kind is Kind.MATCHERS:
        return read_answer(reading, node) if verb == "answer" else read_look(reading, node)
    if kind is Kind.ANSWER:
        return read_answer_name(reading, node, background=True)
    if key == "as":
        return _name(reading, node, feed=verb == "listen", moment=verb == "mark")
    return read_kind(reading, kind, node)


def _for_each(reading: Reading, mapping: Mapping) -> dict[str, Any]:
    items, body = mapping.get("in"), mapping.get("do")
    args: dict[str, Any] = {}
    if items is not None:
        args["in"] = read_kind(reading, Kind.LIST, items)
    if body is not None:
        with reading.names.loop():
            args["do"] = read_steps(reading, body)
    return args


# --- rules between keys -----------------------------------------------------------------------


def _one_of(*names: str) -> Callable[[Reading, Mapping], None]:
    def check(reading: Reading, mapping: Mapping) -> None:
        found = [key for key, _ in mapping.entries if key.text in names]
        if len(found) != 1:
            got = " and ".join(repr(key.text) for key in found) or "none"
            place = found[1] if found else mapping
            reading.wrong(place, f"expected one of {', '.join(names)}, got {got}")

    return check


def _tamper(reading: Reading, mapping: Mapping) -> None:
    actions = ("insert", "update", "delete", "freeze")
    _one_of(*actions)(reading, mapping)
    there = {key.text for key, _ in mapping.entries}
    if there & {"insert", "update"} and "set" not in there:
        reading.wrong(mapping, "expected 'set' with the columns to write, which is missing")
    for action in ("delete", "freeze"):
        if not {action, "set"} <= there:
            continue
        reading.wrong(mapping.key("set"), f"expected no 'set' with {action!r}")
    if "insert" in there and "where" in there:
        reading.wrong(mapping.key("where"), "expected no 'where' with 'insert'")
    if "as" in there and "insert" not in there:
        reading.wrong(mapping.key("as"), "expected 'as' with 'insert' only: it names the new row")
    table = next((mapping.get(key) for key in actions if key in there), None)
    check_table(reading, table, mapping.get("set"), mapping.get("where"))


def _master_clock(reading: Reading, mapping: Mapping) -> None:
    _one_of("jump", "back")(reading, mapping)
    if set(reading.clocks) - {"virtual"}:
        message = "expected 'clocks: [virtual]' where the master's clock is set"
        reading.wrong(mapping, message, "a server process has the clock of its machine")


def _put_artifact(reading: Reading, mapping: Mapping) -> None:
    if mapping.get("content") is not None and mapping.get("size") is not None:
        reading.wrong(mapping.key("size"), "expected 'content' or 'size', got both")
    if isinstance(size := mapping.get("size"), Scalar):
        reading.whole(size, "a number of bytes", 0, ARTIFACT_MAX)
    for name, kind in (("key", Kind.TEXT), ("sha256", Kind.TEXT), ("length", Kind.NUMBER)):
        node = mapping.get(name)
        if node is not None and not (isinstance(node, Scalar) and node.text == "null"):
            read_kind(reading, kind, node)


def _body(reading: Reading, mapping: Mapping) -> None:
    if mapping.get("json") is not None and mapping.get("body") is not None:
        message = "expected 'json' or 'body', got both"
        reading.wrong(mapping.key("body"), message)


_RULES: Final[dict[str, Callable[[Reading, Mapping], None]]] = {
    "delete": _one_of("agent", "task", "target", "record"),
    "tamper": _tamper,
    "master_clock": _master_clock,
    "put_artifact": _put_artifact,
    "admin": _body,
    "request": _body,
}
