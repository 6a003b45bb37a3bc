"""Runs tasks by their cron expressions (seed: the scheduler of v2.0.0).

A task whose node is offline is passed over, and so is one outside of its maintenance windows; the
audit log says so. Everything else is a run like one that an administrator asks for.
Expressions are in UTC, and in the master's own zone since v2.3.1.
"""

import logging

from master import audit, presence
from master.admin.nodes import remote
from master.admin.runs import run_task
from master.admin.windows import is_open
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.states import NodeStatus
from master.protocol.times import NS
from master.state import State
from master.store.rows import Task

log = logging.getLogger("muster.master")


async def run(state: State) -> None:
    """Run tasks when they are due, for ever."""
    load(state, Now.of(state.clock))
    while True:
        await state.timetable.wait(state.clock)
        now = Now.of(state.clock)
        for task in state.timetable.due(now.ns):
            try:
                trigger(state, task, now)
            except Exception as error:  # whatever is wrong with one task, the others are run
                log.warning("task %d cannot be run: %s", task.id, error, exc_info=True)


def load(state: State, now: Now) -> None:
    """Enter every task that is on and has a cron expression.

    The real master does not start when one of them cannot be read; here it is only never run.
    """
    for task in state.database.select(Task, "WHERE enabled = 1 AND cron_expr <> '' ORDER BY id"):
        try:
            state.timetable.sync(task, now.ns)
        except ValueError as error:
            log.warning("task %d is never run: %s: %s", task.id, task.cron_expr, error)


def trigger(state: State, task: Task, now: Now) -> None:
    """Run a task that is due, or say why not.

    A pool has no node yet, so it is not looked at here; an empty one refuses the run.

    Args:
        state: the master's.
        task: as it was when it was entered.
        now: the instant of the run.

    """
    node = remote(state, task.node_id)
    if node is not None and presence.shown(state, node, now) != NodeStatus.ONLINE:
        detail = f"节点 {node.name} 离线 (task: {task.name}, cron: {task.cron_expr})"
        _note(state, task, now, "scheduled_skip", f"跳过调度触发：{detail}")
        return
    # here a window is in the machine's own time, while `run_task` takes it for UTC (protocol 4.6)
    own_ns = now.ns + state.clock.offset_s(now.ns) * NS
    if not is_open(task.maintenance_windows, own_ns):
        detail = f"非维护窗口 (task: {task.name}, windows: {task.maintenance_windows})"
        _note(state, task, now, "scheduled_skip", f"跳过调度触发：{detail}")
        return
    detail = f"定时调度触发备份任务: {task.name} (cron: {task.cron_expr})"
    _note(state, task, now, "scheduled_run", detail)
    try:
        run_task(state, task.id, now)
    except ApiError as error:
        log.info("task %d was refused at its time: %s %s", task.id, error.code, error.message)


def _note(state: State, task: Task, now: Now, action: str, detail: str) -> None:
    audit.write(
        state,
        now,
        username="system",
        category="backup_task",
        action=action,
        target_type="backup_task",
        target_id=str(task.id),
        target_name=task.name,
        detail=detail,
    )
