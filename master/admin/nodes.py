"""The nodes of the cluster: making, changing and removing them, and their tokens."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import UNSET, UnsetType

from master import audit, presence
from master.admin import pools, queues
from master.admin.access import Caller, admin_only, signed_in
from master.admin.queues import Queue
from master.admin.rules import RuledBinder, at_most, required
from master.call import Call
from master.http import success, success_without_data
from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import JSON_HEADERS, Headers, Response
from master.protocol.profiles import Profile
from master.protocol.wire import Inbound, Int, Outbound
from master.state import State
from master.store import nodes
from master.store.rows import Node, Task

TOKEN_BYTES: Final = 32
BATCH_MOST: Final = 50
NAME_BYTES: Final = 128


class NodeInput(Inbound):
    """`POST /api/nodes`."""

    name: str = ""


class NodeChange(Inbound):
    """`PUT /api/nodes/:id`."""

    name: str = ""
    maxConcurrent: Int = 0
    bandwidthLimit: str = ""


class LabelledChange(NodeChange):
    """The same where nodes have labels."""

    labels: str = ""


class BatchInput(Inbound):
    """`POST /api/nodes/batch`."""

    names: list[str] | None = None


bind_node = RuledBinder(NodeInput, {"name": (required,)})
_CHANGE_RULES: Final = {"name": (required,), "bandwidthLimit": (at_most(32),)}
bind_change = RuledBinder(NodeChange, _CHANGE_RULES)
bind_labelled = RuledBinder(LabelledChange, {**_CHANGE_RULES, "labels": (at_most(500),)})
bind_batch = RuledBinder(BatchInput, {"names": (required,)})


class NodeView(Outbound, frozen=True, kw_only=True):
    """A node, without its tokens; what a release does not show is left unset."""

    id: int
    name: str
    hostname: str
    ipAddress: str
    status: str
    isLocal: bool
    os: str
    arch: str
    agentVersion: str
    lastSeen: str
    maxConcurrent: int
    bandwidthLimit: str
    labels: str | UnsetType = UNSET
    createdAt: str
    queue: Queue | UnsetType = UNSET
    runningTasks: int | UnsetType = UNSET
    lastError: str = ""
    health: str | UnsetType = UNSET


class NodeName(Outbound, frozen=True, kw_only=True):
    """A node just made."""

    id: int
    name: str


def _views(state: State, found: Iterable[Node], now: Now) -> list[NodeView]:
    """Return what an admin gets to see of nodes."""
    figures = queues.figures(state)
    return [_view(state, node, figures, now) for node in found]


def _page(state: State, node_id: int, now: Now) -> NodeView:
    """Return what an admin gets to see of one node.

    Raises:
        ApiError: NODE_NOT_FOUND.

    """
    (view,) = _views(state, [find(state, node_id)], now)
    return view


def _view(
    state: State, node: Node, figures: dict[int, queues.Figures] | None, now: Now
) -> NodeView:
    status = presence.shown(state, node, now)
    extra: dict[str, Any] = {"labels": node.labels} if pools.known(state.config.profile) else {}
    if figures is not None:
        extra |= queues.shown(figures.get(node.id, queues.IDLE), status, now)
    return NodeView(
        id=node.id,
        name=node.name,
        hostname=node.hostname,
        ipAddress=node.ip_address,
        status=status,
        isLocal=bool(node.is_local),
        os=node.os,
        arch=node.arch,
        agentVersion=node.agent_version,
        lastSeen=times.wire_text(node.last_seen or times.ZERO_DB_TEXT),
        maxConcurrent=node.max_concurrent,
        bandwidthLimit=node.bandwidth_limit,
        createdAt=times.wire_text(node.created_at or times.ZERO_DB_TEXT),
        **extra,
    )


def find(state: State, node_id: int) -> Node:
    """Return a node.

    Raises:
        ApiError: NODE_NOT_FOUND.

    """
    node = state.database.get(Node, node_id)
    if node is None:
        raise ApiError("NODE_NOT_FOUND")
    return node


def remote(state: State, node_id: int) -> Node | None:
    """Return the remote node with an id; `None` for the master's own, for none and for 0."""
    node = state.database.get(Node, node_id)
    return None if node is None or node.is_local else node


def not_stored(profile: Profile) -> Headers:
    """Return the headers that forbid storing an answer, for those with a node's token."""
    return (("Cache-Control", "no-store"),) if profile.tokens_not_stored else ()


def new_token(state: State) -> str:
    """Return a token nobody has had."""
    return state.entropy.token_bytes(TOKEN_BYTES).hex()


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/nodes`: the master's own first, then the latest changed."""
    return success(_views(state, nodes.all_nodes(state.database), call.now))


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/nodes/:id`.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, NODE_NOT_FOUND.

    """
    return success(_page(state, call.agent_id(), call.now))


def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/nodes`: a new node, offline until its agent calls; the answer is its token.

    A name that is taken makes the database refuse, which ends as INTERNAL_ERROR.

    Raises:
        ApiError: INVALID_INPUT.

    """
    wanted = call.body(bind_node)
    token = new_token(state)
    nodes.insert(state.database, wanted.name, token, call.now)
    audit.note(
        state,
        call,
        caller,
        category="node",
        action="create",
        target_name=wanted.name,
        detail=f"创建远程节点「{wanted.name}」",
    )
    return success({"token": token})


