"""A fault as a value: what happens, and to which exchanges; a plan is several of them, in order.

A selection either addresses exchanges (*the reply to alpha's second poll*) or leaves it to chance
(*5% of results*). All faults of a plan that select an exchange act on it, the first of the plan next
to the sender.
"""

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final, Self

from harness.faults.action import Action, Kind
from harness.history import OPERATION_NAMES, operation
from master.protocol.exchange import Request

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""How an operation begins that has no name of its own: `GET /api/nodes/*`."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which exchanges a fault is about; what is left out does not matter.

    Attributes:
        process: whose; `*` stands for any characters.
        operation: a name of `harness.history.operation`, or a method and a path with `*`.
        nth: the first and the last of those that match, counted from 1 for each fault.
        every: each so-manieth of them.
        share: from 0 to 1: how likely each of them is meant.
        from_s: not before so many seconds of the run.
        until_s: only before so many seconds.

    """

    process: str | None = None
    operation: str | None = None
    nth: tuple[int, int] | None = None
    every: int | None = None
    share: float | None = None
    from_s: float = 0.0
    until_s: float = math.inf

    def about(self, processes: tuple[str, ...], request: Request, elapsed_s: float) -> bool:
        """Return whether an exchange is one of those that are counted.

        Args:
            processes: the names of whose it is.
            request: what is asked.
            elapsed_s: since the run began.

        """
        if not self.from_s <= elapsed_s < self.until_s:
            return False
        if self.operation is not None and not self._operates(request):
            return False
        return self.process is None or any(fnmatchcase(name, self.process) for name in processes)

    def _operates(self, request: Request) -> bool:
        assert self.operation is not None
        if self.operation in OPERATION_NAMES:
            return operation(request) == self.operation
        return fnmatchcase(f"{request.method} {request.path}", self.operation)

    def counts(self, number: int) -> bool:
        """Return whether the so-manieth of those that are counted is meant, chance aside."""
        if self.nth is not None and not self.nth[0] <= number <= self.nth[1]:
            return False
        return self.every is None or number % self.every == 0


ALL: Final = Selection()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens to some exchanges.

    Attributes:
        action: what.
        which: to which.

    """

    action: Action
    which: Selection = ALL

    def __str__(self) -> str:
        """Return the short form, which `harness.faults.short.parse` reads again."""
        return " ".join([self.action.name, *_action_words(self.action), *_words(self.which)])

    def faster(self, factor: float) -> Self:
        """Return the same fault where time passes so much faster."""
        which = replace(
            self.which,
            from_s=self.which.from_s / factor,
            until_s=self.which.until_s / factor,
        )
        waits = {
            name: getattr(self.action, name) / factor
            for name, one in self.action.keys().items()
            if one.metadata["kind"] is Kind.DURATION
        }
        return replace(self, action=replace(self.action, **waits), which=which)


@dataclass(frozen=True, slots=True)
class Plan:
    """What may happen, in the order in which it stands between a sender and the master."""

    faults: tuple[Fault, ...] = ()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def __len__(self) -> int:
        return len(self.faults)

    def faster(self, factor: float) -> Self:
        """Return the same plan where time passes so much faster."""
        return replace(self, faults=tuple(one.faster(factor) for one in self.faults))


def _action_words(action: Action) -> Iterator[str]:
    for name, one in action.keys().items():
        value = getattr(action, name)
        text = shlex.quote(written(value, one.metadata["kind"]))
        if name == action.value:
            yield text
        elif value != one.default:
            yield f"{name}={text}"


def _words(which: Selection) -> Iterator[str]:
    if which.share is not None:
        yield f"{_number(which.share * 100)}%"
    if which.every is not None:
        yield f"every {which.every}"
    if which.operation in OPERATION_NAMES:
        yield f"{which.operation}{_nth(which)}"
    else:
        if which.operation is not None:
            yield f"operation={shlex.quote(which.operation)}"
        if which.nth is not None:
            yield _nth(which)
    if which.process is not None:
        yield f"process={shlex.quote(which.process)}"
    if which.from_s > 0:
        yield f"from {_number(which.from_s)}s"
    if which.until_s < math.inf:
        yield f"until {_number(which.until_s)}s"


def _nth(which: Selection) -> str:
    if which.nth is None:
        return ""
    first, last = which.nth
    return f"#{first}" if first == last else f"#{first}-{last}"


def written(value: Any, kind: Kind) -> str:
    """Return the value of a key as plans write it."""
    match kind:
        case Kind.DURATION:
            return f"{_number(value)}s"
        case Kind.FLAG:
            return "yes" if value else "no"
        case _:
            return str(value)


def _number(value: float) -> str:
    """Return a number without an exponent."""
    return f"{value:.9f}".rstrip("0").rstrip(".")
