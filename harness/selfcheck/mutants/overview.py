"""Mutants of ADM and NODE: what administrators are told of nodes and records."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "error-of-the-newest-command",
        "NODE-15",
        "A node shows the error of its newest command.",
        (
            "(PARTITION BY node_id ORDER BY COALESCE(completed_at, updated_at, created_at) DESC, id DESC)",
            "(PARTITION BY node_id ORDER BY id DESC)",
        ),
    ),
    mutant(
        "performance-of-the-tasks-node",
        "ADM-49",
        "A backup is counted for the node that its task is bound to now.",
        (
            " FROM backup_records WHERE started_at >= ? GROUP BY 1",
            " FROM (SELECT r.started_at, r.status, r.file_size, r.duration_seconds, t.node_id FROM backup_records r JOIN backup_tasks t ON t.id = r.task_id) WHERE started_at >= ? GROUP BY 1",
        ),
    ),
    mutant(
        "performance-with-what-failed",
        "ADM-49",
        "Bytes of failed backups count.",
        ("sum(iif(status = 'success', file_size, 0)),", "sum(file_size),"),
    ),
    mutant(
        "target-without-a-name",
        "ADM-28",
        "A record shows no name of its target.",
        ('    return target.name if target is not None else ""\n', '    return ""\n'),
    ),
    mutant(
        "list-without-target-names",
        "ADM-28",
        "A list of records shows no names of targets.",
        (
            "        RecordSummary(**_columns(state, one, tasks[one.task_id], targets[one.storage_target_id]))\n",
            '        RecordSummary(**_columns(state, one, tasks[one.task_id], ""))\n',
        ),
    ),
    mutant(
        "target-named-before-its-time",
        "ADM-29",
        "A record shows the name of its target.",
        ('    if not state.config.profile.target_names_in_records:\n        return ""\n', ""),
    ),
    mutant(
        "metrics-counted-once",
        "ADM-31",
        "Figures are counted at the master's start alone.",
        (
            "    await every(state, state.config.timings.metrics_scan_s, metrics.count)\n",
            "    _try(state, metrics.count)\n",
        ),
    ),
    mutant(
        "metrics-keep-the-gone",
        "ADM-31",
        "Figures of a deleted node stay.",
        (
            "    state.samples[:] = samples\n",
            "    kept = [one for one in state.samples if all((one.name, one.labels) != (new.name, new.labels) for new in samples)]\n    state.samples[:] = samples + kept\n",
        ),
    ),
    mutant(
        "metrics-call-all-online",
        "ADM-31",
        "Every node is online.",
        (
            "        online = presence.counted(state, node, now) == NodeStatus.ONLINE\n        samples.append",
            "        online = True\n        samples.append",
        ),
    ),
    mutant(
        "metrics-without-the-master",
        "ADM-31",
        "The master's own node is called an agent.",
        ('"role": "master" if node.is_local else "agent"', '"role": "agent"'),
    ),
    mutant(
        "metrics-of-what-waits",
        "ADM-33",
        "The depth of a queue is what waits in it.",
        ("            depth = own.pending + own.dispatched\n", "            depth = own.pending\n"),
    ),
    mutant(
        "metrics-run-what-waits",
        "ADM-33",
        "What waits counts as running.",
        (
            'Sample("backupx_agent_command_running", labels, own.running)',
            'Sample("backupx_agent_command_running", labels, own.running + own.pending)',
        ),
    ),
    mutant(
        "metrics-forget-timeouts",
        "ADM-33",
        "Timeouts are not counted.",
        (
            'Sample("backupx_agent_command_timeout_total", labels, own.timeouts)',
            'Sample("backupx_agent_command_timeout_total", labels, 0)',
        ),
    ),
    mutant(
        "cluster-without-the-master",
        "ADM-35",
        "The master's own node is not counted.",
        ("            totalNodes=len(found),\n", "            totalNodes=len(found) - 1,\n"),
    ),
    mutant(
        "cluster-of-the-online",
        "ADM-35",
        "Nodes that are offline are counted as online.",
        (
            "            onlineNodes=statuses.count(NodeStatus.ONLINE),\n",
            "            onlineNodes=len(statuses),\n",
        ),
    ),
    mutant(
        "cluster-new-is-outdated",
        "ADM-35",
        "An agent that never called is outdated.",
        (
            'outdatedAgents=sum(node.versionStatus == "outdated" for node in found)',
            'outdatedAgents=sum(node.versionStatus != "current" for node in found)',
        ),
    ),
    mutant(
        "cluster-counts-all-tasks",
        "ADM-35",
        "Each node has all tasks.",
        (
            'taskCount=state.database.count(Task, "node_id = ?", node.id)',
            'taskCount=state.database.count(Task, "node_id <> ?", 0 * node.id)',
        ),
    ),
    mutant(
        "cluster-versions-as-text",
        "ADM-35",
        "Versions are compared as text.",
        (
            "    agent, master = _version(node.agent_version), _version(release)\n",
            "    agent, master = node.agent_version, release\n",
        ),
    ),
    mutant(
        "audit-log-without-runs",
        "ADM-36",
        "A run by hand is not in the audit log.",
        (
            '        category="backup_task",\n        action="run",\n        target_id=record.task_id,\n',
            '        category="backup_task",\n        action="run",\n        target_id="",\n',
        ),
    ),
    mutant(
        "audit-log-oldest-first",
        "ADM-36",
        "The audit log begins with the oldest.",
        ("ORDER BY created_at DESC, id DESC {page}", "ORDER BY created_at, id {page}"),
    ),
    mutant(
        "audit-log-of-nobody",
        "ADM-36",
        "The audit log does not say who it was.",
        ("        username=caller.subject,\n", '        username="",\n'),
    ),
    mutant(
        "audit-log-unfiltered",
        "ADM-36",
        "The audit log is not filtered by action.",
        ('    wanted.text("action", "action = ?")\n', ""),
    ),
    mutant(
        "audit-log-in-one-page",
        "ADM-36",
        "The total of the audit log is what is shown of it.",
        (
            "LogPage(items=[_view(row) for row in found], total=total)",
            "LogPage(items=[_view(row) for row in found], total=len(found))",
        ),
    ),
    mutant(
        "rotation-not-noted",
        "ADM-36",
        "A rotation is noted without its node.",
        (
            '        action="rotate_token",\n        target_id=node.id,\n',
            '        action="rotate_token",\n        target_id="",\n',
        ),
    ),
    mutant(
        "queue-without-the-taken",
        "NODE-13",
        "A queue is as deep as what waits in it.",
        (
            "            depth=found.pending + found.dispatched,\n",
            "            depth=found.pending,\n",
        ),
    ),
    mutant(
        "queue-of-the-ended",
        "NODE-13",
        "What has ended is still in the queue.",
        (
            "WHERE status IN ('pending', 'dispatched') ORDER BY id",
            "WHERE status IN ('pending', 'dispatched', 'succeeded') ORDER BY id",
        ),
    ),
    mutant(
        "queue-of-all",
        "NODE-13",
        "A node shows the commands of all nodes.",
        (
            "        before = found.get(command.node_id, IDLE)\n        found[command.node_id] = replace(",
            '        command = __import__("msgspec").structs.replace(command, node_id=2)\n        before = found.get(command.node_id, IDLE)\n        found[command.node_id] = replace(',
        ),
    ),
    mutant(
        "oldest-by-creation",
        "NODE-13",
        "A command that was handed out is as old as its making.",
        ("command.created_at if pending else command.dispatched_at", "command.created_at"),
    ),
    mutant(
        "oldest-is-newest",
        "NODE-13",
        "The newest command is shown as the oldest.",
        (
            "    return other if times.parse(other) < times.parse(one) else one\n",
            "    return one if times.parse(other) < times.parse(one) else other\n",
        ),
    ),
    mutant(
        "timeouts-not-counted",
        "NODE-13",
        "A node shows no timeouts.",
        (
            "        found[node_id] = replace(found.get(node_id, IDLE), timeouts=count)\n",
            "        found[node_id] = replace(found.get(node_id, IDLE), timeouts=min(count, 1))\n",
        ),
    ),
    mutant(
        "questions-run",
        "NODE-14",
        "A listing counts as a running task.",
        (
            "running=before.running + (not pending and command.type in RUNNING)",
            "running=before.running + (not pending)",
        ),
    ),
    mutant(
        "waiting-runs",
        "NODE-14",
        "What waits counts as a running task.",
        (
            "running=before.running + (not pending and command.type in RUNNING)",
            "running=before.running + (command.type in RUNNING)",
        ),
    ),
    mutant(
        "restores-do-not-run",
        "NODE-14",
        "A restore is no running task.",
        (
            "frozenset({CommandType.RUN_TASK, CommandType.RESTORE_RECORD})",
            "frozenset({CommandType.RUN_TASK})",
        ),
    ),
    mutant(
        "offline-is-degraded",
        "NODE-15",
        "An offline node is degraded.",
        (
            '    if status != NodeStatus.ONLINE:\n        return "offline"\n',
            '    if status != NodeStatus.ONLINE and not found.last_error:\n        return "offline"\n',
        ),
    ),
    mutant(
        "failures-are-healthy",
        "NODE-15",
        "A node whose command failed is healthy.",
        (
            'return "degraded" if found.timeouts or found.last_error.strip() else "healthy"',
            'return "degraded" if found.timeouts else "healthy"',
        ),
    ),
    mutant(
        "first-error-stays",
        "NODE-15",
        "A node shows its first error.",
        (
            "(PARTITION BY node_id ORDER BY COALESCE(completed_at, updated_at, created_at) DESC, id DESC)",
            "(PARTITION BY node_id ORDER BY COALESCE(completed_at, updated_at, created_at), id)",
        ),
    ),
    mutant(
        "timeouts-are-no-errors",
        "NODE-15",
        "A timeout is no error of its node.",
        (
            "        found[node_id] = replace(found.get(node_id, IDLE), last_error=message)\n",
            '        if not message.startswith("agent"):\n            found[node_id] = replace(found.get(node_id, IDLE), last_error=message)\n',
        ),
        (
            'return "degraded" if found.timeouts or found.last_error.strip()',
            'return "degraded" if found.last_error.strip()',
        ),
    ),
    mutant(
        "figures-before-their-time",
        "NODE-20",
        "A node shows its figures.",
        (
            "    if not state.config.profile.node_figures:\n",
            "    if not state.config:\n",
        ),
    ),
)
