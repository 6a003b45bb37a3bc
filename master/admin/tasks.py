"""Backup tasks: what is backed up, where to, by which node."""

from collections.abc import Callable
from typing import Final

from master.admin import storage, task_rules
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.rules import RuledBinder, at_least_one, read, required
from master.admin.schedule import readable
from master.admin.task_input import read_task, target_ids
from master.admin.task_view import detail, summary
from master.call import Call
from master.http import success
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Binder, Inbound, Outbound, Uint
from master.state import State
from master.store import tasks
from master.store.rows import Task


class ToggleInput(Inbound):
    """`PUT /api/backup/tasks/:id/toggle`."""

    enabled: bool | None = None


class BatchInput(Inbound):
    """`POST /api/backup/tasks/batch/…`."""

    ids: list[Uint] | None = None
    enabled: bool = False


bind_toggle = Binder(ToggleInput)
bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})


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
    task = find(state, task_id)
    _check_schedule(task)
    return success(detail(state, task))


def update(state: State, call: Call, _: Caller) -> Response:
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
    return success(summary(state, switched))


def _remove(state: State, task: Task) -> None:
    storage.clean(state, task.id)
    state.database.delete(Task, task.id)


def delete(state: State, call: Call, _: Caller) -> Response:
    """`DELETE /api/backup/tasks/:id`: the row goes, and what the master reaches of its backups.

    Records, commands and the task's place in the join table stay.

    Raises:
        ApiError: INVALID_ID, BACKUP_TASK_NOT_FOUND.

    """
    _remove(state, find(state, call.admin_id()))
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
        _remove(state, task)
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
