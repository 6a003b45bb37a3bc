"""Mutants of TMO: what waits too long, what keeps work alive, and what a timeout means beside."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "only-the-taken-time-out",
        "TMO-11",
        "A command that nobody took waits for ever.",
        (
            "    if not state.config.profile.pending_times_out:\n",
            "    if state.config.profile.pending_times_out:\n",
        ),
    ),
    mutant(
        "untaken-leaves-its-record",
        "TMO-11",
        "A command that nobody took times out and leaves its record running.",
        (
            "        if expired:\n            links.fail(state, command, RECORD_TIMEOUT_MESSAGE, now)\n",
            "        if expired and command.dispatched_at:\n            links.fail(state, command, RECORD_TIMEOUT_MESSAGE, now)\n",
        ),
    ),
    mutant(
        "untaken-questions-wait",
        "TMO-11",
        "Of what nobody took only runs and restores time out.",
        (
            "WHERE status = 'pending' AND created_at < ? ORDER BY id",
            "WHERE status = 'pending' AND type <> 'list_dir' AND created_at < ? ORDER BY id",
        ),
    ),
    mutant(
        "untaken-cannot-end",
        "TMO-11",
        "What nobody took is found stale, and its row is not written.",
        (
            "completed_at = ?, updated_at = ? WHERE id = ? AND status IN ('pending', 'dispatched')\"",
            "completed_at = ?, updated_at = ? WHERE id = ? AND status = 'dispatched'\"",
        ),
    ),
    mutant(
        "untaken-waits-for-its-node",
        "TMO-11",
        "What nobody took waits while its node is online.",
        (
            "WHERE status = 'pending' AND created_at < ? ORDER BY id",
            "WHERE status = 'pending' AND created_at < ? AND node_id NOT IN (SELECT id FROM nodes WHERE status = 'online') ORDER BY id",
        ),
    ),
    mutant(
        "untaken-waits-a-scan-longer",
        "TMO-11",
        "What nobody took times out a scan too late.",
        (
            "        if (created_ns := _instant(command.created_at)) is not None and created_ns < threshold_ns\n",
            "        if (created_ns := _instant(command.created_at)) is not None and created_ns < threshold_ns - 30 * NS\n",
        ),
        profile="strict",
    ),
    mutant(
        "waits-up-to-the-timeout",
        "TMO-12",
        "What was made just as long ago as the timeout times out.",
        (
            "WHERE status = 'pending' AND created_at < ? ORDER BY id",
            "WHERE status = 'pending' AND created_at <= ? ORDER BY id",
        ),
    ),
    mutant(
        "waits-up-to-the-timeout-in-strict",
        "TMO-12",
        "What was made just as long ago as the timeout times out.",
        (
            "        if (created_ns := _instant(command.created_at)) is not None and created_ns < threshold_ns\n",
            "        if (created_ns := _instant(command.created_at)) is not None and created_ns <= threshold_ns\n",
        ),
        profile="strict",
    ),
    mutant(
        "waits-half-the-time",
        "TMO-12",
        "What nobody took times out after half of the timeout.",
        (
            "        threshold_utc = now.utc_in(-state.config.timings.command_timeout_s)\n        return commands.stale_pending(",
            "        threshold_utc = now.utc_in(-state.config.timings.command_timeout_s / 2)\n        return commands.stale_pending(",
        ),
    ),
    mutant(
        "node-keeps-nothing",
        "TMO-13",
        "Heartbeats keep no command alive.",
        (
            "    if lease is Lease.NODE_OR_RECORD:\n",
            "    if lease is Lease.NONE:\n",
        ),
    ),
    mutant(
        "node-keeps-backups-alone",
        "TMO-13",
        "Heartbeats keep no restore alive.",
        (
            "    if lease is Lease.NODE_OR_RECORD:\n",
            "    if lease is Lease.NODE_OR_RECORD and command.type == 'run_task':\n",
        ),
    ),
    mutant(
        "reports-keep-nothing",
        "TMO-14",
        "Reports keep no command alive.",
        ("    signs = [work.updated_at]\n", "    signs = [work.started_at]\n"),
    ),
    mutant(
        "reports-keep-backups-alone",
        "TMO-14",
        "Reports keep no restore alive.",
        (
            "    signs = [work.updated_at]\n",
            "    signs = [work.updated_at if command.type == 'run_task' else work.started_at]\n",
        ),
    ),
    mutant(
        "logs-keep-nothing",
        "TMO-14",
        "A report that brings log lines alone keeps its backup's command no longer.",
        (
            "        state.database.update(Record, record.id, **changes, updated_at=now.local)\n",
            "        state.database.update(Record, record.id, **changes, updated_at=now.local if update.status else record.updated_at)\n",
        ),
        profile="strict",
    ),
    mutant(
        "restore-logs-keep-nothing",
        "TMO-14",
        "A report that brings log lines alone keeps its restore's command no longer.",
        (
            "    state.database.update(Restore, restore.id, **changes, updated_at=now.local)\n",
            "    state.database.update(Restore, restore.id, **changes, updated_at=now.local if update.status else restore.updated_at)\n",
        ),
        profile="strict",
    ),
    mutant(
        "kept-up-to-the-timeout",
        "TMO-15",
        "A sign of life just as old as the timeout keeps a command alive.",
        (
            "    return any((sign_ns := _instant(sign)) is not None and sign_ns > threshold_ns for sign in signs)\n",
            "    return any((sign_ns := _instant(sign)) is not None and sign_ns >= threshold_ns for sign in signs)\n",
        ),
    ),
    mutant(
        "kept-for-ever",
        "TMO-15",
        "A backup that is running keeps its command alive for ever.",
        (
            "    return any((sign_ns := _instant(sign)) is not None and sign_ns > threshold_ns for sign in signs)\n",
            "    return any((sign_ns := _instant(sign)) is not None and sign_ns > 0 for sign in signs)\n",
        ),
    ),
    mutant(
        "kept-once-reported",
        "TMO-15",
        "A backup that was ever reported about keeps its command alive for ever.",
        (
            "    signs = [work.updated_at]\n",
            "    signs = [work.updated_at if work.updated_at == work.created_at else now.utc]\n",
        ),
        profile="strict",
    ),
    mutant(
        "offline-node-keeps",
        "TMO-15",
        "A node keeps its commands alive within the timeout, though it is offline.",
        (
            "        if node is not None and node.status == NodeStatus.ONLINE:\n            signs",
            "        if node is not None:\n            signs",
        ),
    ),
    mutant(
        "online-node-keeps-for-ever",
        "TMO-15",
        "A node that is shown online keeps its commands alive, however long ago it was heard of.",
        ("            signs.append(node.last_seen)\n", "            signs.append(now.utc)\n"),
    ),
    mutant(
        "questions-are-kept",
        "TMO-16",
        "A node that is online keeps its questions alive.",
        (
            "    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
            "    if command.type not in ('run_task', 'restore_record'):\n        node = state.database.get(Node, command.node_id)\n        return node is not None and node.status == NodeStatus.ONLINE\n    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
        ),
    ),
    mutant(
        "deletions-are-kept",
        "TMO-16",
        "A node that is online keeps its deletions alive.",
        (
            "    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
            "    if command.type == 'delete_storage_object':\n        node = state.database.get(Node, command.node_id)\n        return node is not None and node.status == NodeStatus.ONLINE\n    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
        ),
    ),
    mutant(
        "finished-are-kept",
        "TMO-17",
        "A run whose backup has ended is kept alive like one that is under way.",
        (
            "    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
            "    if work is None:\n        return False\n    signs = [work.updated_at]\n",
        ),
    ),
    mutant(
        "odd-are-kept",
        "TMO-17",
        "A run whose backup has a status of its own is kept alive.",
        (
            "    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
            '    if work is None or work.status in ("success", "failed"):\n        return False\n    signs = [work.updated_at]\n',
        ),
    ),
    mutant(
        "gone-are-kept",
        "TMO-17",
        "A run whose backup was deleted is kept alive by its node.",
        (
            "    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
            "    if work is None and command.type in ('run_task', 'restore_record'):\n        node = state.database.get(Node, command.node_id)\n        return node is not None and node.status == NodeStatus.ONLINE\n    if work is None or work.status != RecordStatus.RUNNING:\n        return False\n    signs = [work.updated_at]\n",
        ),
    ),
    mutant(
        "heartbeats-keep-in-strict",
        "TMO-18",
        "Heartbeats keep a command alive, as in v2.4.0.",
        ("    lease=Lease.RECORD,\n", "    lease=Lease.NODE_OR_RECORD,\n"),
        profile="strict",
    ),
    mutant(
        "heartbeats-keep-restores",
        "TMO-18",
        "A restore does not time out while its node is online.",
        (
            "AND dispatched_at < ? ORDER BY id",
            "AND dispatched_at < ? AND NOT (type = 'restore_record' AND node_id IN (SELECT id FROM nodes WHERE status = 'online')) ORDER BY id",
        ),
    ),
    mutant(
        "timeout-leaves-the-task",
        "TMO-20",
        "A timeout leaves its task running in name.",
        (
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task:\n",
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task and not message.startswith('Agent '):\n",
        ),
    ),
    mutant(
        "untaken-leaves-its-task",
        "TMO-20",
        "A timeout of what nobody took leaves its task running in name.",
        (
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task:\n",
            "    if isinstance(record, Record) and state.config.profile.failures_mark_task and command.dispatched_at:\n",
        ),
    ),
    mutant(
        "nobody-is-told",
        "TMO-21",
        "A timeout wakes nobody who waits.",
        (
            "    if expired:\n        state.waiters.notify(command.id)\n    return expired\n",
            "    return expired\n",
        ),
    ),
    mutant(
        "timeout-overwrites-the-result",
        "TMO-22",
        "A command that was answered times out all the same, and its record keeps its end.",
        (
            "WHERE status = 'dispatched' AND dispatched_at < ? ORDER BY id",
            "WHERE status <> 'timeout' AND dispatched_at < ? ORDER BY id",
        ),
        ("WHERE id = ? AND status IN ('pending', 'dispatched')\"", 'WHERE id = ?"'),
        profile="2.3.4",
    ),
    mutant(
        "result-overwrites-the-timeout",
        "TMO-22",
        "A result a moment after the timeout counts.",
        (
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status = 'dispatched'\"",
            "_FINISH_DISPATCHED = f\"{_FINISH} AND status IN ('dispatched', 'timeout')\"",
        ),
        profile="2.4",
    ),
    mutant(
        "ages-of-the-waiting-as-instants",
        "TMO-23",
        "The age of a waiting command is right in every zone.",
        ("    if state.config.profile.pending_age_as_text:", "    if not state:"),
    ),
    mutant(
        "ages-of-the-waiting-as-texts",
        "TMO-24",
        "The age of a waiting command is taken from its local time, as text.",
        ("    if state.config.profile.pending_age_as_text:", "    if state:"),
    ),
)
