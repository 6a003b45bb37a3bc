"""The port of a simulation: calls the master's `handle`, with nothing in between."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from msgspec.structs import replace

from master.protocol.exchange import Request, Response

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
        """Return the answer; the escapes of the path are resolved as an HTTP server does."""
        if "%" in request.path:
            request = replace(request, path=unquote(request.path))
        return await self._handle(request)
