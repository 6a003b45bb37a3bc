"""What a task must be like, and what is stored of it.

The checks go in the real master's order: whoever sends two mistakes learns of the same one.
"""

from typing import Any, Final

from master.admin import modes, pools
from master.admin.providers import MASK
from master.admin.rules import whole
from master.admin.task_input import TaskInput, source_paths, target_ids, task_type
from master.admin.windows import first_bad
from master.protocol import wire
from master.protocol.errors import ApiError
from master.state import State
from master.store.rows import Node, Target, Task

_DATABASES: Final = ("mysql", "postgresql", "saphana", "mongodb")
_DEEPEST: Final = 32
"""A chain of dependencies longer than this counts as a circle."""


def read_ids(text: str) -> list[int] | None:
    """Return the ids in a stored list, each once, or `None` when it is blank."""
    if not text.strip():
        return None
    ids = (whole(part.strip(), 32) for part in text.split(","))
    return list(dict.fromkeys(number for number in ids if number is not None))


def _write_ids(ids: list[int] | None) -> str:
    return ",".join(str(number) for number in dict.fromkeys(ids or []) if number)


def _invalid(message: str) -> ApiError:
    return ApiError("BACKUP_TASK_INVALID", message)


def check(state: State, existing: Task | None, wanted: TaskInput) -> None:
    """Refuse what cannot be a task.

    Raises:
        ApiError: BACKUP_TASK_INVALID, BACKUP_STORAGE_TARGET_INVALID, and those of `_check_place`.

    """
    if not wanted.name.strip():
        raise _invalid("任务名称不能为空")
    if not target_ids(wanted):
        raise _invalid("请选择至少一个存储目标")
    for target_id in target_ids(wanted):
        if state.database.get(Target, target_id) is None:
            raise ApiError("BACKUP_STORAGE_TARGET_INVALID", f"关联的存储目标 {target_id} 不存在")
    _check_place(state, wanted)
    if wanted.retentionDays < 0:
        raise _invalid("保留天数不能小于 0")
    if wanted.maxBackups < 0:
        raise _invalid("最大保留份数不能小于 0")
    _check_schedule(wanted)
    _check_dependencies(state, existing, wanted)
    _check_source(existing, wanted)


def _check_place(state: State, wanted: TaskInput) -> None:
    """Refuse what cannot run where it is to run.

    Raises:
        ApiError: BACKUP_TASK_INVALID, BACKUP_TASK_REMOTE_ENCRYPT_UNSUPPORTED,
            BACKUP_TASK_DIFF_UNSUPPORTED, BACKUP_TASK_DIFF_REMOTE_UNSUPPORTED,
            BACKUP_TASK_REPOSITORY_UNSUPPORTED, BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED,
            BACKUP_TASK_REPOSITORY_REPLICATION_UNSUPPORTED.

    """
    node = state.database.get(Node, wanted.nodeId) if wanted.nodeId else None
    if wanted.nodeId and node is None:
        raise _invalid("所选执行节点不存在")
    pooled = bool(wanted.nodePoolTag.strip())
    if wanted.nodeId and pooled:
        raise _invalid("固定执行节点与节点池标签只能选其一")
    away = pooled or (node is not None and not node.is_local)
    if wanted.encrypt and away and state.config.profile.refuses_remote_encryption:
        raise ApiError("BACKUP_TASK_REMOTE_ENCRYPT_UNSUPPORTED")
    of_files = task_type(wanted.type) == "file"
    for mode, name in ((modes.DIFFERENTIAL, "DIFF"), (modes.REPOSITORY, "REPOSITORY")):
        if wanted.backupMode == mode and not of_files:
            raise ApiError(f"BACKUP_TASK_{name}_UNSUPPORTED")
        if wanted.backupMode == mode and away:
            raise ApiError(f"BACKUP_TASK_{name}_REMOTE_UNSUPPORTED")
    if wanted.backupMode == modes.REPOSITORY and wanted.replicationTargetIds:
        raise ApiError("BACKUP_TASK_REPOSITORY_REPLICATION_UNSUPPORTED")


def _too_short(expression: str) -> bool:
    return len(expression.split()) < 5


def _check_schedule(wanted: TaskInput) -> None:
    if wanted.cronExpr.strip() and _too_short(wanted.cronExpr):
        raise _invalid("Cron 表达式格式不正确")
    if wanted.verifyEnabled and not wanted.verifyCronExpr.strip():
        raise _invalid("启用验证演练时必须填写验证 Cron 表达式")
    if wanted.verifyEnabled and _too_short(wanted.verifyCronExpr):
        raise _invalid("验证 Cron 表达式格式不正确")
    bad = first_bad(wanted.maintenanceWindows)
    if bad is not None:
        raise _invalid(
            f"无效的维护窗口配置: {wire.quoted(bad)}"
            "（期望格式如 time=22:00-06:00 或 days=sat,sun,time=00:00-23:59）"
        )


