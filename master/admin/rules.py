"""The rules a body must keep beyond its types, as the real master's binding tags state them.

A rule looks at one field's value; the first broken one makes the body unreadable, with the same
error as a wrong type.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from master.call import Call
from master.protocol.errors import ApiError
from master.protocol.wire import Binder, BindError, M

Rule = Callable[[Any], bool]

_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_DIGITS_MOST: Final = 20  # of the largest number with 64 bits

DEEPEST: Final = 100
"""How deep a free-form value may nest; the real master gives up at 10,000."""


def required(value: Any) -> bool:
    """Text is not empty, a number is not 0, a list or an object is there at all."""
    return value is not None if isinstance(value, list | dict) or value is None else bool(value)


def size(low: int, high: int) -> Rule:
    """Text has so many characters."""
    return lambda value: low <= len(value) <= high


def at_most(high: int) -> Rule:
    """Text has no more characters."""
    return size(0, high)


def at_least_one(value: Any) -> bool:
    """Say that a number is 1 or more, that a list has an item."""
    return bool(value) if isinstance(value, list) else value >= 1


def one_of(*words: str) -> Rule:
    """Text is one of these words, to the letter."""
    return lambda value: value in words


def or_empty(rule: Rule) -> Rule:
    """Text is empty, or keeps a rule."""
    return lambda value: not value or rule(value)


def finite(value: Any, depth: int = 0) -> bool:
    """Every number in a free-form value fits a 64-bit float, and the value is not too deep."""
    if depth > DEEPEST:
        return False
    match value:
        case dict():
            return all(finite(item, depth + 1) for item in value.values())
        case list():
            return all(finite(item, depth + 1) for item in value)
        case bool():
            return True
        case int():
            return abs(value) < 2**1024 - 2**970
        case float():
            return math.isfinite(value)
        case _:
            return True


class RuledBinder(Binder[M]):
    """Reads bodies into one type of message, and checks the rules of its fields.

    Args:
        message: the type.
        rules: the rules of each field that has any, in the order of the fields.

    """

    def __init__(self, message: type[M], rules: Mapping[str, tuple[Rule, ...]]) -> None:
        super().__init__(message)
        self._rules = rules

    def __call__(self, body: bytes) -> M:
        """Return the message that a request body holds.

        Raises:
            BindError: the body is no message, or breaks a rule.

        """
        bound = super().__call__(body)
        for name, rules in self._rules.items():
            value = getattr(bound, name)
            if not all(rule(value) for rule in rules):
                raise BindError(f"field {name} breaks a rule", bound)
        return bound


def read(call: Call, bind: Binder[M], code: str, message: str | None = None) -> M:
    """Return a request's message.

    Raises:
        ApiError: `code`, with its usual message or the given one.

    """
    try:
        return bind(call.request.body)
    except BindError:
        raise ApiError(code, message) from None


def whole(text: str, bits: int) -> int | None:
    """Return the unsigned number a text writes, or `None` when it is none of so many bits."""
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > _DIGITS_MOST:
        return None
    number = int(digits)
    return number if number < 2**bits else None
