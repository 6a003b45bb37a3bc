"""What agents report about their backups and restores, and whose those are.

A report changes its record and, with the record's end, the record's task.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

from master.now import Now
from master.protocol import times, wire
from master.protocol.errors import ApiError
from master.protocol.messages import (
    CheckedRecordUpdate,
    RecordUpdate,
    RestoreUpdate,
    StoredUpload,
    TargetedRecordUpdate,
)
from master.protocol.states import FINISHED_RECORD, RecordStatus
from master.service import checks
from master.state import State
from master.store import records, tasks
from master.store.rows import Node, Record, Restore, Task

Changes = dict[str, str | int]


def _is_final(state: State, row: Record | Restore) -> bool:
    """Return whether a record or restore has ended, and reports change nothing of it any more."""
    return state.config.profile.finished_records_final and row.status in FINISHED_RECORD


def _tell_too_late(state: State, code: str) -> None:
    """Refuse a report that came too late and says something new, where its sender is told so."""
    if state.config.profile.late_reports_told:
        raise ApiError(code)


# --- backups --------------------------------------------------------------------------------


def own_record(state: State, node: Node, record_id: int) -> tuple[Record, Task]:
    """Return a backup record that is the node's, and its task, without which it is nobody's.

    It is the node's that it was made for; before that counted, and where it names none, the
    node's that its task is bound to now.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_FORBIDDEN.

    """
    record = state.database.get(Record, record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND", "记录不存在")
    task = state.database.get(Task, record.task_id)
    if task is None:
        raise ApiError("BACKUP_RECORD_FORBIDDEN")
    made_for = record.node_id if state.config.profile.record_owner else 0
    if (made_for or task.node_id) != node.id:
        raise ApiError("BACKUP_RECORD_FORBIDDEN")
    return record, task


def update_record(state: State, node: Node, record_id: int, update: RecordUpdate, now: Now) -> None:
    """Take a report about a backup (seed: `UpdateRecord`).

    Raises:
        ApiError: those of `own_record` and `checks.checked`; BACKUP_RECORD_FINISHED.

    """
    record, task = own_record(state, node, record_id)
    profile = state.config.profile
    if _is_final(state, record):
        if not _repeats_backup(state, record, task, update):
            _tell_too_late(state, "BACKUP_RECORD_FINISHED")
        return
    changes = _backup_changes(record, _checked(state, record, task, update))
    changes["log_content"] = record.log_content + update.logAppend
    finished = update.status in FINISHED_RECORD
    if finished:
        changes |= _end(record, now)
    with state.database.transaction() if profile.reports_whole else nullcontext():
        state.database.update(Record, record.id, **changes, updated_at=now.local)
        if finished:
            with nullcontext() if profile.task_troubles_told else suppress(sqlite3.Error):
                note_end(state, record, update.status, now)


def note_end(state: State, record: Record, status: str, now: Now) -> None:
    """Note in a record's task how its run ended."""
    last_run_at = record.started_at if state.config.profile.last_run_is_the_records else None
    tasks.set_last_status(state.database, record.task_id, status, now, last_run_at=last_run_at)


def _checked(state: State, record: Record, task: Task, update: RecordUpdate) -> RecordUpdate:
    if not isinstance(update, CheckedRecordUpdate):  # an older release's, which is taken as it is
        return update
    return checks.checked(state, record, task, update)


def _backup_changes(record: Record, update: RecordUpdate) -> Changes:
    """Return what a report sets: all that it names, but for the log and the end."""
    changes: Changes = {
        "status": update.status or record.status,
        "file_name": update.fileName or record.file_name,
        "file_size": update.fileSize if update.fileSize > 0 else record.file_size,
        "checksum": update.checksum or record.checksum,
        "storage_path": update.storagePath or record.storage_path,
        "error_message": update.errorMessage or record.error_message,
    }
    if isinstance(update, TargetedRecordUpdate | CheckedRecordUpdate):
        changes |= _target_changes(update)
    return changes