def _check_dependencies(state: State, existing: Task | None, wanted: TaskInput) -> None:
    own_id = existing.id if existing is not None else 0
    upstream = [task_id for task_id in wanted.dependsOnTaskIds or [] if task_id]
    for task_id in upstream:
        if task_id == own_id:
            raise _invalid("不能把任务自己设为上游依赖")
        if state.database.get(Task, task_id) is None:
            raise _invalid(f"上游任务 {task_id} 不存在")
    if own_id and _leads_to(state, own_id, upstream):
        raise _invalid("依赖关系会形成循环")


def _leads_to(state: State, own_id: int, upstream: list[int]) -> bool:
    """Return whether a task depends, however far up, on itself."""
    visited: set[int] = set()
    waiting = [(task_id, 0) for task_id in reversed(upstream)]
    while waiting:
        task_id, depth = waiting.pop()
        if depth > _DEEPEST or task_id == own_id:
            return True
        task = None if task_id in visited else state.database.get(Task, task_id)
        visited.add(task_id)
        if task is not None:
            further = read_ids(task.depends_on_task_ids) or []
            waiting.extend((up, depth + 1) for up in reversed(further))
    return False


def _check_source(existing: Task | None, wanted: TaskInput) -> None:
    kind = task_type(wanted.type)
    if kind == "file" and not source_paths(wanted):
        raise _invalid("文件备份必须填写源路径")
    if kind == "sqlite" and not wanted.dbPath.strip():
        raise _invalid("SQLite 备份必须填写数据库文件路径")
    if kind not in _DATABASES:
        return
    if not wanted.dbHost.strip():
        raise _invalid("数据库主机不能为空")
    if wanted.dbPort <= 0:
        raise _invalid("数据库端口必须大于 0")
    if not wanted.dbUser.strip():
        raise _invalid("数据库用户名不能为空")
    has_password = existing is not None and existing.db_password_ciphertext
    if not has_password and not wanted.dbPassword.strip():
        raise _invalid("数据库密码不能为空")
    if not wanted.dbName.strip():
        raise _invalid("数据库名称不能为空")


def _password(state: State, existing: Task | None, wanted: TaskInput) -> str:
    """Return the sealed password; one that is blank, or the mask, keeps the stored one."""
    password = wanted.dbPassword.strip()
    if password not in ("", MASK):
        return state.cipher.encrypt(password.encode())
    return existing.db_password_ciphertext if existing is not None else ""


def columns(state: State, existing: Task | None, wanted: TaskInput) -> dict[str, Any]:
    """Return what the row of a task holds, but for its times and how it ran.

    Columns of a later release are left out: a file that has them keeps what they hold.
    """
    paths = source_paths(wanted)
    return {
        "name": wanted.name.strip(),
        "type": task_type(wanted.type),
        "enabled": int(wanted.enabled),
        "cron_expr": wanted.cronExpr.strip(),
        "source_path": paths[0] if paths else "",
        "source_paths": wire.encode(paths).decode(),
        "exclude_patterns": wire.encode(wanted.excludePatterns or []).decode(),
        "db_host": wanted.dbHost.strip(),
        "db_port": wanted.dbPort,
        "db_user": wanted.dbUser.strip(),
        "db_password_ciphertext": _password(state, existing, wanted),
        "db_name": wanted.dbName.strip(),
        "db_path": wanted.dbPath.strip(),
        "extra_config": wire.canonical(wanted.extraConfig) if wanted.extraConfig else "",
        "storage_target_id": target_ids(wanted)[0],
        "node_id": wanted.nodeId,
        "tags": wanted.tags.strip(),
        "retention_days": wanted.retentionDays,
        "compression": wanted.compression or "gzip",
        "encrypt": int(wanted.encrypt),
        "max_backups": wanted.maxBackups or 10,
        "verify_enabled": int(wanted.verifyEnabled),
        "verify_cron_expr": wanted.verifyCronExpr.strip(),
        "verify_mode": wanted.verifyMode or "quick",
        "sla_hours_rpo": max(wanted.slaHoursRpo, 0),
        "alert_on_consecutive_fails": max(wanted.alertOnConsecutiveFails, 1),
        "replication_target_ids": _write_ids(wanted.replicationTargetIds),
        "maintenance_windows": wanted.maintenanceWindows.strip(),
        "depends_on_task_ids": _write_ids(wanted.dependsOnTaskIds),
        **_later_columns(state, wanted),
    }


def _later_columns(state: State, wanted: TaskInput) -> dict[str, Any]:
    profile = state.config.profile
    found: dict[str, Any] = {}
    if pools.known(profile):
        found["node_pool_tag"] = wanted.nodePoolTag.strip()
    if modes.known(profile):
        found |= {
            "backup_mode": wanted.backupMode or modes.FULL,
            "diff_full_interval_days": wanted.diffFullIntervalDays
            if wanted.diffFullIntervalDays > 0
            else 7,
            "keep_daily": max(wanted.keepDaily, 0),
            "keep_weekly": max(wanted.keepWeekly, 0),
            "keep_monthly": max(wanted.keepMonthly, 0),
            "keep_yearly": max(wanted.keepYearly, 0),
        }
    return found
