"""What a look at a target finds, and what can be judged there."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import HandClock

from harness.commands.options import SCENARIOS
from harness.sites.able import Able
from harness.sites.database import Key, Looked, State, look_into
from harness.sites.door import Health
from harness.sites.file import Login, TargetFile
from harness.sites.found import Ahead, Found, Latency, insist, look
from harness.sites.judgeable import Judgeable, judgeable
from harness.sites.secrets import SecretVariable
from harness.sites.strangers import TargetError
from harness.sites.told import span, tell, tell_judgeable
from harness.suite import Suite
from harness.target import SeededEntropy
from master.config import Config, Timings
from master.core import Master
from master.protocol.exchange import Request, Response
from master.protocol.profiles import PROFILES
from master.protocol.times import NS, db_text, wire_text
from master.store.database import Database

KEY = "the key of this test"
TARGET = TargetFile(
    Path("backupx.toml"), "http://h:1", Login("admin", SecretVariable("P", "p")), "2.4"
)


@contextmanager
def running(path: Path, seed: int = 1) -> Iterator[Master]:
    """Yield a master on a database file."""
    clock = HandClock()
    clock.ns += seed * NS
    config = Config(profile=PROFILES["2.4"], encryption_key=KEY, bcrypt_cost=4)
    database = Database(path, release="v2.4.0")
    with Master(database, clock, SeededEntropy(random.Random(seed)), config) as made:
        yield made


def nodes_of(path: Path) -> list[dict[str, Any]]:
    """Return what a server on a database shows of its nodes."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT id, created_at FROM nodes").fetchall()
    return [{"id": identity, "createdAt": wire_text(created)} for identity, created in rows]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database that a master left behind."""
    path = tmp_path / "backupx.db"
    with running(path):
        pass
    return path


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Let only others write below a folder, for whom permissions count."""
    if os.geteuid() != 0:
        yield
        return
    for above in (folder, *folder.parents):
        if above.stat().st_mode & 0o001 == 0:
            above.chmod(above.stat().st_mode | 0o011)
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


# --- the database -------------------------------------------------------------------------------


def test_a_database_that_can_be_written_is_told_and_not_changed(file: Path) -> None:
    """Not a byte of it, and nothing stays beside it."""
    before = file.read_bytes()

    looked = look_into(file, nodes_of(file), None)

    assert looked == Looked(file, State.WRITABLE)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_server_s_database_is_looked_into_while_it_runs(tmp_path: Path) -> None:
    """The reference keeps it in WAL mode meanwhile."""
    path = tmp_path / "backupx.db"
    with running(path):
        assert look_into(path, nodes_of(path), KEY) == Looked(path, State.WRITABLE, key=Key.RIGHT)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A mistyped path leaves no empty file."""
    looked = look_into(tmp_path / "gone.db", (), None)

    assert (looked.state, looked.fault) == (State.ABSENT, "there is no such file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["text", "other tables", "other server", "folder"])
def test_a_database_of_something_else_is_told(tmp_path: Path, file: Path, kind: str) -> None:
    """No database, another program's, another server's."""
    other = tmp_path / "other.db"
    if kind == "text":
        other.write_text("no database " * 100)
    elif kind == "other tables":
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE notes (text)")
    elif kind == "other server":
        with running(other, seed=2):
            pass
    else:
        other.mkdir()

    looked = look_into(other, nodes_of(file), None)

    assert (looked.state, looked.fault) == {
        "text": (State.FOREIGN, "it is no SQLite file"),
        "other tables": (State.FOREIGN, "it is no BackupX database"),
        "other server": (
            State.FOREIGN,
            "it is another server's: its nodes are not those that the server shows",
        ),
        "folder": (State.UNREADABLE, "Is a directory"),
    }[kind]


def test_a_database_that_is_locked_is_told(file: Path) -> None:
    """After as long as a lock is waited for."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN EXCLUSIVE")

        looked = look_into(file, (), None, busy_s=0.01)

    assert (looked.state, looked.fault) == (
        (State.LOCKED, "another process has locked it, and does not let go")
    )


