"""Durations, and the nearest name."""

import pytest

from harness.scenario.durations import DurationError, literal_seconds, parse, resolve, timings_of
from harness.scenario.suggest import nearest
from master.config import Timings


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m31s", 631.0),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("24h", 86400.0),
        ("2d", 172800.0),
        ("1d2h3m4s5ms", 93784.005),
        ("1m + 10s - 500ms", 69.5),
        ("0.1s+0.2s", 0.3),
    ],
)
def test_literal_durations(text: str, seconds: float) -> None:
    """Literals are exact sums of their parts."""
    assert literal_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "expected a duration such as 10m31s, 1.5s, 250ms or command_timeout + 1s, got an empty text",
        ),
        ("5", "expected a duration with a unit, got '5'"),
        ("1.5", "expected a duration with a unit, got '1.5'"),
        ("5x", "expected numbers with the units d, h, m, s and ms, got '5x'"),
        ("1s5m", "expected each unit once, the longest first, got '1s5m'"),
        ("1s1s", "expected each unit once, the longest first, got '1s1s'"),
        ("-5s", "expected a duration without a sign before it, got '-5s'"),
        ("5s - 5s", "expected a duration of more than 0 seconds, got '5s - 5s'"),
        ("5s - 1m", "expected a duration of more than 0 seconds, got '5s - 1m'"),
        ("10 m", "expected a duration with a unit, got '10'"),
        (
            "1m 5s",
            "expected a duration such as 10m31s, 1.5s, 250ms or command_timeout + 1s, got '1m 5s'",
        ),
        (
            "5s +",
            "expected a duration such as 10m31s, 1.5s, 250ms or command_timeout + 1s, got '5s +'",
        ),
        ("4000d", "expected at most ten years, got '4000d'"),
        ("1e3s", "expected numbers with the units d, h, m, s and ms, got '1e3s'"),
        ("1s" * 101, "expected a duration of at most 200 characters"),
    ],
)
def test_impossible_durations(text: str, message: str) -> None:
    """Each text that is no duration says what it lacks."""
    with pytest.raises(DurationError) as caught:
        parse(text)

    assert str(caught.value) == message


def test_duration_on_a_faster_clock() -> None:
    """Literals pass as much faster as is said; timers are what they are there."""
    duration = parse("command_timeout + command_scan - 10s")

    assert resolve(duration, Timings()) == 620.0
    assert resolve(duration, Timings(command_timeout_s=6.0, command_scan_s=3.0), 20.0) == 8.5
    assert timings_of({"command_scan": 7.0}) == Timings(command_scan_s=7.0)


def test_nothing_is_a_duration_only_where_it_may_be() -> None:
    """The lower limit of a time may be zero."""
    assert literal_seconds("0s", zero=True) == 0.0
    with pytest.raises(DurationError, match="more than 0 seconds"):
        parse("0s")


def test_nearest_name() -> None:
    """A name with the wrong case is nearer than any other; a strange word is near none."""
    assert nearest("POLL", ["pool", "poll"]) == "poll"
    assert nearest("pol", ["run", "poll"]) == "poll"
    assert nearest("zzz", ["run", "poll"]) is None
