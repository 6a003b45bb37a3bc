"""A fault in one line, for the command line and for plans: `drop_reply poll#2 alpha`.

The action comes first, then in any order what it is about: `5%`, `poll`, `poll#2`, `every 3`, the
name of a process, `from 10s`, `until 40s`, or any key with its value: `after=30s`, `process="node 1"`.
"""

import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

from harness.faults.action import Action
from harness.faults.actions import ACTIONS
from harness.faults.keys import FaultError, fault_of, kinds, read_value
from harness.faults.values import METHODS, Fault
from harness.history import OPERATION_NAMES
from harness.scenario.suggest import did_you_mean, nearest

TEXT_MAX: Final = 4_096
"""Characters of a fault: the body of an answer is the longest that it holds."""

_PAIR: Final = re.compile(r"([A-Za-z_]+)=(.*)", re.DOTALL)
_ADDRESS: Final = re.compile(r"([^#]*)#(.*)", re.DOTALL)
_PROCESS: Final = re.compile(r"[^\W\d][\w.*-]*|\*[\w.*-]*")
_LEADS: Final = ("every", "from", "until")
"""Keys that may be written with a blank in place of `=`."""

_SLIP: Final = 0.75
"""How like an operation the name of a process must be to be taken for its slip."""


def parse(text: str) -> Fault:
    """Return the fault that a line says.

    Raises:
        FaultError: it says none; the message quotes the word.

    """
    if len(text) > TEXT_MAX:
        raise FaultError(f"expected a fault of at most {TEXT_MAX} characters")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise FaultError(f"expected a fault, got {text!r}: {error}") from None
    if not words:
        raise FaultError(f"expected a fault such as 'drop_reply poll#2 alpha', got {text!r}")
    action = action_of(words[0])
    known = kinds(action)
    values: dict[str, Any] = {}
    for key, written in _pairs(action, words[1:]):
        if key not in known:
            message = f"expected a key of {action.name} ({', '.join(known)}), got {key!r}"
            raise FaultError(message, did_you_mean(key, known))
        if key in values:
            raise FaultError(f"expected one {key}, got {written!r} as another")
        values[key] = read_value(known[key], written)
    return fault_of(action, values)


def action_of(word: str) -> type[Action]:
    """Return the action of a name.

    Raises:
        FaultError: there is none.

    """
    if word not in ACTIONS:
        message = f"expected a fault ({', '.join(ACTIONS)}), got {word!r}"
        raise FaultError(message, did_you_mean(word, ACTIONS))
    return ACTIONS[word]


def _pairs(action: type[Action], words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each key with what is written for it."""
    rest = iter(words)
    first = True
    for word in rest:
        if found := _PAIR.fullmatch(word):
            yield found[1], found[2]
        elif word in _LEADS:
            yield word, _next(rest, word)
        elif word in METHODS:
            yield "operation", f"{word} {_next(rest, word)}"
        elif word.endswith("%"):
            yield "share", word
        elif first and action.value is not None and _holds(action, word):
            yield action.value, word
        elif word != "of":
            yield from _selects(action, word)
        first = False


def _next(rest: Iterator[str], word: str) -> str:
    following = next(rest, None)
    if following is None:
        raise FaultError(f"expected something behind {word!r}, got the end")
    return following


def _holds(action: type[Action], word: str) -> bool:
    """Return whether a word is the value that an action may have without its key."""
    assert action.value is not None
    try:
        read_value(kinds(action)[action.value], word)
    except FaultError:
        if word[:1].isdigit():
            raise
        return False
    return True


def _selects(action: type[Action], word: str) -> Iterator[tuple[str, str]]:
    """Yield what a word without a key says: an operation, one of its calls, or a process."""
    if found := _ADDRESS.fullmatch(word):
        if found[1]:
            yield "operation", found[1]
        yield "nth", found[2]
    elif word in OPERATION_NAMES:
        yield "operation", word
    elif not _PROCESS.fullmatch(word):
        message = f"expected an operation, a process or key=value behind {action.name}"
        raise FaultError(f"{message}, got {word!r}")
    elif near := nearest(word, [*OPERATION_NAMES, *_LEADS], _SLIP):
        hint = f"did you mean {near!r}? If it is a process, write process={word}"
        raise FaultError(f"expected an operation or a process, got {word!r}", hint)
    else:
        yield "process", word
