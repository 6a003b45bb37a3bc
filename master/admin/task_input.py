"""What administrators say about a task, as far as a release reads it.

A key that a release does not know is passed over whatever it holds, so each has a message of its
own; behind this module there is one, in which what was not read has its zero value.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import asdict

from master.admin import modes, pools
from master.admin.rules import (
    Rule,
    RuledBinder,
    at_most,
    finite,
    one_of,
    or_empty,
    read,
    required,
    size,
)
from master.call import Call
from master.protocol.profiles import Profile
from master.protocol.wire import Inbound, Int, Uint


class FirstInput(Inbound):
    """What v2.0.0 reads of a task."""

    name: str = ""
    type: str = ""
    enabled: bool = False
    cronExpr: str = ""
    sourcePath: str = ""
    sourcePaths: list[str] | None = None
    excludePatterns: list[str] | None = None
    dbHost: str = ""
    dbPort: Int = 0
    dbUser: str = ""
    dbPassword: str = ""
    dbName: str = ""
    dbPath: str = ""
    storageTargetId: Uint = 0
    storageTargetIds: list[Uint] | None = None
    nodeId: Uint = 0
    tags: str = ""
    retentionDays: Int = 0
    compression: str = ""
    encrypt: bool = False
    maxBackups: Int = 0
    extraConfig: dict[str, Any] | None = None
    verifyEnabled: bool = False
    verifyCronExpr: str = ""
    verifyMode: str = ""
    slaHoursRpo: Int = 0
    alertOnConsecutiveFails: Int = 0
    replicationTargetIds: list[Uint] | None = None
    maintenanceWindows: str = ""
    dependsOnTaskIds: list[Uint] | None = None


class PooledInput(FirstInput):
    """The same where there are pools."""

    nodePoolTag: str = ""


class TaskInput(PooledInput):
    """`POST /api/backup/tasks` and `PUT /api/backup/tasks/:id`, with all that a release may read."""

    keepDaily: Int = 0
    keepWeekly: Int = 0
    keepMonthly: Int = 0
    keepYearly: Int = 0
    backupMode: str = ""
    diffFullIntervalDays: Int = 0


_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "name": (required, size(1, 100)),
    "type": (one_of("file", "mysql", "sqlite", "postgresql", "pgsql", "saphana"),),
    "cronExpr": (at_most(64),),
    "sourcePath": (at_most(500),),
    "dbHost": (at_most(255),),
    "dbUser": (at_most(100),),
    "dbPassword": (at_most(255),),
    "dbName": (at_most(255),),
    "dbPath": (at_most(500),),
    "tags": (at_most(500),),
    "compression": (or_empty(one_of("gzip", "none")),),
    "extraConfig": (finite,),
    "verifyCronExpr": (at_most(64),),
    "verifyMode": (or_empty(one_of("quick", "deep")),),
    "maintenanceWindows": (at_most(500),),
}
_POOLED_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {**_RULES, "nodePoolTag": (at_most(64),)}
_MODED_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    **_POOLED_RULES,
    "type": (one_of("file", "mysql", "sqlite", "postgresql", "pgsql", "saphana", "mongodb"),),
    "compression": (or_empty(one_of("gzip", "zstd", "none")),),
    "backupMode": (or_empty(one_of(modes.FULL, modes.DIFFERENTIAL, modes.REPOSITORY)),),
}

_bind_first = RuledBinder(FirstInput, _RULES)
_bind_pooled = RuledBinder(PooledInput, _POOLED_RULES)
_bind_moded = RuledBinder(TaskInput, _MODED_RULES)


def read_task(call: Call, profile: Profile) -> TaskInput:
    """Return what a request says about a task.

    Raises:
        ApiError: BACKUP_TASK_INVALID.

    """
    if modes.known(profile):
        return read(call, _bind_moded, "BACKUP_TASK_INVALID")
    if pools.known(profile):
        return TaskInput(**asdict(read(call, _bind_pooled, "BACKUP_TASK_INVALID")))
    return TaskInput(**asdict(read(call, _bind_first, "BACKUP_TASK_INVALID")))


def task_type(name: str) -> str:
    """Return the one name of a type that has two."""
    name = name.strip().lower()
    return "postgresql" if name == "pgsql" else name


def target_ids(wanted: TaskInput) -> list[int]:
    """Return the targets of a task, as given: the list, or else the older single field."""
    if wanted.storageTargetIds:
        return wanted.storageTargetIds
    return [wanted.storageTargetId] if wanted.storageTargetId else []


def source_paths(wanted: TaskInput) -> list[str]:
    """Return the paths of a task, trimmed: the list, or else the older single field."""
    paths = [path.strip() for path in wanted.sourcePaths or [wanted.sourcePath]]
    paths = [path for path in paths if path] or [wanted.sourcePath.strip()]
    return [path for path in paths if path]
