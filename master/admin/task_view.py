"""What administrators get to see of a task."""

import json
from typing import Any

from msgspec import UNSET, Raw, UnsetType

from master.admin import modes, pools
from master.admin.task_input import task_type
from master.admin.task_rules import read_ids
from master.protocol import times, wire
from master.protocol.errors import ApiError
from master.protocol.wire import Outbound
from master.state import State
from master.store import tasks
from master.store.rows import Node, Task


class TaskSummary(Outbound, frozen=True, kw_only=True):
    """A task in a list; what a release does not show is left unset."""

    id: int
    name: str
    type: str
    enabled: bool
    cronExpr: str
    storageTargetId: int
    storageTargetName: str
    storageTargetIds: list[int] | None
    storageTargetNames: list[str] | None
    nodeId: int
    nodeName: str = ""
    nodePoolTag: str = ""
    tags: str
    retentionDays: int
    compression: str
    encrypt: bool
    maxBackups: int
    lastRunAt: str | None = None
    lastStatus: str
    verifyEnabled: bool
    verifyCronExpr: str
    verifyMode: str
    slaHoursRpo: int
    alertOnConsecutiveFails: int
    keepDaily: int | UnsetType = UNSET
    keepWeekly: int | UnsetType = UNSET
    keepMonthly: int | UnsetType = UNSET
    keepYearly: int | UnsetType = UNSET
    backupMode: str | UnsetType = UNSET
    diffFullIntervalDays: int | UnsetType = UNSET
    replicationTargetIds: list[int] | None
    maintenanceWindows: str
    dependsOnTaskIds: list[int] | None
    updatedAt: str


class TaskDetail(TaskSummary, frozen=True, kw_only=True):
    """A task with its source; the password is named, not shown."""

    sourcePath: str
    sourcePaths: list[str]
    excludePatterns: list[str]
    dbHost: str
    dbPort: int
    dbUser: str
    dbName: str
    dbPath: str
    extraConfig: Raw | None = None
    maskedFields: tuple[str, ...] = ()
    createdAt: str


def summary(state: State, task: Task) -> TaskSummary:
    """Return a task as a list shows it."""
    return TaskSummary(**_columns(state, task))


def _columns(state: State, task: Task) -> dict[str, Any]:
    targets = tasks.targets_of(state.database, task)
    ids = [target.id for target in targets]
    names = [target.name for target in targets]
    if not targets and task.storage_target_id:
        ids, names = [task.storage_target_id], [""]
    node = state.database.get(Node, task.node_id)
    return {
        "id": task.id,
        "name": task.name,
        "type": task_type(task.type),
        "enabled": bool(task.enabled),
        "cronExpr": task.cron_expr,
        "storageTargetId": ids[0] if ids else 0,
        "storageTargetName": names[0] if names else "",
        "storageTargetIds": ids or None,
        "storageTargetNames": names or None,
        "nodeId": task.node_id,
        "nodeName": node.name if node is not None else "",
        "tags": task.tags,
        "retentionDays": task.retention_days,
        "compression": task.compression,
        "encrypt": bool(task.encrypt),
        "maxBackups": task.max_backups,
        "lastRunAt": task.last_run_at and times.wire_text(task.last_run_at),
        "lastStatus": task.last_status,
        "verifyEnabled": bool(task.verify_enabled),
        "verifyCronExpr": task.verify_cron_expr,
        "verifyMode": task.verify_mode,
        "slaHoursRpo": task.sla_hours_rpo,
        "alertOnConsecutiveFails": task.alert_on_consecutive_fails,
        "replicationTargetIds": read_ids(task.replication_target_ids),
        "maintenanceWindows": task.maintenance_windows,
        "dependsOnTaskIds": read_ids(task.depends_on_task_ids),
        "updatedAt": times.wire_text(task.updated_at or times.ZERO_DB_TEXT),
        **_later_columns(state, task),
    }


def _later_columns(state: State, task: Task) -> dict[str, Any]:
    profile = state.config.profile
    found: dict[str, Any] = {"nodePoolTag": task.node_pool_tag} if pools.known(profile) else {}
    if modes.known(profile):
        found |= {
            "keepDaily": task.keep_daily,
            "keepWeekly": task.keep_weekly,
            "keepMonthly": task.keep_monthly,
            "keepYearly": task.keep_yearly,
            "backupMode": task.backup_mode,
            "diffFullIntervalDays": task.diff_full_interval_days,
        }
    return found


def _texts(stored: str, message: str) -> list[str]:
    try:
        found = json.loads(stored) if stored.strip() else []
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ApiError("BACKUP_TASK_DECODE_FAILED", message)
    return found


def _extra(stored: str) -> Raw | None:
    if stored.strip() in ("", "{}"):
        return None
    try:
        found = json.loads(stored)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiError("BACKUP_TASK_DECODE_FAILED", "无法解析扩展配置")
    return Raw(wire.canonical(found).encode())


def detail(state: State, task: Task) -> TaskDetail:
    """Return a task as its page shows it.

    Raises:
        ApiError: BACKUP_TASK_DECODE_FAILED.

    """
    patterns = _texts(task.exclude_patterns, "无法解析备份任务配置")
    paths = _texts(task.source_paths, "无法解析源路径配置")
    return TaskDetail(
        **_columns(state, task),
        sourcePath=task.source_path,
        sourcePaths=paths,
        excludePatterns=patterns,
        dbHost=task.db_host,
        dbPort=task.db_port,
        dbUser=task.db_user,
        dbName=task.db_name,
        dbPath=task.db_path,
        extraConfig=_extra(task.extra_config),
        maskedFields=("dbPassword",) if task.db_password_ciphertext else (),
        createdAt=times.wire_text(task.created_at or times.ZERO_DB_TEXT),
    )
