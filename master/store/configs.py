"""Statements about `system_configs`: the secrets a master keeps between two starts."""

from typing import Final

from master.now import Now
from master.store.database import Database

JWT_SECRET: Final = "security.jwt_secret"  # noqa: S105 - the name of a row
ENCRYPTION_KEY: Final = "security.encryption_key"


def secret(database: Database, key: str) -> str | None:
    """Return a stored value, or `None`."""
    found = database.execute("SELECT value FROM system_configs WHERE key = ?", (key,)).fetchone()
    return found[0] if found and found[0] else None


def store(database: Database, key: str, value: str, now: Now) -> None:
    """Store a value, in place of an older one."""
    database.execute(
        "INSERT INTO system_configs (key, value, encrypted, created_at, updated_at)"
        " VALUES (?, ?, 0, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
        " updated_at = excluded.updated_at",
        (key, value, now.local, now.local),
    )
