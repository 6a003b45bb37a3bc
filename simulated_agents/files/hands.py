"""How slow work is done: at once in a simulation, in a thread where time is real.

On virtual time nothing may wait for a thread, or the clock would run ahead; on the real clock
nothing may hold the loop up, or heartbeats would stop while a large file is packed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import trio

T = TypeVar("T")

_END = object()


class Hands(Protocol):
    """Does what blocks."""

    async def do(self, work: Callable[..., T], *args: Any) -> T:
        """Return what a function returns.

        Args:
            work: the function; it calls `heed` now and then.
            args: its arguments.

        """
        ...

    def heed(self) -> None:
        """Be called from the function, often: ends it when its agent has ended."""
        ...


class AtOnce:
    """Does it here and now."""

    async def do(self, work: Callable[..., T], *args: Any) -> T:
        """Return what a function returns."""
        return work(*args)

    def heed(self) -> None:
        """Go on: nothing happens meanwhile."""


class InThread:
    """Does it in a thread."""

    async def do(self, work: Callable[..., T], *args: Any) -> T:
        """Return what a function returns, while the loop goes on."""
        return await trio.to_thread.run_sync(partial(work, *args))

    def heed(self) -> None:
        """Raise what ends the agent, if anything has."""
        trio.from_thread.check_cancelled()


async def next_of(hands: Hands, lines: Iterator[T]) -> T | None:
    """Return the next value of an iterator whose steps block; `None` after the last."""
    value: Any = await hands.do(next, lines, _END)
    return None if value is _END else value
