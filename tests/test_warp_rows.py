"""Moving a scenario's rows back in time: which, how far, and what stands in the way."""

import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from test_database import unprivileged

from harness.sites.rows import Ages, Rows, WarpError, earlier
from master.protocol.profiles import PROFILES
from master.protocol.times import NS, parse
from master.store.database import Database

HOUR = 3_600 * NS
NOW = parse("2026-03-04 12:00:00+00:00")


@pytest.fixture(params=["2.0", "2.4"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a database of a release with two scenarios' rows, and the master's own node."""
    file = tmp_path / "master.db"
    Database(file, PROFILES[request.param].release).close()
    with closing(sqlite3.connect(file)) as db, db:
        for number, name, local in ((1, "here", 1), (2, "s1-alpha", 0), (3, "s10-alpha", 0)):
            db.execute(
                "INSERT INTO nodes (id, name, token, status, is_local, last_seen, created_at)"
                " VALUES (?, ?, ?, 'online', ?, '2026-03-04 11:59:50.25+00:00', ?)",
                (number, name, name, local, "2026-03-04 13:00:00.123456789+02:00"),
            )
            db.execute(
                "INSERT INTO backup_tasks (id, name, type, storage_target_id, node_id)"
                " VALUES (?, ?, 'file', 1, ?)",
                (number, name, number),
            )
            db.execute(
                "INSERT INTO backup_records (task_id, storage_target_id, status, started_at)"
                " VALUES (?, 1, 'running', '2026-03-04 11:00:00+00:00')",
                (number,),
            )
            db.execute(
                "INSERT INTO agent_commands (node_id, type, status, created_at, dispatched_at)"
                " VALUES (?, 'run_task', 'dispatched', ?, ?)",
                (number, "2026-03-04 11:00:00+00:00", "2026-03-04 11:30:00+00:00"),
            )
    return file


def column(path: Path, table: str, name: str) -> list[str | None]:
    """Return a column in the order of the ids."""
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute(f"SELECT {name} FROM {table} ORDER BY id")]  # noqa: S608


@pytest.mark.parametrize(
    ("text", "by_ns", "moved"),
    [
        ("2026-03-04 00:00:01.25+00:00", 2 * NS, "2026-03-03 23:59:59.25+00:00"),
        ("2026-03-04 00:30:00.123456789+05:45", HOUR, "2026-03-03 23:30:00.123456789+05:45"),
        ("2026-03-04 12:00:00-03:30", HOUR, "2026-03-04 11:00:00-03:30"),
        ("2026-03-04 12:00:00.5+00:00", NS // 2, "2026-03-04 12:00:00+00:00"),
        ("2026-03-04 12:00:00+00:00", NS // 4, "2026-03-04 11:59:59.75+00:00"),
        ("0001-01-01 00:00:00+00:00", HOUR, "0001-01-01 00:00:00+00:00"),
        ("yesterday", HOUR, "yesterday"),
        (None, HOUR, None),
        (7, HOUR, 7),
    ],
)
def test_a_time_stays_as_it_is_written(text: object, by_ns: int, moved: object) -> None:
    """Its zone and its digits are those that the master wrote; what is no time is left alone."""
    assert earlier(text, by_ns) == moved  # type: ignore[arg-type]


def test_only_the_rows_of_one_scenario_move(path: Path) -> None:
    """Those of the master itself, and of a scenario whose prefix begins alike, stay."""
    assert Rows(path, "s1-").move(HOUR) == 4
    assert column(path, "nodes", "last_seen") == [
        "2026-03-04 11:59:50.25+00:00",
        "2026-03-04 10:59:50.25+00:00",
        "2026-03-04 11:59:50.25+00:00",
    ]
    assert column(path, "nodes", "created_at")[1] == "2026-03-04 12:00:00.123456789+02:00"
    assert column(path, "agent_commands", "dispatched_at")[1] == "2026-03-04 10:30:00+00:00"
    assert column(path, "agent_commands", "completed_at") == [None, None, None]
    assert column(path, "backup_records", "started_at") == [
        "2026-03-04 11:00:00+00:00",
        "2026-03-04 10:00:00+00:00",
        "2026-03-04 11:00:00+00:00",
    ]


def test_a_server_of_its_own_has_no_other_rows(path: Path) -> None:
    """Without a prefix everything moves but the master's own node."""
    Rows(path, "").move(HOUR)
    assert column(path, "nodes", "last_seen") == [
        "2026-03-04 11:59:50.25+00:00",
        "2026-03-04 10:59:50.25+00:00",
        "2026-03-04 10:59:50.25+00:00",
    ]


def test_what_a_deleted_node_leaves_is_still_the_scenarios(path: Path) -> None:
    """Its commands wait for their time as before, if the node was known."""
    rows = Rows(path, "s1-")
    rows.check()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM nodes WHERE id = 2")
        db.execute("DELETE FROM backup_tasks WHERE id = 2")
    assert rows.move(HOUR) == 2
    assert column(path, "agent_commands", "created_at")[1] == "2026-03-04 10:00:00+00:00"


def test_ages_are_those_of_what_a_monitor_may_act_upon(path: Path) -> None:
    """A command counts from when it was handed out, or made; finished ones do not count."""
    rows = Rows(path, "s1-")
    assert rows.ages(NOW) == Ages((9.75,), (1_800.0,), scheduled=False)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE nodes SET status = 'offline'")
        db.execute("UPDATE agent_commands SET status = 'pending', dispatched_at = NULL")
        db.execute("UPDATE backup_tasks SET cron_expr = '0 3 * * *'")
    assert rows.ages(NOW) == Ages((), (3_600.0,), scheduled=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE agent_commands SET status = 'timeout'")
    assert rows.ages(NOW) == Ages((), (), scheduled=True)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_master_that_writes_meanwhile_loses_nothing(path: Path, mode: str) -> None:
    """Its own connection is open, in either journal mode, and sees what moved."""
    with closing(sqlite3.connect(path, isolation_level=None)) as master:
        assert master.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0] == mode
        master.execute("UPDATE agent_commands SET status = 'succeeded' WHERE id = 2")
        Rows(path, "s1-").move(HOUR)
        master.execute("UPDATE nodes SET hostname = 'cellar' WHERE id = 2")
        row = master.execute("SELECT hostname, last_seen FROM nodes WHERE id = 2").fetchone()
        assert row == ("cellar", "2026-03-04 10:59:50.25+00:00")
        status = master.execute("SELECT status FROM agent_commands WHERE id = 2").fetchone()
        assert status == ("succeeded",)


def test_a_database_that_stays_locked_is_said_to_be(path: Path) -> None:
    """Nothing has moved, and the message says for how long somebody held it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as master:
        master.execute("BEGIN IMMEDIATE")
        with pytest.raises(WarpError, match=r"master\.db cannot be moved: it was locked .* 0.05 s"):
            Rows(path, "s1-", busy_s=0.05).move(HOUR)
        master.execute("ROLLBACK")
    assert column(path, "nodes", "last_seen")[1] == "2026-03-04 11:59:50.25+00:00"


def test_a_file_that_may_only_be_read_is_said_to_be(path: Path) -> None:
    """Before anything is played, and again when it happens later."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # pytest's own folders are root's alone
        copy = Path(shutil.copy(path, folder))
        copy.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        with unprivileged():
            for move in (Rows(copy, "s1-").check, partial(Rows(copy, "s1-").move, HOUR)):
                with pytest.raises(WarpError, match="cannot be moved: it may only be read"):
                    move()


def test_a_row_that_refuses_to_be_changed_is_an_error(path: Path) -> None:
    """And then no other row has moved either."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE TRIGGER stuck BEFORE UPDATE ON backup_records"
            " BEGIN SELECT RAISE(ABORT, 'frozen'); END"
        )
    with pytest.raises(WarpError, match="cannot be moved: frozen"):
        Rows(path, "s1-").move(HOUR)
    assert column(path, "nodes", "last_seen")[1] == "2026-03-04 11:59:50.25+00:00"


def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    """A wrong path is an error, and leaves nothing behind."""
    with pytest.raises(WarpError, match="unable to open"):
        Rows(tmp_path / "other.db", "").check()
    assert not list(tmp_path.iterdir())
