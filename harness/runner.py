"""A run: which scenarios, on which clock, and what came of them.

The runner tells listeners what happens; reports and progress are listeners, and it knows none of
them by name.
"""

import fnmatch
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Protocol

import trio

from harness.clock import RealClock
from harness.history import History
from harness.play import play, skip_reason
from harness.redact import Redactor
from harness.scenario.catalogue import Catalogue
from harness.scenario.model import Scenario
from harness.served import Served, serve_master
from harness.target import ADMIN, FileTables, MakeMaster, play_embedded
from harness.verdict import Outcome, Report, Verdict, judge_clauses
from harness.world import World
from master.config import Timings
from master.core import Master
from master.protocol.profiles import PROFILES
from simulated_agents.ports.http import HttpPort
from simulated_agents.rng import fork

SPEED: Final = 20.0
"""How much faster than the seed's timers a real-clock run goes, unless it is told otherwise."""

REAL_GRACE_S: Final = 600.0
"""The grace of a rotated token on the real clock, before `SPEED`: its 24 h would take over an hour."""

REAL_SLACK_S: Final = 1.0
"""How late, in real seconds, something may be noticed on the real clock."""

SIDE_BY_SIDE: Final = 24
"""How many scenarios wait at the same time on the real clock; more would only be late."""


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
        history: a folder for the histories, or `None`.
        make_master: makes the master of a simulation.

    """

    scenarios: tuple[Scenario, ...]
    catalogue: Catalogue
    profile: str
    clock: str
    seed: int
    speed: float = SPEED
    history: Path | None = None
    make_master: MakeMaster = Master


class Listener(Protocol):
    """What hears about a run while it is on."""

    def started(self, plan: Plan) -> None:
        """Hear that a run begins."""
        ...

    def playing(self, scenario: Scenario) -> None:
        """Hear that a scenario begins."""
        ...

    def played(self, outcome: Outcome) -> None:
        """Hear what came of a scenario."""
        ...

    def finished(self, report: Report) -> None:
        """Hear what came of the run."""
        ...


def select(
    scenarios: Iterable[Scenario], clause: str | None
) -> tuple[Scenario, ...]:
    """Return the scenarios that speak about a clause matching a glob, or all of them."""
    return tuple(
        scenario
        for scenario in scenarios
        if clause is None or any(fnmatch.fnmatchcase(one, clause) for one in scenario.clauses)
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
        clauses=judge_clauses(done, plan.catalogue),
    )
    hear.finished(report)
    return report


class _Everybody:
    """Tells every listener."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        def tell(what: Any) -> None:
            for listener in self._listeners:
                getattr(listener, name)(what)

        return tell


def _skipped(plan: Plan, scenario: Scenario) -> Outcome | None:
    reason = skip_reason(scenario, profile=plan.profile, clock=plan.clock, tables=True)
    return Outcome(scenario, Verdict.SKIP, reason=reason) if reason else None


def _keep(plan: Plan, outcome: Outcome, history: History | None) -> Outcome:
    """Complete an outcome, and write its history where the plan says."""
    speed = f" --speed {plan.speed:g}" if plan.clock == "real" and plan.speed != SPEED else ""
    outcome.replay = (
        f"muster run {outcome.scenario.path} --clock {plan.clock}"
        f" --profile {plan.profile} --seed {plan.seed}{speed}"
    )
    if plan.history is not None and history is not None:
        path = plan.history / f"{outcome.scenario.id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(history.lines()))
    return outcome


def _run_virtual(plan: Plan, hear: Any, outcomes: dict[str, Outcome]) -> None:
    profile = PROFILES[plan.profile]
    for scenario in plan.scenarios:
        hear.playing(scenario)
        outcome, history = _skipped(plan, scenario), None
        if outcome is None:
            outcome, history = play_embedded(scenario, profile, plan.seed, plan.make_master)
        outcomes[scenario.id] = _keep(plan, outcome, history)
        hear.played(outcome)


# --- the real clock ---------------------------------------------------------------------------


def _real_timings(scenario: Scenario, speed: float) -> Timings:
    defaults = replace(Timings(), token_grace_s=REAL_GRACE_S)
    own = {f"{name}_s": value for name, value in scenario.timing.items()}
    return replace(defaults, **own).faster(speed)


async def _run_real(plan: Plan, hear: Any, outcomes: dict[str, Outcome]) -> None:
    """Play scenarios side by side, one server for each set of timers that they ask for."""
    groups: dict[tuple[float, ...], list[Scenario]] = {}
    for scenario in plan.scenarios:
        skipped = _skipped(plan, scenario)
        if skipped is not None:
            outcomes[scenario.id] = _keep(plan, skipped, None)
            hear.played(skipped)
            continue
        timings = _real_timings(scenario, plan.speed)
        key = tuple(getattr(timings, timing.name) for timing in fields(timings))
        groups.setdefault(key, []).append(scenario)
    limit = trio.CapacityLimiter(SIDE_BY_SIDE)
    async with trio.open_nursery() as nursery:
        for key, scenarios in groups.items():
            nursery.start_soon(_run_group, plan, Timings(*key), scenarios, limit, hear, outcomes)


async def _run_group(
    plan: Plan,
    timings: Timings,
    scenarios: list[Scenario],
    limit: trio.CapacityLimiter,
    hear: Any,
    outcomes: dict[str, Outcome],
) -> None:
    async with serve_master(timings, plan.profile) as served, trio.open_nursery() as nursery:
        for number, scenario in enumerate(scenarios):
            await limit.acquire_on_behalf_of(scenario.id)
            nursery.start_soon(_play_real, plan, scenario, number, served, timings, limit, hear, outcomes)


async def _play_real(
    plan: Plan,
    scenario: Scenario,
    number: int,
    served: Served,
    timings: Timings,
    limit: trio.CapacityLimiter,
    hear: Any,
    outcomes: dict[str, Outcome],
) -> None:
    clock = RealClock()
    history = History(Redactor())
    history.redactor.learn(served.admin_token)
    history.redactor.learn(ADMIN["password"])
    world = World(
        clock=clock,
        timings=timings,
        factor=plan.speed,
        slack_s=REAL_SLACK_S,
        history=history,
        make_port=lambda: HttpPort(served.url),
        admin_token=served.admin_token,
        prefix=f"s{number}-",
        tables=FileTables(served.database),
        seed=fork(plan.seed, scenario.id).getrandbits(64),
        started_s=clock.monotonic_s(),
    )
    try:
        hear.playing(scenario)
        outcome = await play(scenario, world)
        outcomes[scenario.id] = _keep(plan, outcome, history)
        hear.played(outcome)
    finally:
        limit.release_on_behalf_of(scenario.id)


