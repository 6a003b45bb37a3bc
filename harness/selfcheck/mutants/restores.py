"""Mutants of RST: what agents report about restores."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_GUARD: Final = "    if _is_final(state, restore):\n"
_TOLD: Final = (
    "        if not _repeats_restore(restore, update):\n"
    '            _tell_too_late(state, "RESTORE_RECORD_FINISHED")\n'
    "        return\n"
)
_CHECKED: Final = (
    '    if profile.restore_status_checked and update.status not in ("", *RecordStatus):\n'
)
_FINISHED: Final = "    finished = update.status in FINISHED_RECORD\n    if update.logAppend.strip"

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
    # --- what differs between releases ------------------------------------------------------
    mutant(
        "restore-by-the-maker",
        "RST-9",
        "A backup is restored by the node that made it.",
        (
            "    return (record.node_id or task.node_id) if follows else task.node_id\n",
            "    return record.node_id or task.node_id\n",
        ),
    ),
    mutant(
        "restore-by-the-tasks-node",
        "RST-10",
        "A backup is restored by the node that its task is bound to now.",
        (
            "    return (record.node_id or task.node_id) if follows else task.node_id\n",
            "    return (task.node_id or record.node_id) if follows else task.node_id\n",
        ),
    ),
    mutant(
        "restore-of-a-pools-backup-by-nobody",
        "RST-10",
        "A backup is restored by the node that made it, only if its task is bound to one.",
        (
            "    return (record.node_id or task.node_id) if follows else task.node_id\n",
            "    return (record.node_id or task.node_id) if follows and task.node_id else task.node_id\n",
        ),
    ),
    mutant(
        "restore-of-no-node-by-nobody",
        "RST-10",
        "A backup that names no node is not restored.",
        (
            "    return (record.node_id or task.node_id) if follows else task.node_id\n",
            "    return record.node_id if follows else task.node_id\n",
        ),
    ),
    mutant(
        "finished-restore-is-final",
        "RST-11",
        "A finished restore takes no further reports.",
        (_GUARD, "    if restore.status in FINISHED_RECORD:\n"),
    ),
    mutant(
        "failed-restore-stays-failed",
        "RST-11",
        "A restore that failed cannot succeed any more.",
        (
            _GUARD,
            '    if restore.status == "failed" and update.status == "success":\n        return\n'
            + _GUARD,
        ),
    ),
    mutant(
        "finished-restore-takes-logs",
        "RST-12",
        "A finished restore takes what comes without a status.",
        (_GUARD, _GUARD.replace(":\n", " and update.status:\n")),
    ),
    mutant(
        "only-a-successful-restore-is-final",
        "RST-12",
        "A restore that failed takes further reports.",
        (_GUARD, '    if profile.finished_records_final and restore.status == "success":\n'),
    ),
    mutant(
        "only-a-failed-restore-is-final",
        "RST-12",
        "A restore that succeeded takes further reports.",
        (_GUARD, '    if profile.finished_records_final and restore.status == "failed":\n'),
    ),
    mutant(
        "late-restore-report-refused",
        "RST-13",
        "A report about a finished restore is refused.",
        (_TOLD, '        raise ApiError("RESTORE_RECORD_FINISHED")\n'),
    ),
    mutant(
        "late-restore-report-not-told",
        "RST-14",
        "A report about a restore that comes too late is answered 200.",
        (_TOLD, "        return\n"),
    ),
    mutant(
        "restores-repetition-refused",
        "RST-14",
        "A report that repeats what is known of a restore is told that it came too late.",
        (_TOLD, _TOLD.replace("if not _repeats_restore(restore, update)", "if restore")),
    ),
    mutant(
        "late-restore-log-not-told",
        "RST-14",
        "A late report about a restore that only has another log counts as a repetition.",
        (
            "_known(restore, _restore_changes(update)) and logged",
            "_known(restore, _restore_changes(update))",
        ),
    ),
    mutant(
        "restore-status-always-checked",
        "RST-15",
        "A restore's status that is no known word is refused.",
        (_CHECKED, '    if update.status not in ("", *RecordStatus):\n'),
    ),
    mutant(
        "restore-status-in-any-case",
        "RST-15",
        "SUCCESS ends a restore.",
        (
            _FINISHED,
            "    finished = update.status.lower() in FINISHED_RECORD\n    if update.logAppend.strip",
        ),
    ),
    mutant(
        "restore-status-never-checked",
        "RST-16",
        "Any status of a restore is stored.",
        (_CHECKED, "    if not profile:\n"),
    ),
    mutant(
        "restore-status-refused-but-logged",
        "RST-16",
        "A report with an unknown status is refused, and its log kept.",
        (
            _CHECKED,
            '    if update.status not in ("", *RecordStatus):\n        _show(state, restore, update, now)\n'
            + _CHECKED,
        ),
    ),
    mutant(
        "body-of-a-restore-ignored",
        "RST-17",
        "A restore pays no attention to its request's body.",
        (
            "_selection(call) if state.config.profile.selective_restores else RestoreInput()",
            "RestoreInput()",
        ),
    ),
    mutant(
        "folder-of-a-restore-not-looked-at",
        "RST-17",
        "A restore into another folder is asked of a node.",
        (
            '        raise ApiError("RESTORE_TARGET_REMOTE_UNSUPPORTED")\n',
            "        return\n",
        ),
    ),
    mutant(
        "paths-of-a-restore-not-looked-at",
        "RST-17",
        "A restore of some paths is asked of a node.",
        ("    if wanted.selectedPaths and node is not None:\n", "    if node == wanted:\n"),
    ),
    mutant(
        "refused-selection-leaves-a-record",
        "RST-17",
        "A restore of some paths is refused after its record was made.",
        (
            "    _check_selection(task, node, wanted)\n",
            (
                "    try:\n"
                "        _check_selection(task, node, wanted)\n"
                "    except ApiError:\n"
                "        records.insert_restore(state.database, record=record, node_id=record.node_id, triggered_by=triggered_by, now=now)\n"
                "        raise\n"
            ),
        ),
    ),
    mutant(
        "body-of-a-restore-read",
        "RST-18",
        "A restore looks at its request's body.",
        (
            "_selection(call) if state.config.profile.selective_restores else RestoreInput()",
            "_selection(call)",
        ),
    ),
)
