"""Every scenario on every profile: it passes where it applies, and fails where it does not.

A scenario that also passes on a profile it does not name shows nothing of the difference; one that
fails there for another reason than the difference shows the wrong thing.
Where it passes, no checker has anything against what happened.
"""

from functools import cache
from pathlib import Path
from typing import Final

import pytest
from tales import alarms

from harness.scenario.catalogue import Catalogue
from harness.scenario.loader import load_all
from harness.scenario.model import Scenario
from harness.target import play_embedded
from harness.verdict import Verdict
from master.protocol.profiles import PROFILES

SCENARIOS: Final = Path(__file__).parents[1] / "scenarios"
CATALOGUE: Final = Catalogue.read(SCENARIOS / "clauses.toml")

SAME_HERE: Final = {
    "records/twenty-texts-at-once": "the reference answers one request at a time on every profile,"
    " so that no release can lose a text here as the real ones do",
}
"""Scenarios that the reference passes on profiles they do not apply to, each with the reason."""


@cache
def scenarios() -> dict[str, Scenario]:
    """Return every scenario that can be played on virtual time."""
    return {one.id: one for one in load_all((SCENARIOS,), CATALOGUE) if "virtual" in one.clocks}


def surprise(scenario: Scenario, profile: str) -> str | None:
    """Return what a scenario shows on a profile that it should not, or `None`."""
    outcome, history = play_embedded(scenario, PROFILES[profile], 0)
    seen = outcome.failure and f"{outcome.failure.place}: {outcome.failure.seen}"
    if profile in scenario.profiles:
        if outcome.verdict is Verdict.PASS:
            false = alarms(history, profile)
            return f"{profile}: a checker is wrong: {false}" if false else None
        return f"{profile}: expected PASS, got {outcome.verdict}: {outcome.reason or seen}"
    if outcome.verdict is Verdict.PASS:
        return f"{profile}: passes, though it does not apply there"
    if outcome.verdict is not Verdict.FAIL:
        return f"{profile}: expected FAIL, got {outcome.verdict}: {outcome.reason}"
    held = [one for one in outcome.broken if profile in CATALOGUE[one].profiles]
    if held:
        return f"{profile}: {', '.join(held)} hold there, and are said to be broken: {seen}"
    return None


@pytest.mark.parametrize("scenario_id", scenarios())
def test_scenario_tells_the_profiles_apart(scenario_id: str) -> None:
    """It passes where it applies; elsewhere it fails, by clauses that do not hold there."""
    scenario = scenarios()[scenario_id]
    if scenario_id in SAME_HERE:
        pytest.skip(SAME_HERE[scenario_id])

    surprises = [surprise(scenario, profile) for profile in PROFILES]

    assert [one for one in surprises if one is not None] == []


@pytest.mark.parametrize("scenario_id", SAME_HERE)
def test_scenario_that_is_the_same_here(scenario_id: str) -> None:
    """It does pass everywhere; otherwise it has no place on the list."""
    scenario = scenarios()[scenario_id]

    verdicts = {play_embedded(scenario, one, 0)[0].verdict for one in PROFILES.values()}

    assert verdicts == {Verdict.PASS}
