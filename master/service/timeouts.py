"""What time does to commands: a stale one is ended, and with it what it was for.

A dispatched command is stale when it was claimed longer ago than the timeout, strictly, and nothing
kept its lease alive since; a pending one, where that counts, when it was created so long ago.
"""

from typing import Final

from msgspec.structs import replace

from master.now import Now
from master.protocol import times
from master.protocol.profiles import Lease
from master.protocol.states import CommandStatus, NodeStatus, RecordStatus
from master.protocol.times import NS
from master.service import links, payloads
from master.state import State
from master.store import commands
from master.store.rows import Command, Node

TIMEOUT_MESSAGE: Final = "agent did not report result before timeout"
RECORD_TIMEOUT_MESSAGE: Final = "Agent 未在超时前回传状态（节点可能已离线或崩溃）"


def stale_commands(state: State, now: Now) -> list[Command]:
    """Return the commands that are to be timed out, oldest id first."""
    threshold_utc = now.utc_in(-state.config.timings.command_timeout_s)
    claimed = commands.stale_dispatched(state.database, threshold_utc)
    dispatched = [command for command in claimed if not _leased(state, command, now)]
    if not state.config.profile.pending_times_out:
        return dispatched
    return sorted(dispatched + _stale_pending(state, now), key=lambda command: command.id)


def expire_command(state: State, command: Command, now: Now) -> bool:
    """Time out one stale command, and fail what it was for if that is still running.

    Return whether it was timed out: one that has ended meanwhile is left alone, with its record.
    One transaction: nobody sees the one without the other (seed: `processStaleCommands`).
    """
    ended = replace(
        command,
        status=CommandStatus.TIMEOUT,
        error_message=TIMEOUT_MESSAGE,
        payload=payloads.kept(state, command),
    )
    with state.database.transaction():
        expired = commands.expire(state.database, ended, now)
        if expired:
            links.fail(state, command, RECORD_TIMEOUT_MESSAGE, now)
    if expired:
        state.waiters.notify(command.id)
    return expired


def _threshold_ns(state: State, now: Now) -> int:
    return now.ns - round(state.config.timings.command_timeout_s * NS)


def _stale_pending(state: State, now: Now) -> list[Command]:
    """Return the commands that nobody claimed for too long."""
    if state.config.profile.pending_age_as_text:
        threshold_utc = now.utc_in(-state.config.timings.command_timeout_s)
        return commands.stale_pending(state.database, threshold_utc)
    threshold_ns = _threshold_ns(state, now)
    return [
        command
        for command in commands.pending(state.database)
        if (created_ns := _instant(command.created_at)) is not None and created_ns < threshold_ns
    ]


def _leased(state: State, command: Command, now: Now) -> bool:
    """Return whether a dispatched command shows a sign of life since the threshold.

    Only one whose record is running can; instants are compared here, not texts.
    """
    lease = state.config.profile.lease
    work = None if lease is Lease.NONE else links.linked(state, command)
    if work is None or work.status != RecordStatus.RUNNING:
        return False
    signs = [work.updated_at]
    if lease is Lease.NODE_OR_RECORD:
        node = state.database.get(Node, command.node_id)
        if node is not None and node.status == NodeStatus.ONLINE:
            signs.append(node.last_seen)
    threshold_ns = _threshold_ns(state, now)
    return any((sign_ns := _instant(sign)) is not None and sign_ns > threshold_ns for sign in signs)


def _instant(text: str | None) -> int | None:
    """Return a stored time in nanoseconds, or `None` for one that cannot be read."""
    try:
        return None if text is None else times.parse(text)
    except ValueError:
        return None
