"""Which scenarios make sense with a target's timers: those that the reference passes with them.

Most of a story's waits name timers; some are literal, and only make sense with the usual ones (a backup
of two minutes is no longer one that survives, where commands time out after forty seconds). So where a
target's timers are not the usual ones, each scenario is played on virtual time first, against the
reference with those timers: what fails there would say nothing of the target.
Rejected: judging it by the durations that a scenario mentions, which skips five times as many.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Final

from harness.scenario.model import Scenario
from harness.target import play_embedded
from harness.verdict import Verdict
from master.config import Timings
from master.protocol.profiles import PROFILES

_DIGITS: Final = 6
"""Of a timer in seconds of a scenario: dividing by a speed and back leaves crumbs."""


def unusual(timings: Timings, speed: float) -> dict[str, float] | None:
    """Return a target's timers in seconds of a scenario, `None` when they are the usual ones.

    Args:
        timings: the target's timers, on its own clock.
        speed: how much faster than written literal durations of scenarios pass there.

    """
    named = {one.name.removesuffix("_s"): getattr(timings, one.name) for one in fields(timings)}
    own = {name: round(value * speed, _DIGITS) for name, value in named.items()}
    usual = {one.name.removesuffix("_s"): one.default for one in fields(Timings)}
    return None if own == usual else own


def senseless(
    scenarios: Iterable[Scenario], profile: str, timing: dict[str, float], seed: int
) -> frozenset[str]:
    """Return the ids of scenarios that the reference fails with some timers.

    Args:
        scenarios: those that apply to the profile; others fail for another reason.
        profile: the release that the reference is.
        timing: the timers, in seconds of a scenario.
        seed: decides all that is random.

    """
    return frozenset(
        scenario.id
        for scenario in scenarios
        if profile in scenario.profiles
        and "virtual" in scenario.clocks
        and not scenario.tests_agent
        and _fails(replace(scenario, timing={**timing, **scenario.timing}), profile, seed)
    )


def _fails(scenario: Scenario, profile: str, seed: int) -> bool:
    outcome, _ = play_embedded(scenario, PROFILES[profile], seed)
    return outcome.verdict is not Verdict.PASS
