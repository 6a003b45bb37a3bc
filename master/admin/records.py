"""Backup records: what was backed up, when, and how it went."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from master import audit
from master.admin import kept, storage
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.filters import Filter
from master.admin.record_view import detail, summaries
from master.admin.rules import RuledBinder, at_least_one, read, required
from master.call import Call
from master.http import ByProfile, Handler, success
from master.now import Now
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Binder, Inbound, Uint
from master.state import State
from master.store.rows import Record


class BatchInput(Inbound):
    """`POST /api/backup/records/batch-delete`."""

    ids: list[Uint] | None = None


class LockInput(Inbound):
    """`PUT /api/backup/records/:id/lock`."""

    locked: bool = False


bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})
bind_lock = Binder(LockInput)


def find(state: State, record_id: int) -> Record:
    """Return a record.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND.

    """
    record = state.database.get(Record, record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND")
    return record


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records`: the latest first; there are no pages.

    Raises:
        ApiError: BACKUP_RECORD_FILTER_INVALID.

    """
    conditions = Filter(call, "BACKUP_RECORD_FILTER_INVALID")
    conditions.id("taskId", "task_id", 64)
    conditions.status_and_dates()
    found = conditions.select(state, Record)
    return success(summaries(state, found))


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records/:id`.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND.

    """
    return success(detail(state, find(state, call.admin_id())))


def download(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records/:id/download`: the backup itself, in pieces, under its file's name.

    What is on a node's own disk is out of reach, as for the real master; remote storage is out of
    the reference's, which has no clients for it.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND, and those of `storage.open_backup`.

    """
    record = find(state, call.admin_id())
    reading = storage.open_backup(state, record)
    name = record.file_name
    if not name.strip():
        name = PurePosixPath(record.storage_path).name
    disposition = f"attachment; filename={wire.quoted(name)}"
    headers = (
        ("Content-Disposition", disposition.encode().decode("latin-1")),  # UTF-8 on the wire
        ("Content-Type", "application/octet-stream"),
    )
    return Response(200, headers=headers, stream=reading)


def set_lock(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/backup/records/:id/lock`: keep a record from being deleted, or no longer.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_LOCK_INVALID, BACKUP_RECORD_NOT_FOUND.

    """
    record_id = call.admin_id()
    wanted = read(call, bind_lock, "BACKUP_RECORD_LOCK_INVALID")
    record = find(state, record_id)
    if bool(record.locked) is not wanted.locked:
        columns = {"locked": int(wanted.locked), "updated_at": call.now.local}
        state.database.update(Record, record.id, **columns)
    word = "设置" if wanted.locked else "解除"
    audit.note(
        state,
        call,
        caller,
        category="backup_record",
        action="lock" if wanted.locked else "unlock",
        target_id=record.id,
        detail=f"{word}备份记录保留锁定 (ID: {record.id})",
    )
    return success(detail(state, find(state, record.id)))


def _remove(state: State, record_id: int, now: Now) -> None:
    """Delete a record and the backup itself, whatever state it is in.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_LOCKED, BACKUP_RECORD_HAS_DEPENDENTS, and
            those of `storage.delete`, after which the record is still there.

    """
    record = find(state, record_id)
    kept.check(state, record)
    with state.database.transaction():
        storage.delete(state, record, now)
        state.database.delete(Record, record.id)


def delete(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/backup/records/:id`.

    Raises:
        ApiError: INVALID_ID, and those of `_remove`.

    """
    record_id = call.admin_id()
    _remove(state, record_id, call.now)
    audit.note(
        state,
        call,
        caller,
        category="backup_record",
        action="delete",
        target_id=record_id,
        detail=f"删除备份记录 (ID: {record_id})",
    )
    return success({"deleted": True})


def batch_delete(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/records/batch-delete`: how many went; those that cannot go stay.

    Raises:
        ApiError: BACKUP_RECORD_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_RECORD_BATCH_INVALID")
    deleted = 0
    for record_id in wanted.ids or []:
        try:
            _remove(state, record_id, call.now)
        except ApiError:
            continue
        deleted += 1
    audit.note(
        state,
        call,
        caller,
        category="backup_record",
        action="batch_delete",
        detail=f"批量删除 {deleted} 条备份记录",
    )
    return success({"deleted": deleted})


ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    ("GET", "/api/backup/records"): signed_in(list_all),
    ("GET", "/api/backup/records/:id"): signed_in(get),
    ("GET", "/api/backup/records/:id/download"): signed_in(download),
    ("POST", "/api/backup/records/batch-delete"): not_viewer(batch_delete),
    ("DELETE", "/api/backup/records/:id"): not_viewer(delete),
    ("PUT", "/api/backup/records/:id/lock"): ByProfile(
        lambda profile: not_viewer(set_lock) if kept.by_locks(profile) else None
    ),
}
