"""What an agent needs to know to run a task or a restore, with every secret in clear."""

import json

from master.cipher import CipherError
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.messages import RestoreSpec, StorageConfig, TaskSpec
from master.service.reports import own_restore
from master.state import State
from master.store import tasks
from master.store.rows import Node, Record, Target, Task


def task_spec(state: State, node: Node, task_id: int) -> TaskSpec:
    """Return all an agent needs to run a task, secrets in clear (seed: `GetTaskSpec`).

    Raises:
        ApiError: BACKUP_TASK_NOT_FOUND, BACKUP_TASK_FORBIDDEN, or INTERNAL_ERROR when a stored
            secret does not open.

    """
    task = state.database.get(Task, task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND", "任务不存在")
    if task.node_id != node.id:
        raise ApiError("BACKUP_TASK_FORBIDDEN")
    try:
        password = _open_password(state, task)
        targets = [_open_target(state, target) for target in tasks.targets_of(state.database, task)]
    except (CipherError, ValueError):
        raise ApiError("INTERNAL_ERROR") from None
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
        dbPassword=password,
        dbName=task.db_name,
        dbPath=task.db_path,
        extraConfig=task.extra_config,
        compression=task.compression,
        encrypt=bool(task.encrypt),
        storageTargets=targets,
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
    target = state.database.get(Target, record.storage_target_id)
    try:
        password = _open_password(state, task)
        if target is None:
            raise ApiError("BACKUP_STORAGE_TARGET_INVALID")
        storage = _open_target(state, target)
    except (CipherError, ValueError):
        raise ApiError("INTERNAL_ERROR") from None
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
        storage=storage,
        storagePath=record.storage_path,
        fileName=record.file_name,
    )


def _open_password(state: State, task: Task) -> str:
    stored = task.db_password_ciphertext
    return state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else ""


def _open_target(state: State, target: Target) -> StorageConfig:
    config = wire.compact(state.cipher.decrypt(target.config_ciphertext))
    return StorageConfig(id=target.id, type=target.type, name=target.name, config=config)


def _paths(source_paths: str) -> tuple[str, ...]:
    try:
        paths = json.loads(source_paths or "[]")
    except ValueError:
        return ()
    return tuple(path for path in paths if isinstance(path, str)) if isinstance(paths, list) else ()
