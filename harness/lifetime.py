"""The lives of one master in this process: it dies at once, and another begins with what was left.

What a dead master leaves is what it had committed to its database, and what lies on its disk. All
else is gone: its calls end without an answer, its loops stop, its memory is a new one's.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

from master.core import Master
from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply

MakeOne = Callable[[bytes | None], Master]
"""Makes a master on the image of a database, or on a fresh one; its disk is always the same."""


class Lifetime:
    """A master that can die and begin again.

    Args:
        make: makes one.
        nursery: runs its loops.
        note: is told what a call raised that the master did not answer.
        mortal: whether it will be stopped; one that will not be costs less a call.

    Attributes:
        master: the one that lives, or lived last.

    """

    def __init__(
        self, make: MakeOne, nursery: trio.Nursery, note: Callable[[str], None], *, mortal: bool
    ) -> None:
        self._make = make
        self._nursery = nursery
        self._note = note
        self._mortal = mortal
        self._alive: dict[trio.CancelScope, None] = {}
        self._gone = trio.Event()
        self._left: bytes | None = None
        self._up = False
        self.master: Master

    async def start(self) -> None:
        """Begin, with what the life before left."""
        self.master = self._make(self._left)
        self._left = None
        self._up = True
        await self._nursery.start(self._run_loops)

    async def _run_loops(self, task_status: trio.TaskStatus[None]) -> None:
        with self._life():
            task_status.started()
            await self.master.run_monitors()

    @contextmanager
    def _life(self) -> Iterator[trio.CancelScope]:
        """Do something for as long as this life lasts."""
        with trio.CancelScope() as scope:
            self._alive[scope] = None
            try:
                yield scope
            finally:
                del self._alive[scope]
                if not self._alive:
                    self._gone.set()

    async def handle(self, request: Request) -> Response:
        """Answer a request, as the master's server does: with 500 where the master raises.

        Raises:
            NoReply: the master is dead, or died meanwhile.

        """
        if not self._up:
            raise NoReply("the connection was refused", definite=True)
        try:
            answer = self.master.handle(request)
            return await (self._unless_dead(answer) if self._mortal else answer)
        except NoReply:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a broken master raises
            if not self._up:  # it stumbled while it died
                raise NoReply("the connection was lost", definite=False) from None
            self._note(f"{request.method} {request.path} raised {error!r}")
            return Response(500, b"", headers=())

    async def _unless_dead(self, answer: Awaitable[Response]) -> Response:
        """Return an answer, unless the master dies before."""
        with self._life() as scope:
            response = await answer
        if scope.cancel_called:
            raise NoReply("the connection was lost", definite=False)
        return response

    async def stop(self) -> None:
        """Die at once; return when nothing of this life runs any more."""
        self._up = False
        self._left = self.master.state.database.image()  # what calls still do as they end is lost
        self._gone = trio.Event()  # the loops are there, so somebody sets it
        for scope in list(self._alive):
            scope.cancel()
        await self._gone.wait()
        self.master.state.database.close()

    def close(self) -> None:
        """Close the database, if it is open."""
        if self._up:
            self.master.state.database.close()
