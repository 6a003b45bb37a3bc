"""The live log of each restore: events in memory, gone with the process.

The real master shows these instead of the stored log while a restore is running.
"""

from msgspec import Struct


class LogEvent(Struct, frozen=True, gc=False):
    """One line, as the restore's detail shows it."""

    recordId: int  # noqa: N815 - the wire's names
    sequence: int
    level: str
    message: str
    timestamp: str
    completed: bool
    status: str


class LogHub:
    """The events of all restores of one process."""

    def __init__(self) -> None:
        self._events: dict[int, list[LogEvent]] = {}
        self._status: dict[int, str] = {}

    def append(self, record_id: int, level: str, message: str, timestamp: str) -> None:
        """Add a line; `timestamp` is wire text."""
        self._add(record_id, level, message, timestamp, completed=False)

    def complete(self, record_id: int, status: str, timestamp: str) -> None:
        """Add the line that says the restore has ended; later lines keep its status."""
        self._status[record_id] = status
        self._add(record_id, "info", "stream completed", timestamp, completed=True)

    def _add(
        self, record_id: int, level: str, message: str, timestamp: str, *, completed: bool
    ) -> None:
        events = self._events.setdefault(record_id, [])
        status = self._status.get(record_id, "running")
        events.append(
            LogEvent(record_id, len(events) + 1, level, message, timestamp, completed, status)
        )

    def events(self, record_id: int) -> tuple[LogEvent, ...]:
        """Return a restore's lines so far."""
        return tuple(self._events.get(record_id, ()))
