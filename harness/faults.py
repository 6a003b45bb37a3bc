"""What a network does to a call: it loses the request, or the answer."""

from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply, Port


class LosingPort:
    """A way to the master on which one half of every exchange is lost.

    Args:
        port: the way behind it.
        half: `request`, which the master then never hears, or `reply`.

    """

    def __init__(self, port: Port, half: str) -> None:
        self._port = port
        self._half = half

    async def send(self, request: Request) -> Response:
        """Send a request, unless that is what is lost.

        Raises:
            NoReply: always; whoever sent it cannot tell which half was lost.

        """
        if self._half == "reply":
            await self._port.send(request)
        raise NoReply(f"the {self._half} was lost", definite=False)
