"""Waiting for a command to finish without asking the database over and over.

Whoever ends a command says so here; whoever waits for it is woken at once.
The database stays the truth: a woken waiter reads it again.
"""

import math

import trio

from master.config import Clock


class Waiters:
    """The events of all commands that somebody waits for.

    Args:
        clock: the time that deadlines are in.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: dict[int, list[trio.Event]] = {}

    def notify(self, command_id: int) -> None:
        """Wake everybody who waits for a command."""
        for event in self._events.pop(command_id, ()):
            event.set()

    async def wait_change(self, command_id: int, deadline_s: float) -> None:
        """Return when `notify` names the command, or at a deadline of the monotonic clock."""
        event = trio.Event()
        self._events.setdefault(command_id, []).append(event)
        try:
            async with trio.open_nursery() as nursery:
                if deadline_s < math.inf:
                    nursery.start_soon(self._ring, deadline_s, event)
                await event.wait()
                nursery.cancel_scope.cancel()
        finally:
            waiting = self._events.get(command_id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                self._events.pop(command_id, None)

    async def _ring(self, deadline_s: float, event: trio.Event) -> None:
        await self._clock.sleep_until(deadline_s)
        event.set()
