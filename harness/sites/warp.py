"""The warp clock: a long wait moves the stored times of a scenario back instead of passing.

A scenario has a clock of its own, which shows the real time and all that was skipped. Time is skipped
only while nothing of the scenario is under way: no call of it, and no task of it that could make one.
So no master reads a row before it moves and writes it back afterwards, but for a monitor that ends a
command at that very moment, whose rows nobody measures any more.
Agents that live by themselves sleep on the same clock, and are woken when their time has come.
The wall clock is the master's and stays: what agents date, they date as the master does.
Which parts of a wait must pass is `harness.sites.spans`'s, which rows move `harness.sites.rows`'s.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, Protocol

import trio
import trio.testing

from harness.history import History
from harness.sites.remembered import move_times
from harness.sites.rows import Ages
from harness.sites.spans import Span, Wait, Watch, jump_to, stay_until
from harness.sites.traffic import Traffic
from harness.waiting import Warped
from master.protocol.times import NS
from simulated_agents.clock import RealClock

WORTH_S: Final = 0.2
"""A shorter time simply passes: skipping takes a transaction."""

_MS: Final = 1_000

InThread = Callable[..., Awaitable[Any]]
"""Calls a function with its arguments, in a thread of its own."""


class Movable(Protocol):
    """Rows that can be moved back in time; see `harness.sites.rows.Rows`."""

    def check(self) -> None:
        """Get to know them."""
        ...

    def ages(self, now_ns: int) -> Ages:
        """Return how old things are."""
        ...

    def move(self, by_ns: int) -> int:
        """Move them back; return how many there are."""
        ...


class WarpClock:
    """The time of one scenario: the real one, and what was skipped.

    Attributes:
        skipped_s: how much was skipped so far.

    """

    def __init__(self) -> None:
        self._real = RealClock()
        self._sleepers: dict[int, float] = {}
        self._keys = count()
        self._changed = trio.Event()
        self._frozen = False
        self.skipped_s = 0.0

    def now_ns(self) -> int:
        """Return the wall time, which is the master's too, in nanoseconds since the epoch."""
        return self._real.now_ns()

    def monotonic_s(self) -> float:
        """Return seconds of the scenario's time; only differences mean anything."""
        return self._real.monotonic_s() + self.skipped_s

    def passed_s(self) -> float:
        """Return seconds of the real time; only differences mean anything."""
        return self._real.monotonic_s()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of the scenario's time."""
        await self.sleep_until(self.monotonic_s() + seconds)

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until the scenario's time is `deadline_s`, and until the rows stand still."""
        await trio.lowlevel.checkpoint()
        key = next(self._keys)
        self._sleepers[key] = deadline_s
        try:
            while self._frozen or self.monotonic_s() < deadline_s:
                left_s = math.inf if self._frozen else deadline_s - self.monotonic_s()
                with trio.move_on_after(left_s):
                    await self._changed.wait()
        finally:
            del self._sleepers[key]

    @property
    def next_wake_s(self) -> float:
        """Return when the first of those who sleep wants to be woken."""
        return min(self._sleepers.values(), default=math.inf)

    def freeze(self) -> None:
        """Let nobody wake up from now on."""
        self._frozen = True

    def thaw(self, skip_s: float) -> None:
        """Skip time, and wake whose time has come."""
        self.skipped_s += skip_s
        self._frozen = False
        self._changed.set()
        self._changed = trio.Event()


