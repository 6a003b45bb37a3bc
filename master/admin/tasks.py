"""Backup tasks: what is backed up, where to, by which node."""

import json
from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw

from master.admin import task_rules
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.rules import RuledBinder, at_least_one, read, required
from master.admin.schedule import readable
from master.admin.task_rules import bind_task, read_ids, target_ids, task_type
from master.call import Call
from master.http import success
from master.now import Now
from master.protocol import times, wire
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Binder, Inbound, Outbound, Uint
from master.state import State
from master.store import tasks
from master.store.rows import Node, Task


class ToggleInput(Inbound):
    """`PUT /api/backup/tasks/:id/toggle`."""

    enabled: bool | None = None


class BatchInput(Inbound):
    """`POST /api/backup/tasks/batch/…`."""

    ids: list[Uint] | None = None
    enabled: bool = False


bind_toggle = Binder(ToggleInput)
bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})


class TaskSummary(Outbound, frozen=True, kw_only=True):
    """A task in a list."""

    id: int
    name: str
    type: str
    enabled: bool
    cronExpr: str
    storageTargetId: int
    storageTargetName: str
    storageTargetIds: list[int] | None
    storageTargetNames: list[str] | None
    nodeId: int
    nodeName: str = ""
    tags: str
    retentionDays: int
    compression: str
    encrypt: bool
    maxBackups: int
    lastRunAt: str | None = None
    lastStatus: str
    verifyEnabled: bool
    verifyCronExpr: str
    verifyMode: str
    slaHoursRpo: int
    alertOnConsecutiveFails: int
    replicationTargetIds: list[int] | None
    maintenanceWindows: str
    dependsOnTaskIds: list[int] | None
    updatedAt: str


class TaskDetail(TaskSummary, frozen=True, kw_only=True):
    """A task with its source; the password is named, not shown."""

    sourcePath: str
    sourcePaths: list[str]
    excludePatterns: list[str]
    dbHost: str
    dbPort: int
    dbUser: str
    dbName: str
    dbPath: str
    extraConfig: Raw | None = None
    maskedFields: tuple[str, ...] = ()
    createdAt: str


class BatchItem(Outbound, frozen=True, kw_only=True):
    """How it went with one of a batch."""

    id: int
    name: str = ""
    success: bool
    error: str = ""


