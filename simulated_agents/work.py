"""Pretend execution: the real v2.0.0 agent's calls in their order, with nothing behind them.

What the master is told, when, and what is done when it refuses, is the real agent's.
How long it takes and how it ends is the plan's. Nothing is read, written, packed or uploaded.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from posixpath import basename, join, normpath
from typing import Any, Final

from master.protocol.states import CommandType
from master.protocol.times import NS
from master.protocol.wire import Binder, BindError
from simulated_agents.client import CALL_FAILED, AgentClient
from simulated_agents.clock import Clock
from simulated_agents.life import Point
from simulated_agents.messages import (
    Command,
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
from simulated_agents.plan import Outcome, WorkPlan
from simulated_agents.pretend import DATABASES, TREE
from simulated_agents.runners import Runner, file_stem, runner_of


@dataclass(frozen=True, slots=True)
class Job:
    """One command on its way through an agent.

    Attributes:
        command: what is to be done.
        client: the way to the master.
        clock: how work takes time.
        plan: how it goes.
        at: told of each point of the command's life; may wait, or raise.
        begin: told that the command's effect begins.
        note: told of each call that failed.

    """

    command: Command
    client: AgentClient
    clock: Clock
    plan: WorkPlan
    at: Callable[[Point], Awaitable[None]]
    begin: Callable[[], None]
    note: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be said of a command when it is over.

    Attributes:
        error: the error's text; none is success.
        result: what a success brought.

    """

    error: str = ""
    result: Any = None
    success: bool = field(default=True)


def _failure(error: str) -> Report:
    return Report(error, success=False)


async def execute(job: Job) -> Report:
    """Do a command, and return what is to be reported."""
    handler = HANDLERS.get(job.command.type)
    if handler is None:
        return _failure(f"unknown command type: {job.command.type}")
    bind, perform = handler
    try:
        payload = bind(bytes(job.command.payload))
    except BindError as error:
        return _failure(f"invalid payload: {error}")
    return await perform(job, payload)


# --- backups --------------------------------------------------------------------------------


class _Record:
    """A backup or restore record, as its agent writes to it."""

    def __init__(
        self,
        job: Job,
        record_id: int,
        update: Callable[[int, Any], Awaitable[None]],
        report: type[RecordReport | RestoreReport],
    ) -> None:
        self._job = job
        self._id = record_id
        self._update = update
        self._report = report

    async def tell(self, **fields: Any) -> None:
        """Report, and never mind the answer."""
        try:
            await self._update(self._id, self._report(**fields))
        except CALL_FAILED as error:
            self._job.note(error)

    async def log(self, line: str) -> None:
        """Append a line."""
        await self.tell(logAppend=line + "\n")

    async def finish(self, **fields: Any) -> str | None:
        """Report the end; return the error that keeps the master from knowing, if any."""
        await self._job.at(Point.WORKED)
        try:
            await self._update(self._id, self._report(status="success", **fields))
        except CALL_FAILED as error:
            self._job.note(error)
            return str(error)
        await self._job.at(Point.RECORDED)
        return None

    async def fail(self, message: str, error: str | None = None) -> Report:
        """Report a failure: `message` to the record, `error` to the command."""
        await self._job.at(Point.WORKED)
        await self.tell(
            status="failed", errorMessage=message, logAppend=f"[agent] 错误: {message}\n"
        )
        await self._job.at(Point.RECORDED)
        return _failure(message if error is None else error)

    async def work(self, lines: tuple[str, ...]) -> None:
        """Let the plan's time pass, with log lines from its beginning to its end."""
        job, duration_s = self._job, self._job.plan.duration_s
        lines = lines if job.plan.log_lines is None else job.plan.log_lines
        begin_s = job.clock.monotonic_s()
        gap_s = duration_s / max(len(lines) - 1, 1)
        half = (len(lines) + 1) // 2
        for number, line in enumerate(lines[:half]):
            await job.clock.sleep_until(begin_s + number * gap_s)
            await self.log(line)
        await job.clock.sleep_until(begin_s + duration_s / 2)
        await job.at(Point.WORKING)
        for number, line in enumerate(lines[half:], half):
            await job.clock.sleep_until(begin_s + number * gap_s)
            await self.log(line)
        await job.clock.sleep_until(begin_s + duration_s)


async def _run_task(job: Job, payload: RunTask) -> Report:
    record = _Record(job, payload.recordId, job.client.update_record, RecordReport)
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
    return await _store(job, record, payload, _Artifact(spec, runner, started_ns))


