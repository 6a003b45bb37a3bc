"""Events for whoever listens: published once, kept for nobody.

A listener has room for a few; what comes while it has none left is lost to it alone, so that a slow
one holds up nobody (seed: `EventBroadcaster`).
"""

from collections import deque
from typing import Any, Final, Self

import trio
from msgspec import Struct

from master.config import Clock
from master.now import Now
from master.protocol import times, wire
from master.protocol.times import NS
from master.waiters import wait_until

ROOM: Final = 32
"""How many events wait for a listener that does not read."""


class Event(Struct, frozen=True, gc=False):
    """One event, as it is sent."""

    type: str
    title: str
    body: str
    fields: dict[str, Any]
    timestamp: str


class Listener:
    """What waits for one listener.

    Attributes:
        waiting: the events, oldest first.
        arrived: set when another one comes.

    """

    def __init__(self) -> None:
        self.waiting: deque[Event] = deque()
        self.arrived = trio.Event()


class Events:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: dict[Listener, None] = {}

    def listen(self) -> Listener:
        """Return a new listener; it has to leave."""
        listener = Listener()
        self._listeners[listener] = None
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener; more than once does no harm."""
        self._listeners.pop(listener, None)

    def count(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def publish(
        self, now: Now, *, type_: str, title: str, body: str, fields: dict[str, Any]
    ) -> None:
        """Hand an event to everybody who has room for it.

        Its type, and the second it is of, are among its fields too: the real master adds them for
        other receivers, to the same map, and nearly always before a listener's copy is made of it.

        Args:
            now: the instant it bears.
            type_: what happened.
            title: the same in a few words.
            body: the same in some lines.
            fields: what it happened to.

        """
        second = times.wire_text(times.db_text(now.ns // NS * NS))
        told = sorted((fields | {"eventType": type_, "timestamp": second}).items())
        event = Event(type_, title, body, dict(told), times.wire_text(now.utc))
        for listener in self._listeners:
            if len(listener.waiting) < ROOM:
                listener.waiting.append(event)
                listener.arrived.set()


class EventStream:
    """The body of an event stream: a greeting, then events, and a sign of life now and then.

    Args:
        events: where they come from.
        clock: the time.
        heartbeat_s: the pause between two signs of life, counted from the start.

    """

    def __init__(self, events: Events, clock: Clock, heartbeat_s: float) -> None:
        self._events = events
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._beat_s = clock.monotonic_s() + heartbeat_s
        self._listener = events.listen()
        self._greeted = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return what comes next, whenever that is."""
        if not self._greeted:
            self._greeted = True
            return self._comment("connected")
        while not self._closed:
            if self._listener.waiting:
                return _framed(self._listener.waiting.popleft())
            late_s = self._clock.monotonic_s() - self._beat_s
            if late_s >= 0:  # of several that were missed, one is sent
                self._beat_s += self._heartbeat_s * (late_s // self._heartbeat_s + 1)
                return self._comment("heartbeat")
            self._listener.arrived = trio.Event()
            await wait_until(self._clock, self._listener.arrived, self._beat_s)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop listening."""
        self._closed = True
        self._events.leave(self._listener)
        self._listener.arrived.set()

    def _comment(self, word: str) -> bytes:
        return f": {word} {self._clock.now_ns() // NS}\n\n".encode()


def _framed(event: Event) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.type.encode(), wire.encode(event))
