"""Verdicts: of an expectation, of a scenario, of a clause, of a run, and the exit code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from harness.scenario.catalogue import Catalogue, Clause
from harness.scenario.known import Known, KnownFailures
from harness.scenario.model import Scenario
from harness.sites.notes import Notes
from harness.waiting import Warped


class Verdict(StrEnum):
    """What came of something that was looked at."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    WARN = "WARN"  # a SHOULD that does not hold
    VACUOUS = "VACUOUS"  # its situation never arose
    UNKNOWN = "UNKNOWN"  # the run could not tell
    SKIP = "SKIP"  # not applicable here; the reason says why
    KNOWN = "KNOWN"  # it fails, and is listed as a known failure


class Exit(IntEnum):
    """Exit codes of `muster`; they are part of its interface."""

    OK = 0
    VIOLATION = 1
    UNKNOWN = 2
    NOTHING_TESTED = 3
    USAGE = 4
    INTERNAL = 5
    TARGET = 6


SERIOUSNESS: Final = (
    Exit.INTERNAL,
    Exit.VIOLATION,
    Exit.TARGET,
    Exit.UNKNOWN,
    Exit.NOTHING_TESTED,
    Exit.OK,
)
"""How a run can end, the worst first; several runs end as the worst of them."""


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the most serious of some exit codes."""
    return min(codes, key=SERIOUSNESS.index, default=Exit.NOTHING_TESTED)


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
        known: those of them that a known failure excuses, each with its entry.
        reason: why it was skipped, or is unknown.
        fault: it is unknown because muster itself has a fault.
        failure: the failed expectation.
        duration_s: real seconds it took.
        elapsed_s: seconds on the run's clock.
        set_up: the master let the scenario be set up.
        dragged: it failed while the machine was behind, so that nobody can tell why.
        hiccups: how many answers said that the master stumbled, over all plays of it.
        stumbled: the calls that got no other answer in the last play.
        replay: the command that plays it again.
        warped: what was skipped on the warp clock.

    """

    scenario: Scenario
    verdict: Verdict = Verdict.PASS
    tested: dict[str, int] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    known: dict[str, Known] = field(default_factory=dict)
    reason: str | None = None
    fault: bool = False
    failure: Failure | None = None
    duration_s: float = 0.0
    elapsed_s: float = 0.0
    set_up: bool = True
    dragged: bool = False
    hiccups: int = 0
    stumbled: tuple[str, ...] = ()
    replay: str = ""
    warped: Warped = field(default_factory=Warped)


class KnownState(StrEnum):
    """What a run shows of a known failure."""

    FAILS = "fails"  # the entry is true
    PASSES = "passes"  # the entry is to be deleted, and the run fails
    UNTOLD = "untold"  # not all that could show it was played to its end


@dataclass(frozen=True, slots=True)
class Rules:
    """What outcomes are judged by.

    Attributes:
        catalogue: the clauses.
        profile: the release that is judged.
        target: `embedded` or `real`, as known failures name it.
        known: the known failures.
        strict: a SHOULD counts as a MUST.

    """

    catalogue: Catalogue
    profile: str
    target: str
    known: KnownFailures = field(default_factory=KnownFailures)
    strict: bool = False

    def counts(self, level: str) -> bool:
        """Return whether a clause of a level decides about a run."""
        return level == "MUST" or (self.strict and level == "SHOULD")

    def broken(self, clause: str, known: Mapping[str, Known]) -> Verdict:
        """Return what it comes to that a clause is broken."""
        if clause in known:
            return Verdict.KNOWN
        return Verdict.FAIL if self.counts(self.catalogue[clause].level) else Verdict.WARN

    def settle(self, outcome: Outcome) -> None:
        """Give a failed scenario its verdict: the worst that its broken clauses come to."""
        if outcome.verdict is not Verdict.FAIL:
            return
        for entry in self.known.on(self.profile, self.target):
            for clause in outcome.broken:
                if entry.covers(outcome.scenario.id, clause):
                    outcome.known.setdefault(clause, entry)
        verdicts = {self.broken(clause, outcome.known) for clause in outcome.broken}
        outcome.verdict = next(
            one for one in (Verdict.FAIL, Verdict.WARN, Verdict.KNOWN) if one in verdicts
        )
        if outcome.verdict is Verdict.KNOWN:
            outcome.reason = next(iter(outcome.known.values())).reason


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What came of one clause: its verdict, and the scenarios that speak about it.

    Attributes:
        counts: it decides about the run.
        means: what its failure usually means.
        reason: why the verdict is neither PASS nor FAIL.

    """

    id: str
    level: str
    text: str
    verdict: Verdict
    scenarios: tuple[str, ...]
    reason: str | None = None
    counts: bool = True
    means: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run, as every report shows it.

    Attributes:
        duration_s: real seconds it took.
        interrupted: it was ended early.
        unfinished: the ids of the scenarios that were not played to their end then.
        outcomes: of each scenario that was played or skipped.
        clauses: each clause that these are about.
        known: the known failures about this profile and target, and what the run shows of each.
        strict: a SHOULD counted as a MUST.
        asked: what was selected by, in words; `None` when everything was.
        site: what is worth knowing of the server; `None` where muster made it itself.

    """

    profile: str
    clock: str
    seed: int
    duration_s: float
    interrupted: bool
    outcomes: tuple[Outcome, ...]
    clauses: tuple[ClauseResult, ...]
    known: tuple[tuple[Known, KnownState], ...] = ()
    strict: bool = False
    asked: str | None = None
    unfinished: tuple[str, ...] = ()
    site: Notes | None = None

    @property
    def hiccups(self) -> int:
        """Return how many answers said that the master stumbled."""
        return sum(outcome.hiccups for outcome in self.outcomes)

    @property
    def warped(self) -> Warped:
        """Return what was skipped on the warp clock, in all scenarios."""
        return sum((outcome.warped for outcome in self.outcomes), Warped())

    @property
    def stale(self) -> tuple[Known, ...]:
        """Return the known failures that pass."""
        return tuple(entry for entry, state in self.known if state is KnownState.PASSES)

    @property
    def exit_code(self) -> Exit:
        """Return the run's exit code: the worst of what happened."""
        verdicts = {outcome.verdict for outcome in self.outcomes}
        counted = {clause.verdict for clause in self.clauses if clause.counts}
        if any(outcome.fault for outcome in self.outcomes):
            return Exit.INTERNAL
        if Verdict.FAIL in counted or self.stale:
            return Exit.VIOLATION
        if self.site is not None and self.site.gone is not None:
            return Exit.TARGET
        played = [one for one in self.outcomes if one.verdict is not Verdict.SKIP]
        if played and not any(outcome.set_up for outcome in played):
            return Exit.TARGET
        if self.interrupted or Verdict.UNKNOWN in verdicts:
            return Exit.UNKNOWN
        told = {Verdict.PASS, Verdict.WARN, Verdict.KNOWN}
        if not verdicts & told or Verdict.VACUOUS in counted:
            return Exit.NOTHING_TESTED
        return Exit.OK

    @property
    def verdict(self) -> Verdict:
        """Return the run's verdict in one word."""
        return {
            Exit.OK: Verdict.PASS,
            Exit.VIOLATION: Verdict.FAIL,
            Exit.UNKNOWN: Verdict.UNKNOWN,
            Exit.INTERNAL: Verdict.UNKNOWN,
            Exit.TARGET: Verdict.UNKNOWN,
        }.get(self.exit_code, Verdict.VACUOUS)


