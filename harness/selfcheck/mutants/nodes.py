"""Mutants of NODE and OFF: nodes, and whether they are there."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "new-node-is-online",
        "NODE-1",
        "A new node is online before its agent calls.",
        (
            "        token=token,\n        status=NodeStatus.OFFLINE,\n",
            "        token=token,\n        status=NodeStatus.ONLINE,\n",
        ),
    ),
    mutant(
        "heartbeat-leaves-status",
        "NODE-2",
        "A heartbeat notes when it came, and not that the node is online.",
        ("UPDATE nodes SET status = 'online', hostname = ?,", "UPDATE nodes SET hostname = ?,"),
    ),
    mutant(
        "heartbeat-leaves-time",
        "NODE-2",
        "A heartbeat does not note when it came.",
        (
            " arch = ?, last_seen = ?, updated_at = ?",
            " arch = ?, last_seen = MIN(?, last_seen), updated_at = ?",
        ),
    ),
    mutant(
        "empty-heartbeat-keeps-host",
        "NODE-3",
        "A heartbeat that names no host keeps the one that is known.",
        (
            "        hostname=report.hostname,\n",
            "        hostname=report.hostname or node.hostname,\n",
        ),
    ),
    mutant(
        "version-of-the-first-heartbeat",
        "NODE-3",
        "The version of an agent is noted once.",
        (
            "        agent_version=report.agentVersion,\n",
            "        agent_version=node.agent_version or report.agentVersion,\n",
        ),
    ),
    mutant(
        "address-not-noted",
        "NODE-3",
        "The host's name is noted for its address.",
        ("        ip_address=report.ipAddress,\n", "        ip_address=report.hostname,\n"),
    ),
    mutant(
        "platform-left-empty",
        "NODE-4",
        "A node that does not name its system has none.",
        ("os=report.os if report.os.strip() else default_os", "os=report.os"),
    ),
    mutant(
        "processor-kept",
        "NODE-4",
        "A node that does not name its processor keeps the one that is known.",
        (
            "arch=report.arch if report.arch.strip() else default_arch",
            "arch=report.arch if report.arch.strip() else node.arch or default_arch",
        ),
    ),
    mutant(
        "poll-is-a-sign-of-life",
        "NODE-5",
        "A poll brings its node back.",
        (
            "    claimed = commands.claim(state.database, node.id, now)\n",
            (
                '    state.database.update(type(node), node.id, status="online", last_seen=now.utc)\n'
                "    claimed = commands.claim(state.database, node.id, now)\n"
            ),
        ),
    ),
    mutant(
        "any-request-is-a-sign-of-life",
        "NODE-5",
        "Whatever comes with a node's token counts as heard of it.",
        (
            '        raise ApiError("NODE_INVALID_TOKEN")\n    return node\n',
            '        raise ApiError("NODE_INVALID_TOKEN")\n    state.database.update(Node, node.id, last_seen=now.utc)\n    return node\n',
        ),
    ),
    mutant(
        "self-is-always-online",
        "NODE-6",
        "An agent is told that its node is online, whatever is stored.",
        (
            "return SelfStatus(id=node.id, name=node.name, status=status, lastSeen",
            'return SelfStatus(id=node.id, name=node.name, status="online", lastSeen',
        ),
    ),
    mutant(
        "self-names-the-host",
        "NODE-6",
        "An agent is told its host's name for its node's.",
        (
            "return SelfStatus(id=node.id, name=node.name,",
            "return SelfStatus(id=node.id, name=node.hostname,",
        ),
    ),
    mutant(
        "names-in-two-nodes",
        "NODE-7",
        "A second node of a name takes the first one's place.",
        (
            "    nodes.insert(state.database, wanted.name, token, call.now)\n",
            (
                "    taken = state.database.find(Node, 'name = ?', wanted.name)\n"
                "    if taken:\n        state.database.delete(Node, taken.id)\n"
                "    nodes.insert(state.database, wanted.name, token, call.now)\n"
            ),
        ),
    ),
    mutant(
        "node-with-tasks-goes",
        "NODE-8",
        "A node goes although tasks are bound to it.",
        ('        raise ApiError("NODE_HAS_TASKS", message)\n', "        pass\n"),
    ),
    mutant(
        "only-enabled-tasks-count",
        "NODE-8",
        "A node goes when the tasks that are bound to it are disabled.",
        (
            '    count = state.database.count(Task, "node_id = ?", node.id)\n    if count:\n',
            '    count = state.database.count(Task, "node_id = ? AND enabled", node.id)\n    if count:\n',
        ),
    ),
    mutant(
        "refused-but-deleted",
        "NODE-8",
        "A node with tasks is refused after it was deleted.",
        (
            '        raise ApiError("NODE_HAS_TASKS", message)\n',
            '        state.database.delete(Node, node.id)\n        raise ApiError("NODE_HAS_TASKS", message)\n',
        ),
    ),
    mutant(
        "own-node-goes",
        "NODE-9",
        "The master's own node can be deleted.",
        ('    if node.is_local:\n        raise ApiError("NODE_DELETE_LOCAL")\n', ""),
    ),
    mutant(
        "batch-of-fifty-one",
        "NODE-10",
        "A batch may make 51 nodes.",
        ("BATCH_MOST: Final = 50", "BATCH_MOST: Final = 51"),
    ),
    mutant(
        "batch-of-forty-nine",
        "NODE-10",
        "A batch may make 49 nodes at most.",
        ("BATCH_MOST: Final = 50", "BATCH_MOST: Final = 49"),
    ),
    mutant(
        "half-a-batch",
        "NODE-10",
        "A batch makes its nodes up to the first name that is taken.",
        (
            '                raise ApiError("NODE_DUPLICATE_NAME", f"节点名「{name}」已存在")\n        for name in names:\n            node_id',
            "                break\n            node_id",
        ),
        (
            "    return success(made)\n",
            '    if len(made) < len(names):\n        raise ApiError("NODE_DUPLICATE_NAME")\n    return success(made)\n',
        ),
    ),
    mutant(
        "batch-names-twice",
        "NODE-10",
        "A name that a batch has twice is made once.",
        (
            '            raise ApiError("NODE_DUPLICATE_NAME", f"批次内重复节点名「{name}」")\n',
            "            continue\n",
        ),
    ),
    mutant(
        "limits-kept",
        "NODE-11",
        "An update that leaves out the limit keeps it.",
        (
            '        "max_concurrent": wanted.maxConcurrent,\n',
            '        "max_concurrent": wanted.maxConcurrent or find(state, node_id).max_concurrent,\n',
        ),
    ),
    mutant(
        "update-forgets-the-name",
        "NODE-11",
        "An update leaves the node's name.",
        (
            '        "name": wanted.name.strip(),\n        "max_concurrent"',
            '        "max_concurrent"',
        ),
    ),
    # --- OFF ---
    mutant(
        "never-offline",
        "OFF-1",
        "A silent node stays online.",
        ("status = ? AND last_seen < ?", "status = ? AND last_seen < ? AND 0"),
    ),
    mutant(
        "offline-after-a-minute",
        "OFF-1",
        "A node may be silent for a third longer.",
        (
            "now.utc_in(-state.config.timings.offline_after_s)",
            "now.utc_in(-state.config.timings.offline_after_s * 4 / 3)",
        ),
    ),
    mutant(
        "one-node-a-scan",
        "OFF-1",
        "Each scan marks one silent node.",
        (
            "WHERE is_local = 0 AND status = ? AND last_seen < ?",
            "WHERE id = (SELECT MIN(id) FROM nodes WHERE is_local = 0 AND status = ? AND last_seen < ?)",
        ),
    ),
    mutant(
        "offline-at-forty-five",
        "OFF-2",
        "A node is offline when exactly 45 s have passed.",
        ("status = ? AND last_seen < ?", "status = ? AND last_seen <= ?"),
    ),
    mutant(
        "offline-after-thirty",
        "OFF-2",
        "A node is offline after two thirds of the time.",
        (
            "now.utc_in(-state.config.timings.offline_after_s)",
            "now.utc_in(-state.config.timings.offline_after_s * 2 / 3)",
        ),
    ),
    mutant(
        "all-go-with-one",
        "OFF-2",
        "When one node is silent, all are marked.",
        (
            "WHERE is_local = 0 AND status = ? AND last_seen < ?",
            "WHERE is_local = 0 AND EXISTS (SELECT 1 FROM nodes WHERE is_local = 0 AND status = ? AND last_seen < ?)",
        ),
    ),
    mutant(
        "offline-for-ever",
        "OFF-3",
        "A heartbeat of a node that was marked offline does not bring it back.",
        (
            "UPDATE nodes SET status = 'online', hostname = ?,",
            "UPDATE nodes SET status = CASE WHEN status = 'offline' AND hostname <> '' THEN 'offline' ELSE 'online' END, hostname = ?,",
        ),
    ),
    mutant(
        "silence-fails-commands",
        "OFF-4",
        "When a node falls silent, the commands in its hands fail.",
        (
            "    values = (NodeStatus.OFFLINE, now.local, NodeStatus.ONLINE, threshold_utc)\n",
            (
                "    database.execute(\"UPDATE agent_commands SET status = 'failed' WHERE status = 'dispatched' AND node_id IN (SELECT id FROM nodes WHERE is_local = 0 AND last_seen < ?)\", (threshold_utc,))\n"
                "    values = (NodeStatus.OFFLINE, now.local, NodeStatus.ONLINE, threshold_utc)\n"
            ),
        ),
    ),
    mutant(
        "silence-fails-records",
        "OFF-4",
        "When a node falls silent, its running backups fail.",
        (
            "    values = (NodeStatus.OFFLINE, now.local, NodeStatus.ONLINE, threshold_utc)\n",
            (
                "    database.execute(\"UPDATE backup_records SET status = 'failed' WHERE status = 'running' AND node_id IN (SELECT id FROM nodes WHERE is_local = 0 AND last_seen < ?)\", (threshold_utc,))\n"
                "    values = (NodeStatus.OFFLINE, now.local, NodeStatus.ONLINE, threshold_utc)\n"
            ),
        ),
    ),
    mutant(
        "offline-node-queues",
        "OFF-5",
        "A run on an offline node waits in its queue.",
        (
            "            records.fail_running(state.database, Record, record_id, offline, now)\n",
            (
                '            queue.enqueue(state, node.id, CommandType.RUN_TASK, {"recordId": record_id, "taskId": task.id}, now)\n'
                "            records.fail_running(state.database, Record, record_id, offline, now)\n"
            ),
        ),
    ),
    mutant(
        "refused-run-stays-running",
        "OFF-5",
        "A run that an offline node refuses leaves a running record.",
        ("            records.fail_running(state.database, Record, record_id, offline, now)\n", ""),
    ),
    mutant(
        "refused-run-leaves-nothing",
        "OFF-5",
        "A run on an offline node leaves no record.",
        (
            "            records.fail_running(state.database, Record, record_id, offline, now)\n",
            "            state.database.delete(Record, record_id)\n",
        ),
    ),
    mutant(
        "offline-agent-gets-nothing",
        "OFF-6",
        "An agent whose node is offline gets no commands.",
        (
            "    claimed = commands.claim(state.database, node.id, now)\n",
            "    claimed = commands.claim(state.database, node.id, now) if node.status == 'online' else None\n",
        ),
    ),
    mutant(
        "offline-agent-may-not-report",
        "OFF-6",
        "An agent whose node is offline may not report.",
        (
            '    if command is None:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    if command.node_id != node.id:\n',
            '    if command is None:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    if command.node_id != node.id or node.status != "online":\n',
        ),
    ),
    mutant(
        "negative-limit-is-none",
        "NODE-16",
        "A limit below 0 is taken for none.",
        ('    if wanted.maxConcurrent < 0:\n        raise ApiError("NODE_INVALID")\n', ""),
    ),
    mutant(
        "name-kept-though-refused",
        "NODE-16",
        "An update with a limit below 0 is refused, and its name kept.",
        (
            "    if wanted.maxConcurrent < 0:\n",
            "    if wanted.maxConcurrent < 0:\n        state.database.update(Node, node_id, name=wanted.name.strip())\n",
        ),
    ),
    mutant(
        "node-takes-its-commands",
        "NODE-17",
        "A deleted node takes its commands along.",
        (
            "    state.database.delete(Node, node.id)\n",
            '    state.database.delete(Node, node.id)\n    state.database.execute("DELETE FROM agent_commands WHERE node_id = ?", (node.id,))\n',
        ),
    ),
    mutant(
        "node-takes-its-records",
        "NODE-17",
        "A deleted node takes its records along.",
        (
            "    state.database.delete(Node, node.id)\n",
            '    state.database.delete(Node, node.id)\n    state.database.execute("DELETE FROM backup_records WHERE node_id = ?", (node.id,))\n',
        ),
    ),
    mutant(
        "oldest-nodes-first",
        "NODE-18",
        "Nodes are listed in the order that they were made in.",
        ("ORDER BY is_local DESC, updated_at DESC, id DESC", "ORDER BY id"),
    ),
    mutant(
        "heartbeat-of-all",
        "NODE-19",
        "A heartbeat brings every node of its host online.",
        (
            " arch = ?, last_seen = ?, updated_at = ? WHERE id = ?",
            " arch = ?, last_seen = ?, updated_at = ? WHERE id = ? OR 1",
        ),
    ),
    mutant(
        "own-node-falls-silent",
        "OFF-11",
        "The master's own node is marked offline like any other.",
        (
            "WHERE is_local = 0 AND status = ? AND last_seen < ?",
            "WHERE status = ? AND last_seen < ?",
        ),
    ),
)
