"""Whether a node is there: what its row says, or what its silence tells already.

The monitor marks a silent node offline with its next tick, up to a scan late. What does not want to
wait for it looks at the last heartbeat too; which views and decisions do is the profile's to say.
The master's own node beats for nobody, so its row alone counts.
"""

from master.now import Now
from master.protocol import times
from master.protocol.states import NodeStatus
from master.state import State
from master.store.rows import Node


def silent(state: State, node: Node, now: Now) -> bool:
    """Return whether a remote node was last heard of longer ago than a node may be, strictly."""
    if node.is_local:
        return False
    last_seen_ns = times.parse(node.last_seen or times.ZERO_DB_TEXT)
    return now.ns - last_seen_ns > round(state.config.timings.offline_after_s * times.NS)


def shown(state: State, node: Node, now: Now) -> str:
    """Return a node's status for its own pages, and for the scheduler (protocol 3, row 26)."""
    looks = state.config.profile.effective_status
    return NodeStatus.OFFLINE if looks and silent(state, node, now) else node.status


def counted(state: State, node: Node, now: Now) -> str:
    """Return a node's status for everything else: runs, restores, calls, pools, overviews."""
    looks = state.config.profile.presence_everywhere
    return NodeStatus.OFFLINE if looks and silent(state, node, now) else node.status


def online(state: State, node: Node, now: Now) -> bool:
    """Return whether a node may be given work."""
    return counted(state, node, now) == NodeStatus.ONLINE
