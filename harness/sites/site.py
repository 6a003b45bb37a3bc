"""A site: a master over sockets where scenarios are played, whatever kind of master it is.

A `muster serve` child, a server that muster starts by a command, one that runs already: each is made
into a `Site`, and all of them are played on in one way (`harness.sites.playing`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Final

from harness.activity import Activity
from harness.hiccups import PAUSES_S, Hiccups
from harness.history import History
from harness.redact import Redactor
from harness.scenario.model import Scenario
from harness.sites.rows import Rows
from harness.sites.spans import Watch
from harness.sites.warp import Warp
from harness.waiting import Waiting
from harness.world import Mortal, Tables, World
from master.config import Timings
from simulated_agents.clock import Clock, RealClock
from simulated_agents.ports import Port
from simulated_agents.rng import fork

BEARS_S: Final = 20.0
"""How late things may be in all, in seconds of a scenario: no expectation is closer to its limit,
but those of scenarios that say so (`exact`); with shorter timers it is as much less."""

EXACT_BEARS_S: Final = 0.3
"""The same for those."""


@dataclass(frozen=True, slots=True)
class Site:
    """A master over sockets, set up.

    Attributes:
        url: where it listens.
        make_port: makes a new way to it, with its certificates and its path prefix.
        token: authorises administration, for a day.
        log_in: what a new token is got with; `None` where the token never ends.
        profile: the release that it is judged as.
        timings: its timers as they are there.
        speed: how much faster than written the literal durations of scenarios pass there.
        slack_s: how late, in real seconds, something may be noticed there.
        next_prefix: makes what goes before the names of the next scenario.
        tables: its database, or `None`.
        process: its process, or `None` where it must not be killed.
        scratch: a folder that it may write in.
        next_net: makes what begins the addresses that the next scenario pretends to call from.
        warps: its database's file, where waits move times in it instead of passing; `None` where
            every second passes.

    """

    url: str
    make_port: Callable[[], Port]
    token: str
    log_in: Mapping[str, str] | None
    profile: str
    timings: Timings
    speed: float
    slack_s: float
    next_prefix: Callable[[], str]
    tables: Tables | None
    process: Mortal | None
    scratch: Path
    next_net: Callable[[], str]
    warps: Path | None = None

    def world(
        self,
        scenario: Scenario,
        seed: int,
        activity: Activity,
        announce: Callable[[str, float], None],
    ) -> World:
        """Return the world of one play of a scenario, with names of its own.

        Args:
            scenario: what is to be played.
            seed: that of the run.
            activity: is told when the scenario only waits.
            announce: is told for what it waits, and for how many seconds at most.

        """
        history = History(Redactor())
        history.redactor.learn(self.token)
        if self.log_in is not None:
            history.redactor.learn(self.log_in["password"])
        prefix = self.next_prefix()
        clock: Clock = RealClock()
        waiting: Waiting | None = None
        make_port = self.make_port
        if self.warps is not None:
            warp = Warp(Rows(self.warps, prefix), Watch(self.timings, self.slack_s), history)
            clock, waiting, make_port = (
                warp.clock,
                warp,
                lambda: warp.traffic.counted(self.make_port()),
            )
        started_s = clock.monotonic_s()

        def note(text: str) -> None:
            history.note(clock.monotonic_s() - started_s, "muster", text)

        return World(
            clock=clock,
            timings=self.timings,
            factor=self.speed,
            slack_s=self.slack_s,
            bears_s=self._bears_s(scenario),
            history=history,
            make_port=make_port,
            admin_token=self.token,
            log_in=self.log_in,
            profile=self.profile,
            prefix=prefix,
            tables=self.tables,
            seed=fork(seed, scenario.id).getrandbits(64),
            started_s=started_s,
            activity=activity,
            hiccups=Hiccups(PAUSES_S, note),
            announce=announce,
            scratch=str(self.scratch / prefix),
            net=self.next_net(),
            master=self.process if scenario.kills_master else None,
            waiting=waiting,
        )

    def _bears_s(self, scenario: Scenario) -> float:
        """Return how much of a scenario may be late before nobody can tell why it fails."""
        if scenario.exact is not None:
            return EXACT_BEARS_S / self.speed
        usual = Timings().faster(self.speed)
        parts: list[float] = [
            getattr(self.timings, timer.name) / getattr(usual, timer.name)
            for timer in fields(usual)
            if timer.name
            != "token_grace_s"  # longer than anything else, and shortened by ourselves
        ]
        return max(self.slack_s, BEARS_S / self.speed * min(1, *parts))


def nets(first: int) -> Callable[[], str]:
    """Return what makes the beginnings of addresses, each another, such as `10.0.1`.

    Args:
        first: which one is first; every number is one.

    """
    numbers = count(first)

    def following() -> str:
        high, low = divmod(next(numbers) % 0x10000, 0x100)
        return f"10.{high}.{low}"

    return following
