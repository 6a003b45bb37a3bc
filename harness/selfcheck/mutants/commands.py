"""Mutants of CMD: enqueueing, claiming and the order of commands."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "claims-newest-first",
        "CMD-1",
        "A poll hands out the newest pending command.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND status = 'pending' ORDER BY id DESC LIMIT 1",
        ),
    ),
    mutant(
        "claims-by-type",
        "CMD-1",
        "The queue is ordered by type before it is ordered by age.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND status = 'pending' ORDER BY type, id LIMIT 1",
        ),
    ),
    mutant(
        "claims-two",
        "CMD-2",
        "A poll dispatches two commands and hands out the first.",
        (
            "    if claimed is None:\n        return PollAnswer(command=None)\n",
            "    if claimed is None or commands.claim(state.database, node.id, now) is claimed:\n        return PollAnswer(command=None)\n",
        ),
    ),
    mutant(
        "claims-another-nodes",
        "CMD-3",
        "A poll hands out the oldest pending command of any node.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE ? > 0 AND status = 'pending' ORDER BY id LIMIT 1",
        ),
    ),
    mutant(
        "claims-again",
        "CMD-4",
        "What was handed out and not answered is handed out again when the queue is empty.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND status IN ('pending', 'dispatched') ORDER BY status DESC, id LIMIT 1",
        ),
        (" WHERE id = ? AND status = 'pending' RETURNING", " WHERE id = ? RETURNING"),
    ),
    mutant(
        "empty-queue-is-not-found",
        "CMD-5",
        "A poll of an empty queue is answered 404.",
        (
            "        return PollAnswer(command=None)\n",
            '        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n',
        ),
    ),
    mutant(
        "pending-goes-stale",
        "CMD-6",
        "A command that nobody claims times out too.",
        (
            "WHERE status = 'dispatched' AND dispatched_at < ? ORDER BY id",
            "WHERE status IN ('dispatched', 'pending') AND COALESCE(dispatched_at, created_at) < ? ORDER BY id",
        ),
    ),
    mutant(
        "payload-left-out",
        "CMD-7",
        "A command comes without its payload.",
        (
            "ClaimedCommand(id=command_id, type=command_type, payload=raw)",
            "ClaimedCommand(id=command_id, type=command_type)",
        ),
    ),
)
