"""Backup records: what was backed up, when, and how it went."""

import re
from typing import Any, Final

import msgspec

from master.admin.access import Caller, not_viewer, signed_in
from master.admin.nodes import remote
from master.admin.rules import RuledBinder, at_least_one, read, required, whole
from master.call import Call
from master.http import success
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Inbound, Outbound, Uint
from master.state import State
from master.store.rows import Record, Target, Task


class BatchInput(Inbound):
    """`POST /api/backup/records/batch-delete`."""

    ids: list[Uint] | None = None


bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})


class RecordSummary(Outbound, frozen=True, kw_only=True):
    """A record in a list; v2.0.0 never names the target."""

    id: int
    taskId: int
    taskName: str
    storageTargetId: int
    storageTargetName: str
    status: str
    fileName: str
    fileSize: int
    checksum: str
    storagePath: str
    durationSeconds: int
    errorMessage: str
    startedAt: str
    completedAt: str | None = None


class UploadResult(Outbound, frozen=True, kw_only=True):
    """How one upload went; only a master that runs backups itself notes any."""

    storageTargetId: int
    storageTargetName: str
    status: str
    storagePath: str = ""
    fileSize: int = 0
    error: str = ""


class RecordDetail(RecordSummary, frozen=True, kw_only=True):
    """A record with its log."""

    logContent: str
    storageUploadResults: tuple[UploadResult, ...] = ()


def _columns(record: Record, task_name: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "taskId": record.task_id,
        "taskName": task_name,
        "storageTargetId": record.storage_target_id,
        "storageTargetName": "",
        "status": record.status,
        "fileName": record.file_name,
        "fileSize": record.file_size,
        "checksum": record.checksum,
        "storagePath": record.storage_path,
        "durationSeconds": record.duration_seconds,
        "errorMessage": record.error_message,
        "startedAt": times.wire_text(record.started_at),
        "completedAt": record.completed_at and times.wire_text(record.completed_at),
    }


def task_name(state: State, task_id: int) -> str:
    """Return the name of a task, or nothing when it is gone."""
    task = state.database.get(Task, task_id)
    return task.name if task is not None else ""


def _uploads(stored: str) -> tuple[UploadResult, ...]:
    try:
        return msgspec.json.decode(stored or "[]", type=tuple[UploadResult, ...])
    except msgspec.DecodeError:
        return ()


def detail(state: State, record: Record) -> RecordDetail:
    """Return a record as its page shows it."""
    return RecordDetail(
        **_columns(record, task_name(state, record.task_id)),
        logContent=record.log_content,
        storageUploadResults=_uploads(record.storage_upload_results),
    )


