"""Does a scenario fit a master that cannot be set up as it wishes? Its timers, its time, its tables."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from harness.scenario.durations import resolve
from harness.scenario.model import Duration, Scenario, Step
from harness.sites.able import Able
from master.config import Timings

EXACT_SPEED_MAX: Final = 1.0
"""The fastest clock on which a second more or less can be told."""


def unfit(scenario: Scenario, able: Able) -> str | None:
    """Return why a scenario cannot be played with what a site can do, or `None` when it can.

    Args:
        scenario: which.
        able: what can be done.

    """
    if scenario.exact is not None and able.speed > EXACT_SPEED_MAX:
        return (
            f"a second of it lasts {1 / able.speed:g} s here (play it at speed 1): {scenario.exact}"
        )
    if not able.reads_tables and scenario.needs_tables:
        return "looks into the master's database, which this target does not show"
    if not able.writes_tables and scenario.changes_tables:
        return "changes the master's database, which this target does not let it"
    if not able.kills and scenario.kills_master:
        return "kills the master's process, which muster did not start"
    if not able.disk and scenario.uses_disk:
        return "needs a folder that the master may write in, and the target names none"
    if able.others and scenario.empty is not None:
        return f"needs a master that is empty, and here are {able.others}: {scenario.empty}"
    return _timers(scenario, able) or _too_long(scenario, able)


def take_turns(scenarios: Iterable[Scenario], able: Able) -> Able:
    """Return what can be done at a site, with those left out that would have to wait for their turn.

    Scenarios that need a master alone are played one after the other, when all others are done. All of
    them together may wait for as long as a single one may; the shortest are played first.

    Args:
        scenarios: those that can be played there.
        able: what can be done.

    """
    if able.longest_s is None:
        return able
    timings = able.timings or Timings()
    alone = {
        scenario.id: span_s(scenario, timings, able.speed)
        for scenario in scenarios
        if scenario.needs_own_master
    }
    left_s = able.longest_s
    late: set[str] = set()
    for name in sorted(alone, key=lambda one: alone[one]):
        left_s -= alone[name]
        if left_s < 0:
            late.add(name)
    return replace(able, no_turn=frozenset(late))


def _timers(scenario: Scenario, able: Able) -> str | None:
    """Return why the site's timers are not what a scenario wants."""
    if able.timings is None:
        return None
    for name, wanted_s in scenario.timing.items():
        here_s = getattr(able.timings, f"{name}_s") * able.speed
        if abs(here_s - wanted_s) > wanted_s * 1e-9:
            return f"wants {name} to be {wanted_s:g} s, which is {here_s:g} s here"
    if scenario.id in able.senseless:
        return "its waits only make sense with the usual timers"
    return None


def _too_long(scenario: Scenario, able: Able) -> str | None:
    longest_s = able.longest_s
    if longest_s is None:
        return None
    span = span_s(scenario, able.timings or Timings(), able.speed)
    if span > longest_s:
        return f"waits for longer than {_minutes(longest_s)} (--longest)"
    if scenario.id in able.no_turn:
        return f"needs the master alone, and those before it take {_minutes(longest_s)} (--longest)"
    return None


def span_s(scenario: Scenario, timings: Timings, speed: float = 1.0) -> float:
    """Return about how many real seconds a scenario waits: its waits, and half of what it waits until.

    Args:
        scenario: which.
        timings: the master's timers on its own clock.
        speed: how much faster than written literal durations pass there.

    """
    return sum(
        resolve(duration, timings, speed) * share for duration, share in _waits(scenario.steps)
    )


def _waits(steps: tuple[Step, ...]) -> Iterator[tuple[Duration, float]]:
    for step in steps:
        rounds = _rounds(step)
        for inner in (*step.args.get("steps", ()), *step.args.get("do", ())):
            for duration, share in _waits((inner,)):
                yield duration, share * rounds
        if step.verb == "wait":
            yield step.args["for"], 1.0
        elif step.verb == "until":
            yield step.args["within"], 0.5


def _rounds(step: Step) -> int:
    """Return how often the steps inside a step are done; a list that is not known yet counts once."""
    given = step.args.get("in")
    return len(given) if isinstance(given, list | tuple) else 1


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
