"""The masters that scenarios are played against. The only module that makes a reference master."""

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from harness.clock import ShiftedClock, VirtualClock
from harness.determinism import seeded_scheduler
from harness.history import History
from harness.lifetime import Lifetime
from harness.play import blame_muster, play
from harness.redact import Redactor
from harness.scenario.durations import timings_of
from harness.scenario.model import Scenario
from harness.scenario.references import SCRATCH_REFERENCE
from harness.verdict import Outcome
from harness.world import NO_SCRATCH, World
from master.config import Config, Timings
from master.core import Master
from master.objects import DiskObjects, MemoryObjects, Objects
from master.protocol.exchange import Request, Response
from master.protocol.profiles import Profile
from master.store.database import Database
from simulated_agents.ports.direct import DirectPort, Handle
from simulated_agents.rng import fork

ADMIN: Final = {"username": "muster", "password": "muster-password", "displayName": "muster"}
"""The first administrator of a master that muster makes itself."""

_SIMULATED_BCRYPT_COST: Final = 4
"""The cheapest there is: a simulation keeps no passwords."""


class SeededEntropy:
    """Randomness that a seed decides.

    Args:
        rng: where it comes from.

    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def token_bytes(self, count: int) -> bytes:
        """Return `count` bytes."""
        return self._rng.randbytes(count)


class MemoryTables:
    """The tables of a master in this process, whichever life it is in."""

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return self._lifetime.master.state.database.query(sql, values)

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return [row[1] for row in self.execute(f"PRAGMA table_info({table})")]


class FileTables:
    """The tables of a master in another process, through its database file.

    Args:
        path: the file.

    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own, and return its rows."""
        with closing(sqlite3.connect(self._path, timeout=5.0)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return [row[1] for row in self.execute(f"PRAGMA table_info({table})")]

    def write(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[int]:
        """Run statements as one transaction, and return how many rows each changed."""
        with closing(sqlite3.connect(self._path, timeout=5.0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back what was begun
                return [connection.execute(sql, values).rowcount for sql, values in statements]


MakeMaster = Callable[..., Master]


def play_embedded(
    scenario: Scenario,
    profile: Profile,
    seed: int,
    make_master: MakeMaster = Master,
) -> tuple[Outcome, History]:
    """Play a scenario on virtual time, against a fresh reference master in this process.

    It is played whether it applies to the profile or not: to skip it is the caller's to decide.

    Args:
        scenario: what to play.
        profile: what the master is.
        seed: decides tokens, drawn work, and the order of what happens at one moment.
        make_master: makes the master; a mutant is made by another one.

    """
    clock = VirtualClock()
    own_seed = fork(seed, scenario.id)
    history = History(Redactor())
    try:
        with seeded_scheduler(own_seed.getrandbits(64)), scratch_of(scenario, history) as scratch:
            outcome = trio.run(
                _play_embedded,
                scenario,
                profile,
                own_seed,
                clock,
                history,
                make_master,
                scratch,
                clock=clock,
            )
    except Exception as error:  # noqa: BLE001 - the other scenarios go on
        outcome = Outcome(scenario)
        blame_muster(outcome, error)
    return outcome, history


@contextmanager
def scratch_of(scenario: Scenario, history: History) -> Iterator[str | None]:
    """Make the folder of a scenario about an agent, whose files are real; others need none."""
    if not scenario.tests_agent:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="muster-", ignore_cleanup_errors=True) as folder:
        scratch = str(Path(folder).resolve())
        history.redactor.rename(scratch, SCRATCH_REFERENCE)
        yield scratch


async def _play_embedded(
    scenario: Scenario,
    profile: Profile,
    rng: random.Random,
    clock: VirtualClock,
    history: History,
    make_master: MakeMaster,
    scratch: str | None,
) -> Outcome:
    timings = timings_of(scenario.timing)
    wall = ShiftedClock(clock, scenario.zone_s)
    async with trio.open_nursery() as nursery:
        lifetime = await begin(
            nursery,
            profile,
            timings,
            wall,
            random.Random(rng.getrandbits(64)),
            lambda text: history.note(clock.monotonic_s(), "master", text),
            objects=MemoryObjects() if scratch is None else DiskObjects(),
            mortal=scenario.kills_master,
            make_master=make_master,
        )
        world = World(
            clock=clock,
            timings=timings,
            factor=1.0,
            slack_s=0.0,
            bears_s=0.0,
            history=history,
            make_port=lambda: DirectPort(lifetime.handle),
            admin_token=await set_up(lifetime.handle, history.redactor),
            log_in=ADMIN,
            profile=profile.name,
            prefix="",
            tables=MemoryTables(lifetime),
            seed=rng.getrandbits(64),
            started_s=clock.monotonic_s(),
            master=lifetime,
            shift_clock=wall.shift,
            scratch=scratch or NO_SCRATCH,
        )
        outcome = await play(scenario, world)
        nursery.cancel_scope.cancel()
    lifetime.close()
    return outcome


async def begin(
    nursery: trio.Nursery,
    profile: Profile,
    timings: Timings,
    wall: ShiftedClock,
    rng: random.Random,
    note: Callable[[str], None],
    *,
    objects: Objects,
    mortal: bool,
    make_master: MakeMaster = Master,
) -> Lifetime:
    """Return a fresh reference master in this process, which has begun to live.

    Args:
        nursery: runs its loops.
        profile: the release that it is.
        timings: its timers.
        wall: its clock.
        rng: makes its tokens and keys.
        note: is told what it did not answer.
        objects: what lies on its disk.
        mortal: whether it will be stopped.
        make_master: makes it.

    """
    config = Config(
        timings=timings,
        profile=profile,
        encryption_key="muster",
        bcrypt_cost=_SIMULATED_BCRYPT_COST,
    )
    entropy = SeededEntropy(rng)

    def make(image: bytes | None) -> Master:
        database = Database(release=profile.release, image=image)
        return make_master(database, wall, entropy, config, objects=objects)

    lifetime = Lifetime(make, nursery, note, mortal=mortal)
    await lifetime.start()
    return lifetime


async def set_up(handle: Handle, redactor: Redactor) -> str:
    """Make the first administrator of a fresh master, and return a token of theirs."""
    redactor.learn(ADMIN["password"])
    request = Request("POST", "/api/auth/setup", {}, msgspec.json.encode(ADMIN))
    response: Response = await handle(request)
    token: str = msgspec.json.decode(response.body)["data"]["token"]
    redactor.learn(token)
    return token
