"""Verdicts: of an expectation, of a scenario, of a clause, of a run, and the exit code."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from harness.scenario.catalogue import Catalogue
from harness.scenario.model import Scenario


class Verdict(StrEnum):
    """What came of something that was looked at."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    WARN = "WARN"  # a SHOULD that does not hold
    VACUOUS = "VACUOUS"  # its situation never arose
    UNKNOWN = "UNKNOWN"  # the run could not tell
    SKIP = "SKIP"  # not applicable here; the reason says why


class Exit(IntEnum):
    """Exit codes of `muster`; they are part of its interface."""

    OK = 0
    VIOLATION = 1
    UNKNOWN = 2
    NOTHING_TESTED = 3
    USAGE = 4
    INTERNAL = 5
    TARGET = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario did not pass.

    Attributes:
        place: `file:line:column` of the step.
        step: the step as it is written.
        expected: what had to be.
        seen: what was.
        time_s: when, in seconds since the scenario began.
        operations: the last of the history before it.

    """

    place: str
    step: str
    expected: str
    seen: str
    time_s: float
    operations: list[dict[str, Any]]


@dataclass(slots=True)
class Outcome:
    """What came of one scenario.

    Attributes:
        scenario: which.
        verdict: of the scenario as a whole.
        tested: for each clause, how many expectations about it held.
        broken: the clauses that the failed expectation is about.
        reason: why it was skipped, or is unknown.
        failure: the failed expectation.
        duration_s: real seconds it took.
        elapsed_s: seconds on the run's clock.
        set_up: the master let the scenario be set up.
        dragged: it failed while the machine was behind, so that nobody can tell why.
        replay: the command that plays it again.

    """

    scenario: Scenario
    verdict: Verdict = Verdict.PASS
    tested: dict[str, int] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    reason: str | None = None
    failure: Failure | None = None
    duration_s: float = 0.0
    elapsed_s: float = 0.0
    set_up: bool = True
    dragged: bool = False
    replay: str = ""


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What came of one clause: its verdict, and the scenarios that speak about it."""

    id: str
    level: str
    text: str
    verdict: Verdict
    scenarios: tuple[str, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run, as every report shows it."""

    profile: str
    clock: str
    seed: int
    duration_s: float
    interrupted: bool
    outcomes: tuple[Outcome, ...]
    clauses: tuple[ClauseResult, ...]

    @property
    def exit_code(self) -> Exit:
        """Return the run's exit code: the worst of what happened."""
        verdicts = {outcome.verdict for outcome in self.outcomes}
        musts = {clause.verdict for clause in self.clauses if clause.level == "MUST"}
        if Verdict.FAIL in musts:
            return Exit.VIOLATION
        played = [one for one in self.outcomes if one.verdict is not Verdict.SKIP]
        if played and not any(outcome.set_up for outcome in played):
            return Exit.TARGET
        if self.interrupted or Verdict.UNKNOWN in verdicts:
            return Exit.UNKNOWN
        if not verdicts & {Verdict.PASS, Verdict.FAIL} or Verdict.VACUOUS in musts:
            return Exit.NOTHING_TESTED
        return Exit.OK

    @property
    def verdict(self) -> Verdict:
        """Return the run's verdict in one word."""
        return {
            Exit.OK: Verdict.PASS,
            Exit.VIOLATION: Verdict.FAIL,
            Exit.UNKNOWN: Verdict.UNKNOWN,
        }.get(self.exit_code, Verdict.VACUOUS)


def judge_clauses(outcomes: Iterable[Outcome], catalogue: Catalogue) -> tuple[ClauseResult, ...]:
    """Return a verdict for each clause that the scenarios of a run name, in catalogue order."""
    about: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for clause in dict.fromkeys((*outcome.scenario.clauses, *outcome.tested, *outcome.broken)):
            about.setdefault(clause, []).append(outcome)
    return tuple(
        _judge(clause.id, clause.level, clause.text, about[clause.id])
        for clause in catalogue
        if clause.id in about
    )


def _judge(clause: str, level: str, text: str, outcomes: list[Outcome]) -> ClauseResult:
    scenarios = tuple(outcome.scenario.id for outcome in outcomes)
    reason = None
    if any(clause in outcome.broken for outcome in outcomes):
        verdict = Verdict.FAIL if level == "MUST" else Verdict.WARN
    elif unknown := [one for one in outcomes if one.verdict is Verdict.UNKNOWN]:
        verdict, reason = Verdict.UNKNOWN, unknown[0].reason
    elif any(outcome.tested.get(clause) for outcome in outcomes):
        verdict = Verdict.PASS
    elif all(outcome.verdict is Verdict.SKIP for outcome in outcomes):
        verdict, reason = Verdict.SKIP, outcomes[0].reason
    else:
        verdict, reason = Verdict.VACUOUS, "no expectation about it was reached"
    return ClauseResult(clause, level, text, verdict, scenarios, reason)
