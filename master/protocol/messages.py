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


class SelfStatus(Outbound, frozen=True, kw_only=True):
    """`GET /api/v1/agent/self` (seed: `AgentSelfStatus`)."""

    id: int
    name: str
    status: str
    lastSeen: str
