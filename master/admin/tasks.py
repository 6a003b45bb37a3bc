"""Backup tasks: what is backed up, where to, by which node."""

from typing import Final

from master import audit
from master.admin import storage, task_rules
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.rules import read
from master.admin.task_input import read_task, target_ids
from master.admin.task_view import detail, summary
from master.call import Call
from master.http import success
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Binder, Inbound
from master.schedule import Schedule
from master.state import State
from master.store import tasks
from master.store.rows import Record, Task


class ToggleInput(Inbound):
    """`PUT /api/backup/tasks/:id/toggle`."""

    enabled: bool | None = None


bind_toggle = Binder(ToggleInput)


def find(state: State, task_id: int) -> Task:
    """Return a task.

    Raises:
        ApiError: BACKUP_TASK_NOT_FOUND.

    """
    task = state.database.get(Task, task_id)
    if task is None:
        raise ApiError("BACKUP_TASK_NOT_FOUND")
    return task


def list_all(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/backup/tasks`: the latest changed first."""
    found = state.database.select(Task, "ORDER BY updated_at DESC, id DESC")
    return success([summary(state, task) for task in found])


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


def _schedule(state: State, task: Task, now: Now) -> None:
    """Enter a task into the timetable; the row is stored by then, whatever its schedule says.

    The reference verifies no backups: it only reads the schedule for that.
    """
    try:
        state.timetable.sync(task, now.ns)
        if task.enabled and task.verify_enabled and task.verify_cron_expr:
            Schedule.read(task.verify_cron_expr)
    except ValueError:
        raise ApiError("BACKUP_TASK_SCHEDULE_FAILED") from None


def _saved(state: State, call: Call, caller: Caller, action: str, task: Task) -> Response:
    """Enter what was saved into the timetable and the audit log, and answer with it."""
    _schedule(state, task, call.now)
    word = "创建" if action == "create" else "更新"
    targets = len(tasks.targets_of(state.database, task))
    note(
        state,
        call,
        caller,
        action,
        task,
        f"{word}备份任务「{task.name}」，类型: {task.type}, "
        f"调度: {task.cron_expr or '仅手动执行'}, 存储: {targets} 个目标",
    )
    return success(detail(state, task))


def note(
    state: State, call: Call, caller: Caller, action: str, task: Task | None, text: str
) -> None:
    """Add a row to the audit log, about one task or several."""
    audit.note(
        state,
        call,
        caller,
        category="backup_task",
        action=action,
        target_id=task.id if task else "",
        target_name=task.name if task else "",
        detail=text,
    )


def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/tasks`.

    As in v2.0.0, a new task is always enabled, and 0 days of retention become 30.

    Raises:
        ApiError: BACKUP_TASK_INVALID and its kin of the rules, BACKUP_STORAGE_TARGET_INVALID,
            BACKUP_TASK_NAME_EXISTS, BACKUP_TASK_SCHEDULE_FAILED.

    """
    wanted = read_task(call, state.config.profile)
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
    return _saved(state, call, caller, "create", find(state, task_id))


def update(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/backup/tasks/:id`: what is left out falls back to its default.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_INVALID and its kin of the rules, BACKUP_TASK_NOT_FOUND,
            BACKUP_STORAGE_TARGET_INVALID, BACKUP_TASK_NAME_EXISTS, BACKUP_TASK_SCHEDULE_FAILED.

    """
    task_id = call.admin_id()
    wanted = read_task(call, state.config.profile)
    existing = find(state, task_id)
    task_rules.check(state, existing, wanted)
    _check_name(state, wanted.name.strip(), existing.id)
    columns = task_rules.columns(state, existing, wanted)
    with state.database.transaction():
        state.database.update(Task, existing.id, **columns, updated_at=call.now.local)
        tasks.replace_targets(state.database, existing.id, target_ids(wanted))
    return _saved(state, call, caller, "update", find(state, existing.id))


def switch(state: State, task: Task, now: Now, *, enabled: bool) -> Task:
    """Turn a task on or off, in its row and in the timetable.

    Raises:
        ApiError: BACKUP_TASK_SCHEDULE_FAILED.

    """
    state.database.update(Task, task.id, enabled=int(enabled), updated_at=now.local)
    switched = find(state, task.id)
    _schedule(state, switched, now)
    return switched


def toggle(state: State, call: Call, caller: Caller) -> Response:
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
    switched = switch(state, task, call.now, enabled=enabled)
    action, word = SWITCHED[enabled]
    note(state, call, caller, action, switched, f"{word}备份任务「{switched.name}」")
    return success(summary(state, switched))


SWITCHED: Final = {True: ("enable", "启用"), False: ("disable", "停用")}
"""What the audit log calls it."""


def remove(state: State, task: Task) -> int:
    """Delete a task, and what the master reaches of its backups; return how many those were."""
    state.timetable.remove(task.id)
    cleaned = storage.clean(state, task.id)
    state.database.delete(Task, task.id)
    return cleaned


def delete(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/backup/tasks/:id`: the row goes, and what the master reaches of its backups.

    Records, commands and the task's place in the join table stay.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_NOT_FOUND.

    """
    task = find(state, call.admin_id())
    cleaned = remove(state, task)
    count = state.database.count(Record, "task_id = ?", task.id)
    text = f"删除备份任务「{task.name}」(ID: {task.id})，关联记录 {count} 条，"
    note(state, call, caller, "delete", task, f"{text}已清理远端文件 {cleaned} 个")
    return success({"deleted": True})


ROUTES: Final = {
    ("GET", "/api/backup/tasks"): signed_in(list_all),
    ("GET", "/api/backup/tasks/tags"): signed_in(list_tags),
    ("GET", "/api/backup/tasks/:id"): signed_in(get),
    ("POST", "/api/backup/tasks"): not_viewer(create),
    ("PUT", "/api/backup/tasks/:id"): not_viewer(update),
    ("DELETE", "/api/backup/tasks/:id"): not_viewer(delete),
    ("PUT", "/api/backup/tasks/:id/toggle"): not_viewer(toggle),
}
