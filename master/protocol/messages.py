"""The messages between agents and master, in the order their keys have on the wire.

Inbound: what agents send (strictness is `Binder`'s). Outbound: what the master answers; a field
with a default is left out when it has it.
"""

from msgspec import Raw, field

from master.protocol.wire import Binder, Inbound, Int, Outbound, Uint


class Heartbeat(Inbound):
    """`POST /api/agent/heartbeat`: what an agent says of itself (seed: `Heartbeat`)."""

    token: str = ""
    hostname: str = ""
    ipAddress: str = ""
    agentVersion: str = ""
    os: str = ""
    arch: str = ""


class CommandResult(Inbound):
    """`POST /api/agent/commands/:id/result` (seed: `AgentCommandResult`)."""

    success: bool = False
    errorMessage: str = ""
    result: Raw = Raw()


class RecordUpdate(Inbound):
    """`POST /api/agent/records/:id` (seed: `AgentRecordUpdate`)."""

    status: str = ""
    fileName: str = ""
    fileSize: Int = 0
    checksum: str = ""
    storagePath: str = ""
    errorMessage: str = ""
    logAppend: str = ""


class UploadResult(Inbound):
    """How one upload went, to one of a task's storage targets, as v2.3.5 reads it."""

    storageTargetId: Uint = 0
    storageTargetName: str = ""
    status: str = ""
    storagePath: str = ""
    fileSize: Int = 0
    error: str = ""


class TargetedRecordUpdate(RecordUpdate):
    """`POST /api/agent/records/:id` of v2.3.5: where the backup went, and how each upload went."""

    storageTargetId: Uint = 0
    storageUploadResults: list[UploadResult] | None = None


class RelayedUploadResult(UploadResult):
    """How one upload went, as v2.4.0 reads it: and by which way."""

    transferMode: str = ""


class CheckedRecordUpdate(RecordUpdate):
    """`POST /api/agent/records/:id` of v2.4.0, which checks all of it (protocol 3.1)."""

    storageTargetId: Uint = 0
    storageTransferMode: str = ""
    storageUploadResults: list[RelayedUploadResult] | None = None


class LocalDisk(Inbound):
    """The configuration of a `local_disk` target.

    `masterRelay` says that agents hand their backups to the master, whose disk it is.
    """

    basePath: str = ""
    masterRelay: bool = False


class RestoreUpdate(Inbound):
    """`POST /api/agent/restores/:id`."""

    status: str = ""
    errorMessage: str = ""
    logAppend: str = ""


class BackupLink(Inbound):
    """What ties a `run_task` command to its backup record, in the command's payload."""

    record_id: Uint = field(default=0, name="recordId")


class RestoreLink(Inbound):
    """What ties a `restore_record` command to its restore record."""

    record_id: Uint = field(default=0, name="restoreRecordId")


bind_backup_link = Binder(BackupLink)
bind_restore_link = Binder(RestoreLink)
bind_heartbeat = Binder(Heartbeat)
bind_command_result = Binder(CommandResult)
bind_record_update = Binder(RecordUpdate)
bind_targeted_record_update = Binder(TargetedRecordUpdate)
bind_checked_record_update = Binder(CheckedRecordUpdate)
bind_local_disk = Binder(LocalDisk)
bind_restore_update = Binder(RestoreUpdate)


class HeartbeatAnswer(Outbound, frozen=True, kw_only=True):
    """Who the master takes the agent for."""

    name: str
    nodeId: int
    status: str


class ClaimedCommand(Outbound, frozen=True, kw_only=True):
    """A command on its way to the agent (seed: `AgentCommandPayload`)."""

    id: int
    type: str
    payload: Raw | None = None


class PollAnswer(Outbound, frozen=True, kw_only=True):
    """The claimed command, or null."""

    command: ClaimedCommand | None


class StorageConfig(Outbound, frozen=True, kw_only=True):
    """A storage target with its secrets in clear (seed: `AgentStorageTargetConfig`)."""

    id: int
    type: str
    name: str
    config: Raw
    transferMode: str = ""


class StoredUpload(Outbound, frozen=True, kw_only=True):
    """The result of an upload as a record keeps it."""

    storageTargetId: int
    storageTargetName: str
    status: str
    storagePath: str = ""
    fileSize: int = 0
    transferMode: str = ""
    error: str = ""


class TaskSpec(Outbound, frozen=True, kw_only=True):
    """`GET /api/agent/tasks/:id` (seed: `AgentTaskSpec`)."""

    taskId: int
    name: str
    type: str
    sourcePath: str = ""
    sourcePaths: str = ""
    excludePatterns: str = ""
    dbHost: str = ""
    dbPort: int = 0
    dbUser: str = ""
    dbPassword: str = ""
    dbName: str = ""
    dbPath: str = ""
    extraConfig: str = ""
    compression: str
    encrypt: bool
    storageTargets: list[StorageConfig]


class RestoreSpec(Outbound, frozen=True, kw_only=True):
    """`GET /api/agent/restores/:id/spec`."""

    restoreRecordId: int
    backupRecordId: int
    taskId: int
    taskName: str
    type: str
    sourcePath: str = ""
    sourcePaths: tuple[str, ...] = ()
    dbHost: str = ""
    dbPort: int = 0
    dbUser: str = ""
    dbPassword: str = ""
    dbName: str = ""
    dbPath: str = ""
    extraConfig: str = ""
    compression: str
    encrypt: bool
    storage: StorageConfig
    storagePath: str
    fileName: str
    checksum: str = ""


class SelfStatus(Outbound, frozen=True, kw_only=True):
    """`GET /api/v1/agent/self` (seed: `AgentSelfStatus`)."""

    id: int
    name: str
    status: str
    lastSeen: str
