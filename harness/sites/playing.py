"""Playing scenarios on sites, side by side: those that only wait cost nothing.

First all that may share a master, the longest first; then those that need it alone, and those that
are to be played again, one after the other. A server that ends in the middle ends the plays that are
in the air, whose scenarios nobody can judge.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

import trio

from harness.activity import Activity
from harness.history import History
from harness.play import play
from harness.scenario.model import Scenario
from harness.sites.able import Able
from harness.sites.again import settled
from harness.sites.fit import span_s
from harness.sites.site import Site
from harness.verdict import Outcome, Verdict
from harness.world import World
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

    async def tidy(self, world: World) -> None:
        """Remove what a play has made, if anybody minds."""
        ...

    async def gone(self) -> str:
        """Return how the server ended, once it has; never, where that is not watched."""
        ...

    async def still_there(self) -> None:
        """Return if the server lives; else wait for whoever watches to end this play."""
        ...

    async def revive(self, reason: str) -> bool:
        """Start the server again, if that can be; return whether it runs."""
        ...


class Audience(Protocol):
    """Who hears what is played, and what came of it."""

    def playing(self, scenario: Scenario) -> None:
        """Hear that a scenario begins."""
        ...

    def waiting(self, scenario: Scenario, what: str, for_s: float) -> None:
        """Hear that it waits: for what, and for how many seconds at most."""
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
        audience: is told each outcome once, in the order in which they come; nothing of those that
            were not begun when a server ended for good.

    Raises:
        ServerError: a site could not be had.

    """
    async with trio.open_nursery() as nursery:
        for group in grounds.groups(scenarios):
            nursery.start_soon(_Group(grounds, group, seed, audience).run)


class _Group:
    """The scenarios that share a site."""

    def __init__(
        self, grounds: Grounds, scenarios: Sequence[Scenario], seed: int, audience: Audience
    ) -> None:
        shared = [one for one in scenarios if not one.needs_own_master]
        self._grounds = grounds
        self._activity = grounds.activity
        self._seed = seed
        self._audience = audience
        self._shared = sorted(shared, key=lambda one: span_s(one, Timings()), reverse=True)
        self._alone = [one for one in scenarios if one.needs_own_master]
        self._again: list[Scenario] = []
        self._plays: dict[str, list[Outcome]] = {}
        self._in_the_air: dict[str, tuple[Scenario, World]] = {}

    async def run(self) -> None:
        """Play all of them, as far as the server lives."""
        while self._shared or self._alone or self._again:
            reason = await self._play_until_gone()
            if reason is None:
                return
            for scenario, world in self._in_the_air.values():
                outcome = Outcome(scenario, Verdict.UNKNOWN, reason=reason)
                self._audience.played(outcome, world.history)
            self._in_the_air.clear()
            if not await self._grounds.revive(reason):
                return

    async def _play_until_gone(self) -> str | None:
        """Play what is left; return how the server ended if it did, `None` when all was played."""
        reason: str | None = None
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                nonlocal reason
                reason = await self._grounds.gone()
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            await self._play_all()
            nursery.cancel_scope.cancel()
        return reason

    async def _play_all(self) -> None:
        if self._shared:
            async with self._grounds.open(self._shared) as site, trio.open_nursery() as nursery:
                while self._shared:
                    await self._activity.begin()
                    nursery.start_soon(self._play, self._shared.pop(0), site)
        while self._alone or self._again:
            scenario = (self._alone or self._again)[0]
            async with self._grounds.open([scenario]) as site:
                await self._activity.begin()
                (self._alone or self._again).pop(0)
                await self._play(scenario, site)

    async def _play(self, scenario: Scenario, site: Site) -> None:
        """Play a scenario once; tell what came of it, or keep it to be played again."""
        if scenario.id not in self._plays:
            self._audience.playing(scenario)
        world = site.world(
            scenario, self._seed, self._activity, partial(self._audience.waiting, scenario)
        )
        self._in_the_air[scenario.id] = (scenario, world)
        try:
            outcome = await play(scenario, world)
            if outcome.verdict is Verdict.UNKNOWN and not outcome.fault:
                await self._grounds.still_there()
        finally:
            await self._grounds.tidy(world)
            self._activity.end()
        del self._in_the_air[scenario.id]
        plays = self._plays.setdefault(scenario.id, [])
        plays.append(outcome)
        final = settled(plays)
        if final is None:
            self._again.append(scenario)
        else:
            self._audience.played(final, world.history)
