"""Playing one scenario in a world, from its first call to its outcome."""

import time
import traceback
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import trio

from harness.about import About
from harness.broken import SetUpError, UndecidedError, UnexpectedError
from harness.expect import Mismatch
from harness.scenario.model import Scenario, Step
from harness.sites.able import Able
from harness.sites.fit import take_turns, unfit
from harness.stage import Stage
from harness.verdict import Failure, Outcome, Verdict
from harness.waiting import Warped
from harness.world import World

E = TypeVar("E", bound=Exception)

LAST_OPERATIONS = 12
"""How much of the history before it a failure shows."""


def skip_reason(scenario: Scenario, *, profile: str, clock: str, able: Able) -> str | None:
    """Return why a scenario does not apply to a run, or `None` when it does."""
    if profile not in scenario.profiles:
        return f"applies to profile {', '.join(scenario.profiles)}"
    if clock not in scenario.clocks:
        return f"not on the {clock} clock: {scenario.because}"
    if able.agent and not scenario.tests_agent:
        return "is about the master"
    if scenario.tests_agent and clock != "virtual" and not able.agent:
        return "is about an agent: `muster agent-test` plays it with one"
    if clock == "warp":
        if not able.writes_tables:
            return "the warp clock moves times in the master's database, which this target keeps"
        able = replace(able, longest_s=None)  # long waits do not pass there
    return unfit(scenario, able)


def turns_of(scenarios: Iterable[Scenario], *, profile: str, clock: str, able: Able) -> Able:
    """Return what can be done for a run, when those scenarios have had a turn that get one."""
    played = [
        one
        for one in scenarios
        if skip_reason(one, profile=profile, clock=clock, able=able) is None
    ]
    return take_turns(played, able)


async def play(scenario: Scenario, world: World) -> Outcome:
    """Play a scenario and return what came of it."""
    outcome = Outcome(scenario)
    world.history.about = About(
        profile=world.profile,
        scenario=scenario.id,
        timings=asdict(world.timings),
        slack_s=world.slack_s,
        zone_s=scenario.zone_s,
    )
    began_s = time.perf_counter()
    stage: Stage | None = None
    failed: UnexpectedError | None = None
    async with trio.open_nursery() as nursery:
        try:
            stage = Stage(scenario, world, nursery)
            await stage.prepare()
            await stage.play(scenario.steps)
            world.history.note(world.elapsed_s(), "muster", "phase: judge")
        except* UnexpectedError as group:
            failed = _first(group)
        except* UndecidedError as group:
            error = _first(group)
            outcome.verdict, outcome.reason = Verdict.UNKNOWN, str(error)
            outcome.set_up = not isinstance(error, SetUpError)
        except* Exception as group:  # noqa: BLE001 - the other scenarios go on
            blame_muster(outcome, _first(group))
        finally:
            nursery.cancel_scope.cancel()
    if stage is None:
        return outcome
    with trio.CancelScope(shield=True):
        await stage.aclose()
    outcome.tested = stage.tested
    outcome.hiccups = world.hiccups.count
    outcome.stumbled = tuple(world.hiccups.final)
    outcome.elapsed_s = world.elapsed_s()
    outcome.duration_s = time.perf_counter() - began_s
    outcome.warped = world.waiting.warped if world.waiting else Warped()
    if failed is not None:
        _fail(outcome, failed, stage, world)
    elif outcome.verdict is Verdict.PASS and not stage.tested:
        outcome.verdict, outcome.reason = Verdict.VACUOUS, "no expectation was reached"
    return outcome


def blame_muster(outcome: Outcome, error: Exception) -> None:
    """Note that an outcome is none of the master's: muster itself has a fault."""
    if isinstance(error, ExceptionGroup):
        error = _first(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    outcome.fault = True
    outcome.verdict = Verdict.UNKNOWN
    outcome.reason = f"a fault of muster: {type(error).__name__}: {error} at {Path(last.filename).name}:{last.lineno}"


def _first(group: BaseExceptionGroup[E]) -> E:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _charged(step: Step, scenario: Scenario) -> tuple[str, ...]:
    """Return the clauses that a failed step speaks against.

    Its own, where it has some; an expectation without speaks for all of the scenario's. A step that
    expects nothing of its own shows only that the story does not get there: that is charged to the
    first clause alone, the one the story is told for.
    """
    if step.clauses:
        return step.clauses
    return scenario.clauses if step.expects else scenario.clauses[:1]


def _fail(outcome: Outcome, error: UnexpectedError, stage: Stage, world: World) -> None:
    redactor = world.history.redactor
    mismatch: Mismatch = error.mismatch
    where = f"{mismatch.where}: " if mismatch.where else ""
    outcome.failure = Failure(
        place=str(error.step.place),
        step=redactor.text(error.step.source),
        expected=redactor.text(f"{where}{mismatch.expected}"),
        seen=redactor.text(mismatch.seen),
        time_s=world.elapsed_s(),
        operations=world.history.last(LAST_OPERATIONS),
    )
    if stage.dragged:
        outcome.verdict = Verdict.UNKNOWN
        outcome.dragged = True
        outcome.reason = (
            f"{stage.drag}, which may be why it failed: run it again, or with a smaller speed"
        )
    else:
        outcome.verdict = Verdict.FAIL
        outcome.broken = _charged(error.step, outcome.scenario)
        if not error.step.expects:
            outcome.reason = "a step that only leads to what is shown was refused"