@pytest.mark.parametrize(
    ("mode", "folder_mode", "state", "fault"),
    [
        (0o444, 0o777, State.READABLE, "it is read-only"),
        (
            0o666,
            0o555,
            State.READABLE,
            "its folder {} is read-only, where SQLite keeps its journal",
        ),
        (0o000, 0o777, State.UNREADABLE, "Permission denied"),
    ],
)
def test_a_database_that_may_not_be_written_is_told(
    file: Path, mode: int, folder_mode: int, state: State, fault: str
) -> None:
    """The file itself, or the folder that takes the journal."""
    nodes = nodes_of(file)
    file.chmod(mode)
    file.parent.chmod(folder_mode)
    try:
        with as_nobody(file.parent):
            looked = look_into(file, nodes, None)
    finally:
        file.parent.chmod(0o755)

    assert (looked.state, looked.fault) == (state, fault.format(file.parent))


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("key", "known"), [(KEY, Key.RIGHT), ("another", Key.WRONG), (None, Key.UNTOLD)]
)
async def test_a_key_is_held_against_what_is_stored(
    tmp_path: Path, stored: bool, key: str | None, known: Key
) -> None:
    """Against a stored credential, or against the key that the server itself keeps."""
    path = tmp_path / "backupx.db"
    with running(path) as master:
        if stored:
            await make_target(master)
            known = Key.RIGHT if key is None else known

        assert look_into(path, nodes_of(path), key).key is known


async def make_target(master: Master) -> None:
    admin = b'{"username":"admin","password":"correct-horse","displayName":"A"}'
    answer = await master.handle(Request("POST", "/api/auth/setup", {}, admin))
    token = msgspec.json.decode(answer.body)["data"]["token"]
    disk = b'{"name":"disk","type":"local_disk","config":{"basePath":"/b"}}'
    headers = {"authorization": f"Bearer {token}"}
    made = await master.handle(Request("POST", "/api/storage-targets", headers, disk))
    assert made.status == 200


# --- the server ---------------------------------------------------------------------------------


class TimedServer:
    """Shows its time, which is ahead of ours; each call takes a tenth of a second."""

    def __init__(self, clock: HandClock, ahead_s: float) -> None:
        self._clock = clock
        self._ahead_ns = round(ahead_s * NS)

    async def send(self, request: Request) -> Response:
        self._clock.ns += NS // 20
        shown = (self._clock.ns + self._ahead_ns) // NS * NS
        self._clock.ns += NS // 20
        if request.path == "/api/ready":
            return Response(503, b'{"status":"not_ready"}')
        body = {
            "status": "live",
            "timestamp": wire_text(db_text(shown)),
            "uptime": 1,
            "version": "v2.4.0",
        }
        return Response(200, msgspec.json.encode(body))


@pytest.mark.parametrize("ahead_s", [0.0, 0.4, 7.3, -3600.5])
async def test_the_clock_of_a_server_is_compared(ahead_s: float) -> None:
    """Within the second that it shows, narrowed by each call."""
    clock = HandClock()

    found = await look(TARGET, None, TimedServer(clock, ahead_s), clock)

    assert found.ahead.low_s <= ahead_s <= found.ahead.high_s
    assert found.ahead.high_s - found.ahead.low_s < 0.4
    assert found.latency.median_s == pytest.approx(0.1, abs=0.01)
    assert found.ready == 'not ready: 503 {"status":"not_ready"}'


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (Ahead(-0.2, 0.3), "agrees with this machine's, as far as whole seconds tell"),
        (Ahead(7.0, 7.5), "7.0 to 7.5 s ahead of this machine's"),
        (Ahead(-7.5, -7.0), "7.0 to 7.5 s behind this machine's"),
    ],
)
def test_a_difference_of_clocks_is_told(ahead: Ahead, said: str) -> None:
    """In the direction of the server."""
    assert f"  clock     {said}" in list(tell(TARGET, replace(FOUND, ahead=ahead), ()))


FOUND = Found(
    health=Health("v2.4.0", "2026-01-01T00:00:00Z", "live", 5),
    profile="2.4",
    latency=Latency(0.001, 0.002, 10),
    ahead=Ahead(-0.1, 0.1),
    ready="ready",
    who="admin",
    kept={},
    others="",
    left=(),
    database=None,
)


def with_database(state: State, key: Key = Key.RIGHT) -> Found:
    return replace(FOUND, database=Looked(Path("x.db"), state, "why", key))