def _cleaned(names: list[str]) -> list[str]:
    """Return the trimmed names of a batch without the blank ones, none of them twice.

    Raises:
        ApiError: NODE_BATCH_EMPTY, NODE_BATCH_TOO_MANY, NODE_NAME_TOO_LONG, NODE_DUPLICATE_NAME.

    """
    if not names:
        raise ApiError("NODE_BATCH_EMPTY")
    if len(names) > BATCH_MOST:
        raise ApiError("NODE_BATCH_TOO_MANY")
    cleaned: dict[str, None] = {}
    for name in filter(None, (raw.strip() for raw in names)):
        if len(name.encode()) > NAME_BYTES:
            raise ApiError("NODE_NAME_TOO_LONG", f"节点名「{name}」超过 128 字符")
        if name in cleaned:
            raise ApiError("NODE_DUPLICATE_NAME", f"批次内重复节点名「{name}」")
        cleaned[name] = None
    if not cleaned:
        raise ApiError("NODE_BATCH_EMPTY", "去除空白后列表为空")
    return list(cleaned)


def create_batch(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/nodes/batch`: all of the nodes or none; tokens are had by rotating.

    Raises:
        ApiError: INVALID_INPUT, NODE_BATCH_EMPTY, NODE_BATCH_TOO_MANY, NODE_NAME_TOO_LONG,
            NODE_DUPLICATE_NAME.

    """
    names = _cleaned(call.body(bind_batch).names or [])
    made = []
    with state.database.transaction():
        for name in names:
            if state.database.count(Node, "name = ?", name):
                raise ApiError("NODE_DUPLICATE_NAME", f"节点名「{name}」已存在")
        for name in names:
            node_id = nodes.insert(state.database, name, new_token(state), call.now)
            made.append(NodeName(id=node_id, name=name))
    audit.note(
        state,
        call,
        caller,
        category="node",
        action="batch_create",
        target_name=str(len(made)),
        detail=f"批量创建 {len(made)} 个节点",
    )
    return success(made)


def update(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/nodes/:id`: what is left out becomes zero.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, INVALID_INPUT, NODE_NOT_FOUND, NODE_INVALID.

    """
    node_id = call.agent_id()
    labelled = pools.known(state.config.profile)
    wanted = call.body(bind_labelled) if labelled else call.body(bind_change)
    find(state, node_id)
    if wanted.maxConcurrent < 0:
        raise ApiError("NODE_INVALID")
    columns = {
        "name": wanted.name.strip(),
        "max_concurrent": wanted.maxConcurrent,
        "bandwidth_limit": wanted.bandwidthLimit.strip(),
    }
    if isinstance(wanted, LabelledChange):
        columns["labels"] = ",".join(pools.labels(wanted.labels))
    state.database.update(Node, node_id, **columns, updated_at=call.now.local)
    node = find(state, node_id)
    audit.note(
        state,
        call,
        caller,
        category="node",
        action="update",
        target_id=node.id,
        target_name=node.name,
        detail=f"更新节点「{node.name}」(ID: {node.id})",
    )
    return success(_page(state, node_id, call.now))


def delete(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/nodes/:id`: the node's commands and records stay behind.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, NODE_NOT_FOUND, NODE_DELETE_LOCAL,
            NODE_HAS_TASKS.

    """
    node = find(state, call.agent_id())
    if node.is_local:
        raise ApiError("NODE_DELETE_LOCAL")
    count = state.database.count(Task, "node_id = ?", node.id)
    if count:
        message = f"无法删除：该节点上还有 {count} 个备份任务，请先删除或迁移"
        raise ApiError("NODE_HAS_TASKS", message)
    state.database.delete(Node, node.id)
    audit.note(
        state,
        call,
        caller,
        category="node",
        action="delete",
        target_id=node.id,
        detail=f"删除节点 (ID: {node.id})",
    )
    return success_without_data()


def rotate(state: State, node: Node, now: Now) -> str:
    """Give a node a new token and return it; the old one is good for its grace, one older is not.

    Raises:
        ApiError: NODE_ROTATE_LOCAL.

    """
    if node.is_local:
        raise ApiError("NODE_ROTATE_LOCAL")
    token = new_token(state)
    state.database.update(
        Node,
        node.id,
        token=token,
        prev_token=node.token,
        prev_token_expires=now.utc_in(state.config.timings.token_grace_s),
        updated_at=now.local,
    )
    return token


def rotate_token(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/nodes/:id/rotate-token`.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, NODE_NOT_FOUND, NODE_ROTATE_LOCAL.

    """
    node = find(state, call.agent_id())
    token = rotate(state, node, call.now)
    audit.note(
        state,
        call,
        caller,
        category="node",
        action="rotate_token",
        target_id=node.id,
        detail=f"轮换节点 Token (ID: {node.id})",
    )
    return success({"newToken": token}, (*JSON_HEADERS, *not_stored(state.config.profile)))


ROUTES: Final = {
    ("GET", "/api/nodes"): signed_in(list_all),
    ("GET", "/api/nodes/:id"): signed_in(get),
    ("POST", "/api/nodes"): admin_only(create),
    ("POST", "/api/nodes/batch"): admin_only(create_batch),
    ("PUT", "/api/nodes/:id"): admin_only(update),
    ("DELETE", "/api/nodes/:id"): admin_only(delete),
    ("POST", "/api/nodes/:id/rotate-token"): admin_only(rotate_token),
}
