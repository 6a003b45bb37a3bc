"""The objects on the master's own disk: what lies below a `local_disk` target's base path.

Whoever makes a master says where they lie: a server has a disk, a simulation keeps them in memory
and never touches its user's files. Files of a few kilobytes to many gigabytes pass in pieces.
What may be stored under which key is the caller's to decide; here no key leads out of its base.
An object appears whole or not at all: it is written beside its place, and moved there at the end.
"""

import os
import tempfile
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Final, Protocol, Self

PIECE_BYTES: Final = 64 * 1024
"""How much of an object is read at a time."""


class ObjectError(Exception):
    """An object that cannot be stored, read or deleted; the message says why."""


class ObjectMissingError(ObjectError):
    """There is no such object."""


class Writing(Protocol):
    """An object on its way in; leaving the `with` without `commit` forgets it."""

    def __enter__(self) -> Self:
        """Return this."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget what was not committed."""
        ...

    def write(self, piece: bytes) -> None:
        """Append to it.

        Raises:
            ObjectError: it cannot be written.

        """
        ...

    def commit(self) -> None:
        """Put it in its place, instead of one that was there.

        Raises:
            ObjectError: it cannot be put there.

        """
        ...


class Reading:
    """An object on its way out, in pieces; it may be read once.

    Args:
        file: an open file.
        size_bytes: how long it is.

    """

    def __init__(self, file: IO[bytes], size_bytes: int) -> None:
        self._file = file
        self.size_bytes = size_bytes
        self._left = size_bytes

    def no_more_than(self, size_bytes: int) -> None:
        """Let it end after so many bytes."""
        self._left = min(self._left, size_bytes)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        piece = self._file.read(min(PIECE_BYTES, self._left))
        if not piece:
            raise StopAsyncIteration
        self._left -= len(piece)
        return piece

    async def aclose(self) -> None:
        """Close the file."""
        self._file.close()


class Objects(Protocol):
    """A place for objects. A key is a relative POSIX path below a base path."""

    def prepare(self, base: str) -> None:
        """Make sure that a base path is there.

        Raises:
            ObjectError: it is not and cannot be made.

        """
        ...

    def create(self, base: str, key: str) -> Writing:
        """Begin to write an object.

        Raises:
            ObjectError: the key leads elsewhere, or nothing can be written there.

        """
        ...

    def open(self, base: str, key: str) -> Reading:
        """Begin to read an object; the caller closes it.

        Raises:
            ObjectMissingError: it is not there.
            ObjectError: the key leads elsewhere, or it cannot be read.

        """
        ...

    def delete(self, base: str, key: str) -> bool:
        """Delete an object and return whether it was there.

        Raises:
            ObjectError: the key leads elsewhere, or it cannot be deleted.

        """
        ...

    def exists(self, base: str, key: str) -> bool:
        """Return whether an object is there.

        Raises:
            ObjectError: the key leads elsewhere.

        """
        ...


def _parts(key: str) -> tuple[str, ...]:
    """Return the folders and the name of a key."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or "\0" in key:
        raise ObjectError(f"not a path below the target: {key!r}")
    return parts


# --- in memory ------------------------------------------------------------------------------


def _place(base: str, key: str) -> tuple[str, tuple[str, ...]]:
    """Return where an object is; a base path may be written with a slash at its end or without."""
    return str(PurePosixPath(base)), _parts(key)


class MemoryObjects:
    """Objects that are gone with the process."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, tuple[str, ...]], bytes] = {}

    def prepare(self, base: str) -> None:
        """Do nothing: in memory every base path is there."""

    def create(self, base: str, key: str) -> Writing:
        """Begin to write an object."""
        return _MemoryWriting(self, _place(base, key))

    def open(self, base: str, key: str) -> Reading:
        """Begin to read an object."""
        found = self.stored.get(_place(base, key))
        if found is None:
            raise ObjectMissingError(f"no object {key!r}")
        return Reading(BytesIO(found), len(found))

    def delete(self, base: str, key: str) -> bool:
        """Delete an object and return whether it was there."""
        return self.stored.pop(_place(base, key), None) is not None

    def exists(self, base: str, key: str) -> bool:
        """Return whether an object is there."""
        return _place(base, key) in self.stored


class _MemoryWriting:
    def __init__(self, objects: MemoryObjects, place: tuple[str, tuple[str, ...]]) -> None:
        self._objects = objects
        self._place = place
        self._content = BytesIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._content.close()

    def write(self, piece: bytes) -> None:
        self._content.write(piece)

    def commit(self) -> None:
        self._objects.stored[self._place] = self._content.getvalue()


# --- on disk --------------------------------------------------------------------------------


class DiskObjects:
    """Objects as files; a base path is a folder, made when it is needed."""

    def prepare(self, base: str) -> None:
        """Make a folder with all above it, unless it is there."""
        try:
            Path(base).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ObjectError(f"{error.strerror}: {error.filename}") from error

    def create(self, base: str, key: str) -> Writing:
        """Begin to write an object."""
        path = _path(base, key)
        try:
            Path(base).mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=base, prefix=".muster-", suffix=".part")
        except OSError as error:
            raise ObjectError(f"{key!r} cannot be written: {error.strerror}") from error
        return _DiskWriting(os.fdopen(handle, "wb"), Path(part), path)

    def open(self, base: str, key: str) -> Reading:
        """Begin to read an object."""
        path = _path(base, key)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectMissingError(f"no object {key!r}") from None
        except OSError as error:
            raise ObjectError(f"{key!r} cannot be read: {error.strerror}") from error
        return Reading(file, os.fstat(file.fileno()).st_size)

    def delete(self, base: str, key: str) -> bool:
        """Delete an object and return whether it was there."""
        try:
            _path(base, key).unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise ObjectError(f"{key!r} cannot be deleted: {error.strerror}") from error
        return True

    def exists(self, base: str, key: str) -> bool:
        """Return whether an object is there."""
        return _path(base, key).is_file()


def _path(base: str, key: str) -> Path:
    """Return the file of a key, which is below its base even where links lead."""
    path = Path(base, *_parts(key))
    if not path.parent.resolve().is_relative_to(Path(base).resolve()):
        raise ObjectError(f"not a path below the target: {key!r}")
    return path


class _DiskWriting:
    def __init__(self, file: IO[bytes], part: Path, path: Path) -> None:
        self._file = file
        self._part = part
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise ObjectError(f"{self._path.name!r} cannot be written: {error.strerror}") from error

    def commit(self) -> None:
        try:
            self._file.close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._part.replace(self._path)
        except OSError as error:
            raise ObjectError(f"{self._path.name!r} cannot be written: {error.strerror}") from error
