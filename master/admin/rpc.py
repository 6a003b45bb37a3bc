"""Calls that an agent answers while the caller waits: listing directories, finding databases.

The question is a command in the node's queue; the waiting ends with the command, or at a deadline
that leaves it where it is, so that an agent may still answer nobody.
"""

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from master import presence
from master.admin import nodes
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.rules import RuledBinder, at_least_one, one_of, read, required
from master.call import Call
from master.http import ByProfile, Handler, Refusal, success
from master.protocol import wire
from master.protocol.errors import REGISTRY, ApiError
from master.protocol.exchange import Response
from master.protocol.profiles import Profile
from master.protocol.states import FINISHED_COMMAND, CommandStatus, CommandType
from master.protocol.wire import Binder, BindError, Inbound, Int, Outbound, Uint
from master.service import queue
from master.state import State
from master.store.rows import Command, Node

MESSAGE_BYTES: Final = 255
"""What of an agent's message is passed on."""


class DiscoverInput(Inbound):
    """`POST /api/database/discover`."""

    type: str = ""
    host: str = ""
    port: Int = 0
    user: str = ""
    password: str = ""
    nodeId: Uint = 0


class Listing(Inbound):
    """An agent's result of `list_dir`."""

    entries: Raw = Raw()


class ListedEntry(Inbound):
    """One entry of it."""

    name: str = ""
    path: str = ""
    isDir: bool = False
    size: Int = 0


class Databases(Inbound):
    """An agent's result of `discover_db`."""

    databases: list[str] | None = None


bind_discover = RuledBinder(
    DiscoverInput,
    {
        "type": (one_of("mysql", "postgresql"),),
        "host": (required,),
        "port": (required, at_least_one),
        "user": (required,),
        "password": (required,),
    },
)
bind_listing = Binder(Listing)
bind_entry = Binder(ListedEntry)
bind_databases = Binder(Databases)


class Entry(Outbound, frozen=True, kw_only=True):
    """One entry of a directory."""

    name: str
    path: str
    isDir: bool
    size: int


class DatabaseNames(Outbound, frozen=True, kw_only=True):
    """What databases there are; `null` when the agent did not say."""

    databases: list[str] | None


async def wait_for(state: State, command_id: int, timeout_s: float) -> Command:
    """Return a command when it has ended (seed: `WaitForCommandResult`).

    A command found ended at the deadline still counts. One that has not ended stays as it is.

    Raises:
        ApiError: AGENT_COMMAND_NOT_FOUND, AGENT_COMMAND_TIMEOUT.

    """
    deadline_s = state.clock.monotonic_s() + timeout_s
    while True:
        command = state.database.get(Command, command_id)
        if command is None:
            raise ApiError("AGENT_COMMAND_NOT_FOUND")
        if command.status in FINISHED_COMMAND:
            return command
        if state.clock.monotonic_s() >= deadline_s:
            raise ApiError("AGENT_COMMAND_TIMEOUT")
        await state.waiters.wait_change(command_id, deadline_s)


# --- directories ----------------------------------------------------------------------------


