"""What administrators get to see of a backup record."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from master.admin import kept
from master.protocol import times
from master.protocol.wire import Outbound
from master.service import storage
from master.state import State
from master.store.rows import Record, Target, Task


class RecordSummary(Outbound, frozen=True, kw_only=True):
    """A record in a list; what a release does not show is left unset."""

    id: int
    taskId: int
    taskName: str
    storageTargetId: int
    storageTargetName: str
    status: str
    fileName: str
    fileSize: int
    checksum: str
    storagePath: str
    storageTransferMode: str = ""
    durationSeconds: int
    errorMessage: str
    startedAt: str
    completedAt: str | None = None
    locked: bool | UnsetType = UNSET
    backupKind: str | UnsetType = UNSET


class UploadResult(Outbound, frozen=True, kw_only=True):
    """How one upload went."""

    storageTargetId: int
    storageTargetName: str
    status: str
    storagePath: str = ""
    fileSize: int = 0
    transferMode: str = ""
    error: str = ""


class RecordDetail(RecordSummary, frozen=True, kw_only=True):
    """A record with its log."""

    logContent: str
    storageUploadResults: tuple[UploadResult, ...] = ()


class StoredResult(Struct):
    """How one upload went, as the row has it; what it does not say is nothing."""

    storageTargetId: int = 0
    storageTargetName: str = ""
    status: str = ""
    storagePath: str = ""
    fileSize: int = 0
    transferMode: str = ""
    error: str = ""


def task_name(state: State, task_id: int) -> str:
    """Return the name of a task, or nothing when it is gone."""
    task = state.database.get(Task, task_id)
    return task.name if task is not None else ""


def target_name(state: State, target_id: int) -> str:
    """Return the name of a storage target, or nothing when it is gone or the release tells none."""
    if not state.config.profile.target_names_in_records:
        return ""
    target = state.database.get(Target, target_id)
    return target.name if target is not None else ""


def _columns(state: State, record: Record, task: str, target: str) -> dict[str, Any]:
    profile = state.config.profile
    found: dict[str, Any] = {
        "id": record.id,
        "taskId": record.task_id,
        "taskName": task,
        "storageTargetId": record.storage_target_id,
        "storageTargetName": target,
        "status": record.status,
        "fileName": record.file_name,
        "fileSize": record.file_size,
        "checksum": record.checksum,
        "storagePath": record.storage_path,
        "durationSeconds": record.duration_seconds,
        "errorMessage": record.error_message,
        "startedAt": times.wire_text(record.started_at),
        "completedAt": record.completed_at and times.wire_text(record.completed_at),
    }
    if storage.relays(profile):
        found["storageTransferMode"] = record.storage_transfer_mode
    return found | kept.shown(profile, record)


def summaries(state: State, found: Iterable[Record]) -> list[RecordSummary]:
    """Return records as a list shows them."""
    found = list(found)
    tasks = {task_id: task_name(state, task_id) for task_id in {one.task_id for one in found}}
    ids = {one.storage_target_id for one in found}
    targets = {target_id: target_name(state, target_id) for target_id in ids}
    return [
        RecordSummary(**_columns(state, one, tasks[one.task_id], targets[one.storage_target_id]))
        for one in found
    ]


def stored_results(stored: str) -> tuple[StoredResult, ...] | None:
    """Return what a row says about its uploads, or `None` when it cannot be read."""
    try:
        return msgspec.json.decode(stored, type=tuple[StoredResult, ...])
    except msgspec.DecodeError:
        return None


def _uploads(state: State, stored: str) -> tuple[UploadResult, ...]:
    results = stored_results(stored) or ()
    relay = storage.relays(state.config.profile)
    return tuple(
        UploadResult(**msgspec.structs.asdict(one) | ({} if relay else {"transferMode": ""}))
        for one in results
    )


def detail(state: State, record: Record) -> RecordDetail:
    """Return a record as its page shows it."""
    task = task_name(state, record.task_id)
    target = target_name(state, record.storage_target_id)
    return RecordDetail(
        **_columns(state, record, task, target),
        logContent=record.log_content,
        storageUploadResults=_uploads(state, record.storage_upload_results),
    )
