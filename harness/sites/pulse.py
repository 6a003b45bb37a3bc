"""Does the server live? It is asked now and then, and when several calls in a row got no answer."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply, Port, close_port

EVERY_S: Final = 2.0
"""How often a server is asked whether it lives, while everybody waits."""

SILENT_MAX: Final = 3
"""How many calls in a row may get no answer before the server is asked whether it lives."""


class Pulse:
    """Notices when a server is gone.

    Args:
        ask: returns why the server does not answer for its health, `None` when it does.

    Attributes:
        expected: whether somebody has stopped it, and will start it again.

    """

    def __init__(self, ask: Callable[[], Awaitable[str | None]]) -> None:
        self._ask = ask
        self._silent = 0
        self._doubt = trio.Event()
        self._known: str | None = None
        self.expected = False

    def declare(self, reason: str) -> None:
        """Know for sure that the server is gone."""
        self._known = reason
        self.expected = False
        self._doubt.set()

    def felt(self, *, answered: bool) -> None:
        """Note how a call went."""
        if self.expected:
            return
        self._silent = 0 if answered else self._silent + 1
        if self._silent >= SILENT_MAX:
            self._doubt.set()

    def reset(self) -> None:
        """Begin anew, with a server that was started just now."""
        self._known = None
        self.expected = False
        self._silent = 0
        self._doubt = trio.Event()

    async def stopped(self) -> str:
        """Return why the server is gone, once it is."""
        while True:
            with trio.move_on_after(EVERY_S):
                await self._doubt.wait()
            if self.expected:
                await trio.sleep(EVERY_S)
                continue
            reason = self._known or await self._ask()
            if reason is not None and not self.expected:
                return reason
            self._silent = 0
            self._doubt = trio.Event()


class PulsePort:
    """A way to a server that tells its pulse how each call went.

    Args:
        port: the way.
        pulse: is told.

    """

    def __init__(self, port: Port, pulse: Pulse) -> None:
        self._port = port
        self._pulse = pulse

    async def send(self, request: Request) -> Response:
        """Return the answer.

        Raises:
            NoReply: there is none.

        """
        try:
            response = await self._port.send(request)
        except NoReply:
            self._pulse.felt(answered=False)
            raise
        self._pulse.felt(answered=True)
        return response

    async def aclose(self) -> None:
        """Close the way."""
        await close_port(self._port)
