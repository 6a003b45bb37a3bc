"""What a node has to do, and how that went: the figures beside it (v2.3.5, protocol 4.3).

Timeouts and the last error are of all time, so a node that failed once stays degraded.
"""

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from master.now import Now
from master.protocol import times
from master.protocol.states import CommandStatus, CommandType, NodeStatus
from master.protocol.times import NS
from master.protocol.wire import Outbound
from master.state import State
from master.store import commands

RUNNING: Final = frozenset({CommandType.RUN_TASK, CommandType.RESTORE_RECORD})
"""What counts as a running task."""


class Queue(Outbound, frozen=True, kw_only=True):
    """A node's commands that have not ended, and how many never did."""

    pending: int
    dispatched: int
    depth: int
    timeouts: int
    oldestActiveAt: str | None = None
    oldestActiveAgeSeconds: int


class Figures(Struct, frozen=True, gc=False):
    """The figures of one node.

    Attributes:
        pending: commands nobody fetched yet.
        dispatched: commands being executed.
        running: backups and restores among those.
        timeouts: commands that ever timed out.
        last_error: of the latest command that failed or timed out with a message.
        oldest: when the longest waiting command came or was fetched, as the database writes it.

    """

    pending: int = 0
    dispatched: int = 0
    running: int = 0
    timeouts: int = 0
    last_error: str = ""
    oldest: str | None = None


IDLE: Final = Figures()


def figures(state: State) -> dict[int, Figures] | None:
    """Return the figures of each node that ever had a command; `None` where nodes have none."""
    if not state.config.profile.node_figures:
        return None
    database = state.database
    found: dict[int, Figures] = {}
    for command in commands.active(database):
        pending = command.status == CommandStatus.PENDING
        before = found.get(command.node_id, IDLE)
        found[command.node_id] = replace(
            before,
            pending=before.pending + pending,
            dispatched=before.dispatched + (not pending),
            running=before.running + (not pending and command.type in RUNNING),
            oldest=_older(before.oldest, command.created_at if pending else command.dispatched_at),
        )
    for node_id, count in commands.timeouts(database):
        found[node_id] = replace(found.get(node_id, IDLE), timeouts=count)
    for node_id, message in commands.last_errors(database):
        found[node_id] = replace(found.get(node_id, IDLE), last_error=message)
    return found


def _older(one: str | None, other: str | None) -> str | None:
    """Return the earlier of two times; at one instant the first."""
    if one is None or other is None:
        return one or other
    return other if times.parse(other) < times.parse(one) else one


def shown(found: Figures, status: str, now: Now) -> dict[str, Any]:
    """Return the fields that a node's view has for its figures.

    Args:
        found: the node's figures.
        status: what the view shows as the node's status; its health follows from it.
        now: what ages are measured from.

    """
    age_s = int((now.ns - times.parse(found.oldest)) / NS) if found.oldest else 0
    return {
        "queue": Queue(
            pending=found.pending,
            dispatched=found.dispatched,
            depth=found.pending + found.dispatched,
            timeouts=found.timeouts,
            oldestActiveAt=found.oldest and times.wire_text(found.oldest),
            oldestActiveAgeSeconds=age_s,
        ),
        "runningTasks": found.running,
        "lastError": found.last_error,
        "health": _health(found, status),
    }


def _health(found: Figures, status: str) -> str:
    if status != NodeStatus.ONLINE:
        return "offline"
    return "degraded" if found.timeouts or found.last_error.strip() else "healthy"
