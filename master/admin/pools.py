"""Pools of nodes: the nodes with a label, and which of them a run goes to (protocol 4.6).

A pool is nobody's row: a node is in the pools that its labels name, a task names one pool instead
of a node, and each run picks anew.
"""

from master import presence
from master.now import Now
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.profiles import Profile
from master.state import State
from master.store import nodes, records
from master.store.rows import Node, Task


def known(profile: Profile) -> bool:
    """Return whether a release has pools: labels of nodes, and tasks that name one."""
    return profile.pools


def labels(text: str) -> list[str]:
    """Return the labels in a text with commas: trimmed, none blank, each once, in their order."""
    trimmed = (label.strip() for label in text.split(","))
    return list(dict.fromkeys(filter(None, trimmed)))


def named(task: Task) -> str:
    """Return the pool that a task is to run in; none if it is bound to a node."""
    return "" if task.node_id else task.node_pool_tag.strip()


def pick(state: State, pool: str, now: Now) -> Node:
    """Return the node of a pool for one run: fewest running records, then the lowest id.

    The master's own node counts like any other that has the label.

    Raises:
        ApiError: NODE_POOL_EMPTY.

    """
    candidates = [
        node
        for node in nodes.all_nodes(state.database)
        if pool in labels(node.labels) and presence.online(state, node, now)
    ]
    if not candidates:
        message = f"节点池 {wire.quoted(pool)} 下无在线节点，任务无法调度"
        raise ApiError("NODE_POOL_EMPTY", message)
    load = records.running_by_node(state.database)
    return min(candidates, key=lambda node: (load.get(node.id, 0), node.id))
