"""The endpoints agents call: from a request to a decision of `master.service`, and back.

The order of checks is the same everywhere: token, id, body, then the decision's own.
"""

from collections.abc import Callable
from typing import Final

from master.call import Call
from master.http import OK_STATUS, ByProfile, Handler, reads_body, success
from master.protocol.errors import ApiError
from master.protocol.exchange import Request, Response
from master.protocol.messages import (
    RecordUpdate,
    bind_checked_record_update,
    bind_command_result,
    bind_heartbeat,
    bind_record_update,
    bind_restore_update,
    bind_targeted_record_update,
)
from master.protocol.profiles import Profile
from master.protocol.wire import BindError
from master.service import agents, queue, relay, reports, specs, storage
from master.state import State
from master.store.rows import Node

_BEARER: Final = "Bearer "


def token_of(request: Request) -> str:
    """Return the token of a request's headers, X-Agent-Token before Authorization, or ""."""
    token = request.headers.get("x-agent-token", "").strip()
    if token:
        return token
    authorization = request.headers.get("authorization", "")
    return authorization[len(_BEARER) :].strip() if authorization.startswith(_BEARER) else ""


def _node(state: State, call: Call) -> Node:
    return agents.authenticate(state, token_of(call.request), call.now)


def heartbeat(state: State, call: Call) -> Response:
    """`POST /api/agent/heartbeat`: the one endpoint that takes a token from the body."""
    try:
        report = bind_heartbeat(call.request.body)
    except BindError as error:  # the real master uses what it could read
        report = error.partial
    tokens = (report.token, token_of(call.request))
    if state.config.profile.heartbeat_header_first:
        tokens = tokens[::-1]
    token = tokens[0] or tokens[1]
    if not token:
        raise ApiError("INVALID_INPUT", "missing token")
    return success(agents.heartbeat(state, token, report, call.now))


def poll(state: State, call: Call) -> Response:
    """`POST /api/agent/commands/poll`: never reads its body."""
    node = _node(state, call)
    try:
        return success(queue.poll(state, node, call.now))
    except ValueError:  # the real master's encoder gives up after the status line
        return Response(200, b"")


def submit_result(state: State, call: Call) -> Response:
    """`POST /api/agent/commands/:id/result`."""
    node = _node(state, call)
    command_id = call.agent_id()
    queue.submit_result(state, node, command_id, call.body(bind_command_result), call.now)
    return OK_STATUS


def task_spec(state: State, call: Call) -> Response:
    """`GET /api/agent/tasks/:id`."""
    return success(specs.task_spec(state, _node(state, call), call.agent_id()))


def _bind_record_update(profile: Profile) -> Callable[[bytes], RecordUpdate]:
    """Return what reads a report about a backup: each release knows more of its keys."""
    if profile.reports_checked:
        return bind_checked_record_update
    return bind_targeted_record_update if profile.reports_name_targets else bind_record_update


def update_record(state: State, call: Call) -> Response:
    """`POST /api/agent/records/:id`."""
    node = _node(state, call)
    record_id = call.agent_id()
    update = call.body(_bind_record_update(state.config.profile))
    reports.update_record(state, node, record_id, update, call.now)
    return OK_STATUS


def restore_spec(state: State, call: Call) -> Response:
    """`GET /api/agent/restores/:id/spec`."""
    return success(specs.restore_spec(state, _node(state, call), call.agent_id()))


def update_restore(state: State, call: Call) -> Response:
    """`POST /api/agent/restores/:id`."""
    node = _node(state, call)
    restore_id = call.agent_id()
    reports.update_restore(state, node, restore_id, call.body(bind_restore_update), call.now)
    return OK_STATUS


@reads_body
async def upload_artifact(state: State, call: Call) -> Response:
    """`PUT /api/agent/records/:id/artifacts/:second`: a backup for a target on the master's disk."""
    request = call.request
    try:
        node = _node(state, call)
        record_id, target_id = call.agent_id(), call.second_agent_id()
        chunked = "transfer-encoding" in request.headers
        size_bytes = None if chunked else request.length()
        if size_bytes is None:
            raise ApiError("CONTENT_LENGTH_REQUIRED")
        artifact = relay.Artifact(
            key=request.headers.get("x-backupx-object-key", ""),
            size_bytes=size_bytes,
            sha256=request.headers.get("x-backupx-sha256", ""),
        )
        await relay.upload(state, node, record_id, target_id, artifact, request.chunks())
    finally:
        if request.stream is not None:
            await request.stream.aclose()
    return OK_STATUS


def download_artifact(state: State, call: Call) -> Response:
    """`GET /api/agent/restores/:id/artifact`: a backup that lies on the master's disk."""
    artifact, size_bytes = relay.download(state, _node(state, call), call.agent_id())
    length = (("Content-Length", str(size_bytes)),) if size_bytes else ()
    headers = (*length, ("Content-Type", "application/octet-stream"))
    return Response(200, headers=headers, stream=artifact)


def _relayed(endpoint: Handler) -> ByProfile:
    return ByProfile(lambda profile: endpoint if storage.relays(profile) else None)


def self_status(state: State, call: Call) -> Response:
    """`GET /api/v1/agent/self`."""
    return success(agents.self_status(state, _node(state, call), call.now))


ROUTES: Final[dict[tuple[str, str], Handler | ByProfile]] = {
    ("POST", "/api/agent/heartbeat"): heartbeat,
    ("POST", "/api/agent/commands/poll"): poll,
    ("POST", "/api/agent/commands/:id/result"): submit_result,
    ("GET", "/api/agent/tasks/:id"): task_spec,
    ("POST", "/api/agent/records/:id"): update_record,
    ("GET", "/api/agent/restores/:id/spec"): restore_spec,
    ("POST", "/api/agent/restores/:id"): update_restore,
    ("PUT", "/api/agent/records/:id/artifacts/:second"): _relayed(upload_artifact),
    ("GET", "/api/agent/restores/:id/artifact"): _relayed(download_artifact),
    ("GET", "/api/v1/agent/self"): self_status,
}
