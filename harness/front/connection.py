"""One connection of a front: HTTP/1.1 read and written with h11, one exchange after the other.

The client's bytes are faithful on their way in and the master's on their way out: names and order of
headers, the request target, how a body is delimited. What is not passed on is what belongs to a
connection and not to an exchange. A body is read when somebody asks for it, which is when a client
that expects `100 Continue` is told to send it. A client's garbage ends its connection with a 400, and
nothing else.
"""

import logging
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import h11
import trio

from harness.faults import Lost
from harness.front.bodies import Fields, gather_request
from master.protocol.exchange import BodyCutError, Request, Response
from master.protocol.wire import encode
from simulated_agents.ports import NoReply, Port

log = logging.getLogger(__name__)

HEAD_MAX: Final = 1_048_576
"""Bytes of a request's head: what Go's server takes."""

_READ: Final = 65_536
_AHEAD_MAX: Final = 262_144
"""How much a client may send ahead of its answer before it is not watched any more."""

_DISCARD_MAX: Final = 262_144
"""How much of an unread body is read and thrown away, so that the connection can go on."""

_LINGER_S: Final = 1.0
"""How long a client may go on sending to a connection that is being closed, to read its answer."""

_RESET: Final = struct.pack("ii", 1, 0)

_CONNECTION_HEADERS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers of an answer that belong to the connection it came on."""

_BODILESS: Final = frozenset({204, 304})


@dataclass(slots=True)
class Counters:
    """What a front has met.

    Attributes:
        connections: how many came.
        requests: how many were passed on.
        unreachable: how many of them had no answer from the master.
        cut: how many connections were broken on purpose.
        refused: how many were no HTTP.

    """

    connections: int = 0
    requests: int = 0
    unreachable: int = 0
    cut: int = 0
    refused: int = 0


class Connection:
    """What goes on between one client and a port.

    Args:
        stream: the client's connection.
        port: where requests go.
        counters: are kept up to date.

    """

    def __init__(self, stream: trio.SocketStream, port: Port, counters: Counters) -> None:
        self._stream = stream
        self._port = port
        self._counters = counters
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MAX)
        self._client = _peer(stream)
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Serve the client until either side ends it."""
        try:
            with self._scope, suppress(trio.BrokenResourceError):
                try:
                    while await self._exchange():
                        self._http.start_next_cycle()
                except h11.RemoteProtocolError as error:
                    await self._refuse(error)
                await self._linger()
        finally:
            await trio.aclose_forcefully(self._stream)

    def reset(self) -> None:
        """Break the connection: the client sees a reset."""
        self._counters.cut += 1
        with suppress(OSError):  # the client may be gone already
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._scope.cancel()

    # --- reading ----------------------------------------------------------------------------

    async def event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return the next thing the client says.

        Raises:
            RemoteProtocolError: it is no HTTP.

        """
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._stream.receive_some(_READ))
        return event

    async def go_on(self) -> None:
        """Tell a client that waits for it to send its body."""
        if self._http.they_are_waiting_for_100_continue:
            await self._stream.send_all(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
            )

    @property
    def waits_to_send(self) -> bool:
        """Whether the client waits to be told to send its body."""
        return self._http.they_are_waiting_for_100_continue

    async def _exchange(self) -> bool:
        """Take one request and answer it; return whether there can be another."""
        head = await self.event()
        if not isinstance(head, h11.Request):
            return False
        body = _Body(self)
        request = _request(head, body, self._client)
        if not request.path.startswith(("/", "*")):
            raise h11.RemoteProtocolError(f"expected a path, got {request.path[:80]!r}")
        try:
            request = await gather_request(request)
        except BodyCutError:
            return False
        self._counters.requests += 1
        async with trio.open_nursery() as nursery:
            if body.whole:
                nursery.start_soon(self._watch)
            await self._answer(request, body)
            nursery.cancel_scope.cancel()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _watch(self) -> None:
        """Give the exchange up when the client does; keep what it sends ahead."""
        ahead = 0
        while ahead < _AHEAD_MAX:
            data = await self._receive()
            if not data:
                self._scope.cancel()
                return
            self._http.receive_data(data)
            ahead += len(data)

    async def _receive(self) -> bytes:
        try:
            return bytes(await self._stream.receive_some(_READ))
        except trio.BrokenResourceError:
            return b""

    # --- answering --------------------------------------------------------------------------

    async def _answer(self, request: Request, body: "_Body") -> None:
        response = await self._response(request, body)
        if response is None:
            self._scope.cancel()
            return
        try:
            await body.discard()
            await self._send(request, response, last=not body.whole)
        except trio.BrokenResourceError:  # the client is gone
            self._scope.cancel()
        except (BodyCutError, h11.LocalProtocolError):  # cut, or not as long as was announced
            self.reset()
        finally:
            if response.stream is not None:
                with trio.CancelScope(shield=True):
                    await response.stream.aclose()

    async def _response(self, request: Request, body: "_Body") -> Response | None:
        """Return the answer to a request, or `None` if the connection is over."""
        try:
            return await self._port.send(request)
        except Lost:
            self.reset()
            return None
        except NoReply as error:
            if body.cut:
                return None
            self._counters.unreachable += 1
            return _trouble(502, f"the master gave no answer: {error}")
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return _trouble(500, "this is a fault of muster; its log says more")

    async def _send(self, request: Request, response: Response, *, last: bool) -> None:
        bodiless = request.method == "HEAD" or response.status in _BODILESS
        head = self._http.send(_head(response, bodiless=bodiless, last=last)) or b""
        if bodiless or response.stream is None:
            data = b"" if bodiless else self._http.send(h11.Data(data=response.body)) or b""
            end = self._http.send(h11.EndOfMessage()) or b""
            await self._stream.send_all(head + data + end)
            return
        await self._stream.send_all(head)
        async for part in response.stream:
            await self._stream.send_all(self._http.send(h11.Data(data=part)) or b"")
        await self._stream.send_all(self._http.send(h11.EndOfMessage()) or b"")

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Answer what is no HTTP, if an answer has not begun already."""
        self._counters.refused += 1
        if self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        response = _trouble(error.error_status_hint, f"this is no HTTP/1.1 request: {error}")
        await self._send(Request("GET", "/"), response, last=True)

    async def _linger(self) -> None:
        """Say that nothing more comes, and wait a moment for the client to read it.

        A connection that is closed while the client still sends is reset, which may cost it the
        answer.
        """
        with trio.move_on_after(_LINGER_S):
            await self._stream.send_eof()
            while await self._stream.receive_some(_READ):
                pass


