"""The file that a backup is: its name, where it goes, and what is in it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from master.protocol.exchange import Chunks
from master.protocol.times import NS
from simulated_agents.messages import RunTask, TaskSpec
from simulated_agents.runners import Runner, file_stem

CHUNK_BYTES: Final = 65_536
"""How much of a backup is made, read and sent at a time."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """How the backup of one run is called.

    Attributes:
        spec: of its task.
        payload: which task and record it is for.
        runner: what makes it.
        started_ns: when it began.
        own_folder: whether it goes into a folder of its record's own.

    """

    spec: TaskSpec
    payload: RunTask
    runner: Runner
    started_ns: int
    own_folder: bool

    @property
    def packed(self) -> bool:
        """Return whether it is compressed behind the runner's back."""
        extension = self.runner.extension(self.spec).lower()
        return self.spec.compression.lower() == "gzip" and extension != "gz"

    @property
    def raw_name(self) -> str:
        """Return the name of the file that the runner makes."""
        stem, extension = file_stem(self.spec.name), self.runner.extension(self.spec)
        return f"{stem}_{self._date('%Y%m%dT%H%M%S')}.{extension}"

    @property
    def name(self) -> str:
        """Return the name of the file that is stored."""
        return self.raw_name + (".gz" if self.packed else "")

    @property
    def storage_path(self) -> str:
        """Return where it goes on each storage target."""
        folder = self.spec.type.strip().lower() or "file"
        own = f"records/{self.payload.recordId}/" if self.own_folder else ""
        return f"BackupX/{folder}/{self._date('%y%m%d')}/{own}{self.name}"

    def _date(self, form: str) -> str:
        return datetime.fromtimestamp(self.started_ns // NS, UTC).strftime(form)


class Contents(Protocol):
    """What is in a backup."""

    @property
    def size_bytes(self) -> int:
        """Return its size."""
        ...

    def chunks(self) -> Chunks:
        """Return its bytes as the body of an upload."""
        ...
