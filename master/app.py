"""ASGI around a master: bytes to a request, an answer to bytes, and no rules.

A client that hangs up cancels its request, which ends the wait of a call to an agent, and closes the
stream that it was being sent. Bodies are read whole but for endpoints that read them themselves.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self

import trio

from master.core import Master
from master.protocol.exchange import BodyCutError, Chunks, Request, Response, collect

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("muster.master")

_FAULT = Response(500, b"", headers=())


DISCARDED_BYTES: Final = 256 * 1024
"""How much of a body that an endpoint left unread is read for it, before the answer is sent: many
clients look for one only after their last byte. Go's server does so too (`maxPostHandlerReadBytes`),
and closes the connection over more."""


class _Body:
    """The body of a request, while it comes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.whole = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self.whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BodyCutError
            self.whole = not message.get("more_body", False)
            if part := message.get("body"):
                return bytes(part)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Do nothing: what is unread belongs to the connection."""

    async def discard(self) -> None:
        """Read what was left unread, if it is not too much."""
        size = 0
        async for part in self:
            size += len(part)
            if size > DISCARDED_BYTES:
                return


def _request(scope: Scope, body: bytes, stream: Chunks | None = None) -> Request:
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in reversed(scope["headers"])  # the first of a repeated header counts
        },
        body=body,
        query=scope["query_string"].decode("latin-1"),
        client=client[0] if client else "",
        stream=stream,
    )


class App:
    """The ASGI application of one master.

    Args:
        master: what answers.

    """

    def __init__(self, master: Master) -> None:
        self._master = master

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            with suppress(BodyCutError):  # the client hung up, and there is nobody to answer
                await self._exchange(scope, receive, send)

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)
        if self._master.streams(scope["method"], scope["path"]):
            request = _request(scope, b"", body)
        else:
            request = _request(scope, await collect(body))
        response = await self._answer(request, receive)
        if response is None:
            return
        try:
            await body.discard()
            if body.whole and response.stream is None:
                await _send(send, request, response)
            else:
                await _while_there(receive, partial(_send, send, request, response))
        finally:
            if response.stream is not None:
                await response.stream.aclose()

    async def _answer(self, request: Request, receive: Receive) -> Response | None:
        """Return the answer, or `None` when the client did not wait for it."""
        try:
            answer = self._master.answer(request)
            if isinstance(answer, Response):
                response: Response | None = answer
            elif request.stream is not None:  # reading it tells whether the client is there
                response = await answer
            else:
                response = await _unless_gone(request, answer, receive)
        except BodyCutError:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = _FAULT
        if response is not None and response.status >= 500:
            log.warning("%s %s answered %d", request.method, request.path, response.status)
        return response


async def _unless_gone(
    request: Request, answer: Awaitable[Response], receive: Receive
) -> Response | None:
    """Wait for an answer for as long as the client does."""
    answers: list[Response] = []

    async def wait() -> None:
        try:
            answers.append(await answer)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answers.append(_FAULT)

    if await _while_there(receive, wait):
        return answers[0]
    for response in answers:
        if response.stream is not None:
            await response.stream.aclose()
    return None


async def _while_there(receive: Receive, act: Callable[[], Awaitable[None]]) -> bool:
    """Do something for as long as the client is connected; return whether it still is."""
    there = True

    async def hang_up(scope: trio.CancelScope) -> None:
        nonlocal there
        while (await receive())["type"] != "http.disconnect":
            pass
        there = False
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up, nursery.cancel_scope)
        await act()
        nursery.cancel_scope.cancel()
    return there


async def _send(send: Send, request: Request, response: Response) -> None:
    headers = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in response.all_headers()
    ]
    if response.status != 204 and response.stream is None:
        headers.append((b"content-length", str(len(response.body)).encode()))
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    if response.stream is not None:
        await _send_stream(send, request, start, response.stream)
        return
    await send(start)
    await _send_last(send, b"" if request.method == "HEAD" else response.body)


async def _send_last(send: Send, body: bytes) -> None:
    """Send the end of an answer, undisturbed.

    hypercorn says that the client is gone while it does this, and only then closes a connection of
    which not all was read.
    """
    with trio.CancelScope(shield=True):
        await send({"type": "http.response.body", "body": body})


async def _send_stream(send: Send, request: Request, start: dict[str, Any], stream: Chunks) -> None:
    """Send a body as it comes; one that breaks off is left without an end, so that it shows."""
    await send(start)
    try:
        async for part in stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except Exception:
        log.exception("%s %s broke off", request.method, request.path)
    else:
        await _send_last(send, b"")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
