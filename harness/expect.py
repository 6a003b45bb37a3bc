"""Is a value what a scenario says it must be? If not: where, what was expected, what came.

A plain value matches itself, a mapping matches the keys it names, a list matches item by item, and
a mapping with one matcher as its only key (`MATCHERS`) matches as that matcher says.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from harness.scenario.verbs import MATCHERS

_MISSING: Final = object()
_SHOWN_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One value that is not as said.

    Attributes:
        where: the way to it: `data.command.type`.
        expected: what it must be, in words.
        seen: what it was.

    """

    where: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.where or 'the value'}: expected {self.expected}, seen {self.seen}"


def show(value: Any) -> str:
    """Return a value as a reader wants to see it, cut when it is long."""
    if value is _MISSING:
        return "nothing there"
    text = json.dumps(value, ensure_ascii=False)
    return (
        text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}… ({len(text)} characters)"
    )


def matches(expected: Any, seen: Any, where: str = "") -> Mismatch | None:
    """Return how a value differs from what is expected, or `None` when it does not.

    Args:
        expected: a value of a scenario file, references resolved and `takes` in seconds.
        seen: a JSON value.
        where: the way to the value, for the mismatch.

    """
    if isinstance(expected, dict):
        if len(expected) == 1:
            name, argument = next(iter(expected.items()))
            if name in MATCHERS:
                return _CHECKS[name](argument, seen, where)
        return _match_mapping(expected, seen, where)
    if isinstance(expected, list):
        return _match_list(expected, seen, where)
    if _same(expected, seen):
        return None
    return Mismatch(where, show(expected), show(seen))


def _same(expected: Any, seen: Any) -> bool:
    if isinstance(expected, bool) or isinstance(seen, bool):
        return expected is seen
    return bool(expected == seen)


def _match_mapping(expected: dict[str, Any], seen: Any, where: str) -> Mismatch | None:
    if not isinstance(seen, dict):
        return Mismatch(where, f"a mapping with {', '.join(expected) or 'anything'}", show(seen))
    for key, item in expected.items():
        found = seen.get(key, _MISSING)
        mismatch = matches(item, found, f"{where}.{key}" if where else key)
        if mismatch is not None:
            return mismatch
    return None


def _match_list(expected: list[Any], seen: Any, where: str) -> Mismatch | None:
    if not isinstance(seen, list) or len(seen) != len(expected):
        wanted = f"a list of {len(expected)}: {show(expected)}"
        return Mismatch(where, wanted, _compared(expected, seen))
    for index, (item, found) in enumerate(zip(expected, seen, strict=True)):
        mismatch = matches(item, found, f"{where}[{index}]")
        if mismatch is not None:
            return mismatch
    return None


def _compared(expected: list[Any], seen: Any) -> str:
    """Return how a list is too long or too short: of long ones nobody finds it by reading."""
    if not isinstance(seen, list) or not seen:
        return show(seen)
    lacks = [one for one in expected if all(matches(one, found) for found in seen)]
    besides = [found for found in seen if all(matches(one, found) for one in expected)]
    parts = [("without", lacks), ("with", besides)]
    told = [f"{word} {show(items)}" for word, items in parts if items]
    return f"a list of {len(seen)}, {' and '.join(told)}" if told else show(seen)


def _number(seen: Any) -> bool:
    return isinstance(seen, int | float) and not isinstance(seen, bool)


def _check(
    words: str, holds: Callable[[Any, Any], bool]
) -> Callable[[Any, Any, str], Mismatch | None]:
    def check(argument: Any, seen: Any, where: str) -> Mismatch | None:
        if holds(argument, seen):
            return None
        return Mismatch(where, f"{words} {show(argument)}", show(seen))

    return check


def _absent(argument: Any, seen: Any, where: str) -> Mismatch | None:
    if (seen is _MISSING) == argument:
        return None
    return Mismatch(where, "nothing there" if argument else "something there", show(seen))


def _exactly(argument: Any, seen: Any, where: str) -> Mismatch | None:
    mismatch = matches(argument, seen, where)
    if mismatch is None and isinstance(seen, dict) and set(seen) != set(argument):
        further = sorted(set(seen) - set(argument))
        return Mismatch(where, f"no further keys than {show(sorted(argument))}", show(further))
    return mismatch


def _json_text(argument: Any, seen: Any, where: str) -> Mismatch | None:
    try:
        value = json.loads(seen)
    except (TypeError, ValueError):
        return Mismatch(where, "text that is JSON", show(seen))
    return matches(argument, value, f"{where} (as JSON)")


def _in_order(argument: list[str], seen: Any) -> bool:
    at = 0
    for part in argument:
        at = seen.find(part, at) if isinstance(seen, str) else -1
        if at < 0:
            return False
        at += len(part)
    return True


def _every(argument: Any, seen: Any, where: str) -> Mismatch | None:
    if not isinstance(seen, list):
        return Mismatch(where, "a list", show(seen))
    found = (matches(argument, item, f"{where}[{at}]") for at, item in enumerate(seen))
    return next((mismatch for mismatch in found if mismatch is not None), None)


def _some(argument: Any, seen: Any, where: str) -> Mismatch | None:
    if isinstance(seen, list) and any(matches(argument, item) is None for item in seen):
        return None
    return Mismatch(where, f"a list with an item like {show(argument)}", show(seen))


_CHECKS: Final[dict[str, Callable[[Any, Any, str], Mismatch | None]]] = {
    "not": _check("anything but", lambda argument, seen: matches(argument, seen) is not None),
    "one_of": _check(
        "one of", lambda argument, seen: any(matches(item, seen) is None for item in argument)
    ),
    "contains": _check(
        "something that contains",
        lambda argument, seen: isinstance(seen, str | list) and argument in seen,
    ),
    "matches": _check(
        "text that matches",
        lambda argument, seen: isinstance(seen, str) and re.search(argument, seen) is not None,
    ),
    "at_least": _check("at least", lambda argument, seen: _number(seen) and seen >= argument),
    "at_most": _check("at most", lambda argument, seen: _number(seen) and seen <= argument),
    "between": _check(
        "a number between",
        lambda argument, seen: _number(seen) and argument[0] <= seen <= argument[1],
    ),
    "takes": _check(
        "a number of seconds between",
        lambda argument, seen: _number(seen) and argument[0] <= seen <= argument[1],
    ),
    "length": _check(
        "the length", lambda argument, seen: isinstance(seen, str | list) and len(seen) == argument
    ),
    "exactly": _exactly,
    "absent": _absent,
    "json": _json_text,
    "keys": _check(
        "just these keys in this order:",
        lambda argument, seen: isinstance(seen, dict) and list(seen) == argument,
    ),
    "all": _every,
    "any": _some,
    "in_order": _check("text with these in order:", _in_order),
}
