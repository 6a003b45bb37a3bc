"""Which mutants the suite kills, and whether it names the clause that each one breaks.

First each mutant is played against the scenarios that speak about its clause; only one that they
let pass meets the rest of the suite. The reference itself must pass whatever a mutant meets.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from harness.play import skip_reason
from harness.scenario.catalogue import Catalogue, Clause
from harness.scenario.model import Scenario, Step
from harness.selfcheck.child import HANG_S, Job
from harness.selfcheck.crew import Done, Played, work
from harness.selfcheck.mutant import Mutant
from harness.sites.able import EVERYTHING
from harness.verdict import Verdict

CHUNK: Final = 20
"""How many scenarios one process plays on the reference."""


class ControlError(Exception):
    """The reference itself does not pass a scenario, so that nothing can be said of mutants."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"  # an expectation about its clause failed
    WRONG = "killed for a wrong reason"  # others failed, or the scenario could not be played
    SURVIVED = "survived"
    FAULT = "fault"  # it broke muster


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mutant, and why.

    Attributes:
        mutant: which.
        profile: what it was played as.
        fate: what became of it.
        scenario: the id of the scenario that says so.
        blamed: the clauses that the failed expectation is about.
        why: what was expected and seen there.

    """

    mutant: Mutant
    profile: str
    fate: Fate
    scenario: str | None = None
    blamed: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """What mutants are tried against.

    Attributes:
        scenarios: all of them.
        catalogue: the clauses.

    """

    scenarios: Sequence[Scenario]
    catalogue: Catalogue

    def profile_of(self, mutant: Mutant) -> str:
        """Return what a mutant is played as."""
        return mutant.profile or self.catalogue[mutant.clause].profiles[0]

    def applicable(self, profile: str) -> list[Scenario]:
        """Return the scenarios that can be played on a profile, on virtual time."""
        return [
            one
            for one in self.scenarios
            if skip_reason(one, profile=profile, clock="virtual", able=EVERYTHING) is None
        ]

    def about(self, clause: str, profile: str) -> list[Scenario]:
        """Return the scenarios that speak about a clause, those that speak of little else first."""
        found = [one for one in self.applicable(profile) if clause in clauses_of(one)]
        return sorted(found, key=lambda one: len(clauses_of(one)))


def clauses_of(scenario: Scenario) -> frozenset[str]:
    """Return the clauses that a scenario, or a step of it, says it is about."""
    return frozenset(scenario.clauses).union(
        *(step.clauses for step in _all_steps(scenario.steps)),
    )


def _all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all_steps(step.args.get("steps", ()))
        yield from _all_steps(step.args.get("do", ()))


def check(
    mutants: Sequence[Mutant],
    suite: Suite,
    *,
    processes: int,
    hear: Callable[[str], None] = lambda _: None,
    hang_s: float = HANG_S,
) -> list[Result]:
    """Try mutants, and return what became of each, in their order.

    Args:
        mutants: which.
        suite: against what.
        processes: how many work at the same time.
        hear: is told the name of each part that is done.
        hang_s: seconds of processor time after which a scenario has hung.

    Raises:
        ControlError: the reference does not pass.
        MutantError: a mutant cannot be made.

    """
    return _Check(suite, processes, hear, hang_s).run(mutants)


class _Check:
    """One check."""

    def __init__(
        self, suite: Suite, processes: int, hear: Callable[[str], None], hang_s: float
    ) -> None:
        self._suite = suite
        self._processes = processes
        self._hear = hear
        self._hang_s = hang_s
        self._pickled = {one.id: pickle.dumps(one) for one in suite.scenarios}
        self._passed: set[tuple[str, str]] = set()

    def run(self, mutants: Sequence[Mutant]) -> list[Result]:
        suite = self._suite
        trials = [
            _Trial(one, one.apply(), profile, suite.about(one.clause, profile))
            for one in mutants
            for profile in (suite.profile_of(one),)
        ]
        results = self._play(trials, first_failure=False)
        spared = [
            replace(trial, scenarios=self._others(trial))
            for trial in trials
            if results[trial.mutant.name].fate is Fate.SURVIVED
        ]
        try:
            results |= self._play(spared, first_failure=True)
        except ControlError as error:
            names = ", ".join(trial.mutant.name for trial in spared)
            raise ControlError(
                f"{error}\nWhat is said about their clauses did not kill: {names}."
            ) from None
        return [results[one.name] for one in mutants]

    def _others(self, trial: "_Trial") -> list[Scenario]:
        played = {one.id for one in trial.scenarios}
        return [one for one in self._suite.applicable(trial.profile) if one.id not in played]

    def _play(self, trials: Sequence["_Trial"], *, first_failure: bool) -> dict[str, Result]:
        """Play each mutant against its scenarios, after the reference has passed all of these."""
        self._control(trials)
        jobs = [
            self._job(
                trial.mutant.name,
                trial.profile,
                trial.scenarios,
                sources=trial.sources,
                clause=trial.mutant.clause,
                first_failure=first_failure,
            )
            for trial in trials
        ]
        done = work(jobs, self._processes, lambda one: self._hear(one.key))
        return {trial.mutant.name: _judge(trial, done[trial.mutant.name]) for trial in trials}

    def _job(
        self,
        key: str,
        profile: str,
        scenarios: Sequence[Scenario],
        *,
        sources: dict[str, str] | None = None,
        clause: str | None = None,
        first_failure: bool = False,
    ) -> Job:
        pickled = {one.id: self._pickled[one.id] for one in scenarios}
        return Job(key, sources or {}, profile, pickled, clause, first_failure, self._hang_s)

    def _control(self, trials: Sequence["_Trial"]) -> None:
        """Play what has not been played yet on the reference.

        Raises:
            ControlError: it does not pass one of them.

        """
        jobs = []
        for profile in dict.fromkeys(trial.profile for trial in trials):
            wanted = {
                one.id: one
                for trial in trials
                if trial.profile == profile
                for one in trial.scenarios
                if (profile, one.id) not in self._passed
            }
            self._passed.update((profile, name) for name in wanted)
            chosen = list(wanted.values())
            jobs += [
                self._job(f"the reference as {profile}, {at}", profile, chosen[at : at + CHUNK])
                for at in range(0, len(chosen), CHUNK)
            ]
        done = work(jobs, self._processes, lambda one: self._hear(one.key))
        for job in jobs:
            _must_pass(job.profile, done[job.key])


@dataclass(frozen=True, slots=True)
class _Trial:
    """A mutant, and what it is to be played against."""

    mutant: Mutant
    sources: dict[str, str]
    profile: str
    scenarios: list[Scenario]


def _must_pass(profile: str, done: Done) -> None:
    bad = next((one for one in done.played if one.verdict != Verdict.PASS), None)
    if bad is not None:
        message = f"{bad.scenario} is {bad.verdict}: {bad.why}"
    elif done.hung is not None or done.fault is not None:
        message = f"{done.hung} does not end" if done.hung else f"muster breaks {done.fault}"
    else:
        return
    raise ControlError(
        f"the reference itself does not pass as {profile}, so nothing can be said of mutants:"
        f"\n{message}\nMend that first; `muster run --profile {profile}` shows more."
    )


def _judge(trial: _Trial, done: Done) -> Result:
    """Return what became of a mutant: the failure that blames the fewest beside its clause counts."""

    def result(fate: Fate, played: Played | None = None, why: str = "") -> Result:
        if played is None:
            return Result(trial.mutant, trial.profile, fate, done.hung, (), why)
        why = played.why if played.verdict == Verdict.FAIL else f"{played.verdict}: {played.why}"
        return Result(trial.mutant, trial.profile, fate, played.scenario, played.broken, why)

    bad = [one for one in done.played if one.verdict != Verdict.PASS]
    right = [one for one in bad if trial.mutant.clause in one.broken]
    if right:
        return result(Fate.KILLED, min(right, key=lambda one: len(one.broken)))
    if done.fault is not None:
        return result(Fate.FAULT, why=done.fault)
    if done.hung is not None:
        spoke = trial.mutant.clause in clauses_of(_named(trial.scenarios, done.hung))
        return result(Fate.KILLED if spoke else Fate.WRONG, why="it never ended")
    if bad:
        return result(Fate.WRONG, bad[0])
    return result(Fate.SURVIVED)


def _named(scenarios: Iterable[Scenario], name: str) -> Scenario:
    return next(one for one in scenarios if one.id == name)


def uncovered(clauses: Iterable[Clause], results: Iterable[Result]) -> list[Clause]:
    """Return the clauses that no killed mutant breaks."""
    covered = {one.mutant.clause for one in results if one.fate is Fate.KILLED}
    return [clause for clause in clauses if clause.id not in covered]
