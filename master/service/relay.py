"""Backups on the master's own disk, which agents send and fetch through it (protocol 3.2).

A body passes in pieces and is never held whole. An upload that ends too early, is too long, or has
another hash than announced, leaves no object.
"""

import logging
from contextlib import suppress
from hashlib import sha256

from msgspec import Struct

from master.objects import ObjectError, Reading
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.exchange import Chunks
from master.protocol.states import FINISHED_RECORD
from master.service import checks, storage
from master.service.reports import own_record, own_restore
from master.state import State
from master.store import records
from master.store.rows import Node, Record, Target, Task

log = logging.getLogger("muster.master")


class Artifact(Struct, frozen=True, gc=False):
    """What an upload says of itself before it begins.

    Attributes:
        key: where it is to lie below its target's base path.
        size_bytes: how long it is.
        sha256: its hash, in hexadecimal.

    """

    key: str
    size_bytes: int
    sha256: str


async def upload(
    state: State, node: Node, record_id: int, target_id: int, artifact: Artifact, chunks: Chunks
) -> None:
    """Take a backup for a target that is on the master's disk. No row is changed.

    Raises:
        ApiError: BACKUP_RECORD_NOT_FOUND, BACKUP_RECORD_FORBIDDEN, BACKUP_RECORD_TERMINAL,
            BACKUP_STORAGE_TARGET_FORBIDDEN, AGENT_ARTIFACT_RELAY_UNSUPPORTED,
            AGENT_ARTIFACT_INVALID_PATH, AGENT_ARTIFACT_INVALID, BACKUP_STORAGE_QUOTA_EXCEEDED, or
            INTERNAL_ERROR when it is not what was announced or cannot be written.
        BodyCutError: the body ended before all of it had come.

    """
    record, task = own_record(state, node, record_id)
    if record.status in FINISHED_RECORD:
        raise ApiError("BACKUP_RECORD_TERMINAL")
    target, base = _destination(state, task, target_id)
    key = checks.artifact_key(record, task, artifact.key, storage.MASTER_RELAY)
    if artifact.size_bytes >= wire.INT64_MAX or not checks.is_sha256(artifact.sha256):
        raise ApiError("AGENT_ARTIFACT_INVALID", "中转上传需要有效的大小和 SHA-256")
    _check_quota(state, target, artifact.size_bytes)
    stored = False
    try:
        stored = await _receive(state, base, key, artifact, chunks)
    except ObjectError as error:
        log.warning("record %d: %s", record.id, error)
    finally:
        if not stored and not state.config.profile.uploads_all_or_nothing:
            with suppress(ObjectError):
                state.objects.delete(base, key)
    if not stored:
        raise ApiError("INTERNAL_ERROR")


def _destination(state: State, task: Task, target_id: int) -> tuple[Target, str]:
    """Return a task's target that is relayed to, and its base path."""
    targets = checks.allowed(state, task)
    if target_id not in targets:
        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")
    target = targets[target_id]
    if target is None or not storage.on_disk(target):
        message = "仅 Master 本地磁盘目标需要中转上传"
        raise ApiError("AGENT_ARTIFACT_RELAY_UNSUPPORTED", message)
    disk = storage.local_disk(state, target)
    if not disk.masterRelay:
        message = "该本地磁盘目标配置为 Agent 直接写入"
        raise ApiError("AGENT_ARTIFACT_RELAY_UNSUPPORTED", message)
    return target, disk.basePath.strip()


def _check_quota(state: State, target: Target, size_bytes: int) -> None:
    """Refuse what is too much for a target, by what all of its records say that they stored."""
    quota = target.quota_bytes
    if quota <= 0:
        return
    used = records.stored_bytes(state.database, target.id)
    if used >= quota or size_bytes > quota - used:
        message = f"超出存储目标配额（当前 {used}，新增 {size_bytes}，配额 {quota}）"
        raise ApiError("BACKUP_STORAGE_QUOTA_EXCEEDED", message)


async def _receive(state: State, base: str, key: str, artifact: Artifact, chunks: Chunks) -> bool:
    """Store a body if it is what was announced, and return whether it was."""
    digest = sha256()
    size_bytes = 0
    with state.objects.create(base, key) as writing:
        async for piece in chunks:
            size_bytes += len(piece)
            if size_bytes > artifact.size_bytes:
                return False
            digest.update(piece)
            writing.write(piece)
        expected = artifact.sha256.strip().lower()
        if size_bytes != artifact.size_bytes or digest.hexdigest() != expected:
            return False
        writing.commit()
    return True


def download(state: State, node: Node, restore_id: int) -> tuple[Reading, int]:
    """Return the backup that a restore needs, and the size that its record says, or 0.

    Raises:
        ApiError: RESTORE_RECORD_NOT_FOUND, RESTORE_RECORD_FORBIDDEN, RESTORE_RECORD_TERMINAL,
            BACKUP_RECORD_NOT_FOUND, AGENT_ARTIFACT_RELAY_UNSUPPORTED, or INTERNAL_ERROR when it is
            not there.

    """
    restore = own_restore(state, node, restore_id)
    if restore.status in FINISHED_RECORD:
        raise ApiError("RESTORE_RECORD_TERMINAL")
    record = state.database.get(Record, restore.backup_record_id)
    if record is None:
        raise ApiError("BACKUP_RECORD_NOT_FOUND", "源备份记录不存在")
    target = state.database.get(Target, record.storage_target_id)
    relayed = record.storage_transfer_mode == storage.MASTER_RELAY
    if target is None or not relayed or not storage.on_disk(target):
        raise ApiError("AGENT_ARTIFACT_RELAY_UNSUPPORTED", "该存储目标应由 Agent 直接下载")
    base = storage.local_disk(state, target).basePath.strip()
    try:
        reading = state.objects.open(base, record.storage_path)
    except ObjectError as error:
        log.warning("restore %d: %s", restore.id, error)
        raise ApiError("INTERNAL_ERROR") from None
    size_bytes = max(record.file_size, 0)
    if size_bytes:
        reading.no_more_than(size_bytes)
    return reading, size_bytes
