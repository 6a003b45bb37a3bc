"""Statements about `backup_tasks` and the storage targets each one names."""

from collections.abc import Sequence

from master.now import Now
from master.protocol.states import RecordStatus
from master.store.database import Database
from master.store.rows import Target, Task


def targets_of(database: Database, task: Task) -> list[Target]:
    """Return a task's storage targets by ascending id, without those that are gone.

    A task without any in the join table falls back to its single, older column.
    """
    joined = database.select(
        Target,
        "WHERE id IN (SELECT storage_target_id FROM backup_task_storage_targets"
        " WHERE backup_task_id = ?) ORDER BY id",
        task.id,
    )
    if joined or not task.storage_target_id:
        return joined
    legacy = database.get(Target, task.storage_target_id)
    return [legacy] if legacy is not None else []


def replace_targets(database: Database, task_id: int, target_ids: Sequence[int]) -> None:
    """Make these the targets of a task."""
    database.execute("DELETE FROM backup_task_storage_targets WHERE backup_task_id = ?", (task_id,))
    for target_id in dict.fromkeys(target_ids):
        database.execute(
            "INSERT INTO backup_task_storage_targets (backup_task_id, storage_target_id)"
            " VALUES (?, ?)",
            (task_id, target_id),
        )


def set_last_status(
    database: Database, task_id: int, status: str, now: Now, *, last_run_at: str | None = None
) -> None:
    """Note how a task's latest run went, and when it began if that is given."""
    changes = {"last_status": status, "updated_at": now.local}
    if last_run_at is not None:
        changes["last_run_at"] = last_run_at
    database.update(Task, task_id, **changes)


def set_running(database: Database, task_id: int, now: Now) -> None:
    """Note that a run of a task has begun."""
    database.update(
        Task, task_id, last_run_at=now.utc, last_status=RecordStatus.RUNNING, updated_at=now.local
    )
