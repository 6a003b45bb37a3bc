"""The lives of one master in this process: it dies at once, and another begins with what was left.

What a dead master leaves is what it had committed to its database, and what lies on its disk. All
else is gone: its calls end without an answer, its loops stop, its memory is a new one's.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Self

import trio
from msgspec.structs import replace

from master.core import Master
from master.protocol.exchange import BodyCutError, Chunks, Request, Response
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
        with self.life():
            task_status.started()
            await self.master.run_monitors()

    @contextmanager
    def life(self) -> Iterator[trio.CancelScope]:
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
            response = await (self._unless_dead(answer) if self._mortal else answer)
            if response.stream is None or not self._mortal:
                return response
            return replace(response, stream=_Stream(response.stream, self, self.master))
        except (NoReply, BodyCutError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a broken master raises
            if not self._up:  # it stumbled while it died
                raise NoReply("the connection was lost", definite=False) from None
            self._note(f"{request.method} {request.path} raised {error!r}")
            return Response(500, b"", headers=())

    async def _unless_dead(self, answer: Awaitable[Response]) -> Response:
        """Return an answer, unless the master dies before."""
        with self.life() as scope:
            response = await answer
        if scope.cancel_called:
            raise NoReply("the connection was lost", definite=False)
        return response

    def lives(self, master: Master) -> bool:
        """Return whether a master is the one that lives."""
        return self._up and master is self.master

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


class _Stream:
    """A body that a master sends for as long as it lives.

    Args:
        chunks: the body.
        lifetime: the lives of the master.
        master: the one that sends.

    """

    def __init__(self, chunks: Chunks, lifetime: Lifetime, master: Master) -> None:
        self._chunks = chunks
        self._parts = aiter(chunks)
        self._lifetime = lifetime
        self._master = master

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._lifetime.lives(self._master):
            raise BodyCutError("the connection was lost")
        with self._lifetime.life() as scope:
            part = await anext(self._parts)
        if scope.cancel_called:
            raise BodyCutError("the connection was lost")
        return part

    async def aclose(self) -> None:
        await self._chunks.aclose()
