"""What agents report about their backups and restores, and whose those are."""

from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.messages import RecordUpdate, RestoreUpdate
from master.protocol.states import FINISHED_RECORD
from master.state import State
from master.store import records, tasks
from master.store.rows import Node, Record, Restore, Task


def update_record(state: State, node: Node, record_id: int, update: RecordUpdate, now: Now) -> None:
    """Take a report about a backup (seed: `UpdateRecord`).

    The record is its task's: whoever the task belongs to now may update it. v2.0.0 stores any
    status, and takes reports about finished records like all others.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_FORBIDDEN.

    """
    record = state.database.get(Record, record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND", "记录不存在")
    task = state.database.get(Task, record.task_id)
    if task is None or task.node_id != node.id:
        raise ApiError("BACKUP_RECORD_FORBIDDEN")
    finished = update.status in FINISHED_RECORD
    changes = {
        "status": update.status or record.status,
        "file_name": update.fileName or record.file_name,
        "file_size": update.fileSize if update.fileSize > 0 else record.file_size,
        "checksum": update.checksum or record.checksum,
        "storage_path": update.storagePath or record.storage_path,
        "error_message": update.errorMessage or record.error_message,
        "log_content": record.log_content + update.logAppend,
        "updated_at": now.local,
    }
    if finished:
        changes["completed_at"] = now.utc
        changes["duration_seconds"] = records.duration_s(record.started_at, now)
    with state.database.transaction():
        state.database.update(Record, record.id, **changes)
        if finished:
            tasks.set_last_status(state.database, task.id, update.status, now)


def update_restore(
    state: State, node: Node, restore_id: int, update: RestoreUpdate, now: Now
) -> None:
    """Take a report about a restore: its log, and when it says so its end.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN.

    """
    restore = own_restore(state, node, restore_id)
    finished = update.status in FINISHED_RECORD
    changes: dict[str, str | int] = {"updated_at": now.local}
    if update.logAppend.strip():
        changes["log_content"] = _joined_log(restore.log_content, update.logAppend)
    if update.status:
        changes["status"] = update.status
    if finished:
        changes["completed_at"] = now.utc
        changes["duration_seconds"] = records.duration_s(restore.started_at, now)
        if update.errorMessage.strip():
            changes["error_message"] = update.errorMessage.strip()
    state.database.update(Restore, restore.id, **changes)
    timestamp = times.wire_text(now.utc)
    for line in update.logAppend.split("\n"):
        if line.strip():
            state.restore_logs.append(restore.id, "info", line.rstrip("\r"), timestamp)
    if finished:
        state.restore_logs.complete(restore.id, update.status, timestamp)


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


def _joined_log(stored: str, appended: str) -> str:
    if not stored.strip():
        return appended
    return stored + ("" if stored.endswith("\n") else "\n") + appended
