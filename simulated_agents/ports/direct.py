"""The port of a simulation: calls the master's `handle`, with nothing in between."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from msgspec.structs import replace

from master.protocol.exchange import BodyCutError, Request, Response, collect
from simulated_agents.ports import NoReply

Handle = Callable[[Request], Awaitable[Response]]


class DirectPort:
    """Carries requests in process.

    Args:
        handle: what answers them.

    """

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def send(self, request: Request) -> Response:
        """Return the answer; the escapes of the path are resolved as an HTTP server does.

        Raises:
            NoReply: the request's stream ended too early.

        """
        if "%" in request.path:
            request = replace(request, path=unquote(request.path))
        try:
            response = await self._handle(request)
        except BodyCutError as error:
            raise NoReply(f"BodyCutError: {error}", definite=False) from None
        finally:
            if request.stream is not None:
                await request.stream.aclose()
        if response.stream is None or request.streams_answer:
            return response
        return replace(response, body=await collect(response.stream), stream=None)
