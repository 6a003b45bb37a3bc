"""A site: a master over sockets where scenarios are played, whatever kind of master it is.

A `muster serve` child, a server that muster starts by a command, one that runs already: each is made
into a `Site`, and all of them are played on in one way (`harness.sites.playing`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.activity import Activity
from harness.history import History
from harness.redact import Redactor
from harness.scenario.model import Scenario
from harness.world import Mortal, Tables, World
from master.config import Timings
from simulated_agents.clock import Clock, RealClock
from simulated_agents.ports import Port
from simulated_agents.rng import fork


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
        make_clock: makes the clock of a scenario.

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
    make_clock: Callable[[], Clock] = RealClock

    def world(self, scenario: Scenario, seed: int, activity: Activity) -> World:
        """Return the world of one play of a scenario, with names of its own.

        Args:
            scenario: what is to be played.
            seed: that of the run.
            activity: is told when the scenario only waits.

        """
        clock = self.make_clock()
        history = History(Redactor())
        history.redactor.learn(self.token)
        if self.log_in is not None:
            history.redactor.learn(self.log_in["password"])
        prefix = self.next_prefix()
        return World(
            clock=clock,
            timings=self.timings,
            factor=self.speed,
            slack_s=self.slack_s,
            history=history,
            make_port=self.make_port,
            admin_token=self.token,
            log_in=self.log_in,
            profile=self.profile,
            prefix=prefix,
            tables=self.tables,
            seed=fork(seed, scenario.id).getrandbits(64),
            started_s=clock.monotonic_s(),
            activity=activity,
            scratch=str(self.scratch / prefix),
            master=self.process if scenario.kills_master else None,
        )
