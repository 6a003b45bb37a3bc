"""Restore records: asking for a restore, and watching it."""

from typing import Any, Final

from master import audit, presence
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.filters import Filter
from master.admin.nodes import remote
from master.admin.record_view import task_name
from master.admin.records import find as find_record
from master.call import Call
from master.http import success
from master.loghub import LogEvent
from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.states import CommandType, RecordStatus
from master.protocol.wire import Binder, BindError, Inbound, Outbound
from master.service import queue
from master.state import State
from master.store import records
from master.store.rows import Node, Record, Restore, Task


class RestoreInput(Inbound):
    """`POST /api/backup/records/:id/restore`, where a release reads it."""

    selectedPaths: list[str] | None = None
    targetPath: str = ""


bind_restore = Binder(RestoreInput)


class RestoreSummary(Outbound, frozen=True, kw_only=True):
    """A restore in a list."""

    id: int
    backupRecordId: int
    taskId: int
    taskName: str
    nodeId: int
    nodeName: str = ""
    status: str
    errorMessage: str
    durationSeconds: int
    startedAt: str
    completedAt: str | None = None
    triggeredBy: str
    backupFileName: str = ""


class RestoreDetail(RestoreSummary, frozen=True, kw_only=True):
    """A restore with its log: the live one while it is running, then the stored one."""

    logContent: str
    logEvents: tuple[LogEvent, ...] = ()


def _columns(state: State, restore: Restore) -> dict[str, Any]:
    node = state.database.get(Node, restore.node_id)
    record = state.database.get(Record, restore.backup_record_id)
    file_name = record.file_name if record is not None else ""
    return {
        "id": restore.id,
        "backupRecordId": restore.backup_record_id,
        "taskId": restore.task_id,
        "taskName": task_name(state, restore.task_id),
        "nodeId": restore.node_id,
        "nodeName": node.name if node is not None else "",
        "status": restore.status,
        "errorMessage": restore.error_message,
        "durationSeconds": restore.duration_seconds,
        "startedAt": times.wire_text(restore.started_at),
        "completedAt": restore.completed_at and times.wire_text(restore.completed_at),
        "triggeredBy": restore.triggered_by,
        "backupFileName": file_name if file_name.strip() else "",
    }


def _detail(state: State, restore_id: int) -> RestoreDetail:
    restore = state.database.get(Restore, restore_id)
    if restore is None:
        raise ApiError("RESTORE_RECORD_NOT_FOUND")
    running = restore.status == RecordStatus.RUNNING
    events = state.restore_logs.events(restore.id) if running else ()
    log = "\n".join(event.message for event in events) if events else restore.log_content
    return RestoreDetail(**_columns(state, restore), logContent=log, logEvents=events)


def _node_id(state: State, record: Record, task: Task) -> int:
    """Return which node is to restore: the task's now, or where releases follow it the backup's."""
    follows = state.config.profile.restore_follows_record
    return (record.node_id or task.node_id) if follows else task.node_id


def _check_selection(task: Task, node: Node | None, wanted: RestoreInput) -> None:
    """Refuse a part of a backup, or another folder, where only all of it in its place will do.

    Raises:
        ApiError: RESTORE_SELECTIVE_UNSUPPORTED, RESTORE_SELECTIVE_REMOTE_UNSUPPORTED,
            RESTORE_TARGET_UNSUPPORTED, RESTORE_TARGET_INVALID, RESTORE_TARGET_REMOTE_UNSUPPORTED.

    """
    if wanted.selectedPaths and task.type != "file":
        raise ApiError("RESTORE_SELECTIVE_UNSUPPORTED")
    if wanted.selectedPaths and node is not None:
        raise ApiError("RESTORE_SELECTIVE_REMOTE_UNSUPPORTED")
    folder = wanted.targetPath.strip()
    if not folder:
        return
    if task.type != "file":
        raise ApiError("RESTORE_TARGET_UNSUPPORTED")
    if not folder.startswith("/"):
        raise ApiError("RESTORE_TARGET_INVALID")
    if node is not None:
        raise ApiError("RESTORE_TARGET_REMOTE_UNSUPPORTED")


