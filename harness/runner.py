"""A run: which scenarios, on which clock, and what came of them.

The runner tells listeners what happens; reports and progress are listeners, and it knows none of
them by name.
"""

import fnmatch
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import trio

from harness.activity import Activity
from harness.history import History
from harness.play import play, skip_reason
from harness.redact import Redactor
from harness.scenario.catalogue import Catalogue
from harness.scenario.durations import resolve
from harness.scenario.known import KnownFailures
from harness.scenario.model import Scenario
from harness.served import Served, serve_master
from harness.target import ADMIN, FileTables, MakeMaster, play_embedded
from harness.verdict import Outcome, Report, Rules, Verdict, judge_clauses, judge_known
from harness.world import World
from master.config import Timings
from master.core import Master
from master.protocol.profiles import PROFILES
from simulated_agents.clock import RealClock
from simulated_agents.ports.http import HttpPort
from simulated_agents.rng import fork

SPEED: Final = 20.0
"""How much faster than the seed's timers a real-clock run goes, unless it is told otherwise."""

REAL_GRACE_S: Final = 600.0
"""The grace of a rotated token on the real clock, before `SPEED`: its 24 h would take over an hour."""

REAL_SLACK_S: Final = 1.0
"""How late, in real seconds, something may be noticed on the real clock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        scenarios: those that were selected.
        catalogue: the clauses.
        profile: the release that the master is.
        clock: `virtual` or `real`.
        seed: decides all that is random.
        speed: how much faster than written time passes on the real clock.
        make_master: makes the master of a simulation.
        known: the known failures.
        strict: a SHOULD counts as a MUST.
        asked: what the scenarios were selected by, in words; `None` when by nothing.

    """

    scenarios: tuple[Scenario, ...]
    catalogue: Catalogue
    profile: str
    clock: str
    seed: int
    speed: float = SPEED
    make_master: MakeMaster = Master
    known: KnownFailures = field(default_factory=KnownFailures)
    strict: bool = False
    asked: str | None = None

    @property
    def target(self) -> str:
        """Return what known failures call the target."""
        return "embedded" if self.clock == "virtual" else "real"

    @property
    def rules(self) -> Rules:
        """Return what its outcomes are judged by."""
        return Rules(self.catalogue, self.profile, self.target, self.known, self.strict)


