"""Virtual time.

`VirtualClock` is trio's clock of a simulation. When no task can run, trio asks how long to sleep;
instead of sleeping, the clock jumps to the next timer and wakes who waits for it.
Its timers are a heap of its own and its sleepers are woken with `reschedule`, which costs a
fraction of what a cancel scope a sleep costs: a fleet of a thousand agents is made of sleeps.
It is for the in-process tier alone: it races ahead of threads and of real peers.
"""

import heapq
import math
from itertools import count
from typing import Final

import trio
from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

from simulated_agents.clock import Clock

EPOCH_NS: Final = 1_767_225_600_000_000_000
"""When every simulation begins: 2026-01-01T00:00:00Z."""

IDLE_ROUNDS_MAX: Final = 2_000
"""How often in a row trio may find nothing to do and no timer: two real seconds."""


class StuckError(RuntimeError):
    """Every task waits, and no timer is set: the run would last for ever."""


class VirtualClock(trio.abc.Clock):
    """Time that jumps.

    Args:
        epoch_ns: the wall time at virtual second 0, in nanoseconds.

    Attributes:
        wakeups: how many sleepers were woken so far.

    """

    def __init__(self, epoch_ns: int = EPOCH_NS) -> None:
        self._epoch_ns = epoch_ns
        self._now_s = 0.0
        self._timers: list[tuple[float, int, list[Task]]] = []
        self._order = count()
        self._idle_rounds = 0
        self.wakeups = 0

    # --- trio's side ------------------------------------------------------------------------

    def start_clock(self) -> None:
        """Do nothing: there is nothing to start."""

    def current_time(self) -> float:
        """Return virtual seconds since the run began."""
        return self._now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to the next timer, wake its sleepers, and never let trio sleep.

        trio calls this only when no task is ready.

        Raises:
            StuckError: there is no next timer.

        """
        timers = self._timers
        while timers and not timers[0][2]:  # its sleeper was cancelled
            heapq.heappop(timers)
        next_s = timers[0][0] if timers else math.inf
        if deadline < next_s:
            self._now_s = max(self._now_s, deadline)
            return 0
        if next_s == math.inf:
            return self._idle()
        self._idle_rounds = 0
        self._now_s = max(self._now_s, next_s)
        while timers and timers[0][0] <= next_s:
            sleeper = heapq.heappop(timers)[2]
            if sleeper:
                self.wakeups += 1
                reschedule(sleeper.pop())
        return 0

    def _idle(self) -> float:
        """Let trio look once more: it wakes its own tasks through a socket while it starts and ends."""
        self._idle_rounds += 1
        if self._idle_rounds > IDLE_ROUNDS_MAX:
            raise StuckError("every task waits and no timer is set")
        return 0.001

    # --- the master's and the agents' side -----------------------------------------------------

    def now_ns(self) -> int:
        """Return the virtual wall time in nanoseconds since the epoch."""
        return self._epoch_ns + round(self._now_s * 1e9)

    def offset_s(self, instant_ns: int) -> int:  # noqa: ARG002 - simulations live in UTC
        """Return 0: simulations live in UTC."""
        return 0

    def monotonic_s(self) -> float:
        """Return virtual seconds since the run began."""
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        """Wait so many virtual seconds."""
        await self.sleep_until(self._now_s + seconds)

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until the virtual clock shows `deadline_s`."""
        if deadline_s <= self._now_s:
            await trio.lowlevel.checkpoint()
            return
        sleeper = [current_task()]
        heapq.heappush(self._timers, (deadline_s, next(self._order), sleeper))

        def abort(_: object) -> Abort:
            sleeper.clear()
            return Abort.SUCCEEDED

        await wait_task_rescheduled(abort)


class ShiftedClock:
    """The clock of a master's machine whose wall clock can be set; time passes as everywhere.

    Args:
        clock: the time everywhere.
        zone_s: the machine's time zone, in seconds east of UTC.

    """

    def __init__(self, clock: Clock, zone_s: int = 0) -> None:
        self._clock = clock
        self._shift_ns = 0
        self._zone_s = zone_s
        self.monotonic_s = clock.monotonic_s
        self.sleep_until = clock.sleep_until

    def offset_s(self, _: int) -> int:
        """Return the machine's distance from UTC at an instant, in seconds east."""
        return self._zone_s

    def shift(self, seconds: float) -> None:
        """Set the wall clock forward, or back if negative."""
        self._shift_ns += round(seconds * 1e9)

    def now_ns(self) -> int:
        """Return the wall time that is shown, in nanoseconds since the epoch."""
        return self._clock.now_ns() + self._shift_ns