def start_restore(
    state: State, record_id: int, wanted: RestoreInput, triggered_by: str, now: Now
) -> int:
    """Ask a node to restore a backup, and return the restore's id.

    A node that is offline leaves a failed restore behind; what the master would have to run itself
    is refused and changes nothing.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND, RESTORE_SOURCE_INVALID, BACKUP_TASK_NOT_FOUND,
            MASTER_LOCAL_UNSUPPORTED, NODE_OFFLINE, and those of `_check_selection`.

    """
    record = find_record(state, record_id)
    if record.status != RecordStatus.SUCCESS:
        raise ApiError("RESTORE_SOURCE_INVALID")
    task = state.database.get(Task, record.task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND", "关联的备份任务不存在")
    node = remote(state, _node_id(state, record, task))
    _check_selection(task, node, wanted)
    if node is None:
        raise ApiError("MASTER_LOCAL_UNSUPPORTED")
    offline = f"节点 {node.name} 当前离线，无法执行恢复"
    with state.database.transaction():
        restore_id = records.insert_restore(
            state.database, record=record, node_id=node.id, triggered_by=triggered_by, now=now
        )
        if not presence.online(state, node, now):
            records.fail_running(state.database, Restore, restore_id, offline, now)
        else:
            payload = {"restoreRecordId": restore_id}
            queue.enqueue(state, node.id, CommandType.RESTORE_RECORD, payload, now)
    timestamp = times.wire_text(now.utc)
    if not presence.online(state, node, now):
        state.restore_logs.append(restore_id, "error", offline, timestamp)
        state.restore_logs.complete(restore_id, RecordStatus.FAILED, timestamp)
        raise ApiError("NODE_OFFLINE", offline)
    dispatched = f"已下发恢复任务到节点 {node.name}（#{node.id}），等待 Agent 执行"
    state.restore_logs.append(restore_id, "info", dispatched, timestamp)
    return restore_id


def restore(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/records/:id/restore`: the answer is the restore, still running.

    Raises:
        ApiError: INVALID_ID, and those of `start_restore`.

    """
    record_id = call.admin_id()
    wanted = _selection(call) if state.config.profile.selective_restores else RestoreInput()
    restore_id = start_restore(state, record_id, wanted, caller.subject.strip(), call.now)
    audit.note(
        state,
        call,
        caller,
        category="backup_record",
        action="restore",
        target_id=record_id,
        detail=f"启动恢复 (备份记录 ID: {record_id}, 恢复记录 ID: {restore_id})",
    )
    return success(_detail(state, restore_id))


def _selection(call: Call) -> RestoreInput:
    """Return what a body says, as far as it can be read; there need be none."""
    try:
        return bind_restore(call.request.body)
    except BindError as error:
        partial: RestoreInput = error.partial
        return partial


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/restore/records`: the latest first; there are no pages.

    Raises:
        ApiError: RESTORE_RECORD_FILTER_INVALID.

    """
    conditions = Filter(call, "RESTORE_RECORD_FILTER_INVALID")
    conditions.id("taskId", "task_id", 32)
    conditions.id("backupRecordId", "backup_record_id", 32)
    conditions.id("nodeId", "node_id", 32)
    conditions.status_and_dates()
    found = conditions.select(state, Restore)
    return success([RestoreSummary(**_columns(state, row)) for row in found])


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/restore/records/:id`.

    Raises:
        ApiError: INVALID_ID, RESTORE_RECORD_NOT_FOUND.

    """
    return success(_detail(state, call.admin_id()))


ROUTES: Final = {
    ("POST", "/api/backup/records/:id/restore"): not_viewer(restore),
    ("GET", "/api/restore/records"): signed_in(list_all),
    ("GET", "/api/restore/records/:id"): signed_in(get),
}
