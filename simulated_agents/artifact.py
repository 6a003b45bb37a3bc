"""The file that a backup is said to have made: its name, where it goes, and what is in it.

Nothing is packed or kept; the bytes are made when somebody wants them, and are always the same for
one record.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from master.protocol.times import NS
from simulated_agents.messages import RunTask, TaskSpec
from simulated_agents.runners import Runner, file_stem

CHUNK_BYTES: Final = 65_536
"""How much of a backup is made and sent at a time."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a pretend backup made.

    Attributes:
        spec: of its task.
        payload: which task and record it is for.
        runner: what made it.
        started_ns: when it began.
        size_bytes: how large it got.
        own_folder: whether it goes into a folder of its record's own.

    """

    spec: TaskSpec
    payload: RunTask
    runner: Runner
    started_ns: int
    size_bytes: int
    own_folder: bool

    @property
    def packed(self) -> bool:
        """Return whether it is compressed behind the runner's back."""
        extension = self.runner.extension(self.spec).lower()
        return self.spec.compression.lower() == "gzip" and extension != "gz"

    @property
    def name(self) -> str:
        """Return the file's name."""
        extension = self.runner.extension(self.spec) + (".gz" if self.packed else "")
        return f"{file_stem(self.spec.name)}_{self._date('%Y%m%dT%H%M%S')}.{extension}"

    @property
    def storage_path(self) -> str:
        """Return where it goes on each storage target."""
        folder = self.spec.type.strip().lower() or "file"
        own = f"records/{self.payload.recordId}/" if self.own_folder else ""
        return f"BackupX/{folder}/{self._date('%y%m%d')}/{own}{self.name}"

    def checksum(self, *, sent: bool) -> str:
        """Return its SHA-256, in hexadecimal digits.

        Bytes that are sent to nobody are not made: a description of them stands in, which costs
        nothing of a simulation's time.
        """
        if not sent:
            ids = f"task {self.payload.taskId} record {self.payload.recordId}"
            return sha256(f"{ids}: {self.size_bytes} bytes".encode()).hexdigest()
        digest = sha256()
        for part in self._parts():
            digest.update(part)
        return digest.hexdigest()

    def chunks(self) -> "ArtifactChunks":
        """Return its bytes as the body of an upload."""
        return ArtifactChunks(self._parts())

    def _parts(self) -> Iterator[bytes]:
        line = f"task {self.payload.taskId} record {self.payload.recordId}\n".encode()
        block = line * (CHUNK_BYTES // len(line) + 1)
        left = self.size_bytes
        while left > 0:
            part = block[: min(left, CHUNK_BYTES)]
            left -= len(part)
            yield part

    def _date(self, form: str) -> str:
        return datetime.fromtimestamp(self.started_ns // NS, UTC).strftime(form)


class ArtifactChunks:
    """The bytes of an artifact on their way out.

    Args:
        parts: yields them.

    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        for part in self._parts:
            yield part

    async def aclose(self) -> None:
        """Forget what has not been sent."""
        self._parts = iter(())