def _target_changes(update: TargetedRecordUpdate | CheckedRecordUpdate) -> Changes:
    changes: Changes = {}
    if update.storageTargetId:
        if update.storageTargetId > wire.INT64_MAX:
            raise ApiError("INTERNAL_ERROR")  # no column holds it
        changes["storage_target_id"] = update.storageTargetId
        if isinstance(update, CheckedRecordUpdate):
            changes["storage_transfer_mode"] = update.storageTransferMode
    if update.storageUploadResults:
        stored = [StoredUpload(**_fields(result)) for result in update.storageUploadResults]
        changes["storage_upload_results"] = wire.encode(stored).decode()
    return changes


def _fields(message: wire.Inbound) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _repeats_backup(state: State, record: Record, task: Task, update: RecordUpdate) -> bool:
    """Return whether a report about a finished record says only what is known already."""
    try:
        changes = _backup_changes(record, _checked(state, record, task, update))
    except ApiError:
        return False
    return _known(record, changes) and record.log_content.endswith(update.logAppend)


def _known(row: Record | Restore, changes: Mapping[str, str | int]) -> bool:
    return all(getattr(row, name) == value for name, value in changes.items())


def _end(row: Record | Restore, now: Now) -> Changes:
    took_s = records.duration_s(row.started_at, now)
    return {"completed_at": now.utc, "duration_seconds": took_s}


# --- restores -------------------------------------------------------------------------------


def own_restore(state: State, node: Node, restore_id: int) -> Restore:
    """Return a restore that is the node's.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN.

    """
    restore = state.database.get(Restore, restore_id)
    if restore is None:
        raise ApiError("RESTORE_RECORD_NOT_FOUND")
    if restore.node_id != node.id:
        raise ApiError("RESTORE_RECORD_FORBIDDEN")
    return restore


def update_restore(
    state: State, node: Node, restore_id: int, update: RestoreUpdate, now: Now
) -> None:
    """Take a report about a restore: its log, and when it says so its end.

    Raises:
        ApiError: those of `own_restore`; RESTORE_RECORD_FINISHED, RESTORE_RECORD_STATUS_INVALID.

    """
    restore = own_restore(state, node, restore_id)
    profile = state.config.profile
    if _is_final(state, restore):
        if not _repeats_restore(restore, update):
            _tell_too_late(state, "RESTORE_RECORD_FINISHED")
        return
    if profile.restore_status_checked and update.status not in ("", *RecordStatus):
        raise ApiError("RESTORE_RECORD_STATUS_INVALID")
    changes = _restore_changes(update)
    finished = update.status in FINISHED_RECORD
    if update.logAppend.strip():
        changes["log_content"] = _joined_log(restore.log_content, update.logAppend)
    if finished:
        changes |= _end(restore, now)
    state.database.update(Restore, restore.id, **changes, updated_at=now.local)
    _show(state, restore, update, now)


def _restore_changes(update: RestoreUpdate) -> Changes:
    """Return what a report sets, but for the log and the end; an error counts at the end alone."""
    changes: Changes = {}
    if update.status:
        changes["status"] = update.status
    if update.status in FINISHED_RECORD and update.errorMessage.strip():
        changes["error_message"] = update.errorMessage.strip()
    return changes


def _repeats_restore(restore: Restore, update: RestoreUpdate) -> bool:
    """Return whether a report about a finished restore says only what is known already."""
    logged = not update.logAppend.strip() or restore.log_content.endswith(update.logAppend)
    return _known(restore, _restore_changes(update)) and logged


def _joined_log(stored: str, appended: str) -> str:
    if not stored.strip():
        return appended
    return stored + ("" if stored.endswith("\n") else "\n") + appended


def _show(state: State, restore: Restore, update: RestoreUpdate, now: Now) -> None:
    """Show what was reported to those who follow the restore."""
    timestamp = times.wire_text(now.utc)
    for line in update.logAppend.split("\n"):
        if line.strip():
            state.restore_logs.append(restore.id, "info", line.rstrip("\r"), timestamp)
    if update.status in FINISHED_RECORD:
        state.restore_logs.complete(restore.id, update.status, timestamp)
