"""Running tasks: a record, and a command for the node that is to do it."""

from typing import Final

from master import audit, presence
from master.admin import modes, pools
from master.admin.access import Caller, not_viewer
from master.admin.nodes import remote
from master.admin.record_view import detail
from master.admin.records import find as find_record
from master.admin.tasks import find
from master.admin.windows import is_open
from master.call import Call
from master.http import success
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.states import CommandType, RecordStatus
from master.service import queue
from master.state import State
from master.store import records, tasks
from master.store.rows import Node, Record, Task


def run_task(state: State, task_id: int, now: Now) -> Record:
    """Start a backup on the task's node (seed: `RunTask`), whether the task is enabled or not.

    A node that is offline leaves a failed record behind; every other refusal changes nothing, that
    of what the master would have to run itself included.

    Raises:
        ApiError: BACKUP_TASK_NOT_FOUND, BACKUP_TASK_ALREADY_RUNNING, BACKUP_TASK_OUTSIDE_WINDOW,
            NODE_POOL_EMPTY, BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED, MASTER_LOCAL_UNSUPPORTED,
            NODE_OFFLINE.

    """
    task = find(state, task_id)
    if state.config.profile.one_run_a_task:
        _check_not_running(state, task)
    if not is_open(task.maintenance_windows, now.ns):
        raise ApiError(
            "BACKUP_TASK_OUTSIDE_WINDOW",
            f"当前时间不在任务「{task.name}」的维护窗口内（{task.maintenance_windows}），已拒绝执行。",
        )
    node = _node_for(state, task, now)
    offline = f"节点 {node.name} 当前离线，无法执行备份任务"
    with state.database.transaction():
        record_id = _start(state, task, node, now)
        if not presence.online(state, node, now):
            records.fail_running(state.database, Record, record_id, offline, now)
            tasks.set_last_status(state.database, task.id, RecordStatus.FAILED, now)
        else:
            payload = {"recordId": record_id, "taskId": task.id}
            queue.enqueue(state, node.id, CommandType.RUN_TASK, payload, now)
    if not presence.online(state, node, now):
        raise ApiError("NODE_OFFLINE", offline)
    return find_record(state, record_id)


def _check_not_running(state: State, task: Task) -> None:
    running = records.running_of(state.database, task.id)
    if running is not None:
        raise ApiError(
            "BACKUP_TASK_ALREADY_RUNNING",
            f"任务「{task.name}」正在运行（记录 #{running.id}），请等待完成后再触发。",
        )


def _node_for(state: State, task: Task, now: Now) -> Node:
    """Return the remote node that a run goes to: the task's, or one of its pool, for this run only.

    Raises:
        ApiError: NODE_POOL_EMPTY, BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED,
            MASTER_LOCAL_UNSUPPORTED.

    """
    profile = state.config.profile
    pool = pools.named(task) if pools.known(profile) else ""
    node_id = pools.pick(state, pool, now).id if pool else task.node_id
    node = remote(state, node_id)
    if node is None:
        raise ApiError("MASTER_LOCAL_UNSUPPORTED")
    if modes.known(profile) and task.backup_mode.lower() == modes.REPOSITORY:
        message = "CDC 仓库模式当前仅支持 Master 本机单写者执行"
        raise ApiError("BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED", message)
    return node


def _start(state: State, task: Task, node: Node, now: Now) -> int:
    targets = tasks.targets_of(state.database, task)
    record_id = records.insert_backup(
        state.database,
        task_id=task.id,
        storage_target_id=targets[0].id if targets else task.storage_target_id,
        node_id=node.id,
        now=now,
    )
    tasks.set_running(state.database, task.id, now)
    return record_id


def run(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/backup/tasks/:id/run`: the answer is the record, still running.

    Raises:
        ApiError: INVALID_ID, and those of `run_task`.

    """
    record = run_task(state, call.admin_id(), call.now)
    audit.note(
        state,
        call,
        caller,
        category="backup_task",
        action="run",
        target_id=record.task_id,
        detail="手动触发备份",
    )
    return success(detail(state, record))


ROUTES: Final = {
    ("POST", "/api/backup/tasks/:id/run"): not_viewer(run),
}
