"""How many calls of a scenario are under way."""

import trio
from msgspec.structs import replace

from master.protocol.exchange import Chunks, Request, Response
from simulated_agents.ports import Port, close_port


class Traffic:
    """Counts calls that were begun and are not over."""

    def __init__(self) -> None:
        self._calls = 0
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def quiet(self) -> bool:
        """Return whether none is under way."""
        return self._calls == 0

    async def wait_quiet(self) -> None:
        """Return when none was under way for a moment."""
        while self._calls:
            await self._waiting.park()

    def counted(self, port: Port) -> "CountedPort":
        """Return the same way to the master, on which calls are counted."""
        return CountedPort(port, self)

    def begin(self) -> None:
        """Count a call that begins."""
        self._calls += 1

    def end(self) -> None:
        """Count a call that is over."""
        self._calls -= 1
        if not self._calls:
            self._waiting.unpark_all()


class CountedPort:
    """A port whose calls are counted, an answer that is streamed until its end.

    Args:
        port: the way to the master.
        traffic: counts.

    """

    def __init__(self, port: Port, traffic: Traffic) -> None:
        self._port = port
        self._traffic = traffic

    async def send(self, request: Request) -> Response:
        """Pass a request on.

        Raises:
            NoReply: as the port does.

        """
        self._traffic.begin()
        goes_on = False
        try:
            response = await self._port.send(request)
            if response.stream is not None:
                goes_on = True
                response = replace(response, stream=_Stream(response.stream, self._traffic))
            return response
        finally:
            if not goes_on:
                self._traffic.end()

    async def aclose(self) -> None:
        """Close the port behind it."""
        await close_port(self._port)


class _Stream:
    """The body of an answer, under way until it is closed."""

    def __init__(self, chunks: Chunks, traffic: Traffic) -> None:
        self._chunks = chunks
        self._parts = aiter(chunks)
        self._traffic = traffic
        self._closed = False

    def __aiter__(self) -> "_Stream":
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._parts)

    async def aclose(self) -> None:
        """Close the body."""
        if not self._closed:
            self._closed = True
            self._traffic.end()
        await self._chunks.aclose()
