"""Life cycles as data: which state may follow which, for commands, records and nodes.

These tables are what the wire guarantees about *reading* a status twice.
A pair that is missing is illegal; `LATE_RESULT_MOVES` is what a release adds that takes results
at any time.
"""

from enum import StrEnum


class CommandStatus(StrEnum):
    """Where a command is in its life."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"


class RecordStatus(StrEnum):
    """The three statuses with a meaning; agents may store any other word in v2.0.0."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class NodeStatus(StrEnum):
    """Whether a node was heard of lately."""

    ONLINE = "online"
    OFFLINE = "offline"


class CommandType(StrEnum):
    """What a master may ask of an agent (protocol facts, section 2.4)."""

    RUN_TASK = "run_task"
    RESTORE_RECORD = "restore_record"
    LIST_DIR = "list_dir"
    DISCOVER_DB = "discover_db"
    DELETE_STORAGE_OBJECT = "delete_storage_object"


FINISHED_COMMAND = frozenset({CommandStatus.SUCCEEDED, CommandStatus.FAILED, CommandStatus.TIMEOUT})
FINISHED_RECORD = frozenset({RecordStatus.SUCCESS, RecordStatus.FAILED})

COMMAND_MOVES: dict[CommandStatus, frozenset[CommandStatus]] = {
    CommandStatus.PENDING: frozenset({CommandStatus.DISPATCHED}),
    CommandStatus.DISPATCHED: FINISHED_COMMAND,
    CommandStatus.SUCCEEDED: frozenset(),
    CommandStatus.FAILED: frozenset(),
    CommandStatus.TIMEOUT: frozenset(),
}
"""Moves that every release makes."""

_BY_RESULT = frozenset({CommandStatus.SUCCEEDED, CommandStatus.FAILED})

LATE_RESULT_MOVES: dict[CommandStatus, frozenset[CommandStatus]] = {
    CommandStatus.PENDING: _BY_RESULT,
    CommandStatus.SUCCEEDED: _BY_RESULT,
    CommandStatus.FAILED: _BY_RESULT,
    CommandStatus.TIMEOUT: _BY_RESULT,
}
"""Moves that v2.0.0 adds: it has no guard on the state a result finds."""
