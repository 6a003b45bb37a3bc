"""A run: which scenarios, on which clock, and what came of them.

The runner tells listeners what happens; reports and progress are listeners, and it knows none of
them by name.
"""

import fnmatch
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import trio

from harness.history import History
from harness.plan import SPEEDS, Listener, Plan
from harness.play import skip_reason, turns_of
from harness.scenario.model import Scenario
from harness.sites.able import EVERYTHING, Able
from harness.sites.children import Children
from harness.sites.notes import Notes
from harness.sites.playing import Grounds, play_on
from harness.sites.rehearsal import senseless, unusual
from harness.sites.visit import visiting
from harness.target import play_embedded
from harness.trial.playing import play_trials
from harness.trial.trial import Trial
from harness.verdict import Outcome, Report, Verdict, judge_clauses, judge_known
from master.protocol.profiles import PROFILES


def select(
    scenarios: Iterable[Scenario], clause: str | None, case: str | None = None
) -> tuple[Scenario, ...]:
    """Return the scenarios that speak about a clause, and are a case, matching globs; or all."""
    return tuple(
        scenario
        for scenario in scenarios
        if (
            clause is None or any(fnmatch.fnmatchcase(one, clause) for one in scenario.speaks_about)
        )
        and (case is None or fnmatch.fnmatchcase(scenario.case or "", case))
    )


def run(plan: Plan, listeners: Sequence[Listener]) -> Report:
    """Play the plan's scenarios and return what came of them; an interrupt ends it early.

    Raises:
        ServerError: the server of a real-clock run did not start.
        TargetError: the target cannot be reached, or does not let us in.

    """
    began_s = time.perf_counter()
    hear = _Everybody(listeners)
    hear.started(plan)
    outcomes: dict[str, Outcome] = {}
    tell = _Tell(plan, hear, outcomes)
    interrupted = False
    try:
        if plan.trial is not None:
            trio.run(_run_trials, plan, plan.trial, tell)
        elif plan.clock == "virtual":
            _run_virtual(plan, tell)
        else:
            trio.run(_run_real, plan, tell, _rehearse(plan))
    except* KeyboardInterrupt:
        interrupted = True
    done = tuple(outcomes[one.id] for one in plan.scenarios if one.id in outcomes)
    report = Report(
        profile=plan.profile,
        clock=plan.clock,
        seed=plan.seed,
        duration_s=time.perf_counter() - began_s,
        interrupted=interrupted,
        outcomes=done,
        clauses=judge_clauses(done, plan.rules),
        known=judge_known(done, plan.rules),
        strict=plan.strict,
        asked=plan.asked,
        unfinished=tuple(one.id for one in plan.scenarios if one.id not in outcomes),
        site=tell.site,
    )
    hear.finished(report)
    return report


class _Everybody:
    """Tells every listener."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def __getattr__(self, name: str) -> Callable[..., None]:
        def tell(*what: Any) -> None:
            for listener in self._listeners:
                getattr(listener, name)(*what)

        return tell


class _Tell:
    """What came of each scenario so far; tells the listeners.

    Attributes:
        site: what is worth knowing of the server, where it is a target's.

    """

    def __init__(self, plan: Plan, hear: Any, outcomes: dict[str, Outcome]) -> None:
        self._plan = plan
        self._hear = hear
        self._outcomes = outcomes
        self.site: Notes | None = None

    def playing(self, scenario: Scenario) -> None:
        """Tell that a scenario begins."""
        self._hear.playing(scenario)

    def waiting(self, scenario: Scenario, what: str, for_s: float) -> None:
        """Tell that a scenario waits."""
        self._hear.waiting(scenario, what, for_s)

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Complete an outcome with its verdict and with the command that plays it again; tell it."""
        self._plan.rules.settle(outcome)
        outcome.replay = _replay(self._plan, outcome.scenario)
        self._outcomes[outcome.scenario.id] = outcome
        self._hear.played(outcome, history)

    def skipped(self, scenario: Scenario, able: Able) -> bool:
        """Tell that a scenario is skipped, if it is."""
        plan = self._plan
        reason = skip_reason(scenario, profile=plan.profile, clock=plan.clock, able=able)
        if reason is None:
            return False
        self.played(Outcome(scenario, Verdict.SKIP, reason=reason), None)
        return True


def _replay(plan: Plan, scenario: Scenario) -> str:
    """Return the command that plays a scenario again."""
    if plan.trial is not None:
        return plan.trial.again(scenario.path, scenario.case)
    if plan.target_file is not None:
        where = f"--target {plan.target_file.path}"
        where += f" --clock {plan.clock}" * (plan.clock != "real")
    else:
        where = f"--clock {plan.clock}"
    usual = plan.target_file is not None or plan.clock == "virtual"
    speed = "" if usual or plan.speed == SPEEDS[plan.clock] else f" --speed {plan.speed:g}"
    case = f" --case {scenario.case}" if scenario.case else ""
    return (
        f"muster run {scenario.path}{case} {where}"
        f" --profile {plan.profile} --seed {plan.seed}{speed}"
    )


def _run_virtual(plan: Plan, tell: _Tell) -> None:
    profile = PROFILES[plan.profile]
    for scenario in plan.scenarios:
        tell.playing(scenario)
        if not tell.skipped(scenario, EVERYTHING):
            tell.played(*play_embedded(scenario, profile, plan.seed, plan.make_master))


async def _run_trials(plan: Plan, trial: Trial, tell: _Tell) -> None:
    able = replace(EVERYTHING, speed=trial.speed, agent=True)
    scenarios = [one for one in plan.scenarios if not tell.skipped(one, able)]
    await play_trials(trial, plan.profile, scenarios, plan.seed, tell)


def _rehearse(plan: Plan) -> frozenset[str]:
    """Return the scenarios that make no sense with the target's timers."""
    target = plan.target_file
    timing = None if target is None else unusual(target.timings, target.speed)
    if timing is None:
        return frozenset()
    return senseless(plan.scenarios, plan.profile, timing, plan.seed)


async def _run_real(plan: Plan, tell: _Tell, no_sense: frozenset[str]) -> None:
    if plan.target_file is None:
        children = Children(plan.profile, plan.speed, warp=plan.clock == "warp")
        await _play_where_able(plan, tell, children)
        return
    assert plan.order is not None  # there is one for each target
    async with visiting(plan.target_file, plan.order) as visit:
        tell.site = visit.notes
        visit.able = replace(visit.able, senseless=no_sense)
        await _play_where_able(plan, tell, visit)


async def _play_where_able(plan: Plan, tell: _Tell, grounds: Grounds) -> None:
    able = turns_of(plan.scenarios, profile=plan.profile, clock=plan.clock, able=grounds.able)
    scenarios = [one for one in plan.scenarios if not tell.skipped(one, able)]
    await play_on(grounds, scenarios, plan.seed, tell)
