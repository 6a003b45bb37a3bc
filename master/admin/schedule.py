"""Whether a schedule can be read: five or six fields of numbers, names, ranges and steps.

The reference master keeps schedules and runs nothing by them; a task with one that cannot be read
is stored all the same, and refused afterwards, as in v2.0.0.
"""

import re
from collections.abc import Mapping
from typing import Final

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
_ZONE: Final = re.compile(r"(?:CRON_)?TZ=\S* ")


def readable(expression: str) -> bool:
    """Return whether a schedule of at least five fields can be read."""
    fields = _ZONE.sub("", expression, count=1).split()
    if len(fields) not in (5, 6):
        return False
    if len(fields) == 5:
        fields.insert(0, "0")
    return all(
        _range(part, low, high, names)
        for field, (low, high, names) in zip(fields, _FIELDS, strict=True)
        for part in field.split(",")
        if part
    )


def _range(text: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    span, slash, step_text = text.partition("/")
    start_text, dash, end_text = span.partition("-")
    step = _number(step_text, {}) if slash else 1
    if start_text in ("*", "?"):
        return bool(step)
    start = _number(start_text, names)
    end = _number(end_text, names) if dash else start
    if slash and not dash:
        end = high
    return start is not None and end is not None and bool(step) and low <= start <= end <= high


def _number(text: str, names: Mapping[str, int]) -> int | None:
    named = names.get(text.lower())
    if named is not None:
        return named
    return int(text) if _NUMBER.fullmatch(text) else None
