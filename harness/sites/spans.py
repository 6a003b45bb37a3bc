"""Which parts of a wait have to pass, because a monitor must look meanwhile; the rest can be skipped.

What ages is the same after a jump as after a wait, but for what a master's monitors do in between:
they look at intervals that no stored time moves. So a span of real time is kept wherever a look of
theirs can make a difference, and put where it falls in reality.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.sites.rows import Ages
from master.config import Timings


class Wait(StrEnum):
    """What follows a wait, and so what must have happened by its end."""

    LOOK = "look"  # a step that says how things are then
    UNTIL = "until"  # an `until`, which gives the monitors their time
    ON = "on"  # a step that says nothing of how things are: the story goes on
    SEEN = "seen"  # the pauses of an `until` itself
    DOWN = "down"  # nothing: the master is dead meanwhile


@dataclass(frozen=True, slots=True)
class Span:
    """Time that has to pass, in seconds of a scenario's clock."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Watch:
    """How a master's monitors look.

    Attributes:
        timings: the master's timers.
        slack_s: how much later than its time a look may be over.

    """

    timings: Timings
    slack_s: float

    @property
    def nodes_s(self) -> float:
        """Return within which time nodes are looked at once."""
        return self.timings.offline_scan_s + self.slack_s

    @property
    def all_s(self) -> float:
        """Return within which time nodes and commands are looked at once, in any order."""
        return max(self.timings.offline_scan_s, self.timings.command_scan_s) + self.slack_s

    @property
    def in_turn_s(self) -> float:
        """Return within which time nodes are looked at, and then commands."""
        return self.nodes_s + self.timings.command_scan_s

    def spans(
        self, ages: Ages, now_s: float, end_s: float, wait: Wait, *, company: bool
    ) -> Iterator[Span]:
        """Yield what has to pass of a wait, in no order.

        At its end, if somebody looks then: nodes and commands are looked at; in that order where a
        node has grown silent, because a command may be kept by one that is thought to be online.
        Around the moment when a command grows stale, so that it is timed out when it would be.
        After a node has grown silent, where others act or look meanwhile, or nobody does at the end.

        Args:
            ages: what there is.
            now_s: the time.
            end_s: when the wait is over.
            wait: what kind of wait it is.
            company: whether agents live by themselves meanwhile.

        """
        if wait is Wait.DOWN:
            return
        timings = self.timings
        silent_s = [now_s + timings.offline_after_s - age for age in ages.silences_s]
        stale_s = [now_s + timings.command_timeout_s - age for age in ages.commands_s]
        first_s = min(silent_s, default=math.inf)  # when a node falls silent, unless it beats
        if wait is Wait.UNTIL:
            yield Span(end_s - self.nodes_s * (first_s < end_s), end_s)
        elif wait is not Wait.ON:
            in_turn = first_s < end_s - self.all_s
            yield Span(end_s - (self.in_turn_s if in_turn else self.all_s), end_s)
        for at in stale_s:
            before_s = self.nodes_s * (first_s < at)
            yield Span(at - before_s, at + timings.command_scan_s + self.slack_s)
        if company or wait in {Wait.SEEN, Wait.ON}:
            for at in silent_s:
                yield Span(at, at + self.nodes_s)


def jump_to(spans: list[Span], now_s: float, end_s: float) -> float:
    """Return until when everything can be skipped from now on: `now_s` where nothing can."""
    if any(span.start_s <= now_s < span.end_s for span in spans):
        return now_s
    return min([end_s, *(span.start_s for span in spans if span.start_s > now_s)])


def stay_until(spans: list[Span], now_s: float, end_s: float) -> float:
    """Return until when everything has to pass from now on."""
    return min([end_s, *(span.end_s for span in spans if span.start_s <= now_s < span.end_s)])