@pytest.mark.parametrize(
    ("state", "access", "key", "said"),
    [
        (State.ABSENT, "write", Key.UNTOLD, "x.db: the database cannot be used: why"),
        (State.LOCKED, "read", Key.UNTOLD, "x.db: the database cannot be used: why"),
        (
            State.READABLE,
            "write",
            Key.RIGHT,
            'x.db: the database cannot be used: why: make it writable, or write database_access = "read"',
        ),
        (
            State.WRITABLE,
            "write",
            Key.WRONG,
            "x.db: the encryption key is not the one this database is written under",
        ),
        (State.READABLE, "read", Key.RIGHT, None),
        (State.WRITABLE, "write", Key.UNTOLD, None),
    ],
)
def test_a_database_must_be_as_the_file_says(
    state: State, access: str, key: Key, said: str | None
) -> None:
    """One clear line otherwise."""
    target = replace(TARGET, database=Path("x.db"), database_access=access)
    found = with_database(state, key)

    if said is None:
        insist(target, found)
    else:
        with pytest.raises(TargetError) as caught:
            insist(target, found)
        assert caught.value.message == said


@pytest.mark.parametrize(
    ("state", "access", "reads", "writes"),
    [
        (None, "write", False, False),
        (State.READABLE, "read", True, False),
        (State.WRITABLE, "read", True, False),
        (State.WRITABLE, "write", True, True),
    ],
)
def test_what_can_be_done_follows_from_what_was_found(
    state: State | None, access: str, reads: bool, writes: bool
) -> None:
    """And from what the file allows."""
    found = FOUND if state is None else with_database(state)

    able = found.able(replace(TARGET, database_access=access), 60.0)

    assert (able.reads_tables, able.writes_tables, able.kills) == (reads, writes, False)
    assert (able.timings, able.longest_s, able.disk) == (Timings(), 60.0, False)


# --- what can be judged -------------------------------------------------------------------------


def test_each_clause_is_judged_or_has_a_reason() -> None:
    """On each clock, each of the profile's clauses and scenarios once."""
    suite = Suite.read((SCENARIOS / "timeouts", SCENARIOS / "admin"))
    clauses = [one.id for one in suite.catalogue if "2.4" in one.profiles]
    scenarios = [one.id for one in suite.scenarios if "2.4" in one.profiles]
    judged = {}
    for reads in (True, False):
        able = Able(reads_tables=reads, writes_tables=reads, kills=False, timings=Timings())
        for one in judgeable(suite, "2.4", able):
            beyond = [clause.id for group in one.beyond.values() for clause in group]
            skipped = [scenario.id for group in one.skipped.values() for scenario in group]
            judged[one.clock, reads] = {clause.id for clause in one.clauses}
            assert sorted(beyond + [clause.id for clause in one.clauses]) == sorted(clauses)
            assert sorted(skipped + [scenario.id for scenario in one.played]) == sorted(scenarios)
            assert one.total == len(clauses)
            shown = {clause for scenario in one.played for clause in scenario.speaks_about}
            assert judged[one.clock, reads] == shown & set(clauses)
            assert not any(scenario.needs_tables and not reads for scenario in one.played)

    assert judged["real", False] < judged["real", True]


def test_reasons_that_begin_alike_are_counted_as_one() -> None:
    """Until all are asked for; a reason that stands alone is told as it is."""
    clause = next(iter(Suite.read((SCENARIOS / "timeouts",)).catalogue))
    beyond = {
        "not on the real clock: it is slow": [clause],
        "not on the real clock: it has a zone": [clause, clause],
        "kills: alone": [clause],
    }
    one = Judgeable("real", (clause,), (), {}, beyond, 0.0)

    short = list(tell_judgeable(one, everything=False))
    whole = list(tell_judgeable(one, everything=True))

    assert short == [
        "",
        "real clock: 1 of 5 clauses can be judged, by 0 of 0 scenarios",
        "    3 clauses not: not on the real clock (2 reasons: --all)",
        "     1 clause not: kills: alone",
    ]
    assert "    2 clauses not: not on the real clock: it has a zone" in whole
    assert "     1 clause not: not on the real clock: it is slow" in whole


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (631, "10 min 31 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_units(seconds: float, said: str) -> None:
    """Two of them at most."""
    assert span(seconds) == said
