"""Mutants of REC where later releases differ: whose a record is, its end, its storage targets."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_GUARD: Final = "    if _is_final(state, record):\n"
_TOLD: Final = (
    "        if not _repeats_backup(state, record, task, update):\n"
    '            _tell_too_late(state, "BACKUP_RECORD_FINISHED")\n'
    "        return\n"
)
_OWNER: Final = "    if (made_for or task.node_id) != node.id:\n"
_LAST_RUN: Final = "record.started_at if state.config.profile.last_run_is_the_records else None"
_NOT_CHECKED: Final = "    if not isinstance(update, CheckedRecordUpdate):  # an older release's, which is taken as it is\n        return update\n"

_TROUBLES: Final = (
    "            with nullcontext() if profile.task_troubles_told else suppress(sqlite3.Error):\n"
)
_WHOLE: Final = (
    "    with state.database.transaction() if profile.reports_whole else nullcontext():\n"
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    # --- whose it is, and its end -----------------------------------------------------------
    mutant(
        "finished-takes-logs",
        "REC-12",
        "A finished record takes the log of a late report.",
        (
            _TOLD,
            _TOLD.replace(
                "        return\n",
                "        state.database.update(Record, record.id, log_content=record.log_content + update.logAppend)\n        return\n",
            ),
        ),
    ),
    mutant(
        "only-success-is-final",
        "REC-12",
        "A record that failed takes further reports.",
        (_GUARD, '    if profile.finished_records_final and record.status == "success":\n'),
    ),
    mutant(
        "only-failure-is-final",
        "REC-12",
        "A record that succeeded takes further reports.",
        (_GUARD, '    if profile.finished_records_final and record.status == "failed":\n'),
    ),
    mutant(
        "only-another-end-is-ignored",
        "REC-12",
        "A finished record takes what comes without a status.",
        (_GUARD, _GUARD.replace(":\n", " and update.status:\n")),
    ),
    mutant(
        "late-report-refused",
        "REC-13",
        "A report about a finished record is refused.",
        (_TOLD, '        raise ApiError("BACKUP_RECORD_FINISHED")\n'),
    ),
    mutant(
        "late-report-checked",
        "REC-13",
        "A report is checked before anybody looks whether its record is finished.",
        (_GUARD, "    _checked(state, record, task, update)\n" + _GUARD),
        profile="2.4",
    ),
    mutant(
        "repetition-refused",
        "REC-14",
        "A report that repeats what is known is told that it came too late.",
        (_TOLD, _TOLD.replace("if not _repeats_backup(state, record, task, update)", "if record")),
    ),
    mutant(
        "late-report-not-told",
        "REC-14",
        "A report that comes too late is answered 200.",
        (_TOLD, "        return\n"),
    ),
    mutant(
        "late-log-not-told",
        "REC-14",
        "A late report that only has another log counts as a repetition.",
        (
            "_known(record, changes) and record.log_content.endswith(update.logAppend)",
            "_known(record, changes)",
        ),
    ),
    mutant(
        "late-nonsense-not-told",
        "REC-14",
        "A late report that would be refused counts as a repetition.",
        (
            "    except ApiError:\n        return False\n    return _known(record, changes)",
            "    except ApiError:\n        return True\n    return _known(record, changes)",
        ),
    ),
    mutant(
        "record-goes-with-its-task",
        "REC-15",
        "A record belongs to the node that its task is bound to now.",
        ("record.node_id if state.config.profile.record_owner else 0", "0"),
    ),
    mutant(
        "record-of-no-node-is-nobodys",
        "REC-15",
        "A record that names no node belongs to nobody.",
        (_OWNER, "    if made_for != node.id:\n"),
    ),
    mutant(
        "record-of-either-node",
        "REC-15",
        "A record belongs to the node that it was made for, and to its task's as well.",
        (_OWNER, "    if node.id not in (made_for, task.node_id):\n"),
    ),
    mutant(
        "record-of-the-pool",
        "REC-15",
        "A pool's record belongs to all of the pool.",
        (_OWNER, "    if task.node_id and (made_for or task.node_id) != node.id:\n"),
    ),
    mutant(
        "last-run-follows-the-record",
        "REC-16",
        "The end of a record sets when its task last ran.",
        (_LAST_RUN, "record.started_at"),
    ),
    mutant(
        "end-is-a-run",
        "REC-16",
        "The end of a backup becomes the time its task last ran.",
        (
            '    changes = {"last_status": status, "updated_at": now.local}\n',
            '    changes = {"last_status": status, "updated_at": now.local, "last_run_at": now.utc}\n',
        ),
    ),
    mutant(
        "last-run-not-set",
        "REC-17",
        "The end of a record leaves when its task last ran.",
        (_LAST_RUN, "None"),
    ),
    mutant(
        "last-run-is-the-end",
        "REC-17",
        "The end of a record becomes the time its task last ran.",
        (_LAST_RUN, "now.utc if state.config.profile.last_run_is_the_records else None"),
    ),
    # --- storage targets and results of uploads -----------------------------------------------
    mutant(
        "target-not-kept",
        "REC-18",
        "A record keeps its first storage target.",
        ('        changes["storage_target_id"] = update.storageTargetId\n', "        pass\n"),
    ),
    mutant(
        "no-target-clears",
        "REC-18",
        "A report that names no storage target takes the record's away.",
        (
            "    if update.storageTargetId:\n        if update.storageTargetId > wire",
            "    if True:\n        if update.storageTargetId > wire",
        ),
    ),
    mutant(
        "empty-results-clear",
        "REC-19",
        "An empty list of results takes those that are known away.",
        (
            "    if update.storageUploadResults:\n",
            "    if update.storageUploadResults is not None:\n",
        ),
    ),
    mutant(
        "first-result-kept",
        "REC-19",
        "Of the results of uploads the first is kept.",
        ("wire.encode(stored).decode()", "wire.encode(stored[:1]).decode()"),
    ),
    mutant(
        "newer-fields-known",
        "REC-29",
        "A release that does not know storage targets in reports stores them.",
        (
            "return bind_targeted_record_update if profile.reports_name_targets else",
            "return bind_targeted_record_update if profile else",
        ),
    ),
    mutant(
        "target-must-be-the-tasks",
        "REC-32",
        "A storage target that is not the task's is refused.",
        (
            _NOT_CHECKED,
            (
                "    if isinstance(update, TargetedRecordUpdate) and update.storageTargetId not in (0, *checks.allowed(state, task)):\n"
                '        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n'
            )
            + _NOT_CHECKED,
        ),
    ),
    # --- releases that check nothing ------------------------------------------------------------
    mutant(
        "negative-size-counts",
        "REC-31",
        "A size below 0 overwrites the one that is known.",
        ("update.fileSize if update.fileSize > 0 else", "update.fileSize if update.fileSize else"),
    ),
    mutant(
        "negative-size-refused",
        "REC-31",
        "A size below 0 is refused.",
        (
            _NOT_CHECKED,
            '    if update.fileSize < 0:\n        raise ApiError("AGENT_ARTIFACT_INVALID")\n'
            + _NOT_CHECKED,
        ),
    ),
    mutant(
        "checksum-always-small",
        "REC-33",
        "A checksum is kept in small letters.",
        ("update.checksum or record.checksum", "update.checksum.lower() or record.checksum"),
    ),
    mutant(
        "path-always-tidied",
        "REC-33",
        "A storage path is tidied before it is stored.",
        (
            "update.storagePath or record.storage_path",
            'update.storagePath.strip().replace("//", "/") or record.storage_path',
        ),
    ),
    # --- a task that cannot be told -----------------------------------------------------------
    mutant(
        "troubles-always-told",
        "REC-34",
        "A record's end that cannot be noted in its task is refused.",
        (_TROUBLES, "            with nullcontext():\n"),
    ),
    mutant(
        "troubles-never-told",
        "REC-35",
        "A record's end that cannot be noted in its task is answered 200.",
        (_TROUBLES, "            with suppress(sqlite3.Error):\n"),
    ),
    mutant(
        "reports-always-whole",
        "REC-36",
        "A record does not end when its task cannot be told.",
        (_WHOLE, "    with state.database.transaction():\n"),
    ),
    mutant(
        "reports-never-whole",
        "REC-37",
        "A record ends when its task cannot be told.",
        (_WHOLE, "    with nullcontext():\n"),
    ),
    mutant(
        "timeout-keeps-the-older-error",
        "TMO-3",
        "A record that times out keeps the error that its agent reported before.",
        (
            "error_message=message,\n        completed_at=now.utc,",
            "error_message=record.error_message or message,\n        completed_at=now.utc,",
        ),
    ),
    mutant(
        "durations-are-rounded",
        "REC-70",
        "A duration is rounded to the nearest second.",
        (
            "return int((now.ns - times.parse(started_at)) / NS)",
            "return round((now.ns - times.parse(started_at)) / NS)",
        ),
    ),
    mutant(
        "begun-seconds-count",
        "REC-70",
        "A second that has begun counts for a duration.",
        (
            "return int((now.ns - times.parse(started_at)) / NS)",
            "return -((times.parse(started_at) - now.ns) // NS)",
        ),
    ),
    mutant(
        "ended-with-the-report-before",
        "REC-5",
        "A record ends when it was last reported about before its end.",
        (
            '    took_s = records.duration_s(row.started_at, now)\n    return {"completed_at": now.utc,',
            '    took_s = records.duration_s(row.started_at, now)\n    return {"completed_at": getattr(row, "updated_at") or now.utc,',
        ),
    ),
    mutant(
        "log-is-cut",
        "LOG-1",
        "A log keeps its last 64 KiB.",
        (
            'changes["log_content"] = record.log_content + update.logAppend',
            'changes["log_content"] = (record.log_content + update.logAppend)[-65536:]',
        ),
    ),
    mutant(
        "restore-log-is-cut",
        "LOG-2",
        "A restore's log keeps its last 64 KiB.",
        (
            '    return stored + ("" if stored.endswith("\\n") else "\\n") + appended',
            '    return (stored + ("" if stored.endswith("\\n") else "\\n") + appended)[-65536:]',
        ),
    ),
    mutant(
        "success-clears-the-error",
        "REC-30",
        "Success takes away the error that was reported before.",
        (
            '"error_message": update.errorMessage or record.error_message,',
            '"error_message": "" if update.status == "success" else update.errorMessage or record.error_message,',
        ),
    ),
    mutant(
        "first-path-stays",
        "REC-3",
        "A report does not overwrite a storage path that is known.",
        (
            '"storage_path": update.storagePath or record.storage_path,',
            '"storage_path": record.storage_path or update.storagePath,',
        ),
    ),
    mutant(
        "running-again-takes-no-time",
        "REC-8",
        "A finished record that is reported running forgets how long it took.",
        (
            "    if finished:\n        changes |= _end(record, now)\n    with",
            '    if finished:\n        changes |= _end(record, now)\n    elif update.status == "running":\n        changes["duration_seconds"] = 0\n    with',
        ),
    ),
    mutant(
        "last-status-of-the-newest-run",
        "REC-6",
        "Only the run that began last counts for its task's last status.",
        (
            "    last_run_at = record.started_at if state",
            '    newest = state.database.find(Record, "task_id = ? ORDER BY id DESC", record.task_id)\n    if newest is not None and newest.id != record.id:\n        return\n    last_run_at = record.started_at if state',
        ),
    ),
)
