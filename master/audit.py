"""The audit log: who did what, and what the scheduler did by itself.

The real master writes it on the side, after its answer; here a row is there when the answer is.
A row that cannot be written is told to the log, and keeps nobody from what they did.
"""

import logging
import sqlite3

from master.admin.access import Caller, client_of
from master.call import Call
from master.now import Now
from master.state import State
from master.store.rows import AuditLog

log = logging.getLogger("muster.master")


def write(
    state: State,
    now: Now,
    *,
    category: str,
    action: str,
    user_id: int = 0,
    username: str = "",
    target_type: str = "",
    target_id: str = "",
    target_name: str = "",
    detail: str = "",
    client_ip: str = "",
) -> None:
    """Add a row; what it does not concern stays empty."""
    try:
        state.database.insert(
            AuditLog,
            user_id=user_id,
            username=username,
            category=category,
            action=action,
            target_type=target_type,
            target_id=target_id,
            target_name=target_name,
            detail=detail,
            client_ip=client_ip,
            created_at=now.local,
        )
    except sqlite3.Error as error:
        log.warning("audit log: %s %s: %s", category, action, error)


def note(
    state: State,
    call: Call,
    caller: Caller,
    *,
    category: str,
    action: str,
    detail: str,
    target_type: str | None = None,
    target_id: int | str = "",
    target_name: str = "",
) -> None:
    """Add a row about what a caller asked for and got.

    As in the real master, `username` is the caller's subject: a user's id, or their key's.

    Args:
        state: the master's.
        call: what was asked.
        caller: who asked.
        category: of what kind it is, and unless `target_type` says otherwise, of what it was done to.
        action: what was done.
        detail: the same as a sentence.
        target_type: of what kind the thing is that it was done to.
        target_id: its id.
        target_name: its name.

    """
    write(
        state,
        call.now,
        username=caller.subject,
        category=category,
        action=action,
        target_type=category if target_type is None else target_type,
        target_id=str(target_id),
        target_name=target_name,
        detail=detail,
        client_ip=client_of(state, call.request),
    )
