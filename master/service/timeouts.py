"""What time does to commands: a stale one is ended, and with it what it was for."""

from typing import Final

from master.now import Now
from master.protocol import wire
from master.protocol.messages import (
    BackupLink,
    RestoreLink,
    bind_backup_link,
    bind_restore_link,
)
from master.protocol.states import CommandStatus, CommandType
from master.protocol.wire import Binder
from master.state import State
from master.store import commands, records
from master.store.rows import Command, Record, Restore

TIMEOUT_MESSAGE: Final = "agent did not report result before timeout"
RECORD_TIMEOUT_MESSAGE: Final = "Agent 未在超时前回传状态（节点可能已离线或崩溃）"

_LINKS: Final[
    dict[str, tuple[Binder[BackupLink] | Binder[RestoreLink], type[Record | Restore]]]
] = {
    CommandType.RUN_TASK.value: (bind_backup_link, Record),
    CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore),
}


def stale_commands(state: State, now: Now) -> list[Command]:
    """Return the dispatched commands older than the timeout, strictly, oldest id first."""
    threshold = now.utc_in(-state.config.timings.command_timeout_s)
    return commands.stale(state.database, threshold)


def expire_command(state: State, command: Command, now: Now) -> None:
    """Time out one stale command, and fail what it was for if that is still running.

    One transaction: nobody sees the one without the other (seed: `processStaleCommands`).
    """
    with state.database.transaction():
        _fail_linked(state, command, now)
        commands.finish(
            state.database,
            command.id,
            CommandStatus.TIMEOUT,
            TIMEOUT_MESSAGE,
            command.result,
            now,
        )
    state.waiters.notify(command.id)


def _fail_linked(state: State, command: Command, now: Now) -> None:
    """Fail the record a command names, only while it is running (seed: `failLinkedRecord`).

    A payload that names none, and a record that is gone, leave nothing to fail.
    """
    link = _LINKS.get(command.type)
    if link is None:
        return
    bind, row = link
    try:
        linked = bind(command.payload.encode())
    except wire.BindError:
        return
    if linked.record_id:
        records.fail_running(state.database, row, linked.record_id, RECORD_TIMEOUT_MESSAGE, now)
