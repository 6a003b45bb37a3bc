"""Playing scenarios on sites, side by side: those that only wait cost nothing."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from harness.activity import Activity
from harness.history import History
from harness.play import play
from harness.scenario.durations import resolve
from harness.scenario.model import Scenario
from harness.sites.able import Able
from harness.sites.site import Site
from harness.verdict import Outcome
from master.config import Timings


class Grounds(Protocol):
    """The sites of a run.

    Attributes:
        able: what can be done there.
        activity: how busy all of the run is.

    """

    able: Able
    activity: Activity

    def groups(self, scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
        """Return which scenarios share a site; groups are played side by side."""
        ...

    def open(self, group: Sequence[Scenario]) -> AbstractAsyncContextManager[Site]:
        """Return the site of a group, for as long as the block.

        Raises:
            ServerError: there is none.

        """
        ...


class Audience(Protocol):
    """Who hears what is played, and what came of it."""

    def playing(self, scenario: Scenario) -> None:
        """Hear that a scenario begins."""
        ...

    def played(self, outcome: Outcome, history: History) -> None:
        """Hear what came of it."""
        ...


async def play_on(
    grounds: Grounds, scenarios: Sequence[Scenario], seed: int, audience: Audience
) -> None:
    """Play scenarios on the sites of some grounds.

    Args:
        grounds: makes the sites.
        scenarios: all apply there.
        seed: decides all that is random.
        audience: is told each outcome once, in the order in which they come.

    Raises:
        ServerError: a site could not be had.

    """
    async with trio.open_nursery() as nursery:
        for group in grounds.groups(scenarios):
            nursery.start_soon(_Group(grounds, seed, audience).run, group)


class _Group:
    """The scenarios that share a site."""

    def __init__(self, grounds: Grounds, seed: int, audience: Audience) -> None:
        self._grounds = grounds
        self._activity = grounds.activity
        self._seed = seed
        self._audience = audience

    async def run(self, scenarios: list[Scenario]) -> None:
        """Play the scenarios side by side, and those that the machine spoiled again, alone."""
        spoiled: list[Scenario] = []
        async with self._grounds.open(scenarios) as site, trio.open_nursery() as nursery:
            for scenario in sorted(scenarios, key=span_s, reverse=True):
                await self._activity.begin()
                self._audience.playing(scenario)
                nursery.start_soon(self._play_first, scenario, site, spoiled.append)
        for scenario in spoiled:
            async with self._grounds.open([scenario]) as site:
                await self._activity.begin()
                self._audience.played(*await self._play(scenario, site))

    async def _play_first(
        self, scenario: Scenario, site: Site, spoil: Callable[[Scenario], None]
    ) -> None:
        outcome, history = await self._play(scenario, site)
        if outcome.dragged:
            spoil(scenario)
        else:
            self._audience.played(outcome, history)

    async def _play(self, scenario: Scenario, site: Site) -> tuple[Outcome, History]:
        world = site.world(scenario, self._seed, self._activity)
        try:
            return await play(scenario, world), world.history
        finally:
            self._activity.end()


def span_s(scenario: Scenario) -> float:
    """Return about how long a scenario waits, so that the longest begin first."""
    waits = [step.args["for"] for step in scenario.steps if step.verb == "wait"]
    return sum(resolve(wait, Timings()) for wait in waits)