def find(state: State, record_id: int) -> Record:
    """Return a record.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND.

    """
    record = state.database.get(Record, record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND")
    return record


_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


class Filter:
    """Conditions on a list, gathered from a query string.

    Args:
        call: the request.
        code: what a condition that cannot be read is refused with.

    """

    def __init__(self, call: Call, code: str) -> None:
        self._request = call.request
        self._code = code
        self._conditions: list[str] = []
        self._values: list[str | int] = []

    def _text(self, name: str) -> str:
        return (self._request.parameter(name) or "").strip()

    def _add(self, condition: str, value: str | int) -> None:
        self._conditions.append(condition)
        self._values.append(value)

    def id(self, name: str, column: str, bits: int) -> None:
        """Take a parameter as the id that a column must hold.

        Raises:
            ApiError: the filter's code.

        """
        text = self._text(name)
        if not text:
            return
        number = whole(text, bits)
        if number is None:
            raise ApiError(self._code, f"{name} 不合法")
        self._add(f"{column} = ?", number if number < 2**63 else -1)

    def status_and_dates(self) -> None:
        """Take the parameters that both lists have: status, dateFrom, dateTo.

        Raises:
            ApiError: the filter's code.

        """
        status = self._text("status")
        if status:
            self._add("status = ?", status)
        for name, comparison in (("dateFrom", ">="), ("dateTo", "<=")):
            text = self._text(name)
            if text:
                self._add(f"started_at {comparison} ?", self._date(name, text))

    def _date(self, name: str, text: str) -> str:
        refusal = ApiError(self._code, f"{name} 必须为 RFC3339 时间格式")
        if not _RFC3339.fullmatch(text):
            raise refusal
        try:
            return times.db_text(times.parse(text.replace(",", ".")))
        except (ValueError, OverflowError):  # a 30th of February, a year with no UTC
            raise refusal from None

    def select(self, state: State, row: type[Any]) -> list[Any]:
        """Return the rows that meet all conditions, the latest first."""
        where = " AND ".join(self._conditions) or "1"
        order = "ORDER BY started_at DESC, id DESC"
        return state.database.select(row, f"WHERE {where} {order}", *self._values)


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records`: the latest first; there are no pages.

    Raises:
        ApiError: BACKUP_RECORD_FILTER_INVALID.

    """
    conditions = Filter(call, "BACKUP_RECORD_FILTER_INVALID")
    conditions.id("taskId", "task_id", 64)
    conditions.status_and_dates()
    found = conditions.select(state, Record)
    names = {record.task_id: "" for record in found}
    names = {task_id: task_name(state, task_id) for task_id in names}
    return success([RecordSummary(**_columns(record, names[record.task_id])) for record in found])


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records/:id`.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND.

    """
    return success(detail(state, find(state, call.admin_id())))


def _check_reach(state: State, record: Record) -> None:
    """Refuse to touch what is on another machine's disk.

    Raises:
        ApiError: BACKUP_RECORD_CROSS_NODE_LOCAL_DISK.

    """
    node = remote(state, record.node_id)
    target = state.database.get(Target, record.storage_target_id)
    if node is not None and target is not None and target.type.lower() == "local_disk":
        raise ApiError(
            "BACKUP_RECORD_CROSS_NODE_LOCAL_DISK",
            f"该备份位于节点 {node.name} 的本地磁盘（local_disk），Master 无法跨节点访问。"
            "请登录该节点或改用云存储后再操作。",
        )


def download(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records/:id/download`: always refused.

    What is on a node's own disk is out of reach, as for the real master; for the rest the
    reference would need storage clients, and has none.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_CROSS_NODE_LOCAL_DISK,
            BACKUP_RECORD_DOWNLOAD_FAILED.

    """
    _check_reach(state, find(state, call.admin_id()))
    raise ApiError("BACKUP_RECORD_DOWNLOAD_FAILED")


def _remove(state: State, record_id: int) -> None:
    record = find(state, record_id)
    _check_reach(state, record)
    state.database.delete(Record, record.id)


def delete(state: State, call: Call, _: Caller) -> Response:
    """`DELETE /api/backup/records/:id`, in any status.

    Only the row goes: the reference has no storage clients, so the backup itself stays where it
    is. The real master deletes it first, and keeps the row if that fails.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_CROSS_NODE_LOCAL_DISK.

    """
    _remove(state, call.admin_id())
    return success({"deleted": True})


def batch_delete(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/backup/records/batch-delete`: how many went; those that cannot go stay.

    Raises:
        ApiError: BACKUP_RECORD_BATCH_INVALID.

    """
    wanted = read(call, bind_batch, "BACKUP_RECORD_BATCH_INVALID")
    deleted = 0
    for record_id in wanted.ids or []:
        try:
            _remove(state, record_id)
        except ApiError:
            continue
        deleted += 1
    return success({"deleted": deleted})


ROUTES: Final = {
    ("GET", "/api/backup/records"): signed_in(list_all),
    ("GET", "/api/backup/records/:id"): signed_in(get),
    ("GET", "/api/backup/records/:id/download"): signed_in(download),
    ("POST", "/api/backup/records/batch-delete"): not_viewer(batch_delete),
    ("DELETE", "/api/backup/records/:id"): not_viewer(delete),
}
