"""What v2.4.0 checks in a report about a backup, in its order (protocol 3.1).

A report that passes comes out as it is to be stored: transfer modes are those of the targets, an
object relayed through the master is below its record's own folder, a checksum is in lower case.
"""

import posixpath
import re
from typing import Final

from msgspec.structs import replace

from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.messages import CheckedRecordUpdate, RelayedUploadResult
from master.protocol.states import FINISHED_RECORD, RecordStatus
from master.service import storage
from master.state import State
from master.store import tasks
from master.store.rows import Record, Target, Task

Targets = dict[int, Target | None]

_SHA256: Final = re.compile("[0-9a-fA-F]{64}", re.ASCII)
_STATUSES: Final = frozenset({"", RecordStatus.RUNNING, RecordStatus.SUCCESS, RecordStatus.FAILED})


def checked(
    state: State, record: Record, task: Task, update: CheckedRecordUpdate
) -> CheckedRecordUpdate:
    """Return a report about a record as it is to be stored.

    Raises:
        ApiError: BACKUP_STORAGE_TARGET_FORBIDDEN, BACKUP_STORAGE_TARGET_INVALID, AGENT_STORAGE_TRANSFER_MODE_INVALID,
            AGENT_ARTIFACT_INVALID, AGENT_ARTIFACT_INVALID_PATH, BACKUP_RECORD_STATUS_INVALID, or
            INTERNAL_ERROR when a target's configuration cannot be read.

    """
    targets = allowed(state, task)
    mode = ""
    if update.storageTargetId:
        mode = _mode(state, targets, update.storageTargetId, update.storageTransferMode)
    elif update.storageTransferMode:
        raise ApiError("AGENT_STORAGE_TRANSFER_MODE_INVALID", "传输模式缺少对应的存储目标")
    results = [
        _result(state, targets, record, task, result)
        for result in update.storageUploadResults or ()
    ]
    path = _path(record, task, update, mode)
    _check_the_rest(update)
    return replace(
        update,
        storageTransferMode=mode,
        storageUploadResults=results,
        storagePath=path,
        checksum=update.checksum.strip().lower(),
    )


def allowed(state: State, task: Task) -> Targets:
    """Return a task's targets by id; a task without a list of them may name one that is gone."""
    found: Targets = {target.id: target for target in tasks.targets_of(state.database, task)}
    return found or {task.storage_target_id: None}


def _mode(state: State, targets: Targets, target_id: int, claimed: str) -> str:
    """Return the way to one of a task's targets, which is the one that the report claims."""
    if target_id not in targets:
        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")
    target = targets[target_id]
    if target is None:
        raise ApiError("BACKUP_STORAGE_TARGET_INVALID")
    mode = storage.transfer_mode(state, target)
    if claimed not in ("", mode):
        message = "Agent 上报的存储传输模式与目标配置不一致"
        raise ApiError("AGENT_STORAGE_TRANSFER_MODE_INVALID", message)
    return mode


def _result(
    state: State,
    targets: Targets,
    record: Record,
    task: Task,
    result: RelayedUploadResult,
) -> RelayedUploadResult:
    mode = _mode(state, targets, result.storageTargetId, result.transferMode)
    if result.fileSize < 0 or result.status not in ("", *FINISHED_RECORD):
        raise ApiError("AGENT_ARTIFACT_INVALID", "Agent 上报的存储结果无效")
    path = result.storagePath and artifact_key(record, task, result.storagePath, mode)
    return replace(result, storagePath=path, transferMode=mode)


def _path(record: Record, task: Task, update: CheckedRecordUpdate, mode: str) -> str:
    if not update.storagePath:
        return ""
    if not update.storageTargetId:
        raise ApiError("AGENT_ARTIFACT_INVALID_PATH", "存储路径缺少对应的存储目标")
    path = artifact_key(record, task, update.storagePath, mode)
    if update.fileName and posixpath.basename(path) != update.fileName:
        raise ApiError("AGENT_ARTIFACT_INVALID_PATH", "Agent 上报的文件名与存储路径不一致")
    return path


def _check_the_rest(update: CheckedRecordUpdate) -> None:
    if update.status not in _STATUSES:
        raise ApiError("BACKUP_RECORD_STATUS_INVALID")
    name = update.fileName
    if update.fileSize < 0 or "\\" in name or ("/" in name and name != "/"):  # Go's base of "/"
        raise ApiError("AGENT_ARTIFACT_INVALID", "Agent 上报的备份文件信息无效")
    if update.checksum and not is_sha256(update.checksum):
        raise ApiError("AGENT_ARTIFACT_INVALID", "Agent 上报的 SHA-256 无效")


def is_sha256(text: str) -> bool:
    """Return whether a text is a SHA-256 in hexadecimal, with space around it or not."""
    return _SHA256.fullmatch(text.strip()) is not None


def artifact_key(record: Record, task: Task, key: str, mode: str) -> str:
    """Return the key under which an object of a record is stored.

    One that is relayed lies in the record's own folder; agents older than that folder may name the
    one above, of the record's day.

    Raises:
        ApiError: AGENT_ARTIFACT_INVALID_PATH; it is no clean relative path, or another record's.

    """
    unsafe = key.strip() != key or posixpath.normpath(key) != key or "\\" in key
    if unsafe or key == "." or key.startswith(("/", "../")):
        raise ApiError("AGENT_ARTIFACT_INVALID_PATH", "中转上传对象路径不安全")
    if mode != storage.MASTER_RELAY:
        return key
    name = posixpath.basename(key)
    day = _day(record)
    kind = task.type.strip().lower() or "file"
    own = f"BackupX/{kind}/{day}/records/{record.id}/{name}"
    if key not in (own, f"BackupX/{kind}/{day}/{name}"):
        raise ApiError("AGENT_ARTIFACT_INVALID_PATH", "中转上传对象不属于当前备份记录")
    return own


def _day(record: Record) -> str:
    """Return the day, in UTC, on which a record began: YYMMDD."""
    text = times.db_text(times.parse(record.started_at))
    return text[2:10].replace("-", "")
