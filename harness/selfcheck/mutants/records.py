"""Mutants of REC and LOG: what agents report about backups, and the logs."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "anybodys-record",
        "REC-1",
        "A report counts whoever sends it, as long as the record has a task.",
        (
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            "",
        ),
    ),
    mutant(
        "foreign-report-applied",
        "REC-1",
        "Another node's report is refused, and its log kept.",
        (
            "    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n",
            '    try:\n        record, task = own_record(state, node, record_id)\n    except ApiError as error:\n        if error.code == "BACKUP_RECORD_FORBIDDEN":\n            state.database.execute("UPDATE backup_records SET log_content = log_content || ? WHERE id = ?", (update.logAppend, record_id))\n        raise\n    profile = state.config.profile\n',
        ),
    ),
    mutant(
        "foreign-report-is-403",
        "REC-1",
        "Another node's report is answered as administration refuses.",
        (
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("AUTH_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "report-for-nothing",
        "REC-2",
        "A report about an unknown record is answered 200.",
        (
            "    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n",
            "    if state.database.get(Record, record_id) is None:\n        return\n    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n",
        ),
    ),
    mutant(
        "unknown-record-is-forbidden",
        "REC-2",
        "An unknown record is answered as another node's.",
        (
            '        raise ApiError("BACKUP_RECORD_NOT_FOUND", "记录不存在")\n',
            '        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "empty-name-clears",
        "REC-3",
        "A report without a file name clears it.",
        ("update.fileName or record.file_name", "update.fileName"),
    ),
    mutant(
        "empty-error-clears",
        "REC-3",
        "A report without an error clears it.",
        ("update.errorMessage or record.error_message", "update.errorMessage"),
    ),
    mutant(
        "path-is-kept",
        "REC-3",
        "A storage path that is known is not overwritten.",
        ("update.checksum or record.checksum", "record.checksum or update.checksum"),
    ),
    mutant(
        "blank-text-is-empty",
        "REC-3",
        "A text of white space alone counts as empty.",
        (
            "update.errorMessage or record.error_message",
            "update.errorMessage.strip() or record.error_message",
        ),
    ),
    mutant(
        "size-of-nothing-counts",
        "REC-4",
        "A size of 0 overwrites the one that is known.",
        (
            "update.fileSize if update.fileSize > 0 else",
            "update.fileSize if update.fileSize >= 0 else",
        ),
    ),
    mutant(
        "size-only-grows",
        "REC-4",
        "A size overwrites the one that is known only if it is more.",
        (
            "update.fileSize if update.fileSize > 0 else",
            "update.fileSize if update.fileSize > record.file_size else",
        ),
    ),
    mutant(
        "success-without-end",
        "REC-5",
        "Only a failure ends a record.",
        (
            "        changes |= _end(record, now)\n",
            '        changes |= _end(record, now)\n        if update.status == "success":\n            changes.pop("completed_at")\n',
        ),
    ),
    mutant(
        "took-no-time",
        "REC-5",
        "A record that ends took 0 s.",
        (
            'return {"completed_at": now.utc, "duration_seconds": took_s}',
            'return {"completed_at": now.utc, "duration_seconds": took_s if isinstance(row, Restore) else 0}',
        ),
    ),
    mutant(
        "milliseconds-for-seconds",
        "REC-5",
        "A record that ends took a thousand times as long.",
        (
            'return {"completed_at": now.utc, "duration_seconds": took_s}',
            'return {"completed_at": now.utc, "duration_seconds": took_s if isinstance(row, Restore) else took_s * 1000}',
        ),
    ),
    mutant(
        "progress-ends-a-record",
        "REC-5",
        "Any report that names a status ends its record.",
        (
            "    finished = update.status in FINISHED_RECORD\n    if finished:\n        changes |= _end(record, now)\n",
            "    finished = bool(update.status)\n    if finished:\n        changes |= _end(record, now)\n",
        ),
    ),
    mutant(
        "task-not-marked",
        "REC-6",
        "The end of a backup does not reach its task.",
        ("            note_end(state, record, update.status, now)\n", "            pass\n"),
    ),
    mutant(
        "task-of-the-records-number-marked",
        "REC-6",
        "The end of a backup reaches the task with the record's id.",
        (
            "tasks.set_last_status(state.database, record.task_id, status, now, last",
            "tasks.set_last_status(state.database, record.id, status, now, last",
        ),
    ),
    mutant(
        "only-success-reaches-the-task",
        "REC-6",
        "A failed backup does not reach its task.",
        (
            "            note_end(state, record, update.status, now)\n",
            '            note_end(state, record, "success", now)\n',
        ),
    ),
    mutant(
        "all-tasks-marked",
        "REC-6",
        "The end of a backup reaches every task of its node.",
        (
            "    database.update(Task, task_id, **changes)\n",
            '    database.execute("UPDATE backup_tasks SET last_status = ? WHERE node_id = (SELECT node_id FROM backup_tasks WHERE id = ?)", (status, task_id))\n',
        ),
    ),
    mutant(
        "status-checked",
        "REC-7",
        "A status that is no known word is ignored.",
        (
            "update.status or record.status",
            "update.status if update.status in ('running', 'success', 'failed') else record.status",
        ),
    ),
    mutant(
        "status-in-any-case",
        "REC-7",
        "SUCCESS ends a record.",
        (
            "    finished = update.status in FINISHED_RECORD\n    if finished:\n        changes |= _end(record, now)\n",
            "    finished = update.status.lower() in FINISHED_RECORD\n    if finished:\n        changes |= _end(record, now)\n",
        ),
    ),
    mutant(
        "finished-is-final",
        "REC-8",
        "A finished record takes no further reports.",
        (
            "    if _is_final(state, record):\n",
            "    if record.status in FINISHED_RECORD:\n",
        ),
    ),
    mutant(
        "end-stays",
        "REC-8",
        "A second end leaves the first one's time.",
        (
            "        changes |= _end(record, now)\n",
            '        changes |= _end(record, now)\n        changes["completed_at"] = record.completed_at or now.utc\n',
        ),
    ),
    mutant(
        "record-of-its-own-node",
        "REC-9",
        "A record belongs to the node that it was made for.",
        (
            "    made_for = record.node_id if state.config.profile.record_owner else 0\n",
            "    made_for = record.node_id\n",
        ),
    ),
    mutant(
        "task-of-its-own-number",
        "REC-9",
        "A record belongs to the node of the task with the record's id.",
        (
            '    task = state.database.get(Task, record.task_id)\n    if task is None:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            '    task = state.database.get(Task, record.id)\n    if task is None:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "orphan-belongs-to-all",
        "REC-10",
        "A record whose task is gone takes anybody's report.",
        (
            '    task = state.database.get(Task, record.task_id)\n    if task is None:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            "    task = state.database.get(Task, record.task_id)\n    if task is None:\n        return record, state.database.select(Task)[0]\n",
        ),
    ),
    mutant(
        "orphan-is-unknown",
        "REC-10",
        "A record whose task is gone is answered 404.",
        (
            '    task = state.database.get(Task, record.task_id)\n    if task is None:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            '    task = state.database.get(Task, record.task_id)\n    if task is None:\n        raise ApiError("BACKUP_RECORD_NOT_FOUND")\n',
        ),
    ),
    # --- LOG ---
    mutant(
        "log-replaced",
        "LOG-1",
        "A report's text replaces the log.",
        ("record.log_content + update.logAppend", "update.logAppend or record.log_content"),
    ),
    mutant(
        "log-backwards",
        "LOG-1",
        "A report's text goes before the log.",
        ("record.log_content + update.logAppend", "update.logAppend + record.log_content"),
    ),
    mutant(
        "log-in-lines",
        "LOG-1",
        "Each text in a backup's log ends with a line break.",
        (
            "record.log_content + update.logAppend",
            'record.log_content + (update.logAppend.rstrip("\\n") + "\\n" if update.logAppend else "")',
        ),
    ),
    mutant(
        "blank-text-not-logged",
        "LOG-1",
        "White space alone is no text for a backup's log.",
        (
            "record.log_content + update.logAppend",
            "record.log_content + (update.logAppend if update.logAppend.strip() else '')",
        ),
    ),
    mutant(
        "texts-at-once-lost",
        "LOG-4",
        "Of texts that arrive together only the last one is kept.",
        (
            "    node = _node(state, call)\n    record_id = call.agent_id()\n",
            "    node = _node(state, call)\n    record_id = call.agent_id()\n    return _read_first(state, node, record_id, call)\n",
        ),
        (
            "def restore_spec(state: State, call: Call) -> Response:\n",
            (
                "async def _read_first(state, node, record_id, call):\n"
                '    before = state.database.query("SELECT log_content FROM backup_records WHERE id = ?", (record_id,))\n'
                "    await state.clock.sleep_until(state.clock.monotonic_s())\n"
                "    for row in before:\n"
                '        state.database.execute("UPDATE backup_records SET log_content = ? WHERE id = ?", (row[0], record_id))\n'
                "    reports.update_record(state, node, record_id, call.body(bind_record_update), call.now)\n"
                "    return OK_STATUS\n\n\n"
                "def restore_spec(state: State, call: Call) -> Response:\n"
            ),
        ),
    ),
    mutant(
        "restore-log-runs-on",
        "LOG-2",
        "A restore's log gets no line breaks.",
        (
            '    return stored + ("" if stored.endswith("\\n") else "\\n") + appended\n',
            "    return stored + appended\n",
        ),
    ),
    mutant(
        "restore-log-always-breaks",
        "LOG-2",
        "A restore's log gets a line break between any two texts.",
        (
            '    return stored + ("" if stored.endswith("\\n") else "\\n") + appended\n',
            '    return stored + "\\n" + appended\n',
        ),
    ),
    mutant(
        "white-space-logged",
        "LOG-3",
        "White space is a text for a restore's log.",
        ("    if update.logAppend.strip():\n", "    if update.logAppend:\n"),
    ),
    mutant(
        "report-clears-the-rest",
        "REC-30",
        "A report of a file's name forgets its checksum.",
        (
            "update.checksum or record.checksum",
            "update.checksum or ('' if update.fileName else record.checksum)",
        ),
    ),
    mutant(
        "report-begins-anew",
        "REC-30",
        "A report of progress begins its record anew.",
        (
            "        state.database.update(Record, record.id, **changes, updated_at=now.local)\n",
            "        state.database.update(Record, record.id, **changes, updated_at=now.local, started_at=now.utc)\n",
        ),
    ),
    mutant(
        "carriage-returns-dropped",
        "LOG-5",
        "A log loses its carriage returns.",
        (
            "record.log_content + update.logAppend",
            'record.log_content + update.logAppend.replace("\\r\\n", "\\n")',
        ),
    ),
    mutant(
        "log-trimmed",
        "LOG-5",
        "A log loses white space at the end of a text.",
        (
            "record.log_content + update.logAppend",
            'record.log_content + update.logAppend.rstrip(" ")',
        ),
    ),
    mutant(
        "paths-need-a-target",
        "REC-33",
        "A report with a storage path is refused unless it names a storage target.",
        (
            "    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n",
            "    record, task = own_record(state, node, record_id)\n    if update.storagePath and not getattr(update, 'storageTargetId', 0):\n        raise ApiError(\"AGENT_ARTIFACT_INVALID_PATH\")\n    profile = state.config.profile\n",
        ),
    ),
    mutant(
        "paths-are-dropped",
        "REC-33",
        "A storage path without a storage target is not stored.",
        (
            '        "storage_path": update.storagePath or record.storage_path,\n',
            '        "storage_path": (getattr(update, "storageTargetId", 0) and update.storagePath) or record.storage_path,\n',
        ),
    ),
)
