"""How busy the scenarios of a real-clock run are, so that they do not slow each other down.

A scenario that waits costs nothing; one that makes calls wants the machine to itself.
New ones begin only while few are busy; one whose wait is over goes on at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

BUSY_AT_ONCE: Final = 3
"""How many may make calls at the same time in a child of ours, which takes a core."""

PROMPT_S: Final = 0.05
"""What a call may take before the rest counts as drag: several times what it takes when alone."""


class Activity:
    """Counts the busy scenarios of a run.

    Args:
        crowd: how many may make calls at the same time before no new one begins.

    """

    def __init__(self, crowd: int = BUSY_AT_ONCE) -> None:
        self._crowd = crowd
        self._busy = 0
        self._waiting = trio.lowlevel.ParkingLot()

    async def begin(self) -> None:
        """Wait until few are busy, and be busy from then on."""
        while self._busy >= self._crowd:
            await self._waiting.park()
        self._busy += 1

    def end(self) -> None:
        """Be busy no more."""
        self._busy -= 1
        self._waiting.unpark()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Be busy no more for as long as a block."""
        self.end()
        try:
            yield
        finally:
            self._busy += 1
