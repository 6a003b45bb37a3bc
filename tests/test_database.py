"""The database is the real master's, is opened with care, and never shows half of a change."""

import json
import os
import random
import re
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from conftest import HandClock
from golden.replay import normalise

from harness.target import SeededEntropy
from master import monitors
from master.config import Config
from master.core import Master, WrongKeyError
from master.now import Now
from master.protocol import times
from master.protocol.exchange import Request
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES, Profile
from master.store import database as database_module
from master.store.database import Database, DatabaseError
from master.store.rows import Command, Node, Record, Target, Task

RECORDED = Path(__file__).parent / "golden"
GOLDEN = RECORDED / "v2.0.0"
REAL: Final[dict[str, Any]] = json.loads((GOLDEN / "real.json").read_text("utf-8"))
SCHEMA: Final[dict[str, Any]] = json.loads((GOLDEN / "schema.json").read_text("utf-8"))["tables"]
KEY: Final = str(REAL["encryption_key"])


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Give a copy of a database that the real master wrote."""
    return Path(shutil.copy(GOLDEN / "real.db", tmp_path / "real.db"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for another process's lock."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.01)


def made(
    path: Path,
    key: str | None = KEY,
    profile: Profile = PROFILES[DEFAULT_PROFILE],
    time: str = str(REAL["time"]),
) -> Master:
    """Return a master on a file, at the time the real one was asked."""
    clock = HandClock()
    clock.ns = times.parse(time)
    database = Database(path, profile.release)
    entropy = SeededEntropy(random.Random(1))
    config = Config(encryption_key=key, bcrypt_cost=4, profile=profile)
    try:
        return Master(database, clock, entropy, config)
    except BaseException:
        database.close()
        raise


@contextmanager
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Look at a file from another connection, as another process does."""
    with closing(sqlite3.connect(path, timeout=0.01, isolation_level=None)) as connection:
        yield connection


def dump(path: Path) -> list[str]:
    with other(path) as connection:
        return list(connection.iterdump())


# --- the tables -----------------------------------------------------------------------------


def described(connection: sqlite3.Connection, table: str) -> dict[str, Any]:
    """Return what SQLite says of a table, in the form of the golden schema."""
    columns = [
        {"name": name, "type": kind, "notnull": bool(not_null), "dflt": default, "pk": key}
        for _, name, kind, not_null, default, key in connection.execute(
            f"PRAGMA table_info({table})"
        )
    ]
    indexes = [
        {
            "name": name,
            "unique": bool(unique),
            "columns": [row[2] for row in connection.execute(f"PRAGMA index_info({name})")],
        }
        for _, name, unique, *_ in connection.execute(f"PRAGMA index_list({table})")
    ]
    keys = [
        {"columns": [row[3]], "references": row[2], "on": [row[4]]}
        for row in connection.execute(f"PRAGMA foreign_key_list({table})")
    ]
    return {
        "columns": columns,
        "indexes": sorted(indexes, key=str),
        "foreign_keys": sorted(keys, key=str),
    }


