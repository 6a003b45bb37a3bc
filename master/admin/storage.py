"""Where a backup lies, and what the master can do about it there.

The reference reaches the master's own disk (`master.objects`) and has no clients for remote
storage. What lies on the disk of a node is the node's: out of the master's reach, though since
v2.3.4 its agent is told to delete it.
"""

from contextlib import suppress
from typing import Any

from master.admin.nodes import remote
from master.admin.providers import check, provider
from master.admin.record_view import stored_results
from master.cipher import CipherError
from master.now import Now
from master.objects import ObjectError, Reading
from master.protocol.errors import ApiError
from master.protocol.states import CommandType, RecordStatus
from master.service import queue
from master.service.storage import LOCAL_DISK, MASTER_RELAY, on_disk, relays
from master.state import State
from master.store.rows import Node, Record, Target


def holder(state: State, record: Record) -> Node | None:
    """Return the node on whose own disk a backup lies; `None` if it lies anywhere else."""
    if relays(state.config.profile) and record.storage_transfer_mode == MASTER_RELAY:
        return None
    node = remote(state, record.node_id)
    target = state.database.get(Target, record.storage_target_id)
    return node if target is not None and on_disk(target) else None


def check_reach(state: State, record: Record) -> None:
    """Refuse to touch what is on another machine's disk.

    Raises:
        ApiError: BACKUP_RECORD_CROSS_NODE_LOCAL_DISK.

    """
    node = holder(state, record)
    if node is not None:
        this = "" if relays(state.config.profile) else "该"
        raise ApiError(
            "BACKUP_RECORD_CROSS_NODE_LOCAL_DISK",
            f"{this}备份位于节点 {node.name} 的本地磁盘（local_disk），Master 无法跨节点访问。"
            "请登录该节点或改用云存储后再操作。",
        )


def configuration(state: State, target: Target) -> dict[str, Any]:
    """Return a target's configuration in clear.

    Raises:
        ApiError: BACKUP_STORAGE_TARGET_DECRYPT_FAILED.

    """
    try:
        return state.cipher.decrypt_json(target.config_ciphertext)
    except CipherError:
        raise ApiError("BACKUP_STORAGE_TARGET_DECRYPT_FAILED") from None


def own_base(state: State, target_id: int) -> str | None:
    """Return the base path of a target on the master's own disk, or `None` if it is elsewhere.

    Raises:
        ApiError: BACKUP_STORAGE_TARGET_INVALID, BACKUP_STORAGE_TARGET_DECRYPT_FAILED,
            STORAGE_TARGET_INVALID_CONFIG.

    """
    target = state.database.get(Target, target_id)
    if target is None:
        raise ApiError("BACKUP_STORAGE_TARGET_INVALID", "关联的存储目标不存在")
    config = configuration(state, target)
    if not on_disk(target):
        return None
    base: str = check(provider(LOCAL_DISK, state.config.profile), config)["basePath"]
    return base.strip()


def _key(path: str) -> str:
    """Return where a path leads below its target: one that begins with a slash leads there too."""
    return path.lstrip("/")


def open_backup(state: State, record: Record) -> Reading:
    """Begin to read a backup; the caller closes it.

    Raises:
        ApiError: BACKUP_RECORD_CROSS_NODE_LOCAL_DISK, BACKUP_RECORD_DOWNLOAD_FAILED, and those of
            `own_base`.

    """
    check_reach(state, record)
    base = own_base(state, record.storage_target_id)
    if base is None:
        raise ApiError("BACKUP_RECORD_DOWNLOAD_FAILED")
    try:
        return state.objects.open(base, _key(record.storage_path))
    except ObjectError:
        raise ApiError("BACKUP_RECORD_DOWNLOAD_FAILED") from None


def delete(state: State, record: Record, now: Now) -> None:
    """Delete a backup, or have it deleted; what lies on remote storage stays there.

    Raises:
        ApiError: BACKUP_RECORD_CROSS_NODE_LOCAL_DISK, BACKUP_RECORD_DELETE_FAILED, and those of
            `own_base`.

    """
    through_agents = state.config.profile.deletes_through_agents
    if not through_agents:
        check_reach(state, record)
    if not record.storage_path.strip():
        return
    node = holder(state, record)
    if node is not None:
        _enqueue_deletion(state, node, record, now)
        return
    _delete_own(state, record.storage_target_id, record.storage_path)


def _enqueue_deletion(state: State, node: Node, record: Record, now: Now) -> None:
    """Tell a node's agent to delete a backup, whether it is online or not."""
    target = state.database.get(Target, record.storage_target_id)
    assert target is not None  # a holder has one
    payload = {
        "targetType": target.type,
        "targetConfig": configuration(state, target),
        "storagePath": record.storage_path,
    }
    queue.enqueue(state, node.id, CommandType.DELETE_STORAGE_OBJECT, payload, now)


def _delete_own(state: State, target_id: int, key: str) -> None:
    """Delete an object from the master's own disk, if it is there that its target lies.

    Raises:
        ApiError: BACKUP_RECORD_DELETE_FAILED, and those of `own_base`.

    """
    base = own_base(state, target_id)
    if base is None:
        return
    try:
        was_there = state.objects.delete(base, _key(key))
    except ObjectError:
        raise ApiError("BACKUP_RECORD_DELETE_FAILED") from None
    if not was_there and not state.config.profile.missing_object_is_deleted:
        raise ApiError("BACKUP_RECORD_DELETE_FAILED")


def clean(state: State, task_id: int) -> int:
    """Delete the backups of a task, as far as the master can, and return how many went.

    The real master looks on its own disk for what a node may have on its own, and so do we.
    """
    gone = 0
    for record in state.database.select(Record, "WHERE task_id = ? ORDER BY id DESC", task_id):
        for target_id, key in _copies(state, record).items():
            with suppress(ApiError):  # the task goes all the same
                _delete_own(state, target_id, key)
                gone += 1
    return gone


def _copies(state: State, record: Record) -> dict[int, str]:
    """Return the path of a backup at each of its targets."""
    results = None
    if state.config.profile.deletes_copies and record.storage_upload_results.strip():
        results = stored_results(record.storage_upload_results)
    if results is None:
        copies = [(record.storage_target_id, record.storage_path)]
    else:
        copies = [
            (one.storageTargetId, one.storagePath)
            for one in results
            if one.status.lower() == RecordStatus.SUCCESS
        ]
    found: dict[int, str] = {}
    for target_id, key in copies:
        if key.strip():
            found.setdefault(target_id, key)
    return found
