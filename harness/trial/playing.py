"""Playing scenarios with the program that is judged, on the real clock.

Each scenario has a reference master of its own in this process, a front on a free port, a folder, and
a fresh process of the program. They are played side by side: what they share is the machine.
"""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import trio

from harness.activity import Activity
from harness.clock import ShiftedClock
from harness.faults import Lost
from harness.history import History, RecordingPort
from harness.play import blame_muster, play
from harness.redact import Redactor
from harness.scenario.durations import timings_of
from harness.scenario.model import Scenario
from harness.scenario.references import SCRATCH_REFERENCE
from harness.sites.fit import span_s
from harness.sites.playing import Audience
from harness.target import ADMIN, MemoryTables, begin, set_up
from harness.trial.child import Child
from harness.trial.trial import Trial
from harness.verdict import Outcome
from harness.world import World
from master.config import Timings
from master.objects import DiskObjects
from master.protocol.exchange import Request, Response
from master.protocol.profiles import PROFILES
from simulated_agents.clock import RealClock
from simulated_agents.ports import NoReply, Port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.rng import fork

SLACK_S: Final = 1.0
"""How late, in real seconds, something may be noticed."""

CROWD: Final = 8
"""How many scenarios are played side by side: their masters share one processor."""


async def play_trials(
    trial: Trial, profile: str, scenarios: Sequence[Scenario], seed: int, audience: Audience
) -> None:
    """Play scenarios with a program; those that the machine spoiled once more, alone.

    Args:
        trial: the program.
        profile: the release that the master is, and the program is judged as.
        scenarios: all apply to it.
        seed: decides all that is random.
        audience: is told each outcome once.

    """
    activity = Activity()
    room = trio.Semaphore(CROWD)
    spoiled: list[Scenario] = []

    async def first(scenario: Scenario) -> None:
        outcome, history = await play_trial(trial, profile, scenario, seed, activity)
        room.release()
        if outcome.dragged:
            spoiled.append(scenario)
        else:
            audience.played(outcome, history)

    async with trio.open_nursery() as nursery:
        for scenario in sorted(scenarios, key=_span_s, reverse=True):
            await room.acquire()
            await activity.begin()
            audience.playing(scenario)
            nursery.start_soon(first, scenario)
    for scenario in spoiled:
        await activity.begin()
        audience.played(*await play_trial(trial, profile, scenario, seed, activity))


def _span_s(scenario: Scenario) -> float:
    """Return about how long a scenario waits, so that the longest begin first."""
    return span_s(scenario, Timings(), 1.0)


async def play_trial(
    trial: Trial, profile: str, scenario: Scenario, seed: int, activity: Activity
) -> tuple[Outcome, History]:
    """Play one scenario, for which the activity has begun."""
    history = History(Redactor())
    try:
        timings = timings_of(scenario.timing)
        async with workshop(trial, profile, scenario.id, seed, history, timings) as shop:
            outcome = await play(scenario, shop.world(activity))
            if trial.output is not None:
                shop.keep_output(trial.output)
    except Exception as error:  # noqa: BLE001 - the other scenarios go on
        outcome = Outcome(scenario)
        blame_muster(outcome, error)
    finally:
        activity.end()
    return outcome, history


@contextmanager
def _folder(name: str, *, keep: bool) -> Iterator[Path]:
    """Make a folder, and remove it again unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"muster-{_file_name(name)}-")).resolve()
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _file_name(scenario_id: str) -> str:
    return re.sub(r"[^\w.-]+", "-", scenario_id).strip("-")


class _Mortal:
    """The way to a master that can be dead: connections to it break then, as those of a process do.

    Args:
        port: the way, on which a front would answer as a proxy does that has lost its master.

    """

    def __init__(self, port: Port) -> None:
        self._port = port

    async def send(self, request: Request) -> Response:
        """Send a request.

        Raises:
            Lost: the master is dead, or died meanwhile.

        """
        try:
            return await self._port.send(request)
        except NoReply as error:
            raise Lost(str(error), definite=error.definite) from None


class Workshop:
    """Where one scenario is played with a program: its master, and the children of the program.

    Args:
        trial: the program.
        profile: the release.
        name: what is played.
        seed: decides all that is random.
        history: what happens is written there.
        timings: the timers of the master.
        folder: where its files are.
        nursery: runs all that lives there.

    """

    def __init__(
        self,
        trial: Trial,
        profile: str,
        name: str,
        seed: int,
        history: History,
        timings: Timings,
        folder: Path,
        nursery: trio.Nursery,
    ) -> None:
        self._trial = trial
        self._profile = profile
        self._name = name
        self._seed = seed
        self._history = history
        self._timings = timings
        self._folder = folder
        self._nursery = nursery
        self._clock = RealClock()
        self._started_s = self._clock.monotonic_s()
        self.children: list[Child] = []

    def elapsed_s(self) -> float:
        """Return seconds since it was opened."""
        return self._clock.monotonic_s() - self._started_s

    def note(self, process: str, text: str) -> None:
        """Write down something that is no exchange."""
        self._history.note(self.elapsed_s(), process, text)

    async def open(self) -> None:
        """Begin the life of the master."""
        self.master = await begin(
            self._nursery,
            PROFILES[self._profile],
            self._timings,
            ShiftedClock(self._clock),
            fork(self._seed, f"{self._name}/master"),
            lambda text: self.note("master", text),
            objects=DiskObjects(),
            mortal=True,
        )
        self.token = await set_up(self.master.handle, self._history.redactor)

    def world(self, activity: Activity) -> World:
        """Return the world of the scenario."""
        return World(
            clock=self._clock,
            timings=self._timings,
            factor=self._trial.speed,
            slack_s=SLACK_S,
            bears_s=SLACK_S,
            history=self._history,
            make_port=lambda: _Mortal(DirectPort(self.master.handle)),
            admin_token=self.token,
            log_in=ADMIN,
            profile=self._profile,
            prefix="",
            tables=MemoryTables(self.master),
            seed=fork(self._seed, self._name).getrandbits(64),
            started_s=self._started_s,
            activity=activity,
            scratch=str(self._folder),
            master=self.master,
            pace=self._trial.pace,
            make_program=self.child,
            faults=self._trial.faults,
        )

    def child(self, name: str, way: RecordingPort) -> Child:
        """Return the program as one agent; it is not started yet."""
        made = Child(self._trial, name, self._profile, self._folder, way, self._nursery, self.note)
        self.children.append(made)
        return made

    def keep_output(self, folder: Path) -> None:
        """Write what the program said into a folder of the scenario's, without secrets."""
        for child in self.children:
            child.keep_output(folder / _file_name(self._name), self._history)

    async def aclose(self) -> None:
        """End every process and the master."""
        with trio.CancelScope(shield=True):
            for child in self.children:
                await child.aclose()
        self._nursery.cancel_scope.cancel()
        self.master.close()


@asynccontextmanager
async def workshop(
    trial: Trial, profile: str, name: str, seed: int, history: History, timings: Timings
) -> AsyncIterator[Workshop]:
    """Open a workshop for as long as the block."""
    with _folder(name, keep=trial.keep) as folder:
        history.redactor.rename(str(folder), SCRATCH_REFERENCE)
        async with trio.open_nursery() as nursery:
            shop = Workshop(trial, profile, name, seed, history, timings, folder, nursery)
            await shop.open()
            try:
                yield shop
            finally:
                await shop.aclose()
