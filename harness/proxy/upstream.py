"""The way from a front to a real master: a request goes on as it came, but for its connection."""

from typing import Final

from msgspec.structs import replace

from harness.front.bodies import Fields, gather_response
from master.protocol.exchange import BodyCutError, Request, Response, Whole
from simulated_agents.ports import NoReply, Port, close_port

_CONNECTION_HEADERS: Final = frozenset(
    {
        "connection",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to the client's connection; the port behind has a connection of its own."""


class Upstream:
    """A port that passes on what came through a front.

    Args:
        port: the way to the master.

    """

    def __init__(self, port: Port) -> None:
        self._port = port

    async def send(self, request: Request) -> Response:
        """Pass a request on; a short answer is whole.

        Raises:
            NoReply: there is no answer, or only a part of a short one.

        """
        chunked = "transfer-encoding" in request.headers
        dropped = set(_CONNECTION_HEADERS)
        if request.stream is None or chunked:
            dropped.add("content-length")  # the port says it, or there is none
        headers = Fields(request.headers.items()).without(dropped)
        request = replace(request, headers=headers)
        if chunked and request.stream is None:  # a body in chunks goes on in chunks
            request = replace(request, body=b"", stream=Whole(request.body))
        response = await self._port.send(request)
        try:
            return await gather_response(response)
        except BodyCutError as error:
            raise NoReply(f"the answer broke off: {error}", definite=False) from error

    async def aclose(self) -> None:
        """Close every connection."""
        await close_port(self._port)