@pytest.mark.parametrize(
    ("release", "recorded"),
    [("v2.0.0", "v2.0.0"), ("v2.3.4", "v2.3.4"), ("v2.3.5", "v2.3.4"), ("v2.4.0", "v2.4.0")],
)
def test_the_tables_are_the_real_master_s(release: str, recorded: str, tmp_path: Path) -> None:
    """Columns, types, defaults, indexes and foreign keys of every table are as recorded."""
    schema = json.loads((RECORDED / recorded / "schema.json").read_text("utf-8"))["tables"]
    Database(tmp_path / "new.db", release).close()

    with other(tmp_path / "new.db") as connection:
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        } - {"sqlite_sequence"}
        found = {table: described(connection, table) for table in tables}

    assert tables >= {"nodes", "agent_commands", "backup_tasks", "backup_records", "users"}
    for table in sorted(tables):
        real_one = schema[table]
        expected = {
            "columns": real_one["columns"],
            "indexes": sorted(real_one["indexes"], key=str),
            "foreign_keys": sorted(real_one["foreign_keys"], key=str),
        }
        assert found[table] == expected, table


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty database in memory."""
    with closing(Database()) as made_here:
        yield made_here


def test_a_statement_reads_the_columns_of_its_row(database: Database) -> None:
    """Every row type names columns that its table has, in an order the statement keeps."""
    node_id = database.insert(
        Node, name="n", token="t", status="offline", is_local=0, max_concurrent=3
    )

    node = database.get(Node, node_id)

    assert node is not None
    assert (node.id, node.name, node.token, node.max_concurrent) == (node_id, "n", "t", 3)
    assert (node.hostname, node.prev_token, node.last_seen) == ("", "", None)


def test_an_id_is_never_given_twice(database: Database) -> None:
    """The id of a deleted row is gone for good, as an agent may still hold it."""
    first = database.insert(Node, name="a", token="a")
    database.delete(Node, first)

    assert database.insert(Node, name="b", token="b") > first


def test_an_id_beyond_sqlite_is_nobody_s(database: Database) -> None:
    """A number that no column can hold finds nothing, and raises nothing."""
    assert database.get(Node, 2**64 - 1) is None


# --- files of others ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2.0", "2.3.5", "2.4"])
def test_a_real_database_gives_the_real_answers(name: str, tmp_path: Path) -> None:
    """On a file of the real master, agents and scripts are answered as it answered them."""
    folder = RECORDED / PROFILES[name].release
    real = json.loads((folder / "real.json").read_text("utf-8"))
    tokens = real["node_tokens"] | {real["api_key"]["name"]: real["api_key"]["plain"]}
    path = Path(shutil.copy(folder / "real.db", tmp_path / "real.db"))

    with made(path, real["encryption_key"], PROFILES[name], real["time"]) as master:
        for expected in real["answers"]:
            secret = tokens[expected["as"]]
            headers = {"x-agent-token": secret, "x-api-key": secret}
            request = Request(expected["method"], expected["path"], headers)
            response = trio.run(master.handle, request)

            seen = (response.status, normalise(response.body.decode()))
            assert seen == (expected["status"], expected["body"]), expected["path"]


@pytest.mark.parametrize("name", ["2.0", "2.3.5", "2.4"])
def test_a_real_database_keeps_its_schema(name: str, tmp_path: Path) -> None:
    """Opening a file of the real master leaves it nothing to migrate, and its tables alone."""
    real = Path(shutil.copy(RECORDED / PROFILES[name].release / "real.db", tmp_path / "real.db"))
    with other(real) as connection:
        before = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()

    made(real, profile=PROFILES[name]).__exit__(None, None, None)

    with other(real) as connection:
        assert connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall() == before


def test_a_missing_table_is_made(real: Path) -> None:
    """A file of an older release gets the tables that it lacks, with their indexes."""
    with other(real) as connection:
        connection.execute("DROP TABLE api_keys")

    Database(real).close()

    with other(real) as connection:
        found = described(connection, "api_keys")
        assert found["indexes"] == sorted(SCHEMA["api_keys"]["indexes"], key=str)


def laid_out(path: Path) -> dict[str, Any]:
    """Return the tables of a file without the order of their columns."""
    with other(path) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {name: described(connection, name) for name in names}
    for table in found.values():
        table["columns"].sort(key=str)
    return found


def test_an_older_file_gets_what_it_lacks(real: Path, tmp_path: Path) -> None:
    """A file of v2.0.0 has each column and index of v2.4.0 added, and keeps its own indexes."""
    before = laid_out(real)
    Database(tmp_path / "new.db", "v2.4.0").close()
    expected = laid_out(tmp_path / "new.db")

    Database(real, "v2.4.0").close()

    after = laid_out(real)
    for name, table in expected.items():
        assert after[name]["columns"] == table["columns"], name
        old_indexes = before[name]["indexes"]
        assert after[name]["indexes"] == sorted(
            [*table["indexes"], *(each for each in old_indexes if each not in table["indexes"])],
            key=str,
        )
    assert "idx_agent_commands_status" in str(after["agent_commands"])
    assert "idx_agent_commands_node_status" in str(after["agent_commands"])


def test_an_older_file_s_rows_read_as_new_ones(real: Path) -> None:
    """What a row of v2.0.0 says nothing about has its default at v2.4.0."""
    with closing(Database(real, "v2.4.0")) as database:
        [task, *_] = database.select(Task, "ORDER BY id")
        [record, *_] = database.select(Record, "ORDER BY id")

    assert (task.node_pool_tag, task.backup_mode, task.diff_full_interval_days) == ("", "full", 7)
    assert (record.locked, record.backup_kind, record.storage_transfer_mode) == (0, "full", "")


def test_a_release_without_a_column_reads_its_default(database: Database) -> None:
    """A master of v2.0.0 has rows with every field, and leaves out what its tables lack."""
    node_id = database.insert(Node, name="n", token="t", labels="east", status="offline")

    database.update(Node, node_id, labels="west", hostname="h")

    node = database.get(Node, node_id)
    assert node is not None
    assert (node.labels, node.hostname) == ("", "h")


def test_a_newer_file_serves_an_older_release(tmp_path: Path) -> None:
    """A file of v2.4.0 works at v2.0.0, and what only v2.4.0 knows stays in it."""
    path = tmp_path / "new.db"
    with closing(Database(path, "v2.4.0")) as database:
        node_id = database.insert(Node, name="n", token="t", labels="east", status="offline")

    with closing(Database(path, "v2.0.0")) as database:
        database.update(Node, node_id, hostname="h")

    with closing(Database(path, "v2.4.0")) as database:
        node = database.get(Node, node_id)
    assert node is not None
    assert (node.labels, node.hostname) == ("east", "h")


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """What `mktemp` made is as good as a missing file."""
    path = tmp_path / "empty.db"
    path.touch()

    with made(path) as master:
        assert master.state.database.count(Node, "is_local = 1") == 1


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be somebody whom permissions bind, which root is not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def not_a_database(path: Path) -> Iterator[None]:
    path.write_bytes(b"This is a letter, and no database.\n" * 100)
    yield


@contextmanager
def short_text(path: Path) -> Iterator[None]:
    path.write_bytes(b"hello\n")
    yield


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    whole = (GOLDEN / "real.db").read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4_000 + whole[4_100:])
    yield


@contextmanager
def somebody_else_s(path: Path) -> Iterator[None]:
    with other(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.execute("INSERT INTO recipes VALUES ('soup')")
    yield


@contextmanager
def partly_ours(path: Path) -> Iterator[None]:
    with other(path) as connection:
        connection.execute("CREATE TABLE nodes (id INTEGER)")
        connection.execute("CREATE TABLE backup_tasks (id INTEGER)")
    yield


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    shutil.copy(GOLDEN / "real.db", path)
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    with unprivileged():
        yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    shutil.copy(GOLDEN / "real.db", path)
    with other(path) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def being_written(path: Path) -> Iterator[None]:
    shutil.copy(GOLDEN / "real.db", path)
    with other(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def folder(path: Path) -> Iterator[None]:
    path.mkdir()
    yield


@contextmanager
def nowhere(path: Path) -> Iterator[None]:
    path.parent.rmdir()
    yield
    path.parent.mkdir()


UNUSABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a letter": (not_a_database, "is not an SQLite database"),
    "a short text": (short_text, "is not an SQLite database"),
    "damaged": (damaged, "is not an SQLite database"),
    "somebody else's": (somebody_else_s, "no table agent_commands, backup_records, backup_tasks"),
    "partly ours": (partly_ours, "no table agent_commands, backup_records"),
    "read-only": (read_only, "cannot be opened for writing"),
    "locked": (locked, "locked by another process"),
    "being written": (being_written, "locked by another process"),
    "a folder": (folder, "cannot be opened for writing"),
    "nowhere": (nowhere, "cannot be opened for writing"),
}


def content(place: Path) -> dict[str, bytes | None]:
    """Return every file below a folder with its bytes."""
    return {
        path.name: path.read_bytes() if path.is_file() else None
        for path in place.iterdir()
        if not path.name.endswith("-journal")  # of who holds the lock
    }


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder that is open to everybody."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        inner = Path(top, "inner")
        inner.mkdir(mode=0o755)
        yield inner


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_cannot_serve_is_left_alone(kind: str, place: Path) -> None:
    """The error is one line that names the file and the reason; not a byte has changed."""
    prepare, reason = UNUSABLE[kind]
    path = place / "a.db"
    with prepare(path):
        before = content(place) if place.exists() else None
        with pytest.raises(DatabaseError, match=re.escape(reason)) as caught:
            Database(path)
        after = content(place) if place.exists() else None

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert after == before


# --- keys -----------------------------------------------------------------------------------


def forget_the_key(path: Path) -> None:
    with other(path) as connection:
        connection.execute("DELETE FROM system_configs WHERE key = 'security.encryption_key'")


def keep_only_the_password(path: Path) -> None:
    forget_the_key(path)
    with other(path) as connection:
        connection.execute("DELETE FROM storage_targets")


def keep_only_the_targets(path: Path) -> None:
    forget_the_key(path)
    with other(path) as connection:
        connection.execute("UPDATE backup_tasks SET db_password_ciphertext = ''")


def keep_only_the_key(path: Path) -> None:
    with other(path) as connection:
        connection.execute("DELETE FROM storage_targets")
        connection.execute("DELETE FROM backup_tasks")


EVIDENCE = {
    "everything": lambda _: None,
    "the stored key": keep_only_the_key,
    "a target": keep_only_the_targets,
    "a password": keep_only_the_password,
}


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_a_wrong_key_changes_nothing(evidence: str, real: Path) -> None:
    """Another key than the database's is noticed before anything is written, and not repeated."""
    EVIDENCE[evidence](real)
    before = dump(real)

    with pytest.raises(WrongKeyError) as caught:
        made(real, "a wrong key")

    assert dump(real) == before
    assert [path.name for path in real.parent.iterdir()] == [real.name]
    assert "a wrong key" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_no_key_at_all_is_a_wrong_one(real: Path) -> None:
    """A database whose key was taken out is not given a new one over its old credentials."""
    forget_the_key(real)
    before = dump(real)

    with pytest.raises(WrongKeyError):
        made(real, None)

    assert dump(real) == before


