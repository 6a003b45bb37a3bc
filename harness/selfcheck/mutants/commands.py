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
        "claims-twice-at-once",
        "CMD-4",
        "Two polls at the same moment find the same command, and both hand it out.",
        (
            "        return success(queue.poll(state, node, call.now))\n",
            "        return _found_first(state, node, call)\n",
        ),
        (
            "def submit_result(state: State, call: Call) -> Response:\n",
            (
                "async def _found_first(state, node, call):\n"
                "    found = state.database.query(\"SELECT id FROM agent_commands WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1\", (node.id,))\n"
                "    await state.clock.sleep_until(state.clock.monotonic_s())\n"
                "    for row in found:\n"
                "        state.database.execute(\"UPDATE agent_commands SET status = 'pending' WHERE id = ?\", row)\n"
                "    return success(queue.poll(state, node, call.now))\n\n\n"
                "def submit_result(state: State, call: Call) -> Response:\n"
            ),
        ),
    ),
    mutant(
        "lost-reply-is-repeated",
        "CMD-4",
        "A poll hands out again what was handed out less than a minute ago.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND (status = 'pending' OR status = 'dispatched' AND julianday(dispatched_at) > julianday(?) - 1.0 / 1440) ORDER BY id LIMIT 1",
        ),
        (
            "database.execute(_OLDEST_PENDING, (node_id,))",
            "database.execute(_OLDEST_PENDING, (node_id, now.utc))",
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
        "empty-queue-has-no-command",
        "CMD-5",
        "A poll of an empty queue is answered without the key of the command.",
        ("    command: ClaimedCommand | None\n", "    command: ClaimedCommand | None = None\n"),
    ),
    mutant(
        "pending-is-dropped",
        "CMD-6",
        "A poll passes over what is older than an hour.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND status = 'pending' AND julianday(created_at) > julianday(?) - 1.0 / 24 ORDER BY id LIMIT 1",
        ),
        (
            "database.execute(_OLDEST_PENDING, (node_id,))",
            "database.execute(_OLDEST_PENDING, (node_id, now.utc))",
        ),
    ),
    mutant(
        "task-moves-its-commands",
        "CMD-3",
        "A command goes to the node that its task is bound to now.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE COALESCE((SELECT t.node_id FROM backup_tasks t WHERE t.id = json_extract(payload, '$.taskId')), node_id) = ? AND status = 'pending' ORDER BY id LIMIT 1",
        ),
    ),
    mutant(
        "payload-as-text",
        "CMD-7",
        "A command's payload is text with JSON in it.",
        (
            "    raw = wire.compact(payload) if payload else None\n",
            "    raw = wire.compact(wire.encode(payload)) if payload else None\n",
        ),
    ),
    mutant(
        "listing-by-another-name",
        "CMD-7",
        "A listing is called ls.",
        (
            "ClaimedCommand(id=command_id, type=command_type, payload=raw)",
            'ClaimedCommand(id=command_id, type=command_type.replace("list_dir", "ls"), payload=raw)',
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
    mutant(
        "one-queue-for-all",
        "CMD-9",
        "A node gets nothing as long as an older command waits for another.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND id = (SELECT MIN(id) FROM agent_commands WHERE status = 'pending')",
        ),
    ),
    mutant(
        "poll-reads-its-body",
        "CMD-10",
        "A poll whose body cannot be read is refused.",
        (
            "        return success(queue.poll(state, node, call.now))\n",
            "        if call.request.body:\n            call.body(bind_command_result)\n        return success(queue.poll(state, node, call.now))\n",
        ),
    ),
    mutant(
        "stale-is-handed-out",
        "CMD-8",
        "A poll hands out what timed out before anybody took it.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND (status = 'pending' OR status = 'timeout' AND dispatched_at IS NULL) ORDER BY id LIMIT 1",
        ),
        (" WHERE id = ? AND status = 'pending' RETURNING", " WHERE id = ? RETURNING"),
    ),
    mutant(
        "stale-is-in-the-way",
        "CMD-8",
        "A poll finds the oldest command that nobody took, and gets nothing when that has timed out.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND dispatched_at IS NULL ORDER BY id LIMIT 1",
        ),
    ),
    mutant(
        "broken-payload-goes-back",
        "CMD-11",
        "A command whose payload cannot be read is put back into the queue.",
        (
            "    raw = wire.compact(payload) if payload else None\n",
            "    try:\n        raw = wire.compact(payload) if payload else None\n    except ValueError:\n        state.database.execute(\"UPDATE agent_commands SET status = 'pending' WHERE id = ?\", (command_id,))\n        raise\n",
        ),
    ),
    mutant(
        "oldest-by-the-clock",
        "CMD-1",
        "The oldest command is the one with the earliest time, whatever the clock did.",
        (
            "AND status = 'pending' ORDER BY id LIMIT 1",
            "AND status = 'pending' ORDER BY created_at, id LIMIT 1",
        ),
    ),
    mutant(
        "enqueues-twice",
        "CMD-12",
        "What is asked for once is enqueued twice.",
        (
            "    text = wire.canonical(payload)\n    return commands.insert(",
            "    text = wire.canonical(payload)\n    commands.insert(state.database, node_id, command_type, text, now)\n    return commands.insert(",
        ),
    ),
    mutant(
        "hands-out-what-ended",
        "CMD-12",
        "A poll that finds nothing makes a copy of the command that the node was handed last.",
        (
            "    claimed = commands.claim(state.database, node.id, now)\n",
            '    claimed = commands.claim(state.database, node.id, now)\n    last = state.database.query("SELECT type, payload FROM agent_commands WHERE node_id = ? ORDER BY id DESC LIMIT 1", (node.id,))\n    if claimed is None and last:\n        commands.insert(state.database, node.id, CommandType(last[0][0]), last[0][1], now)\n        claimed = commands.claim(state.database, node.id, now)\n',
        ),
    ),
    mutant(
        "new-replaces-waiting",
        "CMD-13",
        "A new command takes the place of one of its type that waits.",
        (
            "    text = wire.canonical(payload)\n    return commands.insert(",
            "    text = wire.canonical(payload)\n    state.database.execute(\"DELETE FROM agent_commands WHERE node_id = ? AND type = ? AND status = 'pending'\", (node_id, command_type.value))\n    return commands.insert(",
        ),
    ),
    mutant(
        "takes-all-that-wait",
        "CMD-13",
        "A poll takes all that waits, and hands out the oldest.",
        (
            "    command_id, command_type, payload = claimed\n",
            "    command_id, command_type, payload = claimed\n    state.database.execute(\"UPDATE agent_commands SET status = 'dispatched', dispatched_at = ? WHERE node_id = ? AND status = 'pending'\", (now.utc, node.id))\n",
        ),
    ),
)
