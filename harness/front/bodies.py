"""Bodies and headers as a front meets them: whole where they are short, in pieces where they are long.

Histories and faults want the body of a poll as bytes; an artifact of a gigabyte must pass in pieces.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Final, Self

from msgspec.structs import replace

from master.protocol.exchange import Chunks, Request, Response

WHOLE_MAX: Final = 1_048_576
"""Bytes of a body that is passed on in one piece; the longest JSON of the protocol is a log."""

_PIECES: Final = ("application/octet-stream", "text/event-stream", "multipart/")
"""What is never waited for: artifacts, and streams that do not end."""


class Fields(Mapping[str, str]):
    """The headers of a request: looked up by names in lower case, and listed as they were sent.

    Args:
        raw: names and values in their order; a name may be there several times.

    """

    __slots__ = ("_first", "_raw")

    def __init__(self, raw: Iterable[tuple[str, str]]) -> None:
        self._raw = tuple(raw)
        self._first: dict[str, str] = {}
        for name, value in self._raw:
            self._first.setdefault(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return self._first[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def items(self) -> Any:
        """Return every header as it was sent, with the case of its name and its repetitions."""
        return self._raw

    def without(self, names: Iterable[str]) -> "Fields":
        """Return the headers but for some, given in lower case."""
        dropped = frozenset(names)
        return Fields((name, value) for name, value in self._raw if name.lower() not in dropped)


class Chained:
    """A body whose beginning was read already.

    Args:
        begun: what was read.
        rest: what yields the rest.
        chunks: the whole body, which is closed in the end.

    """

    def __init__(self, begun: list[bytes], rest: AsyncIterator[bytes], chunks: Chunks) -> None:
        self._begun = begun[::-1]
        self._rest = rest
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._begun:
            return self._begun.pop()
        return await anext(self._rest)

    async def aclose(self) -> None:
        """Close the body."""
        self._begun.clear()
        await self._chunks.aclose()


async def gather_request(request: Request) -> Request:
    """Return a request whose body is whole if it is short.

    Raises:
        BodyCutError: it ended too early.

    """
    if request.stream is None:
        return request
    length = request.length()
    if length is None and "transfer-encoding" not in request.headers:
        length = 0
    if not _wanted_whole(request.headers.get("content-type", ""), length):
        return request
    body = await _gather(request.chunks())
    if isinstance(body, bytes):
        return replace(request, body=body, stream=None)
    return replace(request, stream=body)


async def gather_response(response: Response) -> Response:
    """Return an answer whose body is whole if it is short.

    Raises:
        BodyCutError: it ended too early.

    """
    if response.stream is None:
        return response
    headers = {name.lower(): value for name, value in response.headers}
    length = headers.get("content-length", "")
    known = int(length) if length.isascii() and length.isdigit() else None
    if not _wanted_whole(headers.get("content-type", ""), known):
        return response
    body = await _gather(response.stream)
    if isinstance(body, bytes):
        return replace(response, body=body, stream=None)
    return replace(response, stream=body)


def _wanted_whole(kind: str, length: int | None) -> bool:
    if length == 0:
        return True
    if kind.strip().lower().startswith(_PIECES):
        return False
    return length is None or length <= WHOLE_MAX


async def _gather(chunks: Chunks) -> bytes | Chunks:
    """Return a body in one piece, or as a stream if it is too long for that."""
    begun: list[bytes] = []
    size_bytes = 0
    rest = aiter(chunks)
    try:
        async for part in rest:
            begun.append(part)
            size_bytes += len(part)
            if size_bytes > WHOLE_MAX:
                return Chained(begun, rest, chunks)
    except BaseException:
        await chunks.aclose()
        raise
    await chunks.aclose()
    return b"".join(begun)
