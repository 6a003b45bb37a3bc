"""The agent protocol's decisions: who is asking, what it gets, what its reports change.

Every function is (state, request, now) in, answer out, for v2.0.0 as the seed shows it
(`AgentService`); the seed's function is named where one stands behind a rule.
The order of checks is the protocol's: token, id, body, lookup, ownership, effect.
"""

import json
from typing import Final

from master.cipher import CipherError
from master.now import Now
from master.protocol import times, wire
from master.protocol.errors import ApiError
from master.protocol.messages import (
    BackupLink,
    ClaimedCommand,
    CommandResult,
    Heartbeat,
    HeartbeatAnswer,
    PollAnswer,
    RecordUpdate,
    RestoreLink,
    RestoreSpec,
    RestoreUpdate,
    SelfStatus,
    StorageConfig,
    TaskSpec,
    bind_backup_link,
    bind_restore_link,
)
from master.protocol.states import FINISHED_RECORD, CommandStatus, CommandType
from master.protocol.wire import Binder
from master.state import State
from master.store import commands, nodes, records, tasks
from master.store.rows import Command, Node, Record, Restore, Target, Task

TIMEOUT_MESSAGE = "agent did not report result before timeout"
RECORD_TIMEOUT_MESSAGE = "Agent 未在超时前回传状态（节点可能已离线或崩溃）"


def authenticate(state: State, token: str, now: Now) -> Node:
    """Return the node a token belongs to (seed: `AuthenticatedNode`).

    The previous token counts until its grace is over, strictly (clause ROT).

    Raises:
        ApiError: NODE_INVALID_TOKEN.

    """
    if not token.strip():
        raise ApiError("NODE_INVALID_TOKEN", "缺少认证令牌")
    node = nodes.by_token(state.database, token, now.utc)
    if node is None:
        raise ApiError("NODE_INVALID_TOKEN")
    return node


def heartbeat(state: State, token: str, report: Heartbeat, now: Now) -> HeartbeatAnswer:
    """Take a sign of life: the node is online, and what it says of itself replaces what was known.

    Raises:
        ApiError: NODE_INVALID_TOKEN.

    """
    node = nodes.by_token(state.database, token, now.utc)
    if node is None:
        raise ApiError("NODE_INVALID_TOKEN")
    default_os, default_arch = state.config.platform
    nodes.seen(
        state.database,
        node.id,
        hostname=report.hostname,
        ip_address=report.ipAddress,
        agent_version=report.agentVersion,
        os=report.os if report.os.strip() else default_os,
        arch=report.arch if report.arch.strip() else default_arch,
        now=now,
    )
    return HeartbeatAnswer(name=node.name, nodeId=node.id, status="ok")


def poll(state: State, node: Node, now: Now) -> PollAnswer:
    """Hand out the oldest pending command of the node, at most once (seed: `PollCommand`).

    Raises:
        ValueError: the command was claimed, but its stored payload is no JSON.

    """
    claimed = commands.claim(state.database, node.id, now)
    if claimed is None:
        return PollAnswer(command=None)
    command_id, command_type, payload = claimed
    raw = wire.compact(payload) if payload else None
    return PollAnswer(command=ClaimedCommand(id=command_id, type=command_type, payload=raw))


def submit_result(
    state: State, node: Node, command_id: int, result: CommandResult, now: Now
) -> None:
    """Take a command's result (seed: `SubmitCommandResult`).

    v2.0.0 has no guard: a result counts whatever state it finds the command in.

    Raises:
        ApiError: AGENT_COMMAND_NOT_FOUND, AGENT_COMMAND_FORBIDDEN.

    """
    command = state.database.get(Command, command_id)
    if command is None:
        raise ApiError("AGENT_COMMAND_NOT_FOUND")
    if command.node_id != node.id:
        raise ApiError("AGENT_COMMAND_FORBIDDEN")
    raw = bytes(result.result).decode()
    status = CommandStatus.SUCCEEDED if result.success else CommandStatus.FAILED
    commands.finish(
        state.database, command.id, status, result.errorMessage, raw or command.result, now
    )
    state.waiters.notify(command.id)


