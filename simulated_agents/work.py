"""What is done about each type of command: the real agent's calls in their order.

What the master is told, when, and what is done when it refuses, is the real agent's, release by
release. What lies behind the calls is a worker's.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from posixpath import basename
from typing import Any, Final, TypeVar

from master.protocol.exchange import BodyCutError
from master.protocol.states import CommandType
from master.protocol.wire import Binder, BindError
from simulated_agents.artifact import Artifact, Contents
from simulated_agents.client import CALL_FAILED, relay_failure
from simulated_agents.job import Job, Progress, Report, failure
from simulated_agents.life import Point
from simulated_agents.messages import (
    DeleteStorageObject,
    DiscoverDb,
    ListDir,
    RecordReport,
    RestoreRecord,
    RestoreReport,
    RestoreSpec,
    RunTask,
    TaskSpec,
)
from simulated_agents.ports import NoReply
from simulated_agents.runners import Runner, runner_of
from simulated_agents.storing import store
from simulated_agents.worker import Entry, Worker, WorkError

T = TypeVar("T")


async def execute(job: Job, worker: Worker) -> Report:
    """Do a command, and return what is to be reported."""
    handler = HANDLERS.get(job.command.type)
    if handler is None:
        return failure(f"unknown command type: {job.command.type}")
    bind, perform = handler
    try:
        payload = bind(bytes(job.command.payload))
    except BindError as error:
        return failure(f"invalid payload: {error}")
    return await perform(job, worker, payload)


# --- backups --------------------------------------------------------------------------------


async def _run_task(job: Job, worker: Worker, payload: RunTask) -> Report:
    record = Progress(job, payload.recordId, job.client.update_record, RecordReport)
    try:
        if job.release.makes_room_first:
            worker.make_room()
        spec = await _spec(job, job.client.task_spec(payload.taskId), "拉取任务规格失败")
        await job.at(Point.SPEC_FETCHED)
        if spec.encrypt:
            raise WorkError("Agent 不支持加密备份（加密密钥仅在 Master 端持有）")  # noqa: TRY301
        return await _back_up(job, worker, record, spec, payload)
    except WorkError as error:
        return await record.fail(error.message, error.error)


async def _back_up(
    job: Job, worker: Worker, record: Progress, spec: TaskSpec, payload: RunTask
) -> Report:
    job.begin()
    await record.log(f"[agent] 开始执行任务 {spec.name} (type={spec.type})")
    started_ns = job.clock.now_ns()
    await job.at(Point.STARTED)
    _make_room_late(job, worker)
    runner = _runner(spec.type)
    artifact = Artifact(spec, payload, runner, started_ns, job.release)
    contents = await worker.back_up(record, spec, payload, runner, artifact.raw_name)
    return await store(job, worker, record, artifact, contents)


# --- restores -------------------------------------------------------------------------------


async def _restore_record(job: Job, worker: Worker, payload: RestoreRecord) -> Report:
    restore_id = payload.restoreRecordId
    if restore_id == 0:
        return failure("restoreRecordId is required")
    record = Progress(job, restore_id, job.client.update_restore, RestoreReport)
    try:
        if job.release.makes_room_first:
            worker.make_room()
        spec = await _spec(job, job.client.restore_spec(restore_id), "拉取恢复规格失败")
        await job.at(Point.SPEC_FETCHED)
        if spec.encrypt:
            raise WorkError("Agent 不支持加密恢复（加密密钥仅在 Master 端持有）")  # noqa: TRY301
        job.begin()
        await record.log(f"[agent] 开始恢复 {spec.taskName} (type={spec.type})")
        await job.at(Point.STARTED)
        _make_room_late(job, worker)
        await _restore(job, worker, record, spec)
    except WorkError as error:
        return await record.fail(error.message, error.error)
    unrecorded = await record.finish(logAppend="[agent] 恢复执行完成\n")
    if unrecorded is not None:
        return failure(unrecorded)
    return Report(result={"restoreRecordId": restore_id})


async def _restore(job: Job, worker: Worker, record: Progress, spec: RestoreSpec) -> None:
    await record.log(f"[agent] 下载备份文件 {spec.storagePath}")
    contents = await _fetch(job, worker, spec)
    await _check(job, worker, record, spec, contents)
    name = basename(spec.fileName.strip() or spec.storagePath).lower()
    if name.endswith(".enc"):
        raise WorkError("检测到加密后缀，Agent 不支持加密恢复")
    for ending, kind in (("gz", "gzip"), ("zst", "zstd")):
        if name.endswith(f".{ending}") and (ending == "gz" or job.release.packs_zstd):
            await record.log(f"[agent] 解压 {kind} 压缩")
            contents = await worker.decompress(contents)
    await worker.restore(record, spec, _runner(spec.type), contents)


async def _fetch(job: Job, worker: Worker, spec: RestoreSpec) -> Contents:
    """Get the backup, from where it lies or from the master."""
    if not (job.release.relays and spec.storage.relayed):
        return await worker.fetch(spec)
    sink = worker.sink(spec)
    try:
        await job.client.download_artifact(spec.restoreRecordId, sink.write)
    except BodyCutError as error:
        job.note(NoReply(str(error), definite=False))
        raise WorkError(f"写入备份文件失败: {error}", str(error)) from None
    except CALL_FAILED as error:
        job.note(error)
        text = relay_failure("download relayed artifact from Master", error)
        raise WorkError(f"下载备份失败: {text}", text) from None
    return sink.finish()


async def _check(
    job: Job, worker: Worker, record: Progress, spec: RestoreSpec, contents: Contents
) -> None:
    """Compare the backup's checksum, where the release does and the master knows one."""
    if not job.release.checks_backups or not spec.checksum.strip():
        return
    await record.log("[agent] 校验备份完整性（SHA-256）")
    found = await worker.checksum(contents, sent=True)
    if found.lower() != spec.checksum.lower():
        message = "备份文件完整性校验失败：SHA-256 不匹配，文件可能已损坏或被篡改"
        raise WorkError(message, f"{message}（期望 {spec.checksum}，实际 {found}）")
    await record.log("[agent] 完整性校验通过")