@pytest.mark.parametrize("key", [KEY, None])
def test_the_right_key_may_be_left_out(key: str | None, real: Path) -> None:
    """The key in the database serves when none is given."""
    with made(real, key) as master:
        target = master.state.database.get(Target, 2)
        assert target is not None
        config = master.state.cipher.decrypt_json(target.config_ciphertext)

    assert config["secretAccessKey"] == "open sesame"


def test_a_key_is_kept_where_the_real_master_keeps_it(real: Path) -> None:
    """The given key is stored in the database when it holds none, and opens it from then on."""
    forget_the_key(real)
    made(real).__exit__(None, None, None)

    with other(real) as connection:
        stored = connection.execute(
            "SELECT value FROM system_configs WHERE key = 'security.encryption_key'"
        ).fetchall()

    assert stored == [(KEY,)]


def test_the_secrets_of_a_new_database_last(tmp_path: Path) -> None:
    """A new database is given secrets of its own, which the next start finds."""
    with made(tmp_path / "new.db", None) as first:
        secrets = first.state.jwt_secret, first.state.cipher.encrypt(b"x")
    with made(tmp_path / "new.db", None) as second:
        assert second.state.jwt_secret == secrets[0]
        assert second.state.cipher.decrypt(secrets[1]) == b"x"
        assert second.state.database.count(Node, "is_local = 1") == 1