class Warp:
    """Lets the waits of one scenario pass quickly.

    Args:
        rows: those of the scenario.
        watch: how the master's monitors look.
        history: has a note of each time that something was skipped.
        in_thread: does the rows' work, during which others go on.

    Attributes:
        clock: the scenario's.
        traffic: counts its calls; every way to the master must lead through it.
        warped: what was skipped.

    """

    def __init__(
        self,
        rows: Movable,
        watch: Watch,
        history: History,
        in_thread: InThread = trio.to_thread.run_sync,
    ) -> None:
        self.clock = WarpClock()
        self.traffic = Traffic()
        self.warped = Warped()
        self._rows = rows
        self._watch = watch
        self.history = history
        self.in_thread = in_thread
        self._began_s = self.clock.monotonic_s()
        self._drives = False
        self._riders: list[tuple[float, Wait, trio.CancelScope]] = []

    def passed_s(self) -> float:
        """Return seconds of the time that passes at the master."""
        return self.clock.passed_s()

    async def begin(self) -> None:
        """Get to know the scenario's rows, some of which it may delete before its first wait.

        Raises:
            WarpError: the database cannot be changed.

        """
        await self.in_thread(self._rows.check)

    async def wait(self, end_s: float, kind: Wait, remembered: Iterable[Any] = ()) -> None:
        """Return when the scenario's clock shows `end_s`, sooner than that.

        Raises:
            WarpError: the rows cannot be moved.

        """
        clock = self.clock
        while self._drives and clock.monotonic_s() < end_s:
            await self._ride(end_s, kind)
        with self._driving():
            while clock.monotonic_s() < end_s:
                if await self._settled(end_s - clock.monotonic_s()):
                    stay_s = await self._skip(end_s, kind, remembered)
                    await clock.sleep_until(stay_s)

    async def look_again(
        self, end_s: float, every_s: float, remembered: Iterable[Any] = ()
    ) -> None:
        """Return when there may be something new to see.

        Raises:
            WarpError: the rows cannot be moved.

        """
        clock = self.clock
        pause_s = min(every_s, end_s - clock.monotonic_s())
        if self._drives:
            await clock.sleep(pause_s)
            return
        with self._driving():
            if not await self._settled(pause_s):
                return
            before_s = clock.skipped_s
            stay_s = await self._skip(end_s, Wait.SEEN, remembered)
            if clock.skipped_s > before_s:  # who has woken does what it woke up for
                await self._settled(pause_s)
            else:
                await clock.sleep_until(min(stay_s, clock.monotonic_s() + pause_s))

    @contextmanager
    def _driving(self) -> Iterator[None]:
        """Decide for the scenario what is skipped; who comes to it meanwhile rides along."""
        self._drives = True
        try:
            yield
        finally:
            self._drives = False
            for _, _, scope in self._riders:
                scope.cancel()

    async def _ride(self, end_s: float, kind: Wait) -> None:
        """Sleep until a wait is over, or until nobody drives any more."""
        with trio.CancelScope() as scope:
            rider = (end_s, kind, scope)
            self._riders.append(rider)
            try:
                await self.clock.sleep_until(end_s)
            finally:
                self._riders.remove(rider)

    async def _settled(self, limit_s: float) -> bool:
        """Wait until nothing of the scenario is under way; return whether that came in time."""
        with trio.move_on_after(limit_s):
            while True:
                await trio.testing.wait_all_tasks_blocked()
                if self.traffic.quiet:
                    return True
                await self.traffic.wait_quiet()
        return False

    async def _skip(self, end_s: float, kind: Wait, remembered: Iterable[Any]) -> float:
        """Skip what need not pass; return until when it has to from then on.

        Nothing of the scenario is under way when it is called, and nothing begins until it is over.
        """
        clock = self.clock
        clock.freeze()
        skip_s = 0.0
        try:
            ages: Ages = await self.in_thread(self._rows.ages, clock.now_ns())
            now_s = clock.monotonic_s()
            spans = self._spans(ages, now_s, end_s, kind)
            wake_s = clock.next_wake_s
            target_s = min(wake_s, jump_to(spans, now_s, end_s))
            wanted_s = _round(target_s - now_s, fine=wake_s < end_s)
            if wanted_s >= WORTH_S:
                await self._move(wanted_s, remembered)
                skip_s = wanted_s
            elif target_s <= now_s:
                target_s = min(max(wake_s, now_s), stay_until(spans, now_s, end_s))
        finally:
            clock.thaw(skip_s)
        return target_s

    def _spans(self, ages: Ages, now_s: float, end_s: float, kind: Wait) -> list[Span]:
        if ages.scheduled:
            return [Span(now_s, end_s)]
        company = self.clock.next_wake_s < math.inf
        together = [(end_s, kind), *((end_s, kind) for end_s, kind, _ in self._riders)]
        return [
            span
            for end_s, kind in together
            for span in self._watch.spans(ages, now_s, end_s, kind, company=company)
        ]

    async def _move(self, seconds: float, remembered: Iterable[Any]) -> None:
        by_ns = round(seconds * _MS) * (NS // _MS)
        rows: int = await self.in_thread(self._rows.move, by_ns)
        move_times(remembered, by_ns)
        self.warped += Warped(1, seconds, rows)
        at_s = self.clock.monotonic_s() - self._began_s
        self.history.note(at_s, "muster", f"warp {seconds:g} s: {rows} rows moved back")


def _round(seconds: float, *, fine: bool) -> float:
    """Round down: to whole seconds, which leaves a time its digits; finer where someone wakes."""
    return math.floor(seconds * _MS) / _MS if fine else float(math.floor(seconds))
