"""Sites that are `muster serve` children of this process: as many as scenarios want."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Final

import trio

from harness.activity import Activity
from harness.scenario.model import Scenario
from harness.sites.able import EVERYTHING
from harness.sites.served import serve_master
from harness.sites.site import Site, nets
from harness.target import ADMIN, FileTables
from harness.world import World
from master.config import Timings
from simulated_agents.ports.http import HttpPort

GRACE_S: Final = 600.0
"""The grace of a rotated token, before it is divided by the speed: its 24 h would take over an hour."""

ANSWER_S: Final = 6.0
"""How long, in real seconds, a question to an agent waits for its answer at least: for as long as the
few calls of a scenario may take on a busy machine."""

SLACK_S: Final = 1.0
"""How late, in real seconds, something may be noticed."""


class Children:
    """One child for each set of timers that scenarios ask for.

    A scenario that needs a master of its own has one.

    Args:
        profile: the release that they are.
        speed: how much faster than written time passes there.
        warp: whether long waits move stored times instead of passing.

    Attributes:
        able: what can be done there.
        activity: how busy all of the run is.

    """

    def __init__(self, profile: str, speed: float, *, warp: bool = False) -> None:
        self.able = replace(EVERYTHING, speed=speed)
        self.activity = Activity()
        self._profile = profile
        self._speed = speed
        self._warp = warp
        self._numbers = count()

    def groups(self, scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
        """Return the scenarios that can share a child, by its timers."""
        groups: dict[tuple[Timings, str], list[Scenario]] = {}
        for scenario in scenarios:
            own = scenario.id if scenario.needs_own_master else ""
            groups.setdefault((self._timings(scenario), own), []).append(scenario)
        return list(groups.values())

    def _timings(self, scenario: Scenario) -> Timings:
        own = {f"{name}_s": value for name, value in scenario.timing.items()}
        given = Timings()
        least_s = ANSWER_S * self._speed
        usual = replace(
            given,
            token_grace_s=given.token_grace_s if self._warp else GRACE_S,
            list_dir_timeout_s=max(given.list_dir_timeout_s, least_s),
            discover_timeout_s=max(given.discover_timeout_s, least_s),
        )
        return replace(usual, **own).faster(self._speed)

    async def tidy(self, world: World) -> None:
        """Do nothing: all that was made goes with the child's folder."""

    async def gone(self) -> str:
        """Never return: a child that ends is a fault of ours, and calls show it."""
        await trio.sleep_forever()

    async def still_there(self) -> None:
        """Return."""

    async def revive(self, reason: str) -> bool:  # noqa: ARG002
        """Return that it does not."""
        return False

    @asynccontextmanager
    async def open(self, group: Sequence[Scenario]) -> AsyncIterator[Site]:
        """Run a child; starting one is as much work as playing a scenario."""
        timings = self._timings(group[0])
        await self.activity.begin()
        starting = True
        try:
            async with serve_master(timings, self._profile) as served:
                self.activity.end()
                starting = False
                yield Site(
                    url=served.url,
                    make_port=lambda: HttpPort(served.url),
                    token=served.admin_token,
                    log_in=ADMIN,
                    profile=self._profile,
                    timings=timings,
                    speed=self._speed,
                    slack_s=SLACK_S,
                    next_prefix=lambda: f"s{next(self._numbers)}-",
                    next_net=nets(0),
                    tables=FileTables(served.database),
                    process=served.process,
                    scratch=served.database.parent / "disk",
                    warps=served.database if self._warp else None,
                )
        finally:
            if starting:
                self.activity.end()