def judge_clauses(outcomes: Iterable[Outcome], rules: Rules) -> tuple[ClauseResult, ...]:
    """Return a verdict for each clause that the scenarios of a run name, in catalogue order."""
    about: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for clause in dict.fromkeys((*outcome.scenario.clauses, *outcome.tested, *outcome.broken)):
            about.setdefault(clause, []).append(outcome)
    return tuple(
        _judge(clause, about[clause.id], rules) for clause in rules.catalogue if clause.id in about
    )


def _judge(clause: Clause, outcomes: list[Outcome], rules: Rules) -> ClauseResult:
    verdict, reason = _verdict(clause, outcomes, rules)
    return ClauseResult(
        id=clause.id,
        level=clause.level,
        text=clause.text,
        verdict=verdict,
        scenarios=tuple(outcome.scenario.id for outcome in outcomes),
        reason=reason,
        counts=rules.counts(clause.level),
        means=clause.means,
    )


def _verdict(clause: Clause, outcomes: list[Outcome], rules: Rules) -> tuple[Verdict, str | None]:
    breaking = [outcome for outcome in outcomes if clause.id in outcome.broken]
    come_to = {rules.broken(clause.id, outcome.known) for outcome in breaking}
    for verdict in (Verdict.FAIL, Verdict.WARN):
        if verdict in come_to:
            return verdict, None
    for outcome in outcomes:
        if outcome.verdict is Verdict.UNKNOWN:
            return Verdict.UNKNOWN, outcome.reason
    if breaking:
        return Verdict.KNOWN, breaking[0].known[clause.id].reason
    if any(outcome.tested.get(clause.id) for outcome in outcomes):
        return Verdict.PASS, None
    return _untested(clause, outcomes, rules)


def _untested(clause: Clause, outcomes: list[Outcome], rules: Rules) -> tuple[Verdict, str | None]:
    """Return the verdict of a clause about which no expectation was reached."""
    if all(outcome.verdict is Verdict.SKIP for outcome in outcomes):
        return Verdict.SKIP, outcomes[0].reason
    for outcome in outcomes:
        if outcome.verdict is Verdict.KNOWN:
            return Verdict.KNOWN, f"not reached behind the known failure of {outcome.scenario.id}"
    if rules.profile not in clause.profiles:
        return Verdict.SKIP, f"applies to profile {', '.join(clause.profiles)}"
    return Verdict.VACUOUS, "no expectation about it was reached"


def judge_known(outcomes: Iterable[Outcome], rules: Rules) -> tuple[tuple[Known, KnownState], ...]:
    """Return what a run shows of each known failure about its profile and target."""
    by_id = {outcome.scenario.id: outcome for outcome in outcomes}
    return tuple(
        (entry, _state(entry, by_id, rules))
        for entry in rules.known.on(rules.profile, rules.target)
    )


def _state(entry: Known, outcomes: Mapping[str, Outcome], rules: Rules) -> KnownState:
    for outcome in outcomes.values():
        if any(entry.covers(outcome.scenario.id, clause) for clause in outcome.broken):
            return KnownState.FAILS
    if entry.scenario is None and not rules.known.whole:
        return KnownState.UNTOLD
    about = [
        outcomes.get(scenario.id)
        for scenario in rules.known.scenarios
        if entry.about(scenario) and rules.profile in scenario.profiles
    ]
    played = [one for one in about if one is None or one.verdict is not Verdict.SKIP]
    if played and all(one is not None and _passed(one, entry.clause) for one in played):
        return KnownState.PASSES
    return KnownState.UNTOLD


def _passed(outcome: Outcome, clause: str | None) -> bool:
    """Return whether a scenario passed, and showed so of a clause where one is named."""
    return outcome.verdict is Verdict.PASS and (clause is None or clause in outcome.tested)
