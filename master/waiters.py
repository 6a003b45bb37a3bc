"""Waiting for a command to finish without asking the database over and over.

Whoever ends a command says so here; whoever waits for it is woken at once.
The database stays the truth: a woken waiter reads it again.
"""

import math

import trio

from master.config import Clock


async def wait_until(clock: Clock, event: trio.Event, deadline_s: float) -> None:
    """Return when an event is set, or at a deadline of the monotonic clock, which then sets it."""

    async def ring() -> None:
        await clock.sleep_until(deadline_s)
        event.set()

    async with trio.open_nursery() as nursery:
        if deadline_s < math.inf:
            nursery.start_soon(ring)
        await event.wait()
        nursery.cancel_scope.cancel()


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
            await wait_until(self._clock, event, deadline_s)
        finally:
            waiting = self._events.get(command_id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                self._events.pop(command_id, None)
