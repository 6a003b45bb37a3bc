"""The world a scenario is played in: a way to the master, a clock, a history, maybe a database.

A world says nothing of what kind of master it is; `harness.target` makes worlds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from harness.activity import Activity
from harness.faults.values import Plan
from harness.hiccups import Hiccups, PatientPort
from harness.history import History, RecordingPort
from harness.programs import MakeProgram
from harness.waiting import Waiting
from master.config import Timings
from master.protocol.exchange import Request, Response
from simulated_agents.clock import Clock
from simulated_agents.ports import Port
from simulated_agents.timing import Timing

NO_FAULTS: Final = Plan()

NO_SCRATCH: Final = "/muster"
"""What a scenario's folder is called where no file is ever made."""


class Tables(Protocol):
    """The master's database, where the harness can reach it."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement as one transaction, and return its rows."""
        ...

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, none if there is no such table."""
        ...


class Mortal(Protocol):
    """The master's process, where the harness can kill it."""

    async def stop(self) -> None:
        """Kill it; return when it is gone."""
        ...

    async def start(self) -> None:
        """Start it again on what it left; return when it answers."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """Where one scenario is played.

    Attributes:
        clock: the time there.
        timings: the master's timers as they are there.
        factor: how much faster than written the literal durations of a scenario pass.
        slack_s: how late something may be noticed there (0 on virtual time).
        bears_s: how much may be late in all before nobody can tell why something fails; 0 on
            virtual time.
        history: what happens is written here.
        make_port: makes a new way to the master.
        admin_token: authorises administration, for a day.
        log_in: what a new one is got with; `None` where it never ends.
        profile: the release that the master is.
        prefix: goes before every name, where several scenarios share a master.
        net: three numbers that begin addresses from which nobody else calls: `192.0.2`.
        tables: the database, or `None`.
        seed: decides all that is random.
        started_s: the clock's reading at the beginning.
        activity: tells others when this scenario only waits.
        scratch: a folder that the master may write in, where nobody else does.
        master: its process, or `None` where it must not be killed.
        hiccups: what is done about answers that say that the server stumbled.
        announce: is told for what a scenario waits, and for how many seconds at most.
        shift_clock: sets the master's wall clock forward by seconds, or back; `None` where nothing
            can.
        pace: how often agents beat and poll, where that is not the real agent's, `factor` times as
            fast.
        make_program: makes the program under test; where there is none, simulated agents are.
        faults: what happens to the calls of agents, beside what their scenario says.
        waiting: how waits pass; `None` where every second of the clock does.

    """

    clock: Clock
    timings: Timings
    factor: float
    slack_s: float
    bears_s: float
    history: History
    make_port: Callable[[], Port]
    admin_token: str
    log_in: Mapping[str, str] | None
    profile: str
    prefix: str
    tables: Tables | None
    seed: int
    started_s: float
    activity: Activity = field(default_factory=Activity)
    scratch: str = NO_SCRATCH
    net: str = "192.0.2"
    master: Mortal | None = None
    hiccups: Hiccups = field(default_factory=Hiccups)
    announce: Callable[[str, float], None] = lambda _what, _for_s: None
    shift_clock: Callable[[float], None] | None = None
    pace: Timing | None = None
    make_program: MakeProgram | None = None
    faults: Plan = NO_FAULTS
    waiting: Waiting | None = None

    @property
    def agent_timing(self) -> Timing:
        """Return how often agents beat and poll there."""
        return self.pace or Timing().faster(self.factor)

    def elapsed_s(self) -> float:
        """Return seconds since the scenario began."""
        return self.clock.monotonic_s() - self.started_s

    def port(self, process: str) -> RecordingPort:
        """Return a new way to the master that writes down what passes through it."""
        return RecordingPort(self.make_port(), self.history, process, self.elapsed_s)

    def patient(self, port: RecordingPort) -> Port:
        """Return a way to the master for an agent that lives by itself."""
        return PatientPort(port, self.hiccups, self.clock) if self.hiccups.minded else port

    async def send(self, port: Port, request: Request) -> Response:
        """Return the answer of a call, made again where the master stumbled and it is safe.

        Raises:
            NoReply: there is none.

        """
        return await self.hiccups.send(port, request, self.clock)


def body_bytes(body: Any) -> bytes:
    """Return a request's body: JSON, unless it is bytes already; nothing for `None`."""
    if isinstance(body, bytes):
        return body
    return b"" if body is None else msgspec.json.encode(body)


class AdminError(Exception):
    """The master refused what muster needs in order to set a scenario up."""


class Admin:
    """An administrator at work.

    Args:
        world: where.

    Attributes:
        port: their way to the master.
        token: authorises them.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.port = world.port("admin")
        self.token = world.admin_token

    def use_token(self, token: str) -> None:
        """Go on with another token."""
        self.token = token

    async def send(self, method: str, path: str, body: Any = None, query: str = "") -> Response:
        """Make one call; a body is sent as JSON unless it is bytes already."""
        headers = {
            "authorization": f"Bearer {self.token}",
            "content-type": "application/json",
        }
        request = Request(method, path, headers, body_bytes(body), query)
        return await self._world.send(self.port, request)

    async def data(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        """Make one call that must succeed, and return its data.

        Raises:
            AdminError: it did not.

        """
        response = await self.send(method, path, body, query)
        if response.status != 200:
            text = response.body.decode("utf-8", "replace")[:200]
            raise AdminError(f"{method} {path} was answered {response.status} {text}")
        return msgspec.json.decode(response.body).get("data")
