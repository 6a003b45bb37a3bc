"""How an agent reaches a master: one method, whatever lies in between.

A request's path is written as it stands in the request line: `%2B` is an escape, `//` stays.
"""

from typing import Protocol, runtime_checkable

from master.protocol.exchange import Request, Response


class NoReply(Exception):  # noqa: N818 - a thing that happens on a network, no one's error
    """No answer came.

    Args:
        reason: what was seen instead.
        definite: the request was certainly not received; otherwise nobody knows.

    """

    def __init__(self, reason: str, *, definite: bool) -> None:
        self.reason = reason
        self.definite = definite
        super().__init__(reason)


class Port(Protocol):
    """Carries one request to the master and its answer back."""

    async def send(self, request: Request) -> Response:
        """Return the answer; if it is a stream, the caller closes it.

        The request's own stream is closed here, whatever happens.

        Raises:
            NoReply: there is none.

        """
        ...


@runtime_checkable
class ClosablePort(Port, Protocol):
    """A port that holds connections."""

    async def aclose(self) -> None:
        """Close every connection."""
        ...


async def close_port(port: Port) -> None:
    """Close a port, if it has anything to close."""
    if isinstance(port, ClosablePort):
        await port.aclose()
