"""Bodies that are cut or changed on their way, whether they are bytes or streams."""

from collections.abc import AsyncIterator
from random import Random
from typing import Final, Self

from master.protocol.exchange import BodyCutError, Chunks, Request, Response

_BLOCK: Final = 64
"""One byte of so many is changed, beside the first."""

_HIGH_BIT: Final = 0x80


def garbled(data: bytes, rng: Random) -> bytes:
    """Return bytes of which the first, and one of each block, has its highest bit turned.

    JSON begins with an ASCII character: with the first byte changed it is none, so nobody takes a
    garbled answer for another one.
    """
    changed = bytearray(data)
    for at in range(0, len(changed), _BLOCK):
        place = at + rng.randrange(min(_BLOCK, len(changed) - at)) if at else 0
        changed[place] ^= _HIGH_BIT
    return bytes(changed)


class Garbled:
    """A stream whose bytes change.

    Args:
        chunks: the body.
        rng: decides where.

    """

    def __init__(self, chunks: Chunks, rng: Random) -> None:
        self._chunks = chunks
        self._parts = aiter(chunks)
        self._rng = rng

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return garbled(await anext(self._parts), self._rng)

    async def aclose(self) -> None:
        """Close the body."""
        await self._chunks.aclose()


class CutShort:
    """A body that breaks off in the middle.

    Args:
        chunks: the body.
        size_bytes: how much of it comes; of a body whose length nobody knows, the first piece.

    """

    def __init__(self, chunks: Chunks, size_bytes: int | None) -> None:
        self._chunks = chunks
        self._parts: AsyncIterator[bytes] = aiter(chunks)
        self._left = size_bytes

    @classmethod
    def of(cls, subject: Request | Response) -> Self:
        """Return the first half of what a request or an answer brings."""
        length = len(subject.body) if subject.stream is None else announced(subject)
        return cls(subject.chunks(), None if length is None else length // 2)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._left == 0:
            raise BodyCutError("a fault cut the body")
        try:
            part = await anext(self._parts)
        except StopAsyncIteration:
            raise BodyCutError("a fault cut the body at its end") from None
        if self._left is None:
            self._left = 0
            return part
        part = part[: self._left]
        self._left -= len(part)
        return part

    async def aclose(self) -> None:
        """Close the body."""
        await self._chunks.aclose()


def announced(subject: Request | Response) -> int | None:
    """Return how long a streamed body is said to be, or `None`."""
    if isinstance(subject, Request):
        return subject.length()
    for name, value in subject.headers:
        if name.lower() == "content-length" and value.isascii() and value.isdigit():
            return int(value)
    return None
