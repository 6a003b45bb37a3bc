"""What keeps a backup record from being deleted (since v2.4.0): a lock, or backups that build on it."""

from typing import Any

from master.admin import modes
from master.protocol.errors import ApiError
from master.protocol.profiles import Profile
from master.state import State
from master.store.rows import Record


def by_locks(profile: Profile) -> bool:
    """Return whether a release has locks."""
    return profile.locks


def _by_kinds(profile: Profile) -> bool:
    return profile.backup_kinds


def shown(profile: Profile, record: Record) -> dict[str, Any]:
    """Return what a release tells of it, by the wire's names."""
    found: dict[str, Any] = {}
    if by_locks(profile):
        found["locked"] = bool(record.locked)
    if _by_kinds(profile):
        found["backupKind"] = record.backup_kind
    return found


def check(state: State, record: Record) -> None:
    """Refuse to delete what somebody locked, or what other backups build on.

    Raises:
        ApiError: BACKUP_RECORD_LOCKED, BACKUP_RECORD_HAS_DEPENDENTS.

    """
    profile = state.config.profile
    if by_locks(profile) and record.locked:
        raise ApiError("BACKUP_RECORD_LOCKED")
    if _by_kinds(profile) and record.backup_kind == modes.FULL:
        count = state.database.count(
            Record,
            "base_record_id = ? AND backup_kind = 'differential' AND status = 'success'",
            record.id,
        )
        if count:
            raise ApiError(
                "BACKUP_RECORD_HAS_DEPENDENTS",
                f"该全量备份仍有 {count} 个差异备份依赖它，删除会导致这些差异无法恢复。"
                "请先删除相关差异备份或等待其过期。",
            )
