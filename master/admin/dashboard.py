"""The cluster at a glance."""

import re
from typing import Final

from master import presence
from master.admin.access import Caller, signed_in
from master.call import Call
from master.http import success
from master.protocol import times
from master.protocol.exchange import Response
from master.protocol.states import NodeStatus
from master.protocol.wire import Outbound
from master.state import State
from master.store import nodes
from master.store.rows import Node, Task


class ClusterNode(Outbound, frozen=True, kw_only=True):
    """A node in short."""

    id: int
    name: str
    hostname: str
    status: str
    isLocal: bool
    agentVersion: str
    versionStatus: str
    lastSeen: str
    taskCount: int


class Cluster(Outbound, frozen=True, kw_only=True):
    """All nodes, counted."""

    masterVersion: str
    totalNodes: int
    onlineNodes: int
    offlineNodes: int
    outdatedAgents: int
    nodes: list[ClusterNode]


_VERSION: Final = re.compile(r"v?([0-9]{0,18})\.([0-9]{0,18})(?:\..*)?", re.ASCII | re.DOTALL)


def _version(text: str) -> tuple[int, int] | None:
    """Return the first two numbers of a version; `None` when it does not begin with two."""
    match = _VERSION.fullmatch(text.strip())
    return (int(match[1] or "0"), int(match[2] or "0")) if match else None


def version_status(node: Node, release: str) -> str:
    """Return how a node's release compares with the master's, by its first two numbers.

    What cannot be compared counts as current.
    """
    if node.is_local:
        return "current"
    if not node.agent_version:
        return "unknown"
    agent, master = _version(node.agent_version), _version(release)
    outdated = agent is not None and master is not None and agent < master
    return "outdated" if outdated else "current"


def cluster(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/dashboard/cluster`."""
    release = state.config.profile.release
    found = [
        ClusterNode(
            id=node.id,
            name=node.name,
            hostname=node.hostname,
            status=presence.counted(state, node, call.now),
            isLocal=bool(node.is_local),
            agentVersion=node.agent_version,
            versionStatus=version_status(node, release),
            lastSeen=times.wire_text(node.last_seen or times.ZERO_DB_TEXT),
            taskCount=state.database.count(Task, "node_id = ?", node.id),
        )
        for node in nodes.all_nodes(state.database)
    ]
    statuses = [node.status for node in found]
    return success(
        Cluster(
            masterVersion=release,
            totalNodes=len(found),
            onlineNodes=statuses.count(NodeStatus.ONLINE),
            offlineNodes=statuses.count(NodeStatus.OFFLINE),
            outdatedAgents=sum(node.versionStatus == "outdated" for node in found),
            nodes=found,
        )
    )


ROUTES: Final = {("GET", "/api/dashboard/cluster"): signed_in(cluster)}
