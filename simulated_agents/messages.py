"""The messages as agents write and read them, under the wire's own names.

Outgoing ones have the keys, the order and the omissions of the real agent's. Incoming ones have
only what a simulated agent looks at, and a zero value for whatever a master leaves out.
"""

# ruff: noqa: N815 - the wire's names

from typing import Any, Final

from msgspec import UNSET, Raw, Struct, UnsetType

from master.protocol.wire import Inbound, Int, Uint

MASTER_RELAY: Final = "master_relay"
"""The transfer mode of a storage target that is reached through the master."""

# --- what goes out --------------------------------------------------------------------------


class HeartbeatReport(Struct, frozen=True, omit_defaults=True):
    """The body of a heartbeat; agents from v2.4.0 on leave the token out."""

    token: str = ""
    hostname: str = ""
    ipAddress: str = ""
    agentVersion: str = ""
    os: str = ""
    arch: str = ""


class ResultReport(Struct, frozen=True):
    """The body of a command's result; keys are sorted, for the real agent writes a map."""

    errorMessage: str
    result: Any | UnsetType
    success: bool


class UploadReport(Struct, frozen=True):
    """How an upload to one storage target went; agents from v2.3.5 on report each."""

    storageTargetId: int
    storageTargetName: str
    status: str
    storagePath: str | UnsetType = UNSET
    fileSize: int | UnsetType = UNSET
    transferMode: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class RecordReport(Struct, frozen=True, omit_defaults=True):
    """What an agent reports about a backup."""

    status: str = ""
    fileName: str = ""
    fileSize: int = 0
    checksum: str = ""
    storagePath: str = ""
    storageTargetId: int = 0
    storageTransferMode: str = ""
    storageUploadResults: tuple[UploadReport, ...] = ()
    errorMessage: str = ""
    logAppend: str = ""


class RestoreReport(Struct, frozen=True, omit_defaults=True):
    """What an agent reports about a restore."""

    status: str = ""
    errorMessage: str = ""
    logAppend: str = ""


# --- what comes back ------------------------------------------------------------------------


class Command(Struct, frozen=True):
    """A claimed command; its payload is whatever JSON the master stored."""

    id: int = 0
    type: str = ""
    payload: Raw = Raw()


class Storage(Struct, frozen=True):
    """A storage target as a spec holds it; its config has secrets in it."""

    id: int = 0
    type: str = ""
    name: str = ""
    config: Raw = Raw()
    transferMode: str = ""

    @property
    def relayed(self) -> bool:
        """Return whether it is reached through the master."""
        return self.transferMode == MASTER_RELAY


class TaskSpec(Struct, frozen=True):
    """What the master says of a task."""

    taskId: int = 0
    name: str = ""
    type: str = ""
    sourcePath: str = ""
    sourcePaths: str = ""
    excludePatterns: str = ""
    dbHost: str = ""
    dbPort: int = 0
    dbName: str = ""
    dbPath: str = ""
    compression: str = ""
    encrypt: bool = False
    storageTargets: list[Storage] | None = None


class RestoreSpec(Struct, frozen=True):
    """What the master says of a restore."""

    restoreRecordId: int = 0
    backupRecordId: int = 0
    taskId: int = 0
    taskName: str = ""
    type: str = ""
    sourcePath: str = ""
    sourcePaths: list[str] | None = None
    dbPath: str = ""
    encrypt: bool = False
    storage: Storage = Storage()
    storagePath: str = ""
    fileName: str = ""
    checksum: str = ""


class HeartbeatAnswer(Struct, frozen=True):
    """Who the master takes the agent for."""

    nodeId: int = 0
    name: str = ""
    status: str = ""


class SelfStatus(Struct, frozen=True):
    """What the master knows of the agent."""

    id: int = 0
    name: str = ""
    status: str = ""
    lastSeen: str = ""


# --- what commands carry --------------------------------------------------------------------


class RunTask(Inbound):
    """What to back up, and where to report about it."""

    taskId: Uint = 0
    recordId: Uint = 0


class RestoreRecord(Inbound):
    """Which restore to do."""

    restoreRecordId: Uint = 0


class ListDir(Inbound):
    """Which directory to look into."""

    path: str = ""


class DiscoverDb(Inbound):
    """Which database server to ask."""

    type: str = ""
    host: str = ""
    port: Int = 0
    user: str = ""
    password: str = ""


class DeleteStorageObject(Inbound):
    """Which file to delete, and where."""

    targetType: str = ""
    targetConfig: Raw = Raw()
    storagePath: str = ""


class Refusal(Struct, frozen=True):
    """What an answer that is no success says."""

    code: str = ""
    message: str = ""


class CommandIds(Struct, frozen=True):
    """The ids that a command of any type may carry."""

    taskId: int = 0
    recordId: int = 0
    restoreRecordId: int = 0
