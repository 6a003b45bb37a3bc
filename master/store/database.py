"""Opening a database and running statements in it.

A file is of some release, perhaps of an older one than the master's; opening adds what it lacks.
A file of a newer release is used as it is.

One connection, one thread, no await between BEGIN and COMMIT: a transition is whole or absent, and
a reader (a second connection included) never sees half of it.
A file is kept in WAL mode while it is open, so that a reader does not wait for a writer, and put
back into the rollback mode that the real master uses when it is closed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlite_utils

from master.protocol import wire
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES
from master.store import schema
from master.store.rows import TABLE_OF, R, Row
from master.store.rows import select as select_from

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another process's lock, as the real master does."""

_CACHED_STATEMENTS = 512
"""More than there are statements in the code, so that each is prepared once."""


class DatabaseError(Exception):
    """A file that cannot serve as the master's database; the message says why and what to do."""


class Database:
    """The master's tables.

    Args:
        path: the file, made when it is missing; `None` keeps everything in memory.
        release: the release whose tables it is to have at least.
        image: what it begins with in memory: the `image()` of another one.

    Raises:
        DatabaseError: the file is not a database, not BackupX's, not writable, or locked.

    """

    def __init__(
        self,
        path: Path | None = None,
        release: str = PROFILES[DEFAULT_PROFILE].release,
        image: bytes | None = None,
    ) -> None:
        assert path is None or image is None
        self._path = path
        self._image = image
        self.release = release
        try:
            self._connection = self._open()
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(_explain(path, error)) from error
        self.execute = self._connection.execute
        self._selects = {row: select_from(row, self._has[table]) for row, table in TABLE_OF.items()}
        self._lacking = {
            row: lacking
            for row, table in TABLE_OF.items()
            if (lacking := schema.expressions(table).keys() - self._has[table])
        }
        self._sql: dict[tuple[type[Row], str], str] = {}

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
        )
        # as Go does: text of any bytes is read, and what is no UTF-8 in it is replaced
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            if self._image is not None:
                connection.deserialize(self._image)
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check what the file is before anything is written to it, then make what is missing."""
        tables = set(sqlite_utils.Database(connection).table_names())
        foreign = tables and not tables.issuperset(schema.REQUIRED)
        if foreign:
            raise DatabaseError(
                f"{self._path} is a database, but not BackupX's: it has no table"
                f" {', '.join(sorted(set(schema.REQUIRED) - tables))}. Give another --database."
            )
        connection.execute("BEGIN IMMEDIATE")
        if tables:
            _migrate(connection, tables, self.release)
            self._has = _columns(connection)
        else:
            self._has = _create(connection, self.release)
        connection.execute("COMMIT")
        if self._path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Close the file, in the mode and without the side files that it was found with."""
        if self._path is not None:
            with suppress(sqlite3.OperationalError):  # somebody else reads it: WAL stays
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def image(self) -> bytes:
        """Return what a crash at this moment would leave: all that is committed, and nothing else.

        A transaction that is open ends without effect.
        """
        if self._connection.in_transaction:
            self.execute("ROLLBACK")
        return self._connection.serialize()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one transaction: all of it, or after an exception nothing."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends it itself after some errors
                self.execute("ROLLBACK")
            raise

    def sql(self, row: type[Row], rest: str) -> str:
        """Return the statement that reads rows of one type, with a clause such as `WHERE …`."""
        found = self._sql.get((row, rest))
        if found is None:
            found = self._sql[row, rest] = f"{self._selects[row]} {rest}"
        return found

    def find(self, row: type[R], where: str, *values: Any) -> R | None:
        """Return the first row that matches a condition, or `None`."""
        found = self.execute(self.sql(row, f"WHERE {where}"), values).fetchone()
        return None if found is None else row(*found)

    def get(self, row: type[R], row_id: int) -> R | None:
        """Return the row with an id, or `None`."""
        if row_id > wire.INT64_MAX:
            return None
        found = self.execute(self.sql(row, "WHERE id = ?"), (row_id,)).fetchone()
        return None if found is None else row(*found)

    def select(self, row: type[R], rest: str = "", *values: Any) -> list[R]:
        """Return the rows that a clause such as `WHERE … ORDER BY …` selects."""
        return [row(*found) for found in self.execute(self.sql(row, rest), values)]

    def count(self, row: type[R], where: str, *values: Any) -> int:
        """Return how many rows match a condition."""
        sql = f"SELECT count(*) FROM {TABLE_OF[row]} WHERE {where}"  # noqa: S608
        found: tuple[int] = self.execute(sql, values).fetchone()
        return found[0]

    def insert(self, row: type[R], **columns: Any) -> int:
        """Insert a row and return its id; columns of a release newer than the file's are left out."""
        columns = self._known(row, columns)
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        cursor = self.execute(
            f"INSERT INTO {TABLE_OF[row]} ({names}) VALUES ({marks})",  # noqa: S608
            tuple(columns.values()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def update(self, row: type[R], row_id: int, **columns: Any) -> None:
        """Set columns of the row with an id, but for those of a release newer than the file's."""
        columns = self._known(row, columns)
        if not columns:
            return
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.execute(
            f"UPDATE {TABLE_OF[row]} SET {assignments} WHERE id = ?",  # noqa: S608
            (*columns.values(), row_id),
        )

    def _known(self, row: type[Row], columns: dict[str, Any]) -> dict[str, Any]:
        lacking = self._lacking.get(row)
        if lacking is None:
            return columns
        return {name: value for name, value in columns.items() if name not in lacking}

    def delete(self, row: type[R], row_id: int) -> None:
        """Delete the row with an id."""
        self.execute(f"DELETE FROM {TABLE_OF[row]} WHERE id = ?", (row_id,))  # noqa: S608

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of any SELECT, as plain tuples."""
        return self.execute(sql, values).fetchall()


def _columns(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the columns of every table."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table'"
    ):
        found.setdefault(table, []).append(column)
    return {table: frozenset(columns) for table, columns in found.items()}


def _create(connection: sqlite3.Connection, release: str) -> dict[str, frozenset[str]]:
    """Make the tables of a release in an empty file, and return the columns of each."""
    tables = schema.tables(release)
    for table in tables.values():
        for statement in (table.create, *table.indexes.values()):
            connection.execute(statement)
    return {name: table.names for name, table in tables.items()}


def _migrate(connection: sqlite3.Connection, tables: set[str], release: str) -> None:
    """Make the tables, columns and indexes of a release that are missing, as the real master does."""
    columns = _columns(connection)
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
    indexes = {name for (name,) in found}
    for name, table in schema.tables(release).items():
        if name in tables:
            statements = table.missing(columns[name], indexes)
        else:
            statements = [table.create, *table.indexes.values()]
        for statement in statements:
            connection.execute(statement)


def _explain(path: Path | None, error: Exception) -> str:
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return f"{path} is not an SQLite database. Give another --database."
    if "locked" in text or "busy" in text:
        return f"{path} is locked by another process: stop it, or give another --database."
    if "readonly" in text or "unable to open" in text or isinstance(error, OSError):
        return f"{path} cannot be opened for writing: {text}."
    return f"{path} cannot be used as the database: {text}."
