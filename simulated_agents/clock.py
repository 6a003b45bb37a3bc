"""Where agents get the time, and how they wait.

Nothing else in this package asks for the time, sleeps, or draws from a shared random generator.
"""

import time
from typing import Protocol

import trio


class Clock(Protocol):
    """A clock, virtual or real."""

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds of a clock that never jumps; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        ...

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until the monotonic clock shows `deadline_s`."""
        ...


class RealClock:
    """The wall clock, with trio's timers."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """Return trio's clock."""
        return trio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await trio.sleep(seconds)

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until trio's clock shows `deadline_s`."""
        await trio.sleep_until(deadline_s)