def find(state: State, task_id: int) -> Task:
    """Return a task.

    Raises:
        ApiError: BACKUP_TASK_NOT_FOUND.

    """
    task = state.database.get(Task, task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND")
    return task


def _columns(state: State, task: Task) -> dict[str, Any]:
    targets = tasks.targets_of(state.database, task)
    ids = [target.id for target in targets]
    names = [target.name for target in targets]
    if not targets and task.storage_target_id:
        ids, names = [task.storage_target_id], [""]
    node = state.database.get(Node, task.node_id)
    return {
        "id": task.id,
        "name": task.name,
        "type": task_type(task.type),
        "enabled": bool(task.enabled),
        "cronExpr": task.cron_expr,
        "storageTargetId": ids[0] if ids else 0,
        "storageTargetName": names[0] if names else "",
        "storageTargetIds": ids or None,
        "storageTargetNames": names or None,
        "nodeId": task.node_id,
        "nodeName": node.name if node is not None else "",
        "tags": task.tags,
        "retentionDays": task.retention_days,
        "compression": task.compression,
        "encrypt": bool(task.encrypt),
        "maxBackups": task.max_backups,
        "lastRunAt": task.last_run_at and times.wire_text(task.last_run_at),
        "lastStatus": task.last_status,
        "verifyEnabled": bool(task.verify_enabled),
        "verifyCronExpr": task.verify_cron_expr,
        "verifyMode": task.verify_mode,
        "slaHoursRpo": task.sla_hours_rpo,
        "alertOnConsecutiveFails": task.alert_on_consecutive_fails,
        "replicationTargetIds": read_ids(task.replication_target_ids),
        "maintenanceWindows": task.maintenance_windows,
        "dependsOnTaskIds": read_ids(task.depends_on_task_ids),
        "updatedAt": times.wire_text(task.updated_at or times.ZERO_DB_TEXT),
    }


def _texts(stored: str, message: str) -> list[str]:
    try:
        found = json.loads(stored) if stored.strip() else []
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ApiError("BACKUP_TASK_DECODE_FAILED", message)
    return found


def _extra(stored: str) -> Raw | None:
    if stored.strip() in ("", "{}"):
        return None
    try:
        found = json.loads(stored)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("BACKUP_TASK_DECODE_FAILED", "无法解析扩展配置")
    return Raw(wire.canonical(found).encode())


def detail(state: State, task: Task) -> TaskDetail:
    """Return a task as its page shows it.

    Raises:
        ApiError: BACKUP_TASK_DECODE_FAILED.

    """
    patterns = _texts(task.exclude_patterns, "无法解析备份任务配置")
    paths = _texts(task.source_paths, "无法解析源路径配置")
    return TaskDetail(
        **_columns(state, task),
        sourcePath=task.source_path,
        sourcePaths=paths,
        excludePatterns=patterns,
        dbHost=task.db_host,
        dbPort=task.db_port,
        dbUser=task.db_user,
        dbName=task.db_name,
        dbPath=task.db_path,
        extraConfig=_extra(task.extra_config),
        maskedFields=("dbPassword",) if task.db_password_ciphertext else (),
        createdAt=times.wire_text(task.created_at or times.ZERO_DB_TEXT),
    )


def list_all(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/backup/tasks`: the latest changed first."""
    found = state.database.select(Task, "ORDER BY updated_at DESC, id DESC")
    return success([TaskSummary(**_columns(state, task)) for task in found])


def list_tags(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/backup/tasks/tags`: every tag of every task, once, in the order of the tasks."""
    found = state.database.select(Task, "WHERE tags <> '' ORDER BY id")
    tags = (tag.strip() for task in found for tag in task.tags.split(","))
    return success(list(dict.fromkeys(tag for tag in tags if tag)))


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/tasks/:id`.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_NOT_FOUND, BACKUP_TASK_DECODE_FAILED.

    """
    return success(detail(state, find(state, call.admin_id())))


def _check_name(state: State, name: str, own_id: int) -> None:
    taken = state.database.find(Task, "name = ?", name)
    if taken is not None and taken.id != own_id:
        raise ApiError("BACKUP_TASK_NAME_EXISTS")


def _check_schedule(task: Task) -> None:
    """Refuse a schedule that cannot be read; the task is stored by then, as in v2.0.0."""
    schedules = [task.cron_expr]
    if task.verify_enabled:
        schedules.append(task.verify_cron_expr)
    if task.enabled and not all(readable(text) for text in schedules if text):
        raise ApiError("BACKUP_TASK_SCHEDULE_FAILED")


def create(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/backup/tasks`.

    As in v2.0.0, a new task is always enabled, and 0 days of retention become 30.

    Raises:
        ApiError: BACKUP_TASK_INVALID, BACKUP_STORAGE_TARGET_INVALID, BACKUP_TASK_NAME_EXISTS,
            BACKUP_TASK_SCHEDULE_FAILED.

    """
    wanted = read(call, bind_task, "BACKUP_TASK_INVALID")
    task_rules.check(state, None, wanted)
    _check_name(state, wanted.name.strip(), 0)
    columns = task_rules.columns(state, None, wanted)
    columns["enabled"] = 1
    columns["retention_days"] = wanted.retentionDays or 30
    with state.database.transaction():
        task_id = state.database.insert(
            Task,
            **columns,
            last_status="idle",
            created_at=call.now.local,
            updated_at=call.now.local,
        )
        tasks.replace_targets(state.database, task_id, target_ids(wanted))
    task = find(state, task_id)
    _check_schedule(task)
    return success(detail(state, task))


def update(state: State, call: Call, _: Caller) -> Response:
    """`PUT /api/backup/tasks/:id`: what is left out falls back to its default.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_INVALID, BACKUP_TASK_NOT_FOUND,
            BACKUP_STORAGE_TARGET_INVALID, BACKUP_TASK_NAME_EXISTS, BACKUP_TASK_SCHEDULE_FAILED.

    """
    task_id = call.admin_id()
    wanted = read(call, bind_task, "BACKUP_TASK_INVALID")
    existing = find(state, task_id)
    task_rules.check(state, existing, wanted)
    _check_name(state, wanted.name.strip(), existing.id)
    columns = task_rules.columns(state, existing, wanted)
    with state.database.transaction():
        state.database.update(Task, existing.id, **columns, updated_at=call.now.local)
        tasks.replace_targets(state.database, existing.id, target_ids(wanted))
    task = find(state, existing.id)
    _check_schedule(task)
    return success(detail(state, task))


def _switch(state: State, task: Task, now: Now, *, enabled: bool) -> Task:
    state.database.update(Task, task.id, enabled=int(enabled), updated_at=now.local)
    switched = find(state, task.id)
    _check_schedule(switched)
    return switched


def toggle(state: State, call: Call, _: Caller) -> Response:
    """`PUT /api/backup/tasks/:id/toggle`: what is said, or without a word the other way round.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_TOGGLE_INVALID, BACKUP_TASK_NOT_FOUND,
            BACKUP_TASK_DECODE_FAILED, BACKUP_TASK_SCHEDULE_FAILED.

    """
    task_id = call.admin_id()
    blank = not call.request.body.strip()
    wanted = ToggleInput() if blank else read(call, bind_toggle, "BACKUP_TASK_TOGGLE_INVALID")
    task = find(state, task_id)
    detail(state, task)
    enabled = not task.enabled if wanted.enabled is None else wanted.enabled
    switched = _switch(state, task, call.now, enabled=enabled)
    return success(TaskSummary(**_columns(state, switched)))


def delete(state: State, call: Call, _: Caller) -> Response:
    """`DELETE /api/backup/tasks/:id`: only the row goes.

    Records, commands and the task's place in the join table stay, as in v2.0.0. The real master
    also tries to delete the backups; the reference has no storage clients and leaves them.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_NOT_FOUND.

    """
    state.database.delete(Task, find(state, call.admin_id()).id)
    return success({"deleted": True})


def each(ids: list[int], act: Callable[[int], str]) -> Response:
    """Do something with each task of a batch; one that fails does not keep the others from it.

    An id of 0 is passed over. `act` returns the task's name, or raises ApiError.
    """
    items = []
    for task_id in filter(None, ids):
        try:
            items.append(BatchItem(id=task_id, name=act(task_id), success=True))
        except ApiError as error:
            items.append(BatchItem(id=task_id, success=False, error=error.message))
    return success(items)


def batch_toggle(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/backup/tasks/batch/toggle`.

    Raises:
        ApiError: BACKUP_TASK_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_TASK_BATCH_INVALID")

    def switch(task_id: int) -> str:
        return _switch(state, find(state, task_id), call.now, enabled=wanted.enabled).name

    return each(wanted.ids or [], switch)


def batch_delete(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/backup/tasks/batch/delete`.

    Raises:
        ApiError: BACKUP_TASK_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_TASK_BATCH_INVALID", "批量删除参数不合法")

    def remove(task_id: int) -> str:
        task = find(state, task_id)
        state.database.delete(Task, task.id)
        return task.name

    return each(wanted.ids or [], remove)


ROUTES: Final = {
    ("GET", "/api/backup/tasks"): signed_in(list_all),
    ("GET", "/api/backup/tasks/tags"): signed_in(list_tags),
    ("GET", "/api/backup/tasks/:id"): signed_in(get),
    ("POST", "/api/backup/tasks"): not_viewer(create),
    ("PUT", "/api/backup/tasks/:id"): not_viewer(update),
    ("DELETE", "/api/backup/tasks/:id"): not_viewer(delete),
    ("PUT", "/api/backup/tasks/:id/toggle"): not_viewer(toggle),
    ("POST", "/api/backup/tasks/batch/toggle"): not_viewer(batch_toggle),
    ("POST", "/api/backup/tasks/batch/delete"): not_viewer(batch_delete),
}
