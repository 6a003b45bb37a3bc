"""Bringing a backup to its storage targets, and what the master is told of it.

Releases differ here the most: the older ones stop at the first target that fails, the newer ones
try them all, report each, and hand the backup to the master where a target is its own disk.
"""

from typing import Any, Final

from msgspec import UNSET

from simulated_agents.artifact import Artifact, Contents
from simulated_agents.client import CALL_FAILED, relay_failure
from simulated_agents.job import Job, Progress, Report, failure
from simulated_agents.messages import Storage, UploadReport
from simulated_agents.worker import Worker, WorkError

_NOWHERE: Final = "所有存储目标上传均失败"


async def store(
    job: Job, worker: Worker, record: Progress, artifact: Artifact, contents: Contents
) -> Report:
    """Upload a backup, report its end, and return what the command's result is to say.

    Raises:
        WorkError: it could not be compressed, or got to no target.

    """
    if artifact.packed:
        zstd = "（zstd）" if artifact.packed == ".zst" else ""
        await record.log(f"[agent] 开始压缩备份文件{zstd}")
        contents = await worker.compress(contents, artifact.packed)
    targets = artifact.spec.storageTargets or []
    if not targets:
        raise WorkError("没有关联的存储目标", "no storage targets")
    relays = job.release.relays
    checksum = await worker.checksum(
        contents, sent=relays and any(target.relayed for target in targets)
    )
    upload = _Upload(job, worker, record, artifact, contents, checksum)
    uploads = [await upload.to(target) for target in targets]
    named: dict[str, Any] = {}
    if job.release.tries_every_target:
        stored = [upload for upload in uploads if upload.status == "success"]
        named["storageUploadResults"] = tuple(uploads)
        if not stored:
            errors = "; ".join(f"{one.storageTargetName}: {one.error}" for one in uploads)
            return await record.fail(errors or _NOWHERE, None, **named)
        named["storageTargetId"] = stored[0].storageTargetId
        if stored[0].transferMode:
            named["storageTransferMode"] = stored[0].transferMode
    error = await record.finish(
        fileName=artifact.name,
        fileSize=contents.size_bytes,
        checksum=checksum,
        storagePath=artifact.storage_path,
        **named,
        logAppend=f"[agent] 任务完成，总计 {contents.size_bytes} 字节\n",
    )
    if error is not None:
        return failure(error)
    payload = artifact.payload
    return Report(result={"recordId": payload.recordId, "taskId": payload.taskId})


class _Upload:
    """One backup on its way to its targets.

    Args:
        job: the run.
        worker: does what needs no master.
        record: of the run.
        artifact: how the backup is called.
        contents: what is in it.
        checksum: its SHA-256.

    """

    def __init__(
        self,
        job: Job,
        worker: Worker,
        record: Progress,
        artifact: Artifact,
        contents: Contents,
        checksum: str,
    ) -> None:
        self._job = job
        self._worker = worker
        self._record = record
        self._artifact = artifact
        self._contents = contents
        self._checksum = checksum

    async def to(self, target: Storage) -> UploadReport:
        """Bring it to one target, and return how that went.

        Raises:
            WorkError: it failed, and the release gives up there.

        """
        mode = (target.transferMode if self._job.release.relays else "") or UNSET
        try:
            await self._bring(target)
        except WorkError as error:
            if not self._job.release.tries_every_target:
                raise WorkError(f"上传到 {target.name} 失败: {error}", str(error)) from None
            await self._record.log(f"[agent] 上传到存储目标 {target.name} 失败: {error}")
            return UploadReport(
                target.id, target.name, "failed", transferMode=mode, error=str(error)
            )
        await self._record.log(f"[agent] 已上传到存储目标 {target.name}")
        return UploadReport(
            target.id,
            target.name,
            "success",
            storagePath=self._artifact.storage_path,
            fileSize=self._contents.size_bytes or UNSET,
            transferMode=mode,
        )

    async def _bring(self, target: Storage) -> None:
        key = self._artifact.storage_path
        if not (self._job.release.relays and target.relayed):
            await self._worker.store(self._contents, target, key)
            return
        record_id = self._artifact.payload.recordId
        try:
            await self._job.client.upload_artifact(
                record_id, target.id, key, self._contents, self._checksum
            )
        except CALL_FAILED as error:
            self._job.note(error)
            raise WorkError(relay_failure("relay artifact to Master", error)) from None
