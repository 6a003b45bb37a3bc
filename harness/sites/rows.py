"""A scenario's rows in the master's database, and how they are moved back in time.

A master reads the age of things from stored times. Moved back by an hour, a row is to the master
what it would be an hour later. Only rows of one scenario are touched, only their times, in one short
transaction that waits for the master's own; nothing else of the database changes.
When to move, and how far, is `harness.sites.warp`'s.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from master.protocol.times import NS, db_text, parse

BUSY_S: Final = 10.0
"""How long a transaction waits for the master's: twice what the master waits for others."""

_OWN_NODES: Final = (
    "is_local = 0 AND (substr(name, 1, length(:prefix)) = :prefix OR id IN ({nodes}))"
)
_OWN_TASKS: Final = (
    "substr(name, 1, length(:prefix)) = :prefix OR id IN ({tasks}) OR node_id IN ({nodes})"
)

_OWN: Final = {
    "nodes": _OWN_NODES,
    "agent_commands": "node_id IN ({nodes})",
    "agent_install_tokens": "node_id IN ({nodes})",
    "backup_tasks": _OWN_TASKS,
    "backup_records": "task_id IN ({tasks})",
    "restore_records": "task_id IN ({tasks})",
    "api_keys": "substr(name, 1, length(:prefix)) = :prefix",
}
"""Which rows are a scenario's, by table: what has its prefix in its name, and what belongs to that.

Users and storage targets have times that decide nothing.
"""


Value = str | bytes | int | float | None
"""What a column may hold."""


class WarpError(Exception):
    """The master's database cannot be changed now; the message says why."""


@dataclass(frozen=True, slots=True)
class Ages:
    """How old is what a monitor may act upon, in seconds.

    Attributes:
        silences_s: for each node that counts as online, how long it was silent.
        commands_s: for each command that nobody has finished, how long ago it was handed out; made,
            where it was not.
        scheduled: whether a task runs by a schedule, which stored times do not move.

    """

    silences_s: tuple[float, ...]
    commands_s: tuple[float, ...]
    scheduled: bool


class Rows:
    """The rows of one scenario.

    What is known of it once stays known: the commands of a deleted node are still its own.

    Args:
        path: the database's file.
        prefix: what the names of all its nodes, tasks and keys begin with; everything but the
            master's own node when empty.
        busy_s: how long a transaction waits for others.

    """

    def __init__(self, path: Path, prefix: str, busy_s: float = BUSY_S) -> None:
        self._path = path
        self._prefix = prefix
        self._busy_s = busy_s
        self._nodes: set[int] = set()
        self._tasks: set[int] = set()

    def check(self) -> None:
        """Get to know the rows, and find out whether they can be moved.

        Raises:
            WarpError: they cannot.

        """
        with self._transaction(write=True) as connection:
            self._learn(connection)

    def ages(self, now_ns: int) -> Ages:
        """Return how old things are at an instant of the master's clock.

        Raises:
            WarpError: the database cannot be read.

        """
        with self._transaction(write=False) as connection:
            self._learn(connection)
            return self._ages(connection, now_ns)

    def move(self, by_ns: int) -> int:
        """Move all times back by so many nanoseconds; return how many rows have moved.

        A time that is not there stays away, and what is no time stays as it is.

        Raises:
            WarpError: the database cannot be changed; nothing has moved.

        """
        with self._transaction(write=True) as connection:
            self._learn(connection)
            connection.create_function(
                "back", 1, lambda text: earlier(text, by_ns), deterministic=True
            )
            return sum(self._move(connection, table) for table in _OWN)

    def _move(self, connection: sqlite3.Connection, table: str) -> int:
        columns = [
            name
            for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            if kind.lower() == "datetime"
        ]
        if not columns:  # a release without this table
            return 0
        moved = ", ".join(f"{name} = back({name})" for name in columns)
        return connection.execute(
            f"UPDATE {table} SET {moved} WHERE {self._own(table)}",  # noqa: S608 - own names
            {"prefix": self._prefix},
        ).rowcount

    def _learn(self, connection: sqlite3.Connection) -> None:
        for table, known in (("nodes", self._nodes), ("backup_tasks", self._tasks)):
            found = connection.execute(
                f"SELECT id FROM {table} WHERE {self._own(table)}",  # noqa: S608 - own names
                {"prefix": self._prefix},
            )
            known.update(row[0] for row in found)

    def _own(self, table: str) -> str:
        nodes, tasks = (",".join(map(str, sorted(ids))) for ids in (self._nodes, self._tasks))
        return _OWN[table].format(nodes=nodes, tasks=tasks)

    def _ages(self, connection: sqlite3.Connection, now_ns: int) -> Ages:
        def found(column: str, table: str, condition: str) -> list[Value]:
            rows = connection.execute(
                f"SELECT {column} FROM {table} WHERE ({self._own(table)}) AND {condition}",  # noqa: S608
                {"prefix": self._prefix},
            )
            return [row[0] for row in rows]

        def ages(*what: str) -> tuple[float, ...]:
            instants = map(_instant, found(*what))
            return tuple((now_ns - one) / NS for one in instants if one is not None)

        base = "CASE status WHEN 'pending' THEN created_at ELSE dispatched_at END"
        return Ages(
            silences_s=ages("last_seen", "nodes", "status = 'online'"),
            commands_s=ages(base, "agent_commands", "status IN ('pending', 'dispatched')"),
            scheduled=bool(found("id", "backup_tasks", "enabled AND cron_expr <> ''")),
        )

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(
                    f"file:{self._path.resolve()}?mode=rw",
                    uri=True,
                    timeout=self._busy_s,
                    isolation_level=None,
                )
            ) as connection:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                if write:  # which a file that may only be read does not refuse before
                    connection.execute("UPDATE nodes SET id = id WHERE 0")
                yield connection
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise WarpError(self._explain(error)) from error

    def _explain(self, error: sqlite3.Error) -> str:
        match getattr(error, "sqlite_errorname", ""):
            case "SQLITE_BUSY" | "SQLITE_BUSY_SNAPSHOT" | "SQLITE_LOCKED":
                why = f"it was locked by somebody else for {self._busy_s:g} s"
            case "SQLITE_READONLY" | "SQLITE_READONLY_DIRECTORY" | "SQLITE_READONLY_DBMOVED":
                why = "it may only be read"
            case _:
                why = str(error)
        return f"the times in {self._path} cannot be moved: {why}"


def _instant(text: object) -> int | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def earlier(text: Value, by_ns: int) -> Value:
    """Return a time moved back, written as it was; anything else as it is.

    Args:
        text: a time as the database writes it, in any zone.
        by_ns: by how much, in nanoseconds.

    """
    instant = _instant(text)
    if instant is None or instant < by_ns:  # none was ever set, which is written as the year 1
        return text
    assert isinstance(text, str)
    return db_text(instant - by_ns, _offset_s(text))


def _offset_s(text: str) -> int:
    if text.endswith(("Z", "z")):
        return 0
    sign = -1 if text[-6] == "-" else 1
    return sign * (int(text[-5:-3]) * 3_600 + int(text[-2:]) * 60)
