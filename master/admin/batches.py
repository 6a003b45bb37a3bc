"""Several tasks at once: switched, deleted or run, each for itself."""

from collections.abc import Callable
from typing import Final

from master.admin import runs, tasks
from master.admin.access import Caller, not_viewer
from master.admin.rules import RuledBinder, at_least_one, read, required
from master.call import Call
from master.http import success
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Inbound, Outbound, Uint
from master.state import State


class BatchInput(Inbound):
    """`POST /api/backup/tasks/batch/…`."""

    ids: list[Uint] | None = None
    enabled: bool = False


bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})


class BatchItem(Outbound, frozen=True, kw_only=True):
    """How it went with one of a batch."""

    id: int
    name: str = ""
    success: bool
    error: str = ""


def each(ids: list[int], act: Callable[[int], str]) -> list[BatchItem]:
    """Do something with each task of a batch; one that fails does not keep the others from it.

    An id of 0 is passed over. `act` returns the task's name, or raises ApiError.
    """
    items = []
    for task_id in filter(None, ids):
        try:
            items.append(BatchItem(id=task_id, name=act(task_id), success=True))
        except ApiError as error:
            items.append(BatchItem(id=task_id, success=False, error=error.message))
    return items


def counted(items: list[BatchItem]) -> str:
    """Return how many of a batch went well, of how many."""
    return f"{sum(item.success for item in items)}/{len(items)}"


def batch_toggle(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/tasks/batch/toggle`.

    Raises:
        ApiError: BACKUP_TASK_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_TASK_BATCH_INVALID")

    def switch(task_id: int) -> str:
        return tasks.switch(
            state, tasks.find(state, task_id), call.now, enabled=wanted.enabled
        ).name

    items = each(wanted.ids or [], switch)
    action, word = tasks.SWITCHED[wanted.enabled]
    tasks.note(state, call, caller, f"batch_{action}", None, f"批量{word} {counted(items)} 个任务")
    return success(items)


def batch_delete(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/tasks/batch/delete`.

    Raises:
        ApiError: BACKUP_TASK_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_TASK_BATCH_INVALID", "批量删除参数不合法")

    def remove(task_id: int) -> str:
        task = tasks.find(state, task_id)
        tasks.remove(state, task)
        return task.name

    items = each(wanted.ids or [], remove)
    tasks.note(state, call, caller, "batch_delete", None, f"批量删除 {counted(items)} 个任务")
    return success(items)


def batch_run(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/tasks/batch/run`; names are not given here.

    Raises:
        ApiError: BACKUP_TASK_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_TASK_BATCH_INVALID", "批量执行参数不合法")

    def start(task_id: int) -> str:
        runs.run_task(state, task_id, call.now)
        return ""

    items = each(wanted.ids or [], start)
    tasks.note(state, call, caller, "batch_run", None, f"批量触发备份 {counted(items)}")
    return success(items)


ROUTES: Final = {
    ("POST", "/api/backup/tasks/batch/toggle"): not_viewer(batch_toggle),
    ("POST", "/api/backup/tasks/batch/delete"): not_viewer(batch_delete),
    ("POST", "/api/backup/tasks/batch/run"): not_viewer(batch_run),
}
