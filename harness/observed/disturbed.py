"""What a history knows of an exchange beyond what its sender saw: what a fault did to it.

A request that a fault kept from the master did nothing. An answer that a fault lost was given all
the same, and is known. A request that was sent twice is two calls.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from harness.history import OpType, settled
from harness.observed.call import NEVER, Call


class Seen(Struct, frozen=True):
    """What a fault did to one exchange.

    Attributes:
        index: of its operation.
        time_s: when.
        action: what sort of thing it does.
        of: the index of the exchange's `invoke`, or -1.
        reached: whether the master was given all of the request; `None` where it does not say.
        status: what the master answered, or `None` where that is not known.
        answer: the body of that.

    """

    index: int
    time_s: float
    action: str
    of: int
    reached: bool | None
    status: int | None
    answer: Any


class FaultsSeen:
    """All that faults did in a history."""

    def __init__(self) -> None:
        self._of: dict[int, list[Seen]] = {}

    def add(self, seen: Seen) -> None:
        """Add what a fault did."""
        if seen.of >= 0:
            self._of.setdefault(seen.of, []).append(seen)

    def applied(self, calls: list[Call]) -> list[Call]:
        """Return calls as the master has seen them."""
        if not self._of:
            return calls
        return [one for call in calls for one in _applied(call, self._of.get(call.index, []))]


def _applied(call: Call, done: list[Seen]) -> list[Call]:
    again = [_again(call, one) for one in done if one.action == "duplicate"]
    if again or call.outcome is not OpType.INFO:
        return [call, *again]
    told = [one for one in done if one.status is not None]
    if len(told) == 1:
        _tell(call, told[0])
    elif not told and {one.reached for one in done} in ({False}, {False, None}):
        call.outcome, call.received = OpType.FAIL, False
    return [call]


def _again(call: Call, seen: Seen) -> Call:
    """Return the second of two equal requests, of which the sender sent but one."""
    second = replace(
        call, end=-1, ended_s=NEVER, outcome=OpType.INFO, status=None, answer=None, gave={}
    )
    if seen.status is not None:
        _tell(second, seen)
    return second


def _tell(call: Call, seen: Seen) -> None:
    """Give a call the answer that the master gave, though its sender did not see it."""
    assert seen.status is not None  # it was looked for
    call.end, call.ended_s = seen.index, seen.time_s
    call.status, call.answer = seen.status, seen.answer
    code = seen.answer.get("code") if isinstance(seen.answer, dict) else None
    call.outcome = settled(seen.status, code)
    call.received = False
