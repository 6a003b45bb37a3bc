"""A node's commands: put into its queue, handed out once, ended by their results."""

from master.now import Now
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.messages import ClaimedCommand, CommandResult, PollAnswer
from master.protocol.states import CommandStatus, CommandType
from master.state import State
from master.store import commands
from master.store.rows import Command, Node


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

    v2.0.0 has no guard: a result counts whatever state it finds the command in.

    Raises:
        ApiError: AGENT_COMMAND_NOT_FOUND, AGENT_COMMAND_FORBIDDEN.

    """
    command = state.database.get(Command, command_id)
    if command is None:
        raise ApiError("AGENT_COMMAND_NOT_FOUND")
    if command.node_id != node.id:
        raise ApiError("AGENT_COMMAND_FORBIDDEN")
    raw = bytes(result.result).decode()
    status = CommandStatus.SUCCEEDED if result.success else CommandStatus.FAILED
    commands.finish(
        state.database, command.id, status, result.errorMessage, raw or command.result, now
    )
    state.waiters.notify(command.id)
