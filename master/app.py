"""ASGI around a master: bytes to a request, an answer to bytes, and no rules.

A client that hangs up cancels its request, which ends the wait of a call to an agent.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import trio

from master.core import Master
from master.protocol.exchange import Request, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("muster.master")

_FAULT = Response(500, b"", headers=())


class ClientGoneError(Exception):
    """The client hung up before its request was whole."""


async def _read_body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _request(scope: Scope, body: bytes) -> Request:
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
            try:
                request = _request(scope, await _read_body(receive))
            except ClientGoneError:
                return
            response = await self._answer(request, receive)
            if response is not None:
                await _send(send, request, response)

    async def _answer(self, request: Request, receive: Receive) -> Response | None:
        """Return the answer, or `None` when the client did not wait for it."""
        try:
            answer = self._master.answer(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answer = _FAULT
        response = (
            answer if isinstance(answer, Response) else await _unless_gone(request, answer, receive)
        )
        if response is not None and response.status >= 500:
            log.warning("%s %s answered %d", request.method, request.path, response.status)
        return response


async def _unless_gone(
    request: Request, answer: Awaitable[Response], receive: Receive
) -> Response | None:
    """Wait for an answer for as long as the client does."""
    answers: list[Response] = []

    async def hang_up(scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up, nursery.cancel_scope)
        try:
            answers.append(await answer)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answers.append(_FAULT)
        nursery.cancel_scope.cancel()
    return answers[0] if answers else None


async def _send(send: Send, request: Request, response: Response) -> None:
    headers = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in response.all_headers()
    ]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if request.method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
