"""When a cron expression is due.

The dialect is the real master's (robfig/cron v3): five fields, or six with seconds before them;
names of months and weekdays, ranges, steps, `?` for `*`, and a zone in front (`TZ=Asia/Tokyo …`).
Sunday is 0 only. Days of the month and of the week are both asked, unless neither begins with a
star without a step: then one is enough. Words such as `@daily` are refused before they come here.
The reading is ours, because no library reads this dialect; finding the next moment is cronsim's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from master.protocol.times import NS

_MONTH_NAMES: Final = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTHS: Final = {_MONTH_NAMES[at * 3 :][:3]: at + 1 for at in range(12)}
_WEEKDAY_NAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAYS: Final = {name: number for number, name in enumerate(_WEEKDAY_NAMES)}

_FIELDS: Final[tuple[tuple[int, int, Mapping[str, int]], ...]] = (
    (0, 59, {}),
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _WEEKDAYS),
)

_NUMBER: Final = re.compile(r"\+?[0-9]{1,18}", re.ASCII)
_ZONE: Final = re.compile(r"(?:CRON_)?TZ=(\S*) ")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time of whatever zone the schedule is in
_NEVER_AFTER: Final = timedelta(days=5 * 366)
"""robfig/cron gives up after five years."""
_DAY_S: Final = 86_400

Offset = Callable[[int], int]
"""The distance of a zone from UTC at an instant in nanoseconds, in seconds east."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression that was read.

    Attributes:
        fields: it again, with numbers and stars alone, seconds first; empty for never.
        zone: the zone it names, or `None`.

    """

    fields: str
    zone: ZoneInfo | None = None

    @classmethod
    def read(cls, expression: str) -> Self:
        """Return the schedule of an expression of at least five fields.

        Raises:
            ValueError: it cannot be read.

        """
        named = _ZONE.match(expression)
        zone = _zone(named[1]) if named else None
        fields = _ZONE.sub("", expression, count=1).split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise ValueError(f"expected five or six fields, not {len(fields)}")
        texts = [_field(field, *of) for field, of in zip(fields, _FIELDS, strict=True)]
        never = "" in texts  # a field of commas alone
        return cls("" if never else " ".join(texts), zone)

    def next_ns(self, after_ns: int, offset_s: Offset) -> int | None:
        """Return the first instant after another, or `None` when there is none in five years.

        What falls into an hour that the zone leaves out does not happen on that day; in an hour
        that it has twice, it happens twice.

        Args:
            after_ns: nanoseconds since the epoch.
            offset_s: the zone of schedules that name none.

        """
        if not self.fields:
            return None
        if self.zone is not None:
            offset_s = _offset_of(self.zone)
        found_ns = self._search(after_ns, offset_s)
        back_ns = _turned_back(after_ns, offset_s)
        if back_ns is not None and (found_ns is None or found_ns > back_ns):
            return self._search(back_ns - 1, offset_s, offset_s(back_ns))
        return found_ns

    def _search(
        self, after_ns: int, offset_s: Offset, own_offset_s: int | None = None
    ) -> int | None:
        """Return the first instant after another at which the wall shows what is asked for.

        Args:
            after_ns: nanoseconds since the epoch.
            offset_s: the zone.
            own_offset_s: its distance at that instant, unless the zone says.

        """
        from_s = offset_s(after_ns) if own_offset_s is None else own_offset_s
        wall = _EPOCH + timedelta(seconds=after_ns // NS + from_s)
        try:
            for moment in CronSim(self.fields, wall):
                if moment - wall > _NEVER_AFTER:
                    return None
                local_ns = (moment - _EPOCH) // timedelta(seconds=1) * NS
                found_ns = local_ns - offset_s(local_ns - from_s * NS) * NS
                if found_ns > after_ns and found_ns + offset_s(found_ns) * NS == local_ns:
                    return found_ns
        except CronSimError:  # such as the 31st of February
            pass
        return None


def _turned_back(after_ns: int, offset_s: Offset) -> int | None:
    """Return the instant within a day at which clocks are turned back, if there is one."""
    low, high = after_ns // NS, after_ns // NS + _DAY_S
    before_s = offset_s(low * NS)
    if offset_s(high * NS) >= before_s:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_s(middle * NS) == before_s else (low, middle)
    return high * NS


def _zone(name: str) -> ZoneInfo | None:
    if name == "Local":
        return None
    try:
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError, KeyError):
        raise ValueError(f"no zone is named {name}") from None


def _offset_of(zone: ZoneInfo) -> Offset:
    def offset_s(instant_ns: int) -> int:
        distance = datetime.fromtimestamp(instant_ns // NS, UTC).astimezone(zone).utcoffset()
        assert distance is not None
        return distance // timedelta(seconds=1)

    return offset_s


def _field(text: str, low: int, high: int, names: Mapping[str, int]) -> str:
    """Return a field as a star, or as its numbers."""
    numbers: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        chosen, whole = _range(part, low, high, names)
        numbers.update(chosen)
        star = star or whole
    if star:
        return "*"
    return ",".join(map(str, sorted(numbers)))


def _range(text: str, low: int, high: int, names: Mapping[str, int]) -> tuple[range, bool]:
    """Return the numbers of a range, and whether it stands for the whole field."""
    span, slash, step_text = text.partition("/")
    start_text, dash, end_text = span.partition("-")
    step = _number(step_text, {}) if slash else 1
    if step == 0:
        raise ValueError(f"a step of 0: {text}")
    if start_text in ("*", "?"):
        return range(low, high + 1, step), step == 1
    start = _number(start_text, names)
    end = _number(end_text, names) if dash else start
    if slash and not dash:
        end = high
    if not low <= start <= end <= high:
        raise ValueError(f"{text} is not within {low} to {high}")
    return range(start, end + 1, step), False


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"no number: {text}")
    return int(text)
