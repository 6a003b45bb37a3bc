"""Cron expressions mean what they mean to the real master (robfig/cron v3)."""

import itertools
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from master.schedule import Schedule, _offset_of

START: Final = "2026-11-24 20:30:15"


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def text(instant_ns: int | None) -> str:
    if instant_ns is None:
        return "never"
    return datetime.fromtimestamp(instant_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def following(expression: str, after: str = START, zone: str = "UTC", count: int = 1) -> list[str]:
    schedule, offset_s = Schedule.read(expression), _offset_of(ZoneInfo(zone))
    found = []
    at: int | None = ns(after) + 123_456_789
    for _ in range(count):
        assert at is not None
        at = schedule.next_ns(at, offset_s)
        found.append(text(at))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", "2026-11-24 20:31:00"),
        ("* * * * * *", "2026-11-24 20:30:16"),
        ("*/20 * * * * ?", "2026-11-24 20:30:20"),
        ("10/25 31 * * * *", "2026-11-24 20:31:10"),
        ("0 2 * * *", "2026-11-25 02:00:00"),
        ("30 20 * * *", "2026-11-25 20:30:00"),
        ("0 3 1 JAN *", "2027-01-01 03:00:00"),
        ("0 0 * * Sun", "2026-11-29 00:00:00"),
        ("0 0 * * mon-fri/2", "2026-11-25 00:00:00"),
        ("5,10 21 * * *", "2026-11-24 21:05:00"),
        ("0 0 13 * fri", "2026-11-27 00:00:00"),  # either day, as neither is a star
        ("0 0 1-31 * mon", "2026-11-25 00:00:00"),  # every day is no star
        ("0 0 */10 * tue", "2026-12-01 00:00:00"),  # nor is a star with a step
        ("0 0 */1 * sat", "2026-11-28 00:00:00"),  # but one with a step of 1 is
        ("0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 31 2 *", "never"),
        ("0 0 30 2 tue", "2027-02-02 00:00:00"),
        (", * * * *", "never"),
        ("TZ=Asia/Tokyo 0 6 * * *", "2026-11-24 21:00:00"),
        ("CRON_TZ=Europe/Berlin 0 0 * * *", "2026-11-24 23:00:00"),
        ("TZ= 0 21 * * *", "2026-11-24 21:00:00"),
    ],
)
def test_an_expression_names_its_next_instant(expression: str, expected: str) -> None:
    """Strictly after the one that is asked about."""
    assert following(expression) == [expected]


def test_an_instant_that_is_due_is_followed_by_the_next() -> None:
    """One every quarter, each once."""
    assert following("*/15 * * * *", count=3) == [
        "2026-11-24 20:45:00",
        "2026-11-24 21:00:00",
        "2026-11-24 21:15:00",
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 7",
        "*/0 * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "1/2/3 * * * *",
        "*/ * * * *",
        "-1 * * * *",
        "x * * * *",
        "* * * foo *",
        "* * L * *",
        "* * * * 1#2",
        "TZ=Nowhere/Atlantis 0 0 * * *",
        "@every 1h 2 3 4",
    ],
)
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    """By the rules of the real master, which are not those of other crons."""
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is for the log
        Schedule.read(expression)


def test_a_zone_without_an_hour_skips_the_day() -> None:
    """02:30 does not come in Berlin on 2026-03-29; on other days it is one or two hours from UTC."""
    assert following("30 2 * * *", "2026-03-27 12:00:00", "Europe/Berlin", 3) == [
        "2026-03-28 01:30:00",
        "2026-03-30 00:30:00",
        "2026-03-31 00:30:00",
    ]


def test_an_hour_that_comes_twice_counts_twice() -> None:
    """02:30 comes at 00:30 and at 01:30 UTC in Berlin on 2026-10-25."""
    assert following("30 2 * * *", "2026-10-24 12:00:00", "Europe/Berlin", 3) == [
        "2026-10-25 00:30:00",
        "2026-10-25 01:30:00",
        "2026-10-26 01:30:00",
    ]


@pytest.mark.parametrize("after", ["2026-03-28 23:50:00", "2026-10-24 23:50:00"])
@pytest.mark.parametrize("expression", ["*/20 * * * *", "0 */20 * * * *"])
def test_a_pause_stays_the_same_when_clocks_are_turned(expression: str, after: str) -> None:
    """Every twenty minutes is every twenty minutes."""
    found = [ns(at) for at in following(expression, after, "Europe/Berlin", 12)]

    assert {later - at for at, later in itertools.pairwise(found)} == {20 * 60 * 1_000_000_000}


def test_once_a_year_is_not_when_clocks_are_turned() -> None:
    """However many summers lie between."""
    found = following("0 12 1 1 *", "2026-07-01 12:00:00", "Europe/Berlin", 2)

    assert found == ["2027-01-01 11:00:00", "2028-01-01 11:00:00"]
