"""A front: listens on a TCP port, and can refuse connections and break those that there are."""

import logging
from typing import Final

import trio

from harness.front.connection import Connection, Counters
from simulated_agents.ports import Port

log = logging.getLogger(__name__)

LOCAL: Final = "127.0.0.1"


class Front:
    """A small HTTP/1.1 server whose requests go to a port.

    Args:
        port: where every request goes; it picks by what the request says.
        host: the address to listen on.
        number: the TCP port; 0 takes a free one.

    Attributes:
        host: the address.
        number: the TCP port, known once it listens; it stays the same from then on.
        counters: what came so far.

    """

    def __init__(self, port: Port, host: str = LOCAL, number: int = 0) -> None:
        self.host = host
        self.number = number
        self.counters = Counters()
        self._port = port
        self._nursery: trio.Nursery | None = None
        self._listening: trio.CancelScope | None = None
        self._silent = trio.Event()
        self._connections: dict[Connection, None] = {}

    @property
    def url(self) -> str:
        """The base URL, once it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.number}"

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; started when it does.

        Raises:
            OSError: the address cannot be listened on.

        """
        listeners = await self._listeners()
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                self._begin(nursery, listeners)
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    async def accept(self) -> None:
        """Take new connections, on the same TCP port as before.

        Raises:
            OSError: the address cannot be listened on.

        """
        assert self._nursery is not None, "serve() is not running"
        if self._listening is None:
            self._begin(self._nursery, await self._listeners())

    async def refuse(self) -> None:
        """Take no new connections: clients see them refused. Those that there are go on."""
        if self._listening is not None:
            self._listening.cancel()
            await self._silent.wait()

    def cut(self) -> None:
        """Break every connection that there is: clients see a reset."""
        for connection in self._connections:
            connection.reset()

    async def _listeners(self) -> list[trio.SocketListener]:
        listeners = await trio.open_tcp_listeners(self.number, host=self.host)
        self.number = listeners[0].socket.getsockname()[1]
        return listeners

    def _begin(self, nursery: trio.Nursery, listeners: list[trio.SocketListener]) -> None:
        self._listening = trio.CancelScope()
        self._silent = trio.Event()
        nursery.start_soon(self._listen, listeners, self._listening)

    async def _listen(self, listeners: list[trio.SocketListener], scope: trio.CancelScope) -> None:
        try:
            with scope:
                await trio.serve_listeners(self._serve, listeners, handler_nursery=self._nursery)
        finally:
            self._listening = None
            self._silent.set()

    async def _serve(self, stream: trio.SocketStream) -> None:
        self.counters.connections += 1
        connection = Connection(stream, self._port, self.counters)
        self._connections[connection] = None
        try:
            await connection.run()
        except Exception:  # no client's request may end the others'
            log.exception("a connection failed")
        finally:
            del self._connections[connection]
