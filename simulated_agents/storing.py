"""Bringing a backup to its storage targets, and what the master is told of it.

Releases differ here the most: the older ones stop at the first target that fails, the newer ones
try them all, report each, and hand the backup to the master where a target is its own disk.
"""

from typing import Any, Final

from msgspec import UNSET

from simulated_agents.artifact import Artifact
from simulated_agents.client import CALL_FAILED
from simulated_agents.job import Job, Progress, Report, failure
from simulated_agents.messages import Storage, UploadReport

_NOWHERE: Final = "所有存储目标上传均失败"


async def store(job: Job, record: Progress, artifact: Artifact) -> Report:
    """Upload a backup, report its end, and return what the command's result is to say."""
    if artifact.packed:
        await record.log("[agent] 开始压缩备份文件")
    targets = artifact.spec.storageTargets or []
    if not targets:
        return await record.fail("没有关联的存储目标", "no storage targets")
    relays = job.release.relays
    checksum = artifact.checksum(sent=relays and any(target.relayed for target in targets))
    uploads = [await _upload(job, record, artifact, target, checksum) for target in targets]
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
        fileSize=artifact.size_bytes,
        checksum=checksum,
        storagePath=artifact.storage_path,
        **named,
        logAppend=f"[agent] 任务完成，总计 {artifact.size_bytes} 字节\n",
    )
    if error is not None:
        return failure(error)
    payload = artifact.payload
    return Report(result={"recordId": payload.recordId, "taskId": payload.taskId})


async def _upload(
    job: Job, record: Progress, artifact: Artifact, target: Storage, checksum: str
) -> UploadReport:
    """Bring a backup to one target; only what goes through the master can fail here."""
    mode = target.transferMode or UNSET
    if job.release.relays and target.relayed:
        record_id = artifact.payload.recordId
        try:
            await job.client.upload_artifact(record_id, target.id, artifact, checksum)
        except CALL_FAILED as error:
            job.note(error)
            await record.log(f"[agent] 上传到存储目标 {target.name} 失败: {error}")
            return UploadReport(
                target.id, target.name, "failed", transferMode=mode, error=str(error)
            )
    await record.log(f"[agent] 已上传到存储目标 {target.name}")
    return UploadReport(
        target.id,
        target.name,
        "success",
        storagePath=artifact.storage_path,
        fileSize=artifact.size_bytes,
        transferMode=mode,
    )
