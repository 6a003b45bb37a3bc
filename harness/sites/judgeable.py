"""Which clauses can be judged at a target, on each clock, and why the others cannot."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.play import skip_reason, turns_of
from harness.scenario.catalogue import Clause
from harness.scenario.header import CLOCKS
from harness.scenario.model import Scenario
from harness.sites.able import Able
from harness.sites.fit import span_s
from harness.suite import Suite
from master.config import Timings

UNSPOKEN: Final = "no scenario speaks about it"


@dataclass(frozen=True, slots=True)
class Judgeable:
    """What can be judged on one clock.

    Attributes:
        clock: its name.
        clauses: those that at least one scenario can show broken there.
        played: the scenarios that are played.
        skipped: the others that apply to the profile, by the reason.
        beyond: the clauses that none of the played speaks about, by the reason of the first
            scenario that does.
        longest_s: how long the longest of the played waits there, in seconds.

    """

    clock: str
    clauses: tuple[Clause, ...]
    played: tuple[Scenario, ...]
    skipped: dict[str, list[Scenario]]
    beyond: dict[str, list[Clause]]
    longest_s: float

    @property
    def total(self) -> int:
        """Return how many clauses there are of the profile."""
        return len(self.clauses) + sum(map(len, self.beyond.values()))


def judgeable(suite: Suite, profile: str, able: Able) -> Iterator[Judgeable]:
    """Yield what can be judged on each clock that a target can have.

    Args:
        suite: the clauses and scenarios.
        profile: the release that the target is judged as.
        able: what can be done there.

    """
    applying = [scenario for scenario in suite.scenarios if profile in scenario.profiles]
    clauses = [clause for clause in suite.catalogue if profile in clause.profiles]
    for clock in CLOCKS:
        if clock != "virtual":
            there = turns_of(applying, profile=profile, clock=clock, able=able)
            reasons = [
                (scenario, skip_reason(scenario, profile=profile, clock=clock, able=there))
                for scenario in applying
            ]
            yield _on(clock, clauses, reasons, able)


def _on(
    clock: str, clauses: list[Clause], reasons: list[tuple[Scenario, str | None]], able: Able
) -> Judgeable:
    about: dict[str, list[str | None]] = {}
    skipped: dict[str, list[Scenario]] = {}
    for scenario, reason in reasons:
        if reason is not None:
            skipped.setdefault(reason, []).append(scenario)
        for spoken in scenario.speaks_about:
            about.setdefault(spoken, []).append(reason)
    judged: list[Clause] = []
    beyond: dict[str, list[Clause]] = {}
    for clause in clauses:
        found = about.get(clause.id, [UNSPOKEN])
        first = next((reason for reason in found if reason is not None), UNSPOKEN)
        if None in found:
            judged.append(clause)
        else:
            beyond.setdefault(first, []).append(clause)
    played = tuple(scenario for scenario, reason in reasons if reason is None)
    timings = able.timings or Timings()
    longest_s = max((span_s(scenario, timings, able.speed) for scenario in played), default=0.0)
    return Judgeable(clock, tuple(judged), played, skipped, beyond, longest_s)
