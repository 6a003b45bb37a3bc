"""Maintenance windows: when a task may run.

Windows are separated by `;`, the parts of one by `,`: `days=mon|tue,time=22:00-06:00`.
No days means every day, the start counts and the end does not, a start behind its end spans
midnight, and a start that is its end never comes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from master.protocol.times import NS

_NAMES: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAYS: Final = {
    word: number for number, name in enumerate(_NAMES) for word in (name, name[:3], str(number))
}


@dataclass(frozen=True, slots=True)
class Window:
    """One window.

    Attributes:
        days: 0 for Sunday to 6; none means all.
        start: minute of the day at which it begins.
        end: minute of the day at which it is over.

    """

    days: frozenset[int]
    start: int
    end: int

    def holds(self, weekday: int, minute: int) -> bool:
        """Return whether a minute of a weekday is inside."""
        if self.days and weekday not in self.days:
            return False
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def _minute(text: str) -> int | None:
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 2 or not all(_is_number(part) for part in parts):
        return None
    hour, minute = map(int, parts)
    return hour * 60 + minute if 0 <= hour <= 23 and 0 <= minute <= 59 else None


def _is_number(text: str) -> bool:
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits.isascii() and digits.isdigit()


def _window(segment: str) -> Window | None:
    days: set[int] = set()
    times = ""
    for part in (part.strip() for part in segment.split(",")):
        if part.startswith("days="):
            words = (word.strip().lower() for word in part[5:].split("|"))
            days.update(_DAYS[word] for word in words if word in _DAYS)
        elif part.startswith("time="):
            times = part[5:]
    start_text, dash, end_text = times.strip().partition("-")
    start, end = _minute(start_text), _minute(end_text)
    if not dash or start is None or end is None:
        return None
    return Window(frozenset(days), start, end)


def _segments(text: str) -> list[str]:
    return [segment for segment in (part.strip() for part in text.split(";")) if segment]


def first_bad(text: str) -> str | None:
    """Return the first window without a readable time, or `None`."""
    return next((segment for segment in _segments(text) if _window(segment) is None), None)


def is_open(text: str, instant_ns: int) -> bool:
    """Return whether an instant, in UTC, is inside a window; without any, always."""
    windows = [window for window in map(_window, _segments(text)) if window is not None]
    moment = datetime.fromtimestamp(instant_ns // NS, UTC)
    minute = moment.hour * 60 + moment.minute
    weekday = moment.isoweekday() % 7
    return not windows or any(window.holds(weekday, minute) for window in windows)