class Listener:
    """What hears about a run while it is on; a class that inherits it overrides what it wants.

    A history is handed over once and kept by nobody here, because that of an hour of fifty agents
    is a hundred thousand operations. Who wants it makes of it what it needs, there and then.
    """

    def started(self, plan: Plan) -> None:
        """Hear that a run begins."""

    def playing(self, scenario: Scenario) -> None:
        """Hear that a scenario begins."""

    def played(self, outcome: Outcome, history: History | None) -> None:
        """Hear what came of a scenario, with what happened in it; `None` when it was skipped."""

    def finished(self, report: Report) -> None:
        """Hear what came of the run."""


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

    """
    began_s = time.perf_counter()
    hear = _Everybody(listeners)
    hear.started(plan)
    outcomes: dict[str, Outcome] = {}
    interrupted = False
    try:
        if plan.clock == "virtual":
            _run_virtual(plan, hear, outcomes)
        else:
            trio.run(_run_real, plan, hear, outcomes)
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


def _skipped(plan: Plan, scenario: Scenario) -> Outcome | None:
    reason = skip_reason(scenario, profile=plan.profile, clock=plan.clock, tables=True)
    return Outcome(scenario, Verdict.SKIP, reason=reason) if reason else None


def _complete(plan: Plan, outcome: Outcome) -> Outcome:
    """Complete an outcome with its verdict, and with the command that plays its scenario again."""
    plan.rules.settle(outcome)
    speed = f" --speed {plan.speed:g}" if plan.clock == "real" and plan.speed != SPEED else ""
    case = f" --case {outcome.scenario.case}" if outcome.scenario.case else ""
    outcome.replay = (
        f"muster run {outcome.scenario.path}{case} --clock {plan.clock}"
        f" --profile {plan.profile} --seed {plan.seed}{speed}"
    )
    return outcome


def _run_virtual(plan: Plan, hear: Any, outcomes: dict[str, Outcome]) -> None:
    profile = PROFILES[plan.profile]
    for scenario in plan.scenarios:
        hear.playing(scenario)
        outcome, history = _skipped(plan, scenario), None
        if outcome is None:
            outcome, history = play_embedded(scenario, profile, plan.seed, plan.make_master)
        outcomes[scenario.id] = _complete(plan, outcome)
        hear.played(outcome, history)


# --- the real clock ---------------------------------------------------------------------------


def _real_timings(scenario: Scenario, speed: float) -> Timings:
    defaults = replace(Timings(), token_grace_s=REAL_GRACE_S)
    own = {f"{name}_s": value for name, value in scenario.timing.items()}
    return replace(defaults, **own).faster(speed)


async def _run_real(plan: Plan, hear: Any, outcomes: dict[str, Outcome]) -> None:
    """Play scenarios side by side, one server for each set of timers that they ask for.

    A scenario that kills its server has one of its own, as has one with a pool: a pool is whoever
    has its label, and labels are not told apart by a scenario's prefix as names are.
    """
    groups: dict[tuple[Timings, str], list[Scenario]] = {}
    for scenario in plan.scenarios:
        skipped = _skipped(plan, scenario)
        if skipped is not None:
            outcomes[scenario.id] = _complete(plan, skipped)
            hear.played(skipped, None)
            continue
        own = scenario.id if scenario.needs_own_master else ""
        key = (_real_timings(scenario, plan.speed), own)
        groups.setdefault(key, []).append(scenario)
    activity = Activity()
    async with trio.open_nursery() as nursery:
        for (timings, _), scenarios in groups.items():
            group = _RealGroup(plan, timings, hear, outcomes, activity)
            nursery.start_soon(group.run, scenarios)


class _RealGroup:
    """The scenarios that share a server.

    Args:
        plan: what is run.
        timings: the server's timers.
        hear: is told.
        outcomes: what came of each scenario goes here.
        activity: how busy all of the run is.

    """

    def __init__(
        self,
        plan: Plan,
        timings: Timings,
        hear: Any,
        outcomes: dict[str, Outcome],
        activity: Activity,
    ) -> None:
        self._plan = plan
        self._timings = timings
        self._hear = hear
        self._outcomes = outcomes
        self._activity = activity
        self._prefixes = (f"s{number}-" for number in count())

    async def run(self, scenarios: list[Scenario]) -> None:
        """Play the scenarios side by side, and those that the machine spoiled again, alone."""
        spoiled: list[Scenario] = []
        async with self._served() as served, trio.open_nursery() as nursery:
            for scenario in sorted(scenarios, key=_span_s, reverse=True):
                await self._activity.begin()
                self._hear.playing(scenario)
                nursery.start_soon(self._play_first, scenario, served, spoiled)
        for scenario in spoiled:
            async with self._served() as served:
                await self._activity.begin()
                outcome, history = await self._play(scenario, served)
                self._done(outcome, history)

    @asynccontextmanager
    async def _served(self) -> AsyncIterator[Served]:
        """Run a server; starting one is as much work as playing a scenario."""
        await self._activity.begin()
        starting = True
        try:
            async with serve_master(self._timings, self._plan.profile) as served:
                self._activity.end()
                starting = False
                yield served
        finally:
            if starting:
                self._activity.end()

    async def _play_first(
        self, scenario: Scenario, served: Served, spoiled: list[Scenario]
    ) -> None:
        outcome, history = await self._play(scenario, served)
        if outcome.dragged:
            spoiled.append(scenario)
        else:
            self._done(outcome, history)

    def _done(self, outcome: Outcome, history: History) -> None:
        self._outcomes[outcome.scenario.id] = _complete(self._plan, outcome)
        self._hear.played(outcome, history)

    async def _play(self, scenario: Scenario, served: Served) -> tuple[Outcome, History]:
        clock = RealClock()
        history = History(Redactor())
        history.redactor.learn(served.admin_token)
        history.redactor.learn(ADMIN["password"])
        prefix = next(self._prefixes)
        world = World(
            clock=clock,
            timings=self._timings,
            factor=self._plan.speed,
            slack_s=REAL_SLACK_S,
            history=history,
            make_port=lambda: HttpPort(served.url),
            admin_token=served.admin_token,
            log_in=ADMIN,
            profile=self._plan.profile,
            prefix=prefix,
            tables=FileTables(served.database),
            seed=fork(self._plan.seed, scenario.id).getrandbits(64),
            started_s=clock.monotonic_s(),
            activity=self._activity,
            scratch=str(served.database.parent / "disk" / prefix),
            master=served.process if scenario.kills_master else None,
        )
        try:
            return await play(scenario, world), history
        finally:
            self._activity.end()


def _span_s(scenario: Scenario) -> float:
    """Return about how long a scenario waits, so that the longest begin first."""
    waits = [step.args["for"] for step in scenario.steps if step.verb == "wait"]
    return sum(resolve(wait, Timings()) for wait in waits)
