"""A target's database file: whether it is there, whose it is, and what can be done with it.

Looking changes nothing: what a write would meet is found out by a transaction that is rolled back.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from master.cipher import Cipher, CipherError
from master.protocol.times import parse
from master.store.configs import ENCRYPTION_KEY
from master.store.schema import REQUIRED

BUSY_S: Final = 5.0
"""How long another process's lock is waited for, as the real server does."""


class State(StrEnum):
    """What can be done with a database file."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    LOCKED = "locked"
    READABLE = "readable"
    WRITABLE = "writable"


class Key(StrEnum):
    """What is known of the encryption key."""

    RIGHT = "right"
    WRONG = "wrong"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of a database file.

    Attributes:
        path: the file.
        state: what can be done with it.
        fault: why it is not writable, in words; empty where it is.
        key: whether the encryption key is that of what is stored there.

    """

    path: Path
    state: State
    fault: str = ""
    key: Key = Key.UNTOLD

    @property
    def readable(self) -> bool:
        """Return whether it can be looked into."""
        return self.state in {State.READABLE, State.WRITABLE}


def look_into(
    path: Path, nodes: Sequence[Mapping[str, Any]], key: str | None, busy_s: float = BUSY_S
) -> Looked:
    """Return what can be done with a server's database file.

    Args:
        path: the file.
        nodes: what the server says of its nodes, to tell whether the file is its own.
        key: the encryption key, where the target file says one.
        busy_s: how long another's lock is waited for.

    """
    if not path.exists():
        return Looked(path, State.ABSENT, "there is no such file")
    try:
        with _opened(path, busy_s) as connection:
            fault = _foreign(connection, nodes)
            if fault is not None:
                return Looked(path, State.FOREIGN, fault)
            known = _key(connection, key)
            fault = _unwritable(path, connection)
            state = State.READABLE if fault else State.WRITABLE
            return Looked(path, state, fault or "", known)
    except (sqlite3.Error, OSError) as error:
        return Looked(path, *_why(error))


@contextmanager
def _opened(path: Path, busy_s: float) -> Iterator[sqlite3.Connection]:
    """Open a file that is there; one that is not is never made."""
    with path.open("rb"):
        pass  # the system's own words for what cannot be read
    name = f"{path.resolve().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(name, timeout=busy_s, uri=True, isolation_level=None)
    ) as connection:
        yield connection


def _foreign(connection: sqlite3.Connection, nodes: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why a file is not the server's, or `None` where it is."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not tables.issuperset(REQUIRED):
        return "it is no BackupX database"
    rows = connection.execute("SELECT id, created_at FROM nodes").fetchall()
    stored = {identity: _instant(created) for identity, created in rows}
    if any(stored.get(node["id"]) != _instant(node["createdAt"]) for node in nodes):
        return "it is another server's: its nodes are not those that the server shows"
    return None


def _instant(text: Any) -> int | None:
    try:
        return parse(str(text))
    except ValueError:
        return None


def _unwritable(path: Path, connection: sqlite3.Connection) -> str | None:
    """Return why nothing can be written, or `None` where it could be; nothing is."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE nodes SET id = id WHERE 0")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        return "it is read-only"
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True):
        return f"its folder {path.parent} is read-only, where SQLite keeps its journal"
    return None


def _key(connection: sqlite3.Connection, given: str | None) -> Key:
    """Return whether the key opens what is stored; without one, the stored one counts.

    A server writes the key that it was started with into its database, so that a key can be told
    from another even where nothing was encrypted yet.
    """
    found = connection.execute(
        "SELECT value FROM system_configs WHERE key = ?", (ENCRYPTION_KEY,)
    ).fetchone()
    stored = str(found[0]) if found and found[0] else None
    key = given or stored
    if key is None:
        return Key.UNTOLD
    sealed = connection.execute(
        "SELECT config_ciphertext FROM storage_targets WHERE config_ciphertext <> '' LIMIT 1"
    ).fetchone()
    if sealed is not None:
        try:
            Cipher(key, _NoEntropy()).decrypt(str(sealed[0]))
        except CipherError:
            return Key.WRONG
        return Key.RIGHT
    if given is None:
        return Key.UNTOLD
    return Key.RIGHT if given == stored else Key.WRONG


class _NoEntropy:
    """For a cipher that only opens."""

    def token_bytes(self, count: int) -> bytes:
        """Refuse.

        Raises:
            AssertionError: nothing is encrypted here.

        """
        raise AssertionError(f"nothing is encrypted here, and {count} bytes were asked for")


def _why(error: sqlite3.Error | OSError) -> tuple[State, str]:
    if isinstance(error, OSError):
        return State.UNREADABLE, str(error.strerror)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return State.LOCKED, "another process has locked it, and does not let go"
    if code == sqlite3.SQLITE_NOTADB:
        return State.FOREIGN, "it is no SQLite file"
    return State.UNREADABLE, str(error)
