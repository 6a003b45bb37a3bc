"""Statements about `backup_records` and `restore_records`."""

from msgspec import Struct

from master.now import Now
from master.protocol import times
from master.protocol.states import RecordStatus
from master.protocol.times import NS
from master.store.database import Database
from master.store.rows import Record, Restore


def insert_backup(
    database: Database, *, task_id: int, storage_target_id: int, node_id: int, now: Now
) -> int:
    """Insert a running backup record and return its id."""
    return database.insert(
        Record,
        task_id=task_id,
        storage_target_id=storage_target_id,
        node_id=node_id,
        status=RecordStatus.RUNNING,
        file_name="",
        file_size=0,
        checksum="",
        storage_path="",
        storage_transfer_mode="",
        storage_upload_results="",
        duration_seconds=0,
        locked=0,
        backup_kind="full",
        base_record_id=0,
        manifest="",
        error_message="",
        log_content="",
        started_at=now.utc,
        created_at=now.local,
        updated_at=now.local,
    )


def insert_restore(
    database: Database, *, record: Record, node_id: int, triggered_by: str, now: Now
) -> int:
    """Insert a running restore record and return its id."""
    return database.insert(
        Restore,
        backup_record_id=record.id,
        task_id=record.task_id,
        node_id=node_id,
        target_path="",
        status=RecordStatus.RUNNING,
        error_message="",
        log_content="",
        duration_seconds=0,
        started_at=now.utc,
        triggered_by=triggered_by,
        created_at=now.local,
        updated_at=now.local,
    )


def runs_on(database: Database, task_id: int, node_id: int) -> bool:
    """Return whether a node has a running record of a task."""
    condition = "task_id = ? AND node_id = ? AND status = ? ORDER BY id"
    return database.find(Record, condition, task_id, node_id, RecordStatus.RUNNING) is not None


def stored_bytes(database: Database, target_id: int) -> int:
    """Return how much all records of a storage target say that they have stored."""
    [(total,)] = database.query(
        "SELECT COALESCE(SUM(file_size), 0) FROM backup_records WHERE storage_target_id = ?",
        (target_id,),
    )
    return int(total)


def duration_s(started_at: str, now: Now) -> int:
    """Return whole seconds since a start, cut towards zero as Go's conversion does.

    Raises:
        ValueError: the start is no time.

    """
    return int((now.ns - times.parse(started_at)) / NS)


def fail_running(
    database: Database, row: type[Record | Restore], record_id: int, message: str, now: Now
) -> bool:
    """Fail a record that is still running, with end time and duration; return whether it was.

    A row whose start cannot be read is no record to the real master, and left alone.
    """
    record = database.get(row, record_id)
    if record is None or record.status != RecordStatus.RUNNING:
        return False
    try:
        took_s = duration_s(record.started_at, now)
    except ValueError:
        return False
    database.update(
        row,
        record_id,
        status=RecordStatus.FAILED,
        error_message=message,
        completed_at=now.utc,
        duration_seconds=took_s,
        updated_at=now.local,
    )
    return True


class NodeRuns(Struct, frozen=True, gc=False):
    """How the backups of one node went; size and duration are those of its successes."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    size_bytes: int = 0
    took_s: int = 0

    @property
    def rate(self) -> float:
        """Return how many of them succeeded, from 0 to 1."""
        return self.succeeded / self.total if self.total else 0.0


def runs_by_node(database: Database, since_utc: str) -> dict[int, NodeRuns]:
    """Return how the backups of each node went that began at an instant or later."""
    rows = database.query(
        "SELECT COALESCE(node_id, 0), count(*), sum(status = 'success'), sum(status = 'failed'),"
        " sum(iif(status = 'success', file_size, 0)),"
        " sum(iif(status = 'success', duration_seconds, 0))"
        " FROM backup_records WHERE started_at >= ? GROUP BY 1",
        (since_utc,),
    )
    return {node_id: NodeRuns(*figures) for node_id, *figures in rows}


def running_of(database: Database, task_id: int) -> Record | None:
    """Return a task's running record, the latest if there are several."""
    return database.find(
        Record, "task_id = ? AND status = 'running' ORDER BY started_at DESC, id DESC", task_id
    )


def running_by_node(database: Database) -> dict[int, int]:
    """Return how many backups each node is running."""
    return dict(
        database.query(
            "SELECT COALESCE(node_id, 0), count(*) FROM backup_records WHERE status = 'running'"
            " GROUP BY 1"
        )
    )
