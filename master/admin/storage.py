"""Where a backup lies, and what the master can do about it there.

The reference reaches the master's own disk (`master.objects`) and has no clients for remote
storage. What lies on the disk of a node is the node's: out of the master's reach, though since
v2.3.4 its agent is told to delete it.
"""

from typing import Any, Final

from master.admin.nodes import remote
from master.admin.providers import check, provider
from master.cipher import CipherError
from master.now import Now
from master.objects import ObjectError
from master.protocol.errors import ApiError
from master.protocol.states import CommandType
from master.service import queue
from master.state import State
from master.store.rows import Node, Record, Target

LOCAL_DISK: Final = "local_disk"
RELAYED: Final = "master_relay"
"""The transfer mode of a backup that an agent sent to the master's own disk."""


def holder(state: State, record: Record) -> Node | None:
    """Return the node on whose own disk a backup lies; `None` if it lies anywhere else."""
    if state.config.profile.relay and record.storage_transfer_mode == RELAYED:
        return None
    node = remote(state, record.node_id)
    target = state.database.get(Target, record.storage_target_id)
    on_disk = target is not None and target.type.lower() == LOCAL_DISK
    return node if on_disk else None


def check_reach(state: State, record: Record) -> None:
    """Refuse to touch what is on another machine's disk.

    Raises:
        ApiError: BACKUP_RECORD_CROSS_NODE_LOCAL_DISK.

    """
    node = holder(state, record)
    if node is not None:
        this = "" if state.config.profile.relay else "该"
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


def own_base(state: State, record: Record) -> str | None:
    """Return the base path below which a backup lies on the master's own disk, or `None`.

    Raises:
        ApiError: BACKUP_STORAGE_TARGET_INVALID, BACKUP_STORAGE_TARGET_DECRYPT_FAILED,
            STORAGE_TARGET_INVALID_CONFIG.

    """
    target = state.database.get(Target, record.storage_target_id)
    if target is None:
        raise ApiError("BACKUP_STORAGE_TARGET_INVALID", "关联的存储目标不存在")
    config = configuration(state, target)
    if target.type.lower() != LOCAL_DISK:
        return None
    base: str = check(provider(LOCAL_DISK, state.config.profile), config)["basePath"]
    return base.strip()


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
    base = own_base(state, record)
    if base is not None:
        _delete_own(state, base, record.storage_path)


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


def _delete_own(state: State, base: str, key: str) -> None:
    try:
        was_there = state.objects.delete(base, key)
    except ObjectError:
        raise ApiError("BACKUP_RECORD_DELETE_FAILED") from None
    if not was_there and not state.config.profile.missing_object_is_deleted:
        raise ApiError("BACKUP_RECORD_DELETE_FAILED")
