"""A backup as a file: its bytes on their way out and in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from simulated_agents.artifact import CHUNK_BYTES
from simulated_agents.files.hands import Hands


class FileContents:
    """A backup in a file.

    Args:
        path: where it is.
        hands: how it is read.

    """

    def __init__(self, path: Path, hands: Hands) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size
        self._hands = hands

    def chunks(self) -> "FileChunks":
        """Return its bytes as the body of an upload."""
        return FileChunks(self.path, self._hands)


class FileChunks:
    """The bytes of a file on their way out.

    Args:
        path: the file.
        hands: how it is read.

    """

    def __init__(self, path: Path, hands: Hands) -> None:
        self._file: IO[bytes] = path.open("rb")
        self._hands = hands

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        while part := await self._hands.do(self._file.read, CHUNK_BYTES):
            yield part

    async def aclose(self) -> None:
        """Close the file."""
        self._file.close()


class FileSink:
    """A file that takes a backup in, piece by piece.

    Args:
        path: the file.
        hands: how it is read afterwards.

    """

    def __init__(self, path: Path, hands: Hands) -> None:
        self._path = path
        self._hands = hands
        self._file: IO[bytes] = path.open("wb")

    def write(self, part: bytes) -> None:
        """Append a piece."""
        self._file.write(part)

    def finish(self) -> FileContents:
        """Return what came."""
        self.close()
        return FileContents(self._path, self._hands)

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._file.close()