# --- connections ----------------------------------------------------------------------------


def test_a_file_is_in_wal_mode_while_it_is_open(real: Path) -> None:
    """A reader need not wait while the master writes, and sees what was there before."""
    database = Database(real)

    with database.transaction(), other(real) as connection:
        database.update(Task, 1, name="renamed")
        mode = connection.execute("PRAGMA journal_mode").fetchone()
        seen = connection.execute("SELECT name FROM backup_tasks WHERE id = 1").fetchone()
    database.close()

    assert mode == ("wal",)
    assert seen == ("documents",)


def test_a_closed_file_is_as_the_real_master_keeps_it(real: Path) -> None:
    """After closing there is one file, in the rollback mode, with everything in it."""
    database = Database(real)
    database.update(Task, 1, name="renamed")
    assert len(list(real.parent.iterdir())) > 1  # the log is beside it
    database.close()

    assert [path.name for path in real.parent.iterdir()] == [real.name]
    assert real.read_bytes()[18:20] == b"\x01\x01"  # both versions of the format: no WAL
    with other(real) as connection:
        assert connection.execute("SELECT name FROM backup_tasks WHERE id = 1").fetchone() == (
            "renamed",
        )


@pytest.mark.usefixtures("impatient")
def test_closing_does_not_mind_a_reader(real: Path) -> None:
    """While somebody reads, the file stays in WAL mode and is closed all the same."""
    database = Database(real)
    with other(real) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM nodes").fetchall()
        database.update(Task, 1, name="renamed")
        database.close()

        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            database.execute("SELECT 1")

    reopened = Database(real)
    assert reopened.query("SELECT name FROM backup_tasks WHERE id = 1") == [("renamed",)]
    reopened.close()


