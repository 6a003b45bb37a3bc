"""A node's commands: put into its queue, handed out once, ended by their results."""

from typing import Final

from msgspec.structs import replace

from master.now import Now
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.messages import ClaimedCommand, CommandResult, PollAnswer
from master.protocol.states import CommandStatus, CommandType
from master.service import links, payloads
from master.state import State
from master.store import commands
from master.store.rows import Command, Node

LEFT_RUNNING_MESSAGE: Final = "the agent ended its command and left this running"


def enqueue(
    state: State, node_id: int, command_type: CommandType, payload: object, now: Now
) -> int:
    """Put a command into a node's queue and return its id (seed: `EnqueueCommand`)."""
    text = wire.canonical(payload)
    return commands.insert(state.database, node_id, command_type, text, now)


def poll(state: State, node: Node, now: Now) -> PollAnswer:
    """Hand out the oldest pending command of the node, at most once (seed: `PollCommand`).

    Raises:
        ValueError: the command was claimed, but its stored payload is no JSON.

    """
    claimed = commands.claim(state.database, node.id, now)
    if claimed is None:
        return PollAnswer(command=None)
    command_id, command_type, payload = claimed
    raw = wire.compact(payload) if payload else None
    return PollAnswer(command=ClaimedCommand(id=command_id, type=command_type, payload=raw))


def submit_result(
    state: State, node: Node, command_id: int, result: CommandResult, now: Now
) -> None:
    """Take a command's result (seed: `SubmitCommandResult`).

    v2.0.0 has no guard: a result counts whatever state it finds the command in. Since v2.3.4 it
    counts for a dispatched command alone.

    Raises:
        ApiError: AGENT_COMMAND_NOT_FOUND, AGENT_COMMAND_FORBIDDEN, AGENT_COMMAND_FINISHED,
            AGENT_COMMAND_NOT_CLAIMED.

    """
    command = state.database.get(Command, command_id)
    if command is None:
        raise ApiError("AGENT_COMMAND_NOT_FOUND")
    if command.node_id != node.id:
        raise ApiError("AGENT_COMMAND_FORBIDDEN")
    profile = state.config.profile
    ended = replace(
        command,
        status=CommandStatus.SUCCEEDED if result.success else CommandStatus.FAILED,
        error_message=result.errorMessage,
        result=bytes(result.result).decode() or command.result,
        payload=payloads.kept(state, command),
    )
    with state.database.transaction():
        guarded = profile.result_needs_dispatched
        counted = commands.finish(state.database, ended, now, only_dispatched=guarded)
        if counted and profile.ends_agree:
            links.fail(state, command, result.errorMessage or LEFT_RUNNING_MESSAGE, now)
    if counted:
        state.waiters.notify(command.id)
    elif profile.late_results_told and ended != command:
        pending = command.status == CommandStatus.PENDING
        raise ApiError("AGENT_COMMAND_NOT_CLAIMED" if pending else "AGENT_COMMAND_FINISHED")