async def list_directory(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/nodes/:id/fs/list`: the master's own disk, or what the node's agent says.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, NODE_NOT_FOUND, NODE_OFFLINE,
            NODE_FS_READ_ERROR, AGENT_COMMAND_TIMEOUT, AGENT_RESULT_INVALID.

    """
    node = nodes.find(state, call.agent_id())
    path = call.request.parameter("path")
    path = "/" if path is None else path
    return success(own_entries(path) if node.is_local else await _entries(state, call, node, path))


async def _entries(state: State, call: Call, node: Node, path: str) -> list[Entry] | None:
    if not presence.online(state, node, call.now):
        raise ApiError("NODE_OFFLINE")
    payload = {"path": path if path.strip() else "/"}
    command_id = queue.enqueue(state, node.id, CommandType.LIST_DIR, payload, call.now)
    timeout_s = state.config.timings.list_dir_timeout_s
    command = await wait_for(state, command_id, timeout_s)
    if command.status != CommandStatus.SUCCEEDED:
        message = command.error_message or f"command status: {command.status}"
        raise ApiError("NODE_FS_READ_ERROR", f"远程目录浏览失败: {message}")
    try:
        return _read_listing(command.result)
    except (BindError, msgspec.DecodeError):
        raise ApiError("AGENT_RESULT_INVALID") from None


def _read_listing(result: str) -> list[Entry] | None:
    listed = bytes(bind_listing(result.encode()).entries)
    if listed in (b"", b"null"):
        return None
    entries = []
    for raw in msgspec.json.decode(listed, type=list[Raw]):
        entry = bind_entry(bytes(raw))
        entries.append(Entry(name=entry.name, path=entry.path, isDir=entry.isDir, size=entry.size))
    return entries


def own_entries(path: str) -> list[Entry]:
    """Return what is in a directory of the master's own disk: directories first, then by name.

    Raises:
        ApiError: NODE_FS_READ_ERROR.

    """
    clean = posixpath.normpath(path)
    clean = clean[1:] if clean.startswith("//") else clean
    try:
        with os.scandir(clean) as found:
            entries = [_entry(clean, item) for item in found]
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "invalid argument").lower()
        raise ApiError("NODE_FS_READ_ERROR", f"无法读取目录: open {clean}: {reason}") from None
    return sorted(entries, key=lambda entry: (not entry.isDir, entry.name))


def _entry(directory: str, item: os.DirEntry[str]) -> Entry:
    try:
        size = item.stat(follow_symlinks=False).st_size
    except OSError:  # gone since it was listed
        size = 0
    name = os.fsencode(item.name).decode("utf-8", "replace")
    is_dir = item.is_dir(follow_symlinks=False)
    return Entry(name=name, path=str(Path(directory, name)), isDir=is_dir, size=size)


# --- databases ------------------------------------------------------------------------------


async def discover(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/database/discover`: the databases a node's agent finds on a server.

    The master itself looks for none: without a remote node this is refused.

    Raises:
        ApiError: DATABASE_DISCOVER_INVALID, MASTER_LOCAL_UNSUPPORTED, NODE_OFFLINE,
            DATABASE_DISCOVER_FAILED, AGENT_COMMAND_TIMEOUT, AGENT_RESULT_INVALID.

    """
    wanted = read(call, bind_discover, "DATABASE_DISCOVER_INVALID")
    node = nodes.remote(state, wanted.nodeId)
    if node is None:
        raise ApiError("MASTER_LOCAL_UNSUPPORTED")
    if not presence.online(state, node, call.now):
        raise ApiError("NODE_OFFLINE", f"节点 {node.name} 当前离线，无法执行数据库发现")
    payload = {
        "type": wanted.type,
        "host": wanted.host,
        "port": wanted.port,
        "user": wanted.user,
        "password": wanted.password,
    }
    command_id = queue.enqueue(state, node.id, CommandType.DISCOVER_DB, payload, call.now)
    command = await wait_for(state, command_id, state.config.timings.discover_timeout_s)
    if command.status != CommandStatus.SUCCEEDED:
        return _failed(command.error_message.strip() or f"命令状态: {command.status}")
    try:
        found = bind_databases(command.result.encode())
    except BindError:
        raise ApiError("AGENT_RESULT_INVALID") from None
    return success(DatabaseNames(databases=found.databases))


def _failed(message: str) -> Response:
    """Refuse with an agent's message, cut to its length, if need be inside a character.

    Each byte left of that character is written as an escape, as Go's encoder does.
    """
    cut = message.encode()[:MESSAGE_BYTES]
    whole = cut.decode("utf-8", "ignore")
    refusal = REGISTRY["DATABASE_DISCOVER_FAILED"]
    body = wire.encode(Refusal(refusal.code, whole))
    broken = b"\\ufffd" * (len(cut) - len(whole.encode()))
    return Response(refusal.status, body[:-2] + broken + body[-2:])


def _list_directory_of(profile: Profile) -> Handler:
    anybody = profile.viewers_list_directories
    return signed_in(list_directory) if anybody else not_viewer(list_directory)


ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    ("GET", "/api/nodes/:id/fs/list"): ByProfile(_list_directory_of),
    ("POST", "/api/database/discover"): signed_in(discover),
}
