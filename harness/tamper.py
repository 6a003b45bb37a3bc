"""Changing the master's database behind its back, for situations that no call can bring about."""

import json
from typing import Any

from harness.scope import Scope
from harness.world import Tables
from master.protocol.states import CommandStatus
from master.protocol.times import db_text


class TamperError(Exception):
    """A table or column that the database does not have, or a change that changes nothing."""


def tamper(tables: Tables, args: dict[str, Any], scope: Scope) -> int:
    """Insert, update, delete or freeze rows as a step says, and return the inserted row's id.

    Values that are mappings or lists are stored as JSON text.

    Raises:
        TamperError: the database has no such table or column, or no row to change.

    """
    (action,) = (key for key in args if key in {"insert", "update", "delete", "freeze"})
    table = args[action]
    columns = _stored(scope.fill(args.get("set", {})))
    where = _stored(scope.fill(args.get("where", {})))
    known = tables.columns(table)
    unknown = [name for name in (*columns, *where) if name not in known]
    if not known or unknown:
        what = f"columns {', '.join(unknown)} in {table}" if known else f"table {table}"
        raise TamperError(f"the database has no {what}")
    condition = " AND ".join(f"{name} = ?" for name in where) or "1"
    values = (*columns.values(), *where.values())
    match action:
        case "insert":
            marks = ", ".join("?" * len(columns))
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) RETURNING id"  # noqa: S608
            inserted: int = tables.execute(sql, tuple(columns.values()))[0][0]
            return inserted
        case "update":
            assignments = ", ".join(f"{name} = ?" for name in columns)
            sql = f"UPDATE {table} SET {assignments} WHERE {condition} RETURNING 1"  # noqa: S608
        case "freeze":
            _refuse_changes(tables, table, where)
            sql = f"SELECT 1 FROM {table} WHERE {condition}"  # noqa: S608
        case _:
            sql = f"DELETE FROM {table} WHERE {condition} RETURNING 1"  # noqa: S608
    if not tables.execute(sql, values):
        raise TamperError(f"there is no row in {table} with {json.dumps(where)}")
    return 0


def enqueue(tables: Tables, args: dict[str, Any], scope: Scope, now_ns: int) -> int:
    """Put a command into the queue of an agent, and return its id.

    Args:
        tables: the database.
        args: the keys of the step.
        scope: knows the agent.
        now_ns: when the command is made, in nanoseconds since the epoch.

    """
    at = db_text(now_ns)
    row = {
        "node_id": scope.identify(args["agent"]),
        "type": args["type"],
        "status": CommandStatus.PENDING,
        "payload": args.get("payload", {}),
        "result": "",
        "error_message": "",
        "created_at": at,
        "updated_at": at,
    }
    return tamper(tables, {"insert": "agent_commands", "set": row}, scope)


def _refuse_changes(tables: Tables, table: str, where: dict[str, Any]) -> None:
    """Make every later UPDATE of the rows fail, as a full disk or a broken page would.

    A trigger takes no parameters, so SQLite writes the values as literals itself.
    """
    literals = {
        name: tables.execute("SELECT quote(?)", (value,))[0][0] for name, value in where.items()
    }
    condition = " AND ".join(f"OLD.{name} = {literal}" for name, literal in literals.items()) or "1"
    [(count,)] = tables.execute("SELECT count(*) FROM sqlite_master")  # for a name of its own
    tables.execute(
        f"CREATE TRIGGER muster_freeze_{count} BEFORE UPDATE ON {table} WHEN {condition}"
        " BEGIN SELECT RAISE(ABORT, 'frozen'); END"
    )


def _stored(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value
        for name, value in columns.items()
    }
