"""Mutants of TMO: what happens to commands that nobody reports about."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "never-times-out",
        "TMO-1",
        "No command is ever found stale.",
        ("AND dispatched_at < ? ORDER BY id", "AND dispatched_at < ? AND 0 ORDER BY id"),
    ),
    mutant(
        "timed-out-without-an-error",
        "TMO-1",
        "A command times out without a word in its error.",
        ("error_message=TIMEOUT_MESSAGE,", 'error_message="",'),
    ),
    mutant(
        "timed-out-as-failed",
        "TMO-1",
        "A command that times out is called failed.",
        ("SET status = 'timeout', error_message = ?,", "SET status = 'failed', error_message = ?,"),
    ),
    mutant(
        "one-timeout-a-scan",
        "TMO-1",
        "Each scan times out the oldest stale command, and leaves the others.",
        ("AND dispatched_at < ? ORDER BY id", "AND dispatched_at < ? ORDER BY id LIMIT 1"),
    ),
    mutant(
        "scan-in-its-own-time",
        "TMO-1",
        "The scan comes half as often.",
        (
            "state.config.timings.command_scan_s, expire_stale_commands",
            "state.config.timings.command_scan_s * 2, expire_stale_commands",
        ),
    ),
    mutant(
        "times-out-from-creation",
        "TMO-2",
        "The timeout counts from when a command was enqueued.",
        ("AND dispatched_at < ? ORDER BY id", "AND created_at < ? ORDER BY id"),
    ),
    mutant(
        "times-out-at-the-timeout",
        "TMO-2",
        "A command exactly as old as the timeout is stale.",
        ("AND dispatched_at < ? ORDER BY id", "AND dispatched_at <= ? ORDER BY id"),
    ),
    mutant(
        "all-time-out-with-one",
        "TMO-2",
        "When one command is stale, every dispatched one of its node times out.",
        (
            "AND dispatched_at < ? ORDER BY id",
            "AND node_id IN (SELECT node_id FROM agent_commands WHERE status = 'dispatched' AND dispatched_at < ?) ORDER BY id",
        ),
    ),
    mutant(
        "finished-times-out",
        "TMO-2",
        "A command that was answered in time times out all the same.",
        (
            "WHERE status = 'dispatched' AND dispatched_at < ? ORDER BY id",
            "WHERE status <> 'timeout' AND dispatched_at < ? ORDER BY id",
        ),
        ("WHERE id = ? AND status IN ('pending', 'dispatched')\"", 'WHERE id = ?"'),
    ),
    mutant(
        "backup-stays-running",
        "TMO-3",
        "A timed out run leaves its backup record running.",
        ("    CommandType.RUN_TASK.value: (bind_backup_link, Record),\n", ""),
    ),
    mutant(
        "fails-the-record-of-the-commands-number",
        "TMO-3",
        "A timed out command fails the record with the command's id.",
        ("type(record), record.id, message, now)", "type(record), command.id, message, now)"),
    ),
    mutant(
        "fails-the-record-of-the-tasks-number",
        "TMO-3",
        "A timed out run fails the record with the task's id.",
        (
            'record_id: Uint = field(default=0, name="recordId")',
            'record_id: Uint = field(default=0, name="taskId")',
        ),
    ),
    mutant(
        "fails-all-records-of-the-node",
        "TMO-3",
        "A timed out run fails every running record of its node.",
        (
            "    failed = records.fail_running(state.database, type(record), record.id, message, now)\n",
            '    failed = records.fail_running(state.database, type(record), record.id, message, now)\n    for one in state.database.select(type(record), "WHERE node_id = ?", command.node_id):\n        records.fail_running(state.database, type(record), one.id, message, now)\n',
        ),
    ),
    mutant(
        "failed-without-end",
        "TMO-3",
        "A record that is failed by the master has no end time.",
        (
            "        completed_at=now.utc,\n        duration_seconds=took_s,\n",
            "        duration_seconds=took_s,\n",
        ),
    ),
    mutant(
        "failed-after-no-time",
        "TMO-3",
        "A record that is failed by the master took 0 s.",
        (
            "        completed_at=now.utc,\n        duration_seconds=took_s,\n",
            "        completed_at=now.utc,\n        duration_seconds=took_s * 0,\n",
        ),
    ),
    mutant(
        "failed-without-a-word",
        "TMO-3",
        "A record that is failed by the master does not say why.",
        (
            "        error_message=message,\n        completed_at=now.utc,\n",
            "        completed_at=now.utc,\n",
        ),
    ),
    mutant(
        "duration-from-the-dispatch",
        "TMO-3",
        "A record that is failed by the master took as long as its command was out.",
        (
            "        took_s = duration_s(record.started_at, now)\n",
            "        took_s = duration_s(record.started_at, now) % 601\n",
        ),
    ),
    mutant(
        "restore-stays-running",
        "TMO-4",
        "A timed out restore leaves its restore record running.",
        ("    CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore),\n", ""),
    ),
    mutant(
        "restore-fails-the-backup",
        "TMO-4",
        "A timed out restore is looked for among the backup records.",
        (
            "CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore)",
            "CommandType.RESTORE_RECORD.value: (bind_restore_link, Record)",
        ),
    ),
    mutant(
        "overwrites-finished-record",
        "TMO-5",
        "A timeout fails its record, finished or not.",
        (
            "    if record is None or record.status != RecordStatus.RUNNING:\n",
            "    if record is None:\n",
        ),
    ),
    mutant(
        "overwrites-success-only",
        "TMO-5",
        "A timeout leaves failed records alone, and no others.",
        (
            "    if record is None or record.status != RecordStatus.RUNNING:\n",
            "    if record is None or record.status == RecordStatus.FAILED:\n",
        ),
    ),
    mutant(
        "questions-never-time-out",
        "TMO-6",
        "Only runs and restores time out.",
        (
            "AND dispatched_at < ? ORDER BY id",
            "AND dispatched_at < ? AND type IN ('run_task', 'restore_record') ORDER BY id",
        ),
    ),
    mutant(
        "no-record-no-timeout",
        "TMO-7",
        "A command whose record is gone stays dispatched.",
        (
            "        expired = commands.expire(state.database, ended, now)\n",
            '        work = command.type not in ("run_task", "restore_record") or links.linked(state, command)\n        expired = bool(work) and commands.expire(state.database, ended, now)\n',
        ),
    ),
    mutant(
        "broken-payload-no-timeout",
        "TMO-7",
        "A command whose payload cannot be read stays dispatched.",
        (
            "    except wire.BindError:\n        return None\n    return state.database.get(row, record_id)",
            "    except wire.BindError:\n        raise\n    return state.database.get(row, record_id)",
        ),
    ),
    mutant(
        "one-trouble-stops-all",
        "TMO-8",
        "The first stale command that cannot be timed out ends the scan.",
        (
            "    except ValueError:\n        return False\n    database.update(",
            "    except ZeroDivisionError:\n        return False\n    database.update(",
        ),
        (
            'log.warning("command %d cannot be timed out: %s", command.id, error, exc_info=True)\n',
            "raise\n",
        ),
    ),
    mutant(
        "progress-puts-off",
        "TMO-9",
        "A report about a backup begins its command's time anew.",
        (
            "        state.database.update(Record, record.id, **changes, updated_at=now.local)\n",
            "        state.database.update(Record, record.id, **changes, updated_at=now.local)\n        state.database.execute(\"UPDATE agent_commands SET dispatched_at = ? WHERE status = 'dispatched' AND node_id = ?\", (now.utc, node.id))\n",
        ),
    ),
    mutant(
        "heartbeats-put-off",
        "TMO-9",
        "A command does not time out while its node is online.",
        (
            "AND dispatched_at < ? ORDER BY id",
            "AND dispatched_at < ? AND node_id NOT IN (SELECT id FROM nodes WHERE status = 'online') ORDER BY id",
        ),
    ),
    mutant(
        "timeout-marks-the-task",
        "TMO-19",
        "A timeout makes failed its task's last status.",
        (
            "        updated_at=now.local,\n    )\n    return True\n",
            (
                "        updated_at=now.local,\n    )\n"
                "    database.execute(\"UPDATE backup_tasks SET last_status = 'failed' WHERE id = ?\", (record.task_id,))\n    return True\n"
            ),
        ),
    ),
    mutant(
        "timeout-writes-the-log",
        "TMO-10",
        "A timeout writes a line into its record's log.",
        (
            "        updated_at=now.local,\n    )\n    return True\n",
            "        updated_at=now.local,\n        log_content=record.log_content + message,\n    )\n    return True\n",
        ),
    ),
    mutant(
        "deletions-wait-for-ever",
        "TMO-11",
        "The deletion of a backup waits for its node for ever.",
        (
            "\"WHERE status = 'pending' AND created_at < ? ORDER BY id\"",
            "\"WHERE status = 'pending' AND type <> 'delete_storage_object' AND created_at < ? ORDER BY id\"",
        ),
    ),
    mutant(
        "twenty-a-scan",
        "TMO-1",
        "A scan times out twenty commands at most.",
        ('AND dispatched_at < ? ORDER BY id"', 'AND dispatched_at < ? ORDER BY id LIMIT 20"'),
    ),
)