class _Body:
    """What a client sends behind a request's head, read when it is asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.whole = False
        self.cut = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.whole:
            raise StopAsyncIteration
        if self.cut:
            raise BodyCutError("the client broke off")
        await self._connection.go_on()
        try:
            event = await self._connection.event()
        except (h11.RemoteProtocolError, trio.BrokenResourceError) as error:
            self.cut = True
            raise BodyCutError(f"the client broke off: {error}") from None
        if isinstance(event, h11.Data):
            return bytes(event.data)
        self.whole = True
        raise StopAsyncIteration

    async def discard(self) -> None:
        """Throw away what nobody read, if that is not much: the client may send another request."""
        if self.whole or self._connection.waits_to_send:
            return
        size_bytes = 0
        with suppress(BodyCutError):
            async for part in self:
                size_bytes += len(part)
                if size_bytes > _DISCARD_MAX:
                    return

    async def aclose(self) -> None:
        """Do nothing: what is left belongs to the connection."""


def _request(head: h11.Request, body: _Body, client: str) -> Request:
    target = head.target.decode("latin-1")
    if "://" in target and not target.startswith("/"):  # as to a proxy: scheme and host go
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    headers = Fields(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in head.headers.raw_items()
    )
    return Request(
        method=head.method.decode("latin-1"),
        path=path,
        headers=headers,
        query=query,
        client=client,
        stream=body,
        streams_answer=True,
    )


def _head(response: Response, *, bodiless: bool, last: bool) -> h11.Response:
    headers = [
        (name, value)
        for name, value in response.all_headers()
        if name.lower() not in _CONNECTION_HEADERS
    ]
    if response.stream is None and not bodiless:
        headers = _measured(headers, len(response.body))
    if last:
        headers.append(("Connection", "close"))
    return h11.Response(
        status_code=response.status,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        reason=_reason(response.status),
    )


def _measured(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    """Return headers that say how long the body is, in the place where they said so already."""
    said = [at for at, (name, _) in enumerate(headers) if name.lower() == "content-length"]
    place = said[0] if said else len(headers)
    name = headers[place][0] if said else "Content-Length"
    kept = [(name, value) for at, (name, value) in enumerate(headers) if at not in said]
    kept.insert(place, (name, str(length)))
    return kept


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _trouble(status: int, why: str) -> Response:
    """Return an answer of the front's own."""
    body = encode({"code": "MUSTER_FRONT", "message": f"muster: {why}"})
    return Response(status, body, cors=False)


def _peer(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return ""
