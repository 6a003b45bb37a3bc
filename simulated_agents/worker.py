"""What does the work that commands ask for: the seam between an agent and the machine it runs on.

Which calls an agent makes, in which order, is in `work` and `storing`, once for every worker. Behind
this seam nothing happens (`pretend`), or files are really read, packed, stored and put back (`files`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from simulated_agents.artifact import Contents
from simulated_agents.job import Job, Progress
from simulated_agents.messages import (
    DeleteStorageObject,
    DiscoverDb,
    RestoreSpec,
    RunTask,
    Storage,
    TaskSpec,
)
from simulated_agents.runners import Runner


class WorkError(Exception):
    """Work that failed.

    Args:
        message: what the record is told of it.
        error: what the command's result says; the same when left out.

    """

    def __init__(self, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error = message if error is None else error


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory.

    Attributes:
        name: its name.
        path: its path.
        is_dir: whether it is a directory.
        size_bytes: its size; 0 for a directory.

    """

    name: str
    path: str
    is_dir: bool
    size_bytes: int


class Sink(Protocol):
    """Takes in a backup that comes piece by piece."""

    def write(self, part: bytes) -> None:
        """Take the next piece."""
        ...

    def finish(self) -> Contents:
        """Return what came."""
        ...


class Worker(Protocol):
    """Does what one command asks for. It is made for that command, and closed after it.

    All of its methods raise `WorkError` when the work fails.
    """

    def make_room(self) -> None:
        """Make sure that there is a place for temporary files."""
        ...

    async def back_up(
        self, record: Progress, spec: TaskSpec, payload: RunTask, runner: Runner, name: str
    ) -> Contents:
        """Return a backup of what a task is about, uncompressed, in a file of that name."""
        ...

    async def compress(self, contents: Contents, ending: str) -> Contents:
        """Return the same, compressed as a file of that ending is: `.gz` or `.zst`."""
        ...

    async def checksum(self, contents: Contents, *, sent: bool) -> str:
        """Return the SHA-256 of a backup, in hexadecimal digits.

        Args:
            contents: the backup.
            sent: whether its bytes are handed to the master, who counts for itself.

        """
        ...

    async def store(self, contents: Contents, target: Storage, key: str) -> None:
        """Bring a backup to a storage target that is reached without the master."""
        ...

    async def fetch(self, spec: RestoreSpec) -> Contents:
        """Return a backup from a storage target that is reached without the master."""
        ...

    def sink(self, spec: RestoreSpec) -> Sink:
        """Return what takes in a backup that the master hands out."""
        ...

    async def decompress(self, contents: Contents) -> Contents:
        """Return the same, as it was before it was compressed."""
        ...

    async def restore(
        self, record: Progress, spec: RestoreSpec, runner: Runner, contents: Contents
    ) -> None:
        """Put back what a backup holds."""
        ...

    async def list_dir(self, path: str) -> list[Entry]:
        """Return the entries of a directory, in no certain order."""
        ...

    async def discover(self, payload: DiscoverDb) -> list[str]:
        """Return the names of the databases of a server."""
        ...

    async def delete(self, payload: DeleteStorageObject) -> None:
        """Delete a stored backup."""
        ...

    def close(self) -> None:
        """Remove what the work left in the way of temporary files."""
        ...


WorkerMaker = Callable[[Job], Worker]
"""Makes the worker of a command."""
