"""What an agent needs to know to run a task or a restore, with every secret in clear."""

import json

from msgspec import Raw

from master.cipher import CipherError
from master.protocol.errors import ApiError
from master.protocol.messages import RestoreSpec, StorageConfig, TaskSpec
from master.service import storage
from master.service.reports import own_restore
from master.state import State
from master.store import records, tasks
from master.store.rows import Node, Record, Target, Task


def task_spec(state: State, node: Node, task_id: int) -> TaskSpec:
    """Return all an agent needs to run a task, secrets in clear (seed: `GetTaskSpec`).

    It is for the node that the task is bound to; since v2.3.4 also for one that is running it.

    Raises:
        ApiError: BACKUP_TASK_NOT_FOUND, BACKUP_TASK_FORBIDDEN, or INTERNAL_ERROR when a stored
            secret does not open.

    """
    task = state.database.get(Task, task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND", "任务不存在")
    if task.node_id != node.id and not (
        state.config.profile.spec_while_running
        and records.runs_on(state.database, task.id, node.id)
    ):
        raise ApiError("BACKUP_TASK_FORBIDDEN")
    return TaskSpec(
        taskId=task.id,
        name=task.name,
        type=task.type,
        sourcePath=task.source_path,
        sourcePaths=task.source_paths,
        excludePatterns=task.exclude_patterns,
        dbHost=task.db_host,
        dbPort=task.db_port,
        dbUser=task.db_user,
        dbPassword=_password(state, task),
        dbName=task.db_name,
        dbPath=task.db_path,
        extraConfig=task.extra_config,
        compression=task.compression,
        encrypt=bool(task.encrypt),
        storageTargets=[
            _way_there(state, target) for target in tasks.targets_of(state.database, task)
        ],
    )


def restore_spec(state: State, node: Node, restore_id: int) -> RestoreSpec:
    """Return all an agent needs to restore a backup, in any state of the restore.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN, BACKUP_RECORD_NOT_FOUND,
            BACKUP_TASK_NOT_FOUND, BACKUP_STORAGE_TARGET_INVALID, INTERNAL_ERROR.

    """
    restore = own_restore(state, node, restore_id)
    record = state.database.get(Record, restore.backup_record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND", "源备份记录不存在")
    task = state.database.get(Task, restore.task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND")
    password = _password(state, task)
    target = state.database.get(Target, record.storage_target_id)
    if target is None:
        raise ApiError("BACKUP_STORAGE_TARGET_INVALID")
    return RestoreSpec(
        restoreRecordId=restore.id,
        backupRecordId=record.id,
        taskId=task.id,
        taskName=task.name,
        type=task.type,
        sourcePath=task.source_path,
        sourcePaths=_paths(task.source_paths),
        dbHost=task.db_host,
        dbPort=task.db_port,
        dbUser=task.db_user,
        dbPassword=password,
        dbName=task.db_name,
        dbPath=task.db_path,
        extraConfig=task.extra_config,
        compression=task.compression,
        encrypt=bool(task.encrypt),
        storage=_way_back(state, record, target),
        storagePath=record.storage_path,
        fileName=record.file_name,
        checksum=record.checksum if state.config.profile.restore_spec_checksum else "",
    )


def _password(state: State, task: Task) -> str:
    stored = task.db_password_ciphertext
    try:
        return state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else ""
    except CipherError:
        raise ApiError("INTERNAL_ERROR") from None


def _way_there(state: State, target: Target) -> StorageConfig:
    """Return where a backup is to go, and how it gets there."""
    mode = storage.transfer_mode(state, target) if storage.relays(state.config.profile) else ""
    config = storage.configuration(state, target)
    return _storage(target, config, mode)


def _way_back(state: State, record: Record, target: Target) -> StorageConfig:
    """Return where a backup lies, and how to get it; what is relayed needs no configuration."""
    if not storage.relays(state.config.profile):
        return _storage(target, storage.configuration(state, target), "")
    if record.storage_transfer_mode == storage.MASTER_RELAY:
        return _storage(target, Raw(b"null"), storage.MASTER_RELAY)
    return _storage(target, storage.configuration(state, target), storage.DIRECT)


def _storage(target: Target, config: Raw, mode: str) -> StorageConfig:
    return StorageConfig(
        id=target.id, type=target.type, name=target.name, config=config, transferMode=mode
    )


def _paths(source_paths: str) -> tuple[str, ...]:
    try:
        paths = json.loads(source_paths or "[]")
    except ValueError:
        return ()
    return tuple(path for path in paths if isinstance(path, str)) if isinstance(paths, list) else ()
