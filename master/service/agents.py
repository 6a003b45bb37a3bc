"""Who an agent is, and whether it is there: tokens, heartbeats, silence."""

from master import presence
from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.messages import Heartbeat, HeartbeatAnswer, SelfStatus
from master.state import State
from master.store import nodes
from master.store.rows import Node


def authenticate(state: State, token: str, now: Now) -> Node:
    """Return the node a token belongs to (seed: `AuthenticatedNode`).

    The previous token counts until its grace is over, strictly (clause ROT).

    Raises:
        ApiError: NODE_INVALID_TOKEN.

    """
    if not token.strip():
        raise ApiError("NODE_INVALID_TOKEN", "缺少认证令牌")
    node = nodes.by_token(state.database, token, now.utc)
    if node is None:
        raise ApiError("NODE_INVALID_TOKEN")
    return node


def heartbeat(state: State, token: str, report: Heartbeat, now: Now) -> HeartbeatAnswer:
    """Take a sign of life: the node is online, and what it says of itself replaces what was known.

    Raises:
        ApiError: NODE_INVALID_TOKEN.

    """
    node = nodes.by_token(state.database, token, now.utc)
    if node is None:
        raise ApiError("NODE_INVALID_TOKEN")
    default_os, default_arch = state.config.platform
    nodes.seen(
        state.database,
        node.id,
        hostname=report.hostname,
        ip_address=report.ipAddress,
        agent_version=report.agentVersion,
        os=report.os if report.os.strip() else default_os,
        arch=report.arch if report.arch.strip() else default_arch,
        now=now,
    )
    return HeartbeatAnswer(name=node.name, nodeId=node.id, status="ok")


def self_status(state: State, node: Node, now: Now) -> SelfStatus:
    """Return a node's own row in short (seed: `SelfStatus`)."""
    last_seen = times.wire_text(node.last_seen or times.ZERO_DB_TEXT)
    status = presence.counted(state, node, now)
    return SelfStatus(id=node.id, name=node.name, status=status, lastSeen=last_seen)


def silence_nodes(state: State, now: Now) -> int:
    """Mark nodes offline that were silent for too long, and return how many there were."""
    threshold = now.utc_in(-state.config.timings.offline_after_s)
    return nodes.mark_offline(state.database, threshold, now)
