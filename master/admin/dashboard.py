"""The cluster at a glance: who is there, in which release, and how its backups went."""

import re
from typing import Final

from msgspec import Raw

from master import presence
from master.admin.access import Caller, signed_in
from master.call import Call
from master.http import success
from master.protocol import times, wire
from master.protocol.exchange import Response
from master.protocol.states import NodeStatus
from master.protocol.wire import Outbound
from master.state import State
from master.store import nodes, records
from master.store.records import NodeRuns
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


class NodePerformance(Outbound, frozen=True, kw_only=True):
    """How a node's backups went; what it reports itself counts, whichever node a task is on."""

    nodeId: int
    nodeName: str
    isLocal: bool
    totalRuns: int
    successRuns: int
    failedRuns: int
    successRate: Raw
    totalBytes: int
    avgDurationSecs: Raw


_DAYS: Final = 30
"""How far node performance looks back unless told otherwise."""

_FURTHEST_DAYS: Final = 20_000
"""Further back there are no records, and before 1970 no instants of ours."""

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def _days(call: Call) -> int:
    """Return for how many days a view is asked; what is no positive number is passed over."""
    text = (call.request.parameter("days") or "").strip()
    days = int(text) if _INTEGER.fullmatch(text) else 0
    return days if days > 0 else _DAYS


def _performance(node: Node, runs: NodeRuns) -> NodePerformance:
    succeeded = runs.succeeded or 1
    return NodePerformance(
        nodeId=node.id,
        nodeName=node.name,
        isLocal=bool(node.is_local),
        totalRuns=runs.total,
        successRuns=runs.succeeded,
        failedRuns=runs.failed,
        successRate=Raw(wire.canonical(runs.rate).encode()),
        totalBytes=runs.size_bytes,
        avgDurationSecs=Raw(wire.canonical(runs.took_s / succeeded).encode()),
    )


def node_performance(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/dashboard/node-performance`: each node's backups of the last days.

    The most reliable first, then the busiest. Among equals the real master's order is what its
    exchange sort leaves, which is repeated here.
    """
    since = call.now.ns - min(_days(call), _FURTHEST_DAYS) * 86_400 * times.NS
    runs = records.runs_by_node(state.database, times.db_text(since))
    found = [(node, runs.get(node.id, NodeRuns())) for node in nodes.all_nodes(state.database)]
    for place in range(len(found)):
        for later in range(place + 1, len(found)):
            mine, other = found[place][1], found[later][1]
            if (other.rate, other.total) > (mine.rate, mine.total):
                found[place], found[later] = found[later], found[place]
    return success([_performance(node, one) for node, one in found])


ROUTES: Final = {
    ("GET", "/api/dashboard/cluster"): signed_in(cluster),
    ("GET", "/api/dashboard/node-performance"): signed_in(node_performance),
}
