"""What an agent says to a master, one method an endpoint, with the real agent's bytes.

Poll and heartbeat, nine of ten calls, go out as requests that were built once.
Answers are read as leniently as the real agent reads them: a missing field has its zero value.
Retries, and what to do about a refusal, are the caller's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from master.protocol import wire
from master.protocol.exchange import Request, Response
from simulated_agents.artifact import Contents
from simulated_agents.clock import Clock, RealClock
from simulated_agents.messages import (
    Command,
    HeartbeatAnswer,
    HeartbeatReport,
    RecordReport,
    Refusal,
    RestoreReport,
    RestoreSpec,
    ResultReport,
    SelfStatus,
    TaskSpec,
)
from simulated_agents.ports import NoReply, Port
from simulated_agents.releases import DEFAULT_RELEASE, Release


class Refused(Exception):  # noqa: N818 - the master's answer, not an error of the agent
    """The master answered, and not with success.

    The text is the real agent's, which ends up in records and results.
    """

    def __init__(self, method: str, path: str, response: Response) -> None:
        super().__init__(method, path, response)
        self.method = method
        self.path = path
        self.status = response.status
        self.body = response.body
        self.code, self.message = _refusal(response.body)

    def __str__(self) -> str:
        body = self.body.decode("utf-8", "replace")
        return f"{self.method} {self.path}: http {self.status}: {body}"


class Unreadable(Exception):  # noqa: N818 - the master's answer, not an error of the agent
    """The master answered with success, and with nothing an agent can read."""


def relay_failure(doing: str, error: Exception) -> str:
    """Return what the real agent says of a backup that could not be handed over."""
    if isinstance(error, Refused):
        body = error.body.decode("utf-8", "replace")
        return f"{doing}: http {error.status}: {body}"
    return f"{doing}: {error}"


T = TypeVar("T")

_SERVER_ERROR: Final = 500
"""From here on an answer does not say that the request was wrong."""

_KEEP_METHOD: Final = frozenset({307, 308})
_REDIRECTS: Final = frozenset({301, 302, 303, *_KEEP_METHOD})
"""Answers that lead elsewhere; all but two of them turn whatever was asked into a GET."""

_REDIRECTS_MAX: Final = 10
"""How often in a row: what Go's client does."""

CALL_FAILED: Final = (NoReply, Refused, Unreadable)
"""All the ways in which a call can fail."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an agent says of itself in a heartbeat."""

    hostname: str = ""
    ip_address: str = ""
    agent_version: str = "v2.0.0"
    os: str = "linux"
    arch: str = "amd64"


class _Poll(Struct, frozen=True):
    command: Command | None = None


class _PollEnvelope(Struct, frozen=True):
    data: _Poll | None = None


class _Envelope(Struct, frozen=True):
    data: Raw = Raw()


_decode_poll: Final = msgspec.json.Decoder(_PollEnvelope).decode
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_refusal: Final = msgspec.json.Decoder(Refusal).decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)


def _refusal(body: bytes) -> tuple[str, str]:
    try:
        refusal = _decode_refusal(body)
    except _UNREADABLE:
        return "", ""
    return refusal.code, refusal.message


