"""What the real backup runners write and say, one entry a type of task.

The lines are the wire's; only what they count (files, directories) is made up.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from posixpath import normpath, splitext
from typing import Final

from simulated_agents.messages import TaskSpec
from simulated_agents.plan import WorkPlan

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Runner:
    """One type's runner.

    Attributes:
        extension: of the file it makes, before compression.
        backup: its log lines for a backup.
        restore: its log lines for a restore.

    """

    extension: Callable[[TaskSpec], str]
    backup: Callable[[TaskSpec, WorkPlan], Lines]
    restore: Lines


def text_list(text: str) -> list[str]:
    """Return what a list in a text names: a JSON list, or one a line; nothing blank."""
    try:
        listed = json.loads(text)
    except ValueError:
        listed = text.splitlines()
    if not isinstance(listed, list):
        listed = []
    return [item.strip() for item in listed if isinstance(item, str) and item.strip()]


def source_paths(spec: TaskSpec) -> list[str]:
    """Return the paths that a task is about."""
    return [path for path in text_list(spec.sourcePaths) or [spec.sourcePath] if path.strip()]


def _file_lines(spec: TaskSpec, plan: WorkPlan) -> Lines:
    paths = [normpath(path) for path in source_paths(spec)]
    files = plan.size_bytes // 65_536 + 1
    lines = []
    for number, path in enumerate(paths, 1):
        lines.append(f"开始打包源路径 [{number}/{len(paths)}]: {path}")
        lines.append(f"源路径 [{number}/{len(paths)}] 打包完成（1 个目录，{files} 个文件）")
    if len(paths) > 1:
        total = files * len(paths)
        lines.append(f"全部源路径打包完成（共 {len(paths)} 个目录，{total} 个文件）")
    return tuple(lines)


def _databases(spec: TaskSpec) -> list[str]:
    return [name.strip() for name in re.split(r"[,;\n]", spec.dbName) if name.strip()]


def _mysql_lines(spec: TaskSpec, plan: WorkPlan) -> Lines:
    return (
        f"连接到 MySQL: {spec.dbHost}:{spec.dbPort}",
        f"备份数据库: {', '.join(_databases(spec))}",
        "开始执行 mysqldump",
        f"MySQL 导出完成（文件大小: {size_text(plan.size_bytes)}）",
    )


def _postgresql_lines(spec: TaskSpec, plan: WorkPlan) -> Lines:
    names = _databases(spec)
    each: list[str] = []
    for number, name in enumerate(names, 1):
        each += (f"开始导出数据库 [{number}/{len(names)}]: {name}", f"数据库 {name} 导出完成")
    return (
        f"连接到 PostgreSQL: {spec.dbHost}:{spec.dbPort}",
        f"备份数据库: {', '.join(names)}",
        *each,
        f"PostgreSQL 导出完成（文件大小: {size_text(plan.size_bytes)}）",
    )


def _saphana_lines(spec: TaskSpec, plan: WorkPlan) -> Lines:
    names = _databases(spec)
    return (
        f"备份数据库: {names[0] if names else 'SYSTEMDB'}",
        "开始执行 SAP HANA 备份命令",
        "SAP HANA 备份命令执行完成，开始打包备份文件",
        f"SAP HANA 备份完成（归档大小: {size_text(plan.size_bytes)}）",
    )


def _sqlite_extension(spec: TaskSpec) -> str:
    return splitext(spec.dbPath)[1].removeprefix(".") or ".sqlite"


_POSTGRESQL: Final = Runner(
    lambda _: "sql", _postgresql_lines, ("开始执行 psql 恢复", "PostgreSQL 恢复完成")
)

RUNNERS: Final[Mapping[str, Runner]] = {
    "file": Runner(lambda _: "tar", _file_lines, ("文件恢复完成",)),
    "sqlite": Runner(
        _sqlite_extension, lambda _, __: ("SQLite 备份文件已复制",), ("SQLite 数据库已恢复",)
    ),
    "mysql": Runner(lambda _: "sql", _mysql_lines, ("开始执行 mysql 恢复", "MySQL 恢复完成")),
    "postgresql": _POSTGRESQL,
    "pgsql": _POSTGRESQL,
    "saphana": Runner(lambda _: "tar", _saphana_lines, ("SAP HANA 恢复完成",)),
}


def runner_of(task_type: str) -> Runner | None:
    """Return the runner of a type of task, or `None` when the real agent has none."""
    return RUNNERS.get(task_type.strip().lower())


def size_text(size: int) -> str:
    """Write a size as the real runners do."""
    for unit, factor in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size >= factor:
            return f"{size / factor:.2f} {unit}"
    return f"{size} B"


_REPLACED: Final = str.maketrans({" ": "_", ".": "_"})
_DROPPED: Final = re.compile("[^a-z0-9_-]")


def file_stem(task_name: str) -> str:
    """Return a task's name as it begins a file name."""
    text = task_name.strip().translate(_REPLACED)
    # only ASCII capitals are lowered: other letters are dropped, whatever their case
    text = "".join(char.lower() if char.isascii() else "" for char in text)
    return _DROPPED.sub("", text).strip("_") or "backup"
