"""What a command is for: the record that its payload names, and what its end means for that.

Only backups and restores have one; a listing or a discovery is for the caller who waits.
"""

from typing import Final

from master.now import Now
from master.protocol import wire
from master.protocol.messages import (
    BackupLink,
    RestoreLink,
    bind_backup_link,
    bind_restore_link,
)
from master.protocol.states import CommandType, RecordStatus
from master.protocol.wire import Binder
from master.service import reports
from master.state import State
from master.store import records
from master.store.rows import Command, Record, Restore

_LINKS: Final[
    dict[str, tuple[Binder[BackupLink] | Binder[RestoreLink], type[Record | Restore]]]
] = {
    CommandType.RUN_TASK.value: (bind_backup_link, Record),
    CommandType.RESTORE_RECORD.value: (bind_restore_link, Restore),
}


def linked(state: State, command: Command) -> Record | Restore | None:
    """Return the record a command is for; `None` if it names none, or one that is gone."""
    link = _LINKS.get(command.type)
    if link is None:
        return None
    bind, row = link
    try:
        record_id = bind(command.payload.encode()).record_id
    except wire.BindError:
        return None
    return state.database.get(row, record_id) if record_id else None


def fail(state: State, command: Command, message: str, now: Now) -> None:
    """Fail the record a command is for, only while it is running (seed: `failLinkedRecord`)."""
    record = linked(state, command)
    if record is None:
        return
    failed = records.fail_running(state.database, type(record), record.id, message, now)
    if not failed:
        return
    if isinstance(record, Record) and state.config.profile.failures_mark_task:
        reports.note_end(state, record, RecordStatus.FAILED, now)
