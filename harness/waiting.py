"""How the waits of a scenario pass: on most clocks they simply do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.sites.spans import Wait
from simulated_agents.clock import Clock


@dataclass(frozen=True, slots=True)
class Warped:
    """What was skipped in place of being waited for.

    Attributes:
        times: how often.
        seconds: how much, in all.
        rows: how many rows of the master's database moved, each as often as it did.

    """

    times: int = 0
    seconds: float = 0.0
    rows: int = 0

    def __add__(self, other: "Warped") -> "Warped":
        """Return both together."""
        return Warped(
            self.times + other.times, self.seconds + other.seconds, self.rows + other.rows
        )


class Waiting(Protocol):
    """Lets time pass for a scenario.

    Attributes:
        warped: what was skipped so far.

    """

    warped: Warped

    def passed_s(self) -> float:
        """Return seconds of the time that passes at the master, whatever is skipped here."""
        ...

    async def begin(self) -> None:
        """Get to know what a scenario has before its first step.

        Raises:
            WarpError: nobody can.

        """
        ...

    async def wait(self, end_s: float, kind: Wait, remembered: Iterable[Any] = ()) -> None:
        """Return when the scenario's clock shows `end_s`.

        Args:
            end_s: when the wait is over, on that clock.
            kind: what must have happened by then.
            remembered: what the scenario knows from answers; times in it are changed in place when
                those at the master are.

        Raises:
            WarpError: time cannot be made to pass.

        """
        ...

    async def look_again(
        self, end_s: float, every_s: float, remembered: Iterable[Any] = ()
    ) -> None:
        """Return when somebody who looks until `end_s` had better look again.

        Args:
            end_s: when the scenario gives up looking.
            every_s: the pause between two looks.
            remembered: as for `wait`.

        Raises:
            WarpError: time cannot be made to pass.

        """
        ...


class Steady:
    """Every second passes.

    Args:
        clock: the time.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.warped = Warped()

    def passed_s(self) -> float:
        """Return the clock's seconds."""
        return self._clock.monotonic_s()

    async def begin(self) -> None:
        """Do nothing: time passes whatever there is."""

    async def wait(self, end_s: float, kind: Wait, remembered: Iterable[Any] = ()) -> None:  # noqa: ARG002
        """Return when the clock shows `end_s`."""
        await self._clock.sleep_until(end_s)

    async def look_again(
        self,
        end_s: float,
        every_s: float,
        remembered: Iterable[Any] = (),  # noqa: ARG002
    ) -> None:
        """Pause, for as long as there is time at most."""
        await self._clock.sleep(min(every_s, end_s - self._clock.monotonic_s()))
