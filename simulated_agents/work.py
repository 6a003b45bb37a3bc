"""Pretend execution: the real agent's calls in their order, with nothing behind them.

What the master is told, when, and what is done when it refuses, is the real agent's, release by
release. How long it takes and how it ends is the plan's. Nothing is read, written or packed, and
nothing leaves for anywhere but the master.
"""

from collections.abc import Awaitable, Callable
from posixpath import basename, join, normpath
from typing import Any, Final

from master.protocol.states import CommandType
from master.protocol.wire import Binder, BindError
from simulated_agents.artifact import Artifact
from simulated_agents.client import CALL_FAILED
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
)
from simulated_agents.plan import Outcome
from simulated_agents.pretend import DATABASES, TREE
from simulated_agents.runners import runner_of
from simulated_agents.storing import store


async def execute(job: Job) -> Report:
    """Do a command, and return what is to be reported."""
    handler = HANDLERS.get(job.command.type)
    if handler is None:
        return failure(f"unknown command type: {job.command.type}")
    bind, perform = handler
    try:
        payload = bind(bytes(job.command.payload))
    except BindError as error:
        return failure(f"invalid payload: {error}")
    return await perform(job, payload)


# --- backups --------------------------------------------------------------------------------


async def _run_task(job: Job, payload: RunTask) -> Report:
    record = Progress(job, payload.recordId, job.client.update_record, RecordReport)
    try:
        spec = await job.client.task_spec(payload.taskId)
    except CALL_FAILED as error:
        job.note(error)
        return await record.fail(f"拉取任务规格失败: {error}", str(error))
    await job.at(Point.SPEC_FETCHED)
    if spec.encrypt:
        return await record.fail("Agent 不支持加密备份（加密密钥仅在 Master 端持有）")
    job.begin()
    await record.log(f"[agent] 开始执行任务 {spec.name} (type={spec.type})")
    started_ns = job.clock.now_ns()
    await job.at(Point.STARTED)
    runner = runner_of(spec.type)
    if runner is None:
        return await _no_runner(record, spec.type)
    await record.work(runner.backup(spec, job.plan))
    if job.plan.outcome is Outcome.FAILURE:
        return await record.fail(job.plan.error)
    artifact = Artifact(
        spec, payload, runner, started_ns, job.plan.size_bytes, job.release.record_folders
    )
    return await store(job, record, artifact)


async def _no_runner(record: Progress, task_type: str) -> Report:
    error = f"unsupported backup task type: {task_type.strip().lower()}"
    return await record.fail(f"不支持的备份类型: {error}", error)


# --- restores -------------------------------------------------------------------------------


async def _restore_record(job: Job, payload: RestoreRecord) -> Report:
    restore_id = payload.restoreRecordId
    if restore_id == 0:
        return failure("restoreRecordId is required")
    record = Progress(job, restore_id, job.client.update_restore, RestoreReport)
    try:
        spec = await job.client.restore_spec(restore_id)
    except CALL_FAILED as error:
        job.note(error)
        return await record.fail(f"拉取恢复规格失败: {error}", str(error))
    await job.at(Point.SPEC_FETCHED)
    if spec.encrypt:
        return await record.fail("Agent 不支持加密恢复（加密密钥仅在 Master 端持有）")
    job.begin()
    await record.log(f"[agent] 开始恢复 {spec.taskName} (type={spec.type})")
    await job.at(Point.STARTED)
    failed = await _restore(job, record, spec)
    if failed is not None:
        return failed
    unrecorded = await record.finish(logAppend="[agent] 恢复执行完成\n")
    if unrecorded is not None:
        return failure(unrecorded)
    return Report(result={"restoreRecordId": restore_id})


async def _restore(job: Job, record: Progress, spec: RestoreSpec) -> Report | None:
    await record.log(f"[agent] 下载备份文件 {spec.storagePath}")
    failed = await _fetch(job, record, spec)
    if failed is not None:
        return failed
    name = basename(spec.fileName.strip() or spec.storagePath).lower()
    if name.endswith(".enc"):
        return await record.fail("检测到加密后缀，Agent 不支持加密恢复")
    if name.endswith(".gz"):
        await record.log("[agent] 解压 gzip 压缩")
    runner = runner_of(spec.type)
    if runner is None:
        return await _no_runner(record, spec.type)
    await record.work(runner.restore)
    return await record.fail(job.plan.error) if job.plan.outcome is Outcome.FAILURE else None


async def _fetch(job: Job, record: Progress, spec: RestoreSpec) -> Report | None:
    """Get the backup, and compare its checksum; what does not come from the master is as it was."""
    found = spec.checksum
    if job.release.relays and spec.storage.relayed:
        try:
            found = await job.client.download_artifact(spec.restoreRecordId)
        except CALL_FAILED as error:
            job.note(error)
            return await record.fail(f"下载备份失败: {error}", str(error))
    if not job.release.checks_backups or not spec.checksum.strip():
        return None
    await record.log("[agent] 校验备份完整性（SHA-256）")
    if found.lower() != spec.checksum.lower():
        message = "备份文件完整性校验失败：SHA-256 不匹配，文件可能已损坏或被篡改"
        return await record.fail(message, f"{message}（期望 {spec.checksum}，实际 {found}）")
    await record.log("[agent] 完整性校验通过")
    return None


# --- questions ------------------------------------------------------------------------------


async def _answer(job: Job, report: Report) -> Report:
    """Answer at once; a plan that fails fails this too."""
    job.begin()
    await job.at(Point.STARTED)
    await job.at(Point.WORKING)
    await job.at(Point.WORKED)
    return report


async def _list_dir(job: Job, payload: ListDir) -> Report:
    path = normpath(payload.path) if payload.path else "."
    entries = TREE.get("/" if path == "." else path)
    if entries is None:
        return await _answer(job, failure(f"read dir: open {path}: no such file or directory"))
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, failure(f"read dir: open {path}: permission denied"))
    listed = [
        {"name": name, "path": normpath(join(path, name)), "isDir": is_dir, "size": size}
        for name, is_dir, size in sorted(entries, key=lambda entry: (not entry[1], entry[0]))
    ]
    return await _answer(job, Report(result={"entries": listed}))


async def _discover_db(job: Job, payload: DiscoverDb) -> Report:
    server = DATABASES.get(payload.type.strip().lower())
    if server is None:
        return await _answer(job, failure(f"unsupported database type: {payload.type}"))
    label, names = server
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, failure(f"连接 {label} 失败：{job.plan.error}"))
    return await _answer(job, Report(result={"databases": list(names)}))


async def _delete_storage_object(job: Job, payload: DeleteStorageObject) -> Report:
    if not payload.storagePath.strip():
        return failure("storagePath is required")
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, failure(f"delete object: {job.plan.error}"))
    return await _answer(job, Report(result={"deleted": True}))


HANDLERS: Final[dict[str, tuple[Binder[Any], Callable[[Job, Any], Awaitable[Report]]]]] = {
    CommandType.RUN_TASK: (Binder(RunTask), _run_task),
    CommandType.RESTORE_RECORD: (Binder(RestoreRecord), _restore_record),
    CommandType.LIST_DIR: (Binder(ListDir), _list_dir),
    CommandType.DISCOVER_DB: (Binder(DiscoverDb), _discover_db),
    CommandType.DELETE_STORAGE_OBJECT: (Binder(DeleteStorageObject), _delete_storage_object),
}
