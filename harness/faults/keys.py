"""The keys of a plan: what each is for, and what its value says. Both forms of a plan use this table."""

import re
from collections.abc import Callable
from typing import Any, Final

from harness.faults.action import Action, Half, Kind, Ways
from harness.faults.values import METHODS, Fault, Selection
from harness.history import OPERATION_NAMES
from harness.scenario.durations import DurationError, literal_seconds
from harness.scenario.suggest import did_you_mean

SELECTION_KEYS: Final[dict[str, tuple[Kind, str]]] = {
    "process": (Kind.PROCESS, "whose exchanges; everybody's when left out"),
    "operation": (Kind.OPERATION, "what is asked; anything when left out"),
    "nth": (Kind.NTH, "which of those that match, counted from 1 over all processes"),
    "every": (Kind.COUNT, "each so-manieth of those that match"),
    "share": (Kind.SHARE, "how likely each of those that match is meant, by the seed"),
    "from": (Kind.DURATION, "not before so long after the beginning"),
    "until": (Kind.DURATION, "only before so long after the beginning"),
}
"""The keys that say which exchanges a fault is about."""

STATUS_RANGE: Final = range(200, 600)
"""Answers; what comes before one (1xx) is no answer."""

_FIELDS: Final = {"from": "from_s", "until": "until_s"}
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_NTH: Final = re.compile(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?")
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")
_FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False}


class FaultError(ValueError):
    """A text that says no fault.

    Attributes:
        hint: what may have been meant.

    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def kinds(action: type[Action]) -> dict[str, Kind]:
    """Return the keys that a fault of an action can have, each with what it holds."""
    own = {name: one.metadata["kind"] for name, one in action.keys().items()}
    return own | {name: kind for name, (kind, _) in SELECTION_KEYS.items()}


def fault_of(action: type[Action], values: dict[str, Any]) -> Fault:
    """Return the fault that has these values.

    Raises:
        FaultError: no exchange could ever be meant.

    """
    keys = action.keys()
    own = {name: value for name, value in values.items() if name in keys}
    rest = {_FIELDS.get(name, name): value for name, value in values.items() if name not in own}
    which = Selection(**rest)
    if not which.from_s < which.until_s:
        raise FaultError("expected 'until' to be later than 'from'")
    return Fault(action(**own), which)


def read_value(kind: Kind, text: str) -> Any:
    """Return what the text of a key says.

    Raises:
        FaultError: it says nothing of that kind.

    """
    return _READERS[kind](text)


def _duration(text: str) -> float:
    try:
        return literal_seconds(text, zero=True)
    except DurationError as error:
        raise FaultError(str(error), error.hint) from None


def _word(noun: str, names: dict[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in names:
            message = f"expected {noun} ({', '.join(names)}), got {text!r}"
            raise FaultError(message, did_you_mean(text, names))
        return names[text]

    return read


def _status(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) not in STATUS_RANGE:
        raise FaultError(f"expected an HTTP status from 200 to 599, got {text!r}")
    return int(text)


def _text(text: str) -> str:
    return text


def _process(text: str) -> str:
    if not text.strip():
        raise FaultError("expected the name of a process, got an empty text")
    return text


def _operation(text: str) -> str:
    if text in OPERATION_NAMES:
        return text
    method, _, path = text.partition(" ")
    if method in METHODS and path.startswith(("/", "*")):
        return text
    message = (
        f"expected an operation ({', '.join(OPERATION_NAMES)}), or a method and a path such as"
    )
    raise FaultError(
        f"{message} 'GET /api/nodes/*', got {text!r}", did_you_mean(text, OPERATION_NAMES)
    )


def _nth(text: str) -> tuple[int, int]:
    found = _NTH.fullmatch(text)
    if found is None:
        raise FaultError(f"expected a number from 1, or two such as 2-4, got {text!r}")
    first = int(found[1])
    last = int(found[2] or first)
    if last < first:
        raise FaultError(f"expected the smaller number first, got {text!r}")
    return first, last


def _count(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise FaultError(f"expected a number from 1, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    found = _SHARE.fullmatch(text)
    if found is None or float(found[1]) > 100:
        raise FaultError(f"expected a share from 0% to 100%, got {text!r}")
    return float(found[1]) / 100


_READERS: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.DURATION: _duration,
    Kind.FLAG: _word("yes or no", _FLAGS),
    Kind.HALF: _word("a half of an exchange", {half.value: half for half in Half}),
    Kind.STATUS: _status,
    Kind.TEXT: _text,
    Kind.WAYS: _word("which way nothing passes", {ways.value: ways for ways in Ways}),
    Kind.PROCESS: _process,
    Kind.OPERATION: _operation,
    Kind.NTH: _nth,
    Kind.COUNT: _count,
    Kind.SHARE: _share,
}