class AgentClient:
    """One process's way to its master.

    Args:
        port: how requests get there.
        token: the node's token.
        identity: what heartbeats say.
        client: the address the master sees, where there is no socket to see it from.
        release: what it does as its release does.
        clock: how it waits before it sends something again.

    """

    def __init__(
        self,
        port: Port,
        token: str,
        identity: Identity | None = None,
        client: str = "127.0.0.1",
        release: Release = DEFAULT_RELEASE,
        clock: Clock | None = None,
    ) -> None:
        self.port = port
        self._clock = clock or RealClock()
        self._release = release
        self._identity = identity or Identity()
        self._client = client
        self.use_token(token)

    def use_token(self, token: str) -> None:
        """Send this token from now on."""
        identity = self._identity
        self._bare = {"x-agent-token": token}
        self._with_body = {"x-agent-token": token, "content-type": "application/json"}
        self._poll = self._request("POST", "/api/agent/commands/poll")
        report = HeartbeatReport(
            token if self._release.token_in_heartbeat else "",
            identity.hostname,
            identity.ip_address,
            identity.agent_version,
            identity.os,
            identity.arch,
        )
        self._heartbeat = self._request("POST", "/api/agent/heartbeat", wire.encode(report))

    # --- the two calls that are always going on ---------------------------------------------

    async def heartbeat(self) -> HeartbeatAnswer:
        """Give a sign of life."""
        response = await self.port.send(self._heartbeat)
        if not 200 <= response.status < 300:
            response = await self._follow(self._heartbeat, response)
        return _data(self._heartbeat, response, HeartbeatAnswer)

    async def poll(self) -> Command | None:
        """Claim the next command, if there is one."""
        response = await self.port.send(self._poll)
        if not 200 <= response.status < 300:
            response = await self._follow(self._poll, response)
        try:
            answer = _decode_poll(response.body).data
        except _UNREADABLE as error:
            raise _unreadable(self._poll, error) from None
        return answer.command if answer else None

    # --- work -------------------------------------------------------------------------------

    async def report_result(
        self, command_id: int, *, success: bool, error: str = "", result: Any = None
    ) -> None:
        """Report how a command ended; a result of `None` is left out."""
        report = ResultReport(error, UNSET if result is None else result, success)
        await self._surely(f"/api/agent/commands/{command_id}/result", wire.encode(report))

    async def task_spec(self, task_id: int) -> TaskSpec:
        """Ask what a task is about."""
        return await self._get(f"/api/agent/tasks/{task_id}", TaskSpec)

    async def update_record(self, record_id: int, report: RecordReport) -> None:
        """Report about a backup."""
        await self._update(f"/api/agent/records/{record_id}", report)

    async def restore_spec(self, restore_id: int) -> RestoreSpec:
        """Ask what a restore is about."""
        return await self._get(f"/api/agent/restores/{restore_id}/spec", RestoreSpec)

    async def update_restore(self, restore_id: int, report: RestoreReport) -> None:
        """Report about a restore."""
        await self._update(f"/api/agent/restores/{restore_id}", report)

    async def _update(self, path: str, report: RecordReport | RestoreReport) -> None:
        send = self._surely if report.status else partial(self.call, "POST")  # a status is an end
        await send(path, wire.encode(report))

    async def upload_artifact(
        self, record_id: int, target_id: int, key: str, contents: Contents, checksum: str
    ) -> None:
        """Hand a backup to the master, which stores it on its own disk under that key."""
        headers = {
            **self._bare,
            "content-type": "application/octet-stream",
            "content-length": str(contents.size_bytes),
            "x-backupx-object-key": key,
            "x-backupx-sha256": checksum,
        }
        path = f"/api/agent/records/{record_id}/artifacts/{target_id}"
        stream = contents.chunks()
        request = Request("PUT", path, headers, client=self._client, stream=stream)
        response = await self.port.send(request)
        if not 200 <= response.status < 300:
            _refuse(request, response)

    async def download_artifact(self, restore_id: int, write: Callable[[bytes], None]) -> None:
        """Fetch a backup from the master, and pass its pieces on as they come.

        Raises:
            BodyCutError: it ended too early.

        """
        path = f"/api/agent/restores/{restore_id}/artifact"
        request = Request("GET", path, self._bare, client=self._client, streams_answer=True)
        response = await self.port.send(request)
        if not 200 <= response.status < 300:
            _refuse(request, response)
        chunks = response.chunks()
        try:
            async for part in chunks:
                write(part)
        finally:
            await chunks.aclose()

    async def self_status(self) -> SelfStatus:
        """Ask what the master knows of this agent."""
        return await self._get("/api/v1/agent/self", SelfStatus)

    async def call(self, method: str, path: str, body: bytes | None = None) -> Response:
        """Send anything with the agent's token, and return the answer.

        Raises:
            Refused: the answer is no success.
            NoReply: there is none.

        """
        request = self._request(method, path, body)
        response = await self.port.send(request)
        if not 200 <= response.status < 300:
            response = await self._follow(request, response)
        return response

    async def _surely(self, path: str, body: bytes) -> Response:
        """Send what ends something: again after a while, where the release does so, if nobody heard it.

        Raises:
            Refused: the answer is no success.
            NoReply: there is none.

        """
        for pause_s in self._release.tries_again_s:
            try:
                return await self.call("POST", path, body)
            except Refused as error:
                if error.status < _SERVER_ERROR:
                    raise
            except NoReply:
                pass
            await self._clock.sleep(pause_s)
        return await self.call("POST", path, body)

    async def _follow(self, request: Request, response: Response) -> Response:
        """Go where a redirect leads, where the release does so.

        Raises:
            Refused: that is no success either, or the answer is no redirect.
            NoReply: there is no answer.

        """
        for _ in range(_REDIRECTS_MAX if self._release.follows_redirects else 0):
            where = next((to for name, to in response.headers if name.lower() == "location"), None)
            if where is None or response.status not in _REDIRECTS:
                break
            path = urljoin(request.path, where)  # to another server nothing here can go
            kept = response.status in _KEEP_METHOD
            request = replace(
                request,
                path=urlsplit(path).path,
                method=request.method if kept else "GET",
                body=request.body if kept else b"",
            )
            response = await self.port.send(request)
            if 200 <= response.status < 300:
                return response
        raise Refused(request.method, request.path, response)

    async def _get(self, path: str, kind: type[T]) -> T:
        request = self._request("GET", path)
        response = await self.port.send(request)
        if not 200 <= response.status < 300:
            response = await self._follow(request, response)
        return _data(request, response, kind)

    def _request(self, method: str, path: str, body: bytes | None = None) -> Request:
        headers = self._bare if body is None else self._with_body
        return Request(method, path, headers, body or b"", client=self._client)


def _refuse(request: Request, response: Response) -> NoReturn:
    raise Refused(request.method, request.path, response)


def _unreadable(request: Request, error: Exception) -> Unreadable:
    return Unreadable(f"{request.method} {request.path}: decode data: {error}")


def _data(request: Request, response: Response, kind: type[T]) -> T:
    """Return what an answer holds, in its envelope or bare; `null` is all zero."""
    try:
        data: bytes | Raw = _decode_envelope(response.body).data or response.body
        return kind() if bytes(data) == b"null" else msgspec.json.decode(data, type=kind)
    except _UNREADABLE as error:
        raise _unreadable(request, error) from None
