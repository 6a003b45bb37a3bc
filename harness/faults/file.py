"""A plan of faults from a YAML file: strict, and every mistake at once with its place.

A plan is a mapping with the key `faults`: a list, each item a fault in its short form, or a mapping of
one action to its keys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from harness.faults.action import Action
from harness.faults.keys import FaultError, fault_of, kinds, read_value
from harness.faults.short import action_of, parse
from harness.faults.values import Fault, Plan
from harness.scenario.errors import ScenarioErrors
from harness.scenario.reading import Reading
from harness.scenario.source import Mapping, Node, Scalar, describe, read_page

_TOP: Final = ("faults",)


def read_plan(path: Path) -> Plan:
    """Return the plan of a file.

    Raises:
        ScenarioErrors: every mistake in it.

    """
    page, root = read_page(path, "plan of faults")
    reading = Reading(page, clauses=(), behaviours={})
    faults = () if root is None else tuple(_faults(reading, root))
    if page.errors:
        raise ScenarioErrors(page.errors)
    return Plan(faults)


def _faults(reading: Reading, root: Node) -> Iterator[Fault]:
    top = reading.mapping(root, "a plan of faults")
    if top is None:
        return
    for key, _ in top.entries:
        if key.text not in _TOP:
            reading.unknown_key(key, "a key of a plan", _TOP)
    items = top.get("faults")
    if items is None:
        reading.required(top, "a plan", _TOP)
        return
    for item in reading.sequence(items, "faults"):
        try:
            yield _fault(reading, item)
        except _WrongError:
            continue
        except FaultError as error:
            reading.wrong(item, str(error), error.hint)


class _WrongError(Exception):
    """What is wrong has been noted already."""


def _fault(reading: Reading, item: Node) -> Fault:
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return parse(item.value)
    if not isinstance(item, Mapping) or len(item.entries) != 1:
        message = "expected a fault: its short form, or one action with its keys"
        raise FaultError(f"{message}, got {describe(item)}")
    ((name, body),) = item.entries
    try:
        action = action_of(name.text)
    except FaultError as error:
        reading.wrong(name, str(error), error.hint)
        raise _WrongError from None
    if isinstance(body, Scalar) and body.missing:
        return fault_of(action, {})
    keys = reading.mapping(body, f"the keys of {action.name}")
    if keys is None:
        raise _WrongError
    return fault_of(action, _values(reading, action, keys))


def _values(reading: Reading, action: type[Action], keys: Mapping) -> dict[str, Any]:
    known = kinds(action)
    values: dict[str, Any] = {}
    before = len(reading.page.errors)
    for key, value in keys.entries:
        if key.text not in known:
            reading.unknown_key(key, f"a key of {action.name}", known)
        elif not isinstance(value, Scalar) or value.missing:
            reading.wrong(value, f"expected {known[key.text]}, got {describe(value)}")
        else:
            try:
                values[key.text] = read_value(known[key.text], value.text)
            except FaultError as error:
                reading.wrong(value, str(error), error.hint)
    if len(reading.page.errors) > before:
        raise _WrongError
    return values