# --- what both have -------------------------------------------------------------------------


async def _spec(job: Job, call: Awaitable[T], failed: str) -> T:
    """Return what the master says of the work.

    Raises:
        WorkError: it does not.

    """
    try:
        return await call
    except CALL_FAILED as error:
        job.note(error)
        raise WorkError(f"{failed}: {error}", str(error)) from None


def _make_room_late(job: Job, worker: Worker) -> None:
    """Make room for temporary files where the release does so after its first log line."""
    if job.release.makes_room_first:
        return
    try:
        worker.make_room()
    except WorkError as error:
        raise WorkError(f"创建临时目录失败: {error}", str(error)) from None


def _runner(task_type: str) -> Runner:
    runner = runner_of(task_type)
    if runner is None:
        error = f"unsupported backup task type: {task_type}"
        raise WorkError(f"不支持的备份类型: {error}", error)
    return runner


# --- questions ------------------------------------------------------------------------------


async def _answer(
    job: Job, work: Callable[[], Awaitable[T]], result: Callable[[T], object]
) -> Report:
    """Answer at once."""
    job.begin()
    await job.at(Point.STARTED)
    try:
        report = Report(result=result(await work()))
    except WorkError as error:
        report = failure(error.error)
    await job.at(Point.WORKING)
    await job.at(Point.WORKED)
    return report


async def _list_dir(job: Job, worker: Worker, payload: ListDir) -> Report:
    return await _answer(job, partial(worker.list_dir, payload.path), _listing)


def _listing(entries: list[Entry]) -> object:
    """Return directories first, then by name."""
    entries = sorted(entries, key=lambda entry: (not entry.is_dir, entry.name))
    return {
        "entries": [
            {"name": one.name, "path": one.path, "isDir": one.is_dir, "size": one.size_bytes}
            for one in entries
        ]
    }


async def _discover_db(job: Job, worker: Worker, payload: DiscoverDb) -> Report:
    return await _answer(job, partial(worker.discover, payload), _databases)


def _databases(names: list[str]) -> object:
    return {"databases": names or None}


async def _delete_storage_object(job: Job, worker: Worker, payload: DeleteStorageObject) -> Report:
    if not payload.storagePath.strip():
        return failure("storagePath is required")
    return await _answer(job, partial(worker.delete, payload), _deleted)


def _deleted(_: None) -> object:
    return {"deleted": True}


Handler = tuple[Binder[Any], Callable[[Job, Worker, Any], Awaitable[Report]]]

HANDLERS: Final[dict[str, Handler]] = {
    CommandType.RUN_TASK: (Binder(RunTask), _run_task),
    CommandType.RESTORE_RECORD: (Binder(RestoreRecord), _restore_record),
    CommandType.LIST_DIR: (Binder(ListDir), _list_dir),
    CommandType.DISCOVER_DB: (Binder(DiscoverDb), _discover_db),
    CommandType.DELETE_STORAGE_OBJECT: (Binder(DeleteStorageObject), _delete_storage_object),
}
