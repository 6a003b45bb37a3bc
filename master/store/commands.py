"""Statements about `agent_commands`: the queue, and a command's way through its life."""

from master.now import Now
from master.protocol.states import CommandStatus, CommandType
from master.store.database import Database
from master.store.rows import Command

_OLDEST_PENDING = (
    "SELECT id FROM agent_commands WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1"
)
_CLAIM = (
    "UPDATE agent_commands SET status = 'dispatched', dispatched_at = ?, updated_at = ?"
    " WHERE id = ? AND status = 'pending' RETURNING id, type, COALESCE(payload, '')"
)
_FINISH = (
    "UPDATE agent_commands SET status = ?, error_message = ?, result = ?, payload = ?,"
    " completed_at = ?, updated_at = ? WHERE id = ?"
)
_FINISH_DISPATCHED = f"{_FINISH} AND status = 'dispatched'"
_EXPIRE = (
    "UPDATE agent_commands SET status = 'timeout', error_message = ?, payload = ?,"
    " completed_at = ?, updated_at = ? WHERE id = ? AND status IN ('pending', 'dispatched')"
)

_TIMEOUTS = (
    "SELECT node_id, count(*) FROM agent_commands WHERE status = 'timeout'"
    " GROUP BY node_id ORDER BY node_id"
)
_LAST_ERRORS = (
    "SELECT node_id, error_message FROM (SELECT node_id, error_message, row_number() OVER"
    " (PARTITION BY node_id ORDER BY COALESCE(completed_at, updated_at, created_at) DESC, id DESC)"
    " AS place FROM agent_commands WHERE status IN ('failed', 'timeout') AND error_message <> '') WHERE place = 1"
    " ORDER BY node_id"
)


def claim(database: Database, node_id: int, now: Now) -> tuple[int, str, str] | None:
    """Dispatch the oldest pending command of a node; return its id, type and payload.

    The update is the claim: it takes effect only while the command is still pending, so that no
    command is handed out twice (clause CMD).
    """
    oldest = database.execute(_OLDEST_PENDING, (node_id,)).fetchone()
    if oldest is None:
        return None
    values = (now.utc, now.local, oldest[0])
    claimed: list[tuple[int, str, str]] = database.execute(_CLAIM, values).fetchall()
    return claimed[0] if claimed else None


def finish(database: Database, ended: Command, now: Now, *, only_dispatched: bool) -> bool:
    """End a command with the status, error, result and payload given; return whether it took.

    Args:
        database: the tables.
        ended: the command as it is to be.
        now: when it ends.
        only_dispatched: it ends only if it is dispatched now, otherwise in any state.

    """
    statement = _FINISH_DISPATCHED if only_dispatched else _FINISH
    values = (ended.status, ended.error_message, ended.result, ended.payload)
    return database.execute(statement, (*values, now.utc, now.local, ended.id)).rowcount > 0


def expire(database: Database, ended: Command, now: Now) -> bool:
    """Time out a command with the error and payload given, unless it has ended; return whether."""
    values = (ended.error_message, ended.payload, now.utc, now.local, ended.id)
    return database.execute(_EXPIRE, values).rowcount > 0


def stale_dispatched(database: Database, threshold_utc: str) -> list[Command]:
    """Return the dispatched commands that were claimed before a threshold, by id."""
    return database.select(
        Command,
        "WHERE status = 'dispatched' AND dispatched_at < ? ORDER BY id",
        threshold_utc,
    )


def stale_pending(database: Database, threshold_utc: str) -> list[Command]:
    """Return the pending commands whose creation, as text, is before a threshold, by id."""
    return database.select(
        Command, "WHERE status = 'pending' AND created_at < ? ORDER BY id", threshold_utc
    )


def pending(database: Database) -> list[Command]:
    """Return the commands that nobody has claimed, by id."""
    return database.select(Command, "WHERE status = 'pending' ORDER BY id")


def insert(
    database: Database, node_id: int, command_type: CommandType, payload: str, now: Now
) -> int:
    """Insert a pending command and return its id."""
    return database.insert(
        Command,
        node_id=node_id,
        type=command_type,
        status=CommandStatus.PENDING,
        payload=payload,
        result="",
        error_message="",
        created_at=now.local,
        updated_at=now.local,
    )


def active(database: Database) -> list[Command]:
    """Return the commands of all nodes that have not ended, by id."""
    return database.select(Command, "WHERE status IN ('pending', 'dispatched') ORDER BY id")


def timeouts(database: Database) -> list[tuple[int, int]]:
    """Return how many commands of each node ever timed out; nodes without any are left out."""
    return database.query(_TIMEOUTS)


def last_errors(database: Database) -> list[tuple[int, str]]:
    """Return the message of each node's latest command that ended with one; at a tie the newest."""
    return database.query(_LAST_ERRORS)
