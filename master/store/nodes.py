"""Statements about `nodes`."""

from master.now import Now
from master.protocol.states import NodeStatus
from master.store.database import Database
from master.store.rows import Node

_BY_CURRENT = "WHERE token = ?"
_BY_PREVIOUS = "WHERE prev_token = ? AND prev_token_expires IS NOT NULL AND prev_token_expires > ?"
_SEEN = (
    "UPDATE nodes SET status = 'online', hostname = ?, ip_address = ?, agent_version = ?, os = ?,"
    " arch = ?, last_seen = ?, updated_at = ? WHERE id = ?"
)
_MARK_OFFLINE = "UPDATE nodes SET status = ?, updated_at = ? WHERE is_local = 0 AND status = ? AND last_seen < ?"


def by_token(database: Database, token: str, now_utc: str) -> Node | None:
    """Return the node whose token this is, or whose previous token in its grace."""
    found = database.execute(database.sql(Node, _BY_CURRENT), (token,)).fetchone()
    if found is None:
        previous = database.sql(Node, _BY_PREVIOUS)
        found = database.execute(previous, (token, now_utc)).fetchone()
    return None if found is None else Node(*found)


def seen(
    database: Database,
    node_id: int,
    *,
    hostname: str,
    ip_address: str,
    agent_version: str,
    os: str,
    arch: str,
    now: Now,
) -> None:
    """Store a heartbeat."""
    values = (hostname, ip_address, agent_version, os, arch, now.utc, now.local, node_id)
    database.execute(_SEEN, values)


def mark_offline(database: Database, threshold_utc: str, now: Now) -> int:
    """Mark remote nodes offline that were last seen before a threshold; return how many."""
    values = (NodeStatus.OFFLINE, now.local, NodeStatus.ONLINE, threshold_utc)
    return database.execute(_MARK_OFFLINE, values).rowcount


def insert(database: Database, name: str, token: str, now: Now) -> int:
    """Insert a new remote node, offline, and return its id."""
    return database.insert(
        Node,
        name=name,
        hostname="",
        ip_address="",
        token=token,
        status=NodeStatus.OFFLINE,
        is_local=0,
        os="",
        arch="",
        agent_version="",
        last_seen=now.utc,
        prev_token="",
        max_concurrent=0,
        bandwidth_limit="",
        labels="",
        created_at=now.local,
        updated_at=now.local,
    )


def all_nodes(database: Database) -> list[Node]:
    """Return all nodes: the master's own first, then the latest changed."""
    return database.select(Node, "ORDER BY is_local DESC, updated_at DESC, id DESC")