def _open_password(state: State, task: Task) -> str:
    stored = task.db_password_ciphertext
    return state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else ""


def _open_target(state: State, target: Target) -> StorageConfig:
    config = wire.compact(state.cipher.decrypt(target.config_ciphertext))
    return StorageConfig(id=target.id, type=target.type, name=target.name, config=config)


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


def _own_restore(state: State, node: Node, restore_id: int) -> Restore:
    restore = state.database.get(Restore, restore_id)
    if restore is None:
        raise ApiError("RESTORE_RECORD_NOT_FOUND")
    if restore.node_id != node.id:
        raise ApiError("RESTORE_RECORD_FORBIDDEN")
    return restore


def _paths(source_paths: str) -> tuple[str, ...]:
    try:
        paths = json.loads(source_paths or "[]")
    except ValueError:
        return ()
    return tuple(path for path in paths if isinstance(path, str)) if isinstance(paths, list) else ()


def restore_spec(state: State, node: Node, restore_id: int) -> RestoreSpec:
    """Return all an agent needs to restore a backup, in any state of the restore.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN, BACKUP_RECORD_NOT_FOUND,
            BACKUP_TASK_NOT_FOUND, BACKUP_STORAGE_TARGET_INVALID, INTERNAL_ERROR.

    """
    restore = _own_restore(state, node, restore_id)
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


def _joined_log(stored: str, appended: str) -> str:
    if not stored.strip():
        return appended
    return stored + ("" if stored.endswith("\n") else "\n") + appended


def update_restore(
    state: State, node: Node, restore_id: int, update: RestoreUpdate, now: Now
) -> None:
    """Take a report about a restore: its log, and when it says so its end.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN.

    """
    restore = _own_restore(state, node, restore_id)
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


def self_status(node: Node) -> SelfStatus:
    """Return a node's own row in short (seed: `SelfStatus`)."""
    last_seen = times.wire_text(node.last_seen or times.ZERO_DB_TEXT)
    return SelfStatus(id=node.id, name=node.name, status=node.status, lastSeen=last_seen)


# --- what time does -------------------------------------------------------------------------


def expire_command(state: State, command: Command, now: Now) -> None:
    """Time out one stale command, and fail what it was for if that is still running.

    One transaction: nobody sees the one without the other (seed: `processStaleCommands`).
    """
    with state.database.transaction():
        _fail_linked(state, command, now)
        commands.finish(
            state.database,
            command.id,
            CommandStatus.TIMEOUT,
            TIMEOUT_MESSAGE,
            command.result,
            now,
        )
    state.waiters.notify(command.id)


def stale_commands(state: State, now: Now) -> list[Command]:
    """Return the dispatched commands older than the timeout, strictly, oldest id first."""
    threshold = now.utc_in(-state.config.timings.command_timeout_s)
    return commands.stale(state.database, threshold)


def silence_nodes(state: State, now: Now) -> int:
    """Mark nodes offline that were silent for too long, and return how many there were."""
    threshold = now.utc_in(-state.config.timings.offline_after_s)
    return nodes.mark_offline(state.database, threshold, now)


_LINKS: Final[
    dict[str, tuple[Binder[BackupLink] | Binder[RestoreLink], type[Record | Restore]]]
] = {
    CommandType.RUN_TASK.value: (bind_backup_link, Record),
    CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore),
}


def _fail_linked(state: State, command: Command, now: Now) -> None:
    """Fail the record a command names, only while it is running (seed: `failLinkedRecord`).

    A payload that names none, and a record that is gone, leave nothing to fail.
    """
    link = _LINKS.get(command.type)
    if link is None:
        return
    bind, row = link
    try:
        linked = bind(command.payload.encode())
    except wire.BindError:
        return
    if linked.record_id:
        records.fail_running(state.database, row, linked.record_id, RECORD_TIMEOUT_MESSAGE, now)


def enqueue(
    state: State, node_id: int, command_type: CommandType, payload: object, now: Now
) -> int:
    """Put a command into a node's queue and return its id (seed: `EnqueueCommand`)."""
    text = wire.canonical(payload)
    return commands.insert(state.database, node_id, command_type, text, now)
