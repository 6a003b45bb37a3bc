"""Lengths of time as scenario files write them, and what they come to on a clock."""

import re
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Final

from harness.scenario.model import Duration
from harness.scenario.suggest import did_you_mean
from master.config import Timings
from simulated_agents.timing import Timing

MASTER_TIMERS: Final = tuple(timing.name.removesuffix("_s") for timing in fields(Timings))
"""The names that stand for timers of the master."""

AGENT_TIMERS: Final[dict[str, str]] = {
    "heartbeat_interval": "heartbeat_s",
    "poll_interval": "poll_s",
}
"""The names that stand for intervals of the agents, each with its field of `Timing`."""

TIMERS: Final = (*MASTER_TIMERS, *AGENT_TIMERS)
"""The names that stand for a length of time."""

_UNITS: Final = {
    "d": Decimal(86_400),
    "h": Decimal(3_600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_UNIT_ORDER: Final = tuple(_UNITS)
_LITERAL_MAX_S: Final = 3_650 * 86_400
"""Ten years: longer than any timer, and far from where floating point loses milliseconds."""

_TEXT_MAX: Final = 200
"""Characters of one duration; the longest sensible sum has about 60."""

_NUMBER: Final = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_UNIT: Final = "ms|[dhms]"
_PART: Final = re.compile(f"({_NUMBER})({_UNIT})")
LITERAL: Final = f"(?:{_NUMBER}(?:{_UNIT}))+"
"""The pattern of a literal, also for the JSON Schema."""

_TERM: Final = re.compile(r"\s*([+-])?\s*([^\s+-]+)\s*")
_EXAMPLES: Final = "such as 10m31s, 1.5s, 250ms or command_timeout + 1s"


class DurationError(ValueError):
    """A text that is no duration.

    Attributes:
        hint: what may have been meant.

    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def parse(text: str, *, zero: bool = False) -> Duration:
    """Return the duration that a text says.

    Args:
        text: a sum of literals and timers.
        zero: whether nothing is long enough.

    Raises:
        DurationError: it says none, or none that can pass.

    """
    terms = tuple(_terms(text))
    literals = [sign * term for sign, term in terms if not isinstance(term, str)]
    if len(literals) == len(terms):
        total = sum(literals)
        if total < 0 or (total == 0 and not zero):
            raise DurationError(f"expected a duration of more than 0 seconds, got {text!r}")
    return Duration(text, tuple((s, t if isinstance(t, str) else float(t)) for s, t in terms))


def _terms(text: str) -> list[tuple[int, Decimal | str]]:
    if len(text) > _TEXT_MAX:
        raise DurationError(f"expected a duration of at most {_TEXT_MAX} characters")
    terms: list[tuple[int, Decimal | str]] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is not None and found[1] is not None and not terms:
            raise DurationError(f"expected a duration without a sign before it, got {text!r}")
        if found is None or (found[1] is None and terms):
            raise DurationError(f"expected a duration {_EXAMPLES}, got {text!r}")
        terms.append((-1 if found[1] == "-" else 1, _term(found[2])))
        at = found.end()
    if not terms:
        raise DurationError(f"expected a duration {_EXAMPLES}, got an empty text")
    return terms


def _term(word: str) -> Decimal | str:
    if word in TIMERS:
        return word
    if word[0].isalpha():
        known = ", ".join(TIMERS)
        raise DurationError(
            f"expected a literal or the name of a timer ({known}), got {word!r}",
            did_you_mean(word, TIMERS),
        )
    return _literal(word)


def _literal(word: str) -> Decimal:
    if word.replace(".", "", 1).isdecimal():
        raise DurationError(
            f"expected a duration with a unit, got {word!r}",
            f"write {word}ms, {word}s, {word}m, {word}h or {word}d",
        )
    parts = _PART.findall(word)
    if "".join(number + unit for number, unit in parts) != word:
        raise DurationError(f"expected numbers with the units d, h, m, s and ms, got {word!r}")
    ranks = [_UNIT_ORDER.index(unit) for _, unit in parts]
    if ranks != sorted(set(ranks)):
        raise DurationError(f"expected each unit once, the longest first, got {word!r}")
    seconds = sum((Decimal(number) * _UNITS[unit] for number, unit in parts), Decimal(0))
    if seconds > _LITERAL_MAX_S:
        raise DurationError(f"expected at most ten years, got {word!r}")
    return seconds


def literal_seconds(text: str, *, zero: bool = False) -> float:
    """Return the seconds of a duration that names no timers.

    Raises:
        DurationError: it says none, names a timer, or comes to nothing.

    """
    duration = parse(text, zero=zero)
    named = [term for _, term in duration.terms if isinstance(term, str)]
    if named:
        raise DurationError(f"expected a length of time such as 10m31s, got the timer {named[0]!r}")
    return float(sum(Decimal(str(term)) * sign for sign, term in duration.terms))


def timings_of(timing: Mapping[str, float]) -> Timings:
    """Return the default timers with those of a scenario's `timing`."""
    return Timings(**{f"{name}_s": seconds for name, seconds in timing.items()})


def resolve(
    duration: Duration,
    timings: Timings,
    literal_factor: float = 1.0,
    agents: Timing | None = None,
) -> float:
    """Return a duration in seconds.

    Args:
        duration: the sum.
        timings: the timers as they are on this clock.
        literal_factor: how much faster than written literals pass on this clock.
        agents: the agents' intervals on this clock; the real agent's, as much faster, when left out.

    """
    agents = agents or Timing().faster(literal_factor)

    def seconds(term: float | str) -> float:
        return timer(term, timings, agents) if isinstance(term, str) else term / literal_factor

    return sum(sign * seconds(term) for sign, term in duration.terms)


def timer(name: str, timings: Timings, agents: Timing) -> float:
    """Return the seconds of one of `TIMERS`."""
    found: float
    if name in AGENT_TIMERS:
        found = getattr(agents, AGENT_TIMERS[name])
    else:
        found = getattr(timings, f"{name}_s")
    return found
