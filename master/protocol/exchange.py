"""One HTTP exchange as values: what goes out and what comes back, on either side of the wire.

A body is bytes. One that is too long for that, or has no end, is a stream of chunks beside an empty
`body`; `chunks()` reads either. Whoever takes a stream closes it.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol, Self
from urllib.parse import parse_qs

from msgspec import Struct

Headers = tuple[tuple[str, str], ...]

JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json; charset=utf-8"),)
CORS_HEADERS: Final[Headers] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Origin, Content-Type, Accept, Authorization"),
    ("Access-Control-Max-Age", "86400"),
)


class Chunks(Protocol):
    """A body piece by piece; iterated once, and closed however far that came."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return what yields the pieces, none of them empty."""
        ...

    async def aclose(self) -> None:
        """Let go of what the pieces come from; more than once does no harm."""
        ...


class BodyCutError(Exception):
    """A body ended before all of it had come."""


class Whole:
    """A body that is there already, as chunks: one, or none if it is empty.

    Args:
        body: the bytes.

    """

    __slots__ = ("_left",)

    def __init__(self, body: bytes) -> None:
        self._left = [body] if body else []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the body, once."""
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def aclose(self) -> None:
        """Let go of the bytes."""
        self._left.clear()


class _Announced:
    """A stream held against the length that was announced for it."""

    __slots__ = ("_chunks", "_left", "_length", "_parts")

    def __init__(self, chunks: Chunks, length: int) -> None:
        self._chunks = chunks
        self._parts = aiter(chunks)
        self._left = self._length = length

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            part = await anext(self._parts)
        except StopAsyncIteration:
            if self._left:
                raise BodyCutError(f"{self._left} of {self._length} bytes did not come") from None
            raise
        self._left -= len(part)
        if self._left < 0:
            raise BodyCutError(f"more than the {self._length} bytes announced")
        return part

    async def aclose(self) -> None:
        await self._chunks.aclose()


async def collect(chunks: Chunks) -> bytes:
    """Return all of a body, and close it.

    Raises:
        BodyCutError: it ended too early.

    """
    parts = []
    try:
        async for part in chunks:
            parts.append(part)  # noqa: PERF401 - what has come must be let go when it is cut
    finally:
        await chunks.aclose()
    return b"".join(parts)


class Request(Struct, frozen=True, gc=False):
    """One HTTP request.

    Attributes:
        method: in capitals.
        path: without the query; as it stands in the request line on its way out, and decoded when it
            has arrived at a master.
        headers: names in lower case; the first of several with one name.
        body: the bytes.
        query: the raw query string.
        client: the peer's address.
        stream: the body in place of `body`; its length is known if a `content-length` says so.
        streams_answer: whether the sender wants a long answer as a stream; it is handed one in
            one piece otherwise. A refusal always comes in one piece.

    """

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    query: str = ""
    client: str = "127.0.0.1"
    stream: Chunks | None = None
    streams_answer: bool = False

    def chunks(self) -> Chunks:
        """Return the body piece by piece; it is cut unless it has the announced length."""
        if self.stream is None:
            return Whole(self.body)
        length = self.length()
        return self.stream if length is None else _Announced(self.stream, length)

    def length(self) -> int | None:
        """Return how many bytes the body has or is announced to have; `None` if nobody said."""
        if self.stream is None:
            return len(self.body)
        announced = self.headers.get("content-length", "")
        return int(announced) if announced.isascii() and announced.isdigit() else None

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter, or `None`."""
        values = parse_qs(self.query, keep_blank_values=True).get(name)
        return values[0] if values else None


class Response(Struct, frozen=True, gc=False):
    """One HTTP answer.

    Attributes:
        status: of HTTP.
        body: the bytes.
        headers: those beside the CORS headers that every answer carries.
        cors: whether it carries them.
        stream: the body in place of `body`; its length is known if a `Content-Length` says so.

    """

    status: int
    body: bytes = b""
    headers: Headers = JSON_HEADERS
    cors: bool = True
    stream: Chunks | None = None

    def chunks(self) -> Chunks:
        """Return the body piece by piece."""
        return Whole(self.body) if self.stream is None else self.stream

    def all_headers(self) -> Headers:
        """Return every header of the answer."""
        return (*CORS_HEADERS, *self.headers) if self.cors else self.headers
