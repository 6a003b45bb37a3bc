"""Mutants of RST: what agents report about restores."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "anybodys-restore",
        "RST-1",
        "A restore belongs to whoever asks.",
        (
            '    if restore.node_id != node.id:\n        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n',
            "",
        ),
    ),
    mutant(
        "restore-follows-its-task",
        "RST-1",
        "A restore belongs to the node that its task is bound to now.",
        (
            '    if restore.node_id != node.id:\n        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n',
            (
                '    if state.database.query("SELECT node_id FROM backup_tasks WHERE id = ?", (restore.task_id,)) != [(node.id,)]:\n'
                '        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n'
            ),
        ),
    ),
    mutant(
        "restore-of-the-first-node",
        "RST-1",
        "A restore belongs to the node that made its backup.",
        (
            '    if restore.node_id != node.id:\n        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n',
            (
                '    if state.database.query("SELECT node_id FROM backup_records WHERE id = ?", (restore.backup_record_id,)) != [(node.id,)]:\n'
                '        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n'
            ),
        ),
    ),
    mutant(
        "restore-without-end",
        "RST-2",
        "A restore that ends has no end time.",
        (
            "        changes |= _end(restore, now)\n",
            '        changes |= _end(restore, now)\n        changes.pop("completed_at")\n',
        ),
    ),
    mutant(
        "restore-took-no-time",
        "RST-2",
        "A restore that ends took 0 s.",
        (
            "        changes |= _end(restore, now)\n",
            '        changes |= _end(restore, now)\n        changes["duration_seconds"] = 0\n',
        ),
    ),
    mutant(
        "restore-error-dropped",
        "RST-2",
        "A failed restore's error is not stored.",
        ('changes["error_message"] = update.errorMessage.strip()', "pass"),
    ),
    mutant(
        "restore-error-at-any-time",
        "RST-3",
        "A restore's error counts beside any report.",
        (
            "    if update.status in FINISHED_RECORD and update.errorMessage.strip():\n",
            "    if update.errorMessage.strip():\n",
        ),
    ),
    mutant(
        "restore-marks-the-task",
        "RST-4",
        "The end of a restore becomes its task's last status.",
        (
            "        state.restore_logs.complete(restore.id, update.status, timestamp)\n",
            (
                "        state.restore_logs.complete(restore.id, update.status, timestamp)\n"
                '        state.database.execute("UPDATE backup_tasks SET last_status = ? WHERE id = ?", (update.status, restore.task_id))\n'
            ),
        ),
    ),
    mutant(
        "restore-runs-the-task",
        "RST-4",
        "Asking for a restore notes that its task is running.",
        (
            '            payload = {"restoreRecordId": restore_id}\n',
            (
                '            payload = {"restoreRecordId": restore_id}\n'
                "            state.database.execute(\"UPDATE backup_tasks SET last_status = 'running' WHERE id = ?\", (record.task_id,))\n"
            ),
        ),
    ),
    mutant(
        "restores-anything",
        "RST-5",
        "Any backup can be restored.",
        (
            '    if record.status != RecordStatus.SUCCESS:\n        raise ApiError("RESTORE_SOURCE_INVALID")\n',
            "",
        ),
    ),
    mutant(
        "restores-what-runs",
        "RST-5",
        "A backup that has not failed can be restored.",
        (
            '    if record.status != RecordStatus.SUCCESS:\n        raise ApiError("RESTORE_SOURCE_INVALID")\n',
            '    if record.status == RecordStatus.FAILED:\n        raise ApiError("RESTORE_SOURCE_INVALID")\n',
        ),
    ),
    mutant(
        "refused-restore-leaves-nothing",
        "RST-6",
        "A restore on an offline node leaves no record.",
        (
            "            records.fail_running(state.database, Restore, restore_id, offline, now)\n",
            "            state.database.delete(Restore, restore_id)\n",
        ),
    ),
    mutant(
        "refused-restore-runs",
        "RST-6",
        "A restore on an offline node leaves a running record.",
        (
            "            records.fail_running(state.database, Restore, restore_id, offline, now)\n",
            "            pass\n",
        ),
    ),
    mutant(
        "restore-names-the-backup",
        "RST-7",
        "The command of a restore has the backup's id.",
        ('payload = {"restoreRecordId": restore_id}', 'payload = {"restoreRecordId": record.id}'),
    ),
    mutant(
        "restore-without-command",
        "RST-7",
        "A restore is asked for as a run.",
        (
            "node.id, CommandType.RESTORE_RECORD, payload, now",
            "node.id, CommandType.RUN_TASK, payload, now",
        ),
    ),
    mutant(
        "unknown-restore-is-forbidden",
        "RST-8",
        "A report about an unknown restore is answered as one about another node's.",
        (
            '    if restore is None:\n        raise ApiError("RESTORE_RECORD_NOT_FOUND")\n    if restore.node_id',
            '    if restore is None:\n        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n    if restore.node_id',
        ),
    ),
    mutant(
        "restores-not-filtered-by-node",
        "RST-19",
        "A list of restores is not filtered by node.",
        ('    conditions.id("nodeId", "node_id", 32)\n', ""),
    ),
    mutant(
        "restores-filtered-by-restore",
        "RST-19",
        "A list of restores is filtered by their own id in place of their backup's.",
        (
            'conditions.id("backupRecordId", "backup_record_id", 32)',
            'conditions.id("backupRecordId", "id", 32)',
        ),
    ),
    mutant(
        "restore-by-nobody",
        "RST-20",
        "A restore does not name who asked for it.",
        ("triggered_by=triggered_by, now=now", 'triggered_by="", now=now'),
    ),
    mutant(
        "restore-by-the-system",
        "RST-20",
        "Every restore names the master for who asked.",
        ("triggered_by=triggered_by, now=now", 'triggered_by="system", now=now'),
    ),
)