async def _no_runner(record: _Record, task_type: str) -> Report:
    error = f"unsupported backup task type: {task_type.strip().lower()}"
    return await record.fail(f"不支持的备份类型: {error}", error)


@dataclass(frozen=True, slots=True)
class _Artifact:
    """The file a backup is said to have made."""

    spec: TaskSpec
    runner: Runner
    started_ns: int

    @property
    def packed(self) -> bool:
        """Whether it is compressed behind the runner's back."""
        extension = self.runner.extension(self.spec).lower()
        return self.spec.compression.lower() == "gzip" and extension != "gz"

    @property
    def name(self) -> str:
        extension = self.runner.extension(self.spec) + (".gz" if self.packed else "")
        return f"{file_stem(self.spec.name)}_{self._date('%Y%m%dT%H%M%S')}.{extension}"

    @property
    def storage_path(self) -> str:
        folder = self.spec.type.strip().lower() or "file"
        return f"BackupX/{folder}/{self._date('%y%m%d')}/{self.name}"

    def _date(self, form: str) -> str:
        return datetime.fromtimestamp(self.started_ns // NS, UTC).strftime(form)


async def _store(job: Job, record: _Record, payload: RunTask, artifact: _Artifact) -> Report:
    if artifact.packed:
        await record.log("[agent] 开始压缩备份文件")
    targets = artifact.spec.storageTargets or ()
    if not targets:
        return await record.fail("没有关联的存储目标", "no storage targets")
    for target in targets:
        await record.log(f"[agent] 已上传到存储目标 {target.name}")
    size = job.plan.size_bytes
    error = await record.finish(
        fileName=artifact.name,
        fileSize=size,
        checksum=checksum(payload.taskId, payload.recordId, size),
        storagePath=artifact.storage_path,
        logAppend=f"[agent] 任务完成，总计 {size} 字节\n",
    )
    if error is not None:
        return _failure(error)
    return Report(result={"recordId": payload.recordId, "taskId": payload.taskId})


def checksum(task_id: int, record_id: int, size: int) -> str:
    """Return the SHA-256 of what a pretend backup holds."""
    return sha256(f"task {task_id} record {record_id}: {size} bytes".encode()).hexdigest()


# --- restores -------------------------------------------------------------------------------


async def _restore_record(job: Job, payload: RestoreRecord) -> Report:
    restore_id = payload.restoreRecordId
    if restore_id == 0:
        return _failure("restoreRecordId is required")
    record = _Record(job, restore_id, job.client.update_restore, RestoreReport)
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
        return _failure(unrecorded)
    return Report(result={"restoreRecordId": restore_id})


async def _restore(job: Job, record: _Record, spec: RestoreSpec) -> Report | None:
    await record.log(f"[agent] 下载备份文件 {spec.storagePath}")
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
        return await _answer(job, _failure(f"read dir: open {path}: no such file or directory"))
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, _failure(f"read dir: open {path}: permission denied"))
    listed = [
        {"name": name, "path": normpath(join(path, name)), "isDir": is_dir, "size": size}
        for name, is_dir, size in sorted(entries, key=lambda entry: (not entry[1], entry[0]))
    ]
    return await _answer(job, Report(result={"entries": listed}))


async def _discover_db(job: Job, payload: DiscoverDb) -> Report:
    server = DATABASES.get(payload.type.strip().lower())
    if server is None:
        return await _answer(job, _failure(f"unsupported database type: {payload.type}"))
    label, names = server
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, _failure(f"连接 {label} 失败：{job.plan.error}"))
    return await _answer(job, Report(result={"databases": list(names)}))


async def _delete_storage_object(job: Job, payload: DeleteStorageObject) -> Report:
    if not payload.storagePath.strip():
        return _failure("storagePath is required")
    if job.plan.outcome is Outcome.FAILURE:
        return await _answer(job, _failure(f"delete object: {job.plan.error}"))
    return await _answer(job, Report(result={"deleted": True}))


HANDLERS: Final[dict[str, tuple[Binder[Any], Callable[[Job, Any], Awaitable[Report]]]]] = {
    CommandType.RUN_TASK: (Binder(RunTask), _run_task),
    CommandType.RESTORE_RECORD: (Binder(RestoreRecord), _restore_record),
    CommandType.LIST_DIR: (Binder(ListDir), _list_dir),
    CommandType.DISCOVER_DB: (Binder(DiscoverDb), _discover_db),
    CommandType.DELETE_STORAGE_OBJECT: (Binder(DeleteStorageObject), _delete_storage_object),
}