def test_a_transaction_is_whole_or_absent(real: Path) -> None:
    """After an exception nothing of the block is there, and the next one works."""
    database = Database(real)

    def half() -> None:
        with database.transaction():
            database.update(Task, 1, name="half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    with database.transaction():
        database.update(Task, 2, name="whole")

    assert database.query("SELECT name FROM backup_tasks WHERE id < 3 ORDER BY id") == [
        ("documents",),
        ("whole",),
    ]
    database.close()


def test_a_failed_commit_leaves_no_transaction_behind(database: Database) -> None:
    """What cannot be committed is rolled back, so that the next statement stands on its own."""
    database.execute("PRAGMA foreign_keys = ON")

    def orphan() -> None:
        with database.transaction():
            database.execute("PRAGMA defer_foreign_keys = ON")
            database.insert(Record, task_id=9, storage_target_id=9, status="x", started_at="x")

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        orphan()
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        orphan()

    assert database.count(Record, "1") == 0


def test_the_cause_of_a_rollback_is_what_is_raised(database: Database) -> None:
    """When SQLite itself has ended a transaction, the error is still the one that made it."""
    database.insert(Node, name="a", token="a")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), database.transaction():
        database.execute("INSERT OR ROLLBACK INTO nodes (name, token) VALUES ('a', 'b')")

    with database.transaction():
        assert database.count(Node, "1") == 1


def test_nobody_sees_half_of_a_timeout(real: Path) -> None:
    """At each statement of a timeout a second connection sees both changes or neither."""
    with made(real) as master, other(real) as connection:
        database = master.state.database
        stale = times.db_text(times.parse(REAL["time"]) - 601 * times.NS)
        database.execute("UPDATE agent_commands SET dispatched_at = ?", (stale,))
        database.update(Command, 4, status="dispatched")
        seen: list[tuple[str, str]] = []

        def look(_: str) -> None:
            query = (
                "SELECT c.status, r.status FROM agent_commands c, backup_records r"
                " WHERE c.id = 4 AND r.id = 3"
            )
            seen.append(connection.execute(query).fetchone())

        database._connection.set_trace_callback(look)
        expired = monitors.expire_stale_commands(master.state, Now.of(master.state.clock))
        database._connection.set_trace_callback(None)
        look("the end")

    assert expired == 2
    assert len(seen) > 8
    assert set(seen) == {("dispatched", "running"), ("timeout", "failed")}
    assert seen[-1] == ("timeout", "failed")
