"""The file that a backup is: its name, where it goes, and what is in it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from master.protocol.exchange import Chunks
from master.protocol.times import NS
from simulated_agents.messages import RunTask, TaskSpec
from simulated_agents.releases import Release
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
        release: of the agent that makes it.

    """

    spec: TaskSpec
    payload: RunTask
    runner: Runner
    started_ns: int
    release: Release

    @property
    def packed(self) -> str:
        """Return the ending of what is compressed behind the runner's back; none if nothing is."""
        endings = {"gzip": "gz", "zstd": "zst"} if self.release.packs_zstd else {"gzip": "gz"}
        ending = endings.get(self.spec.compression.lower(), "")
        made = self.runner.extension(self.spec).lower().rpartition(".")[2]
        return "" if ending in {"", made} else f".{ending}"

    @property
    def raw_name(self) -> str:
        """Return the name of the file that the runner makes."""
        stem, extension = file_stem(self.spec.name), self.runner.extension(self.spec)
        return f"{stem}_{self._date('%Y%m%dT%H%M%S')}.{extension}"

    @property
    def name(self) -> str:
        """Return the name of the file that is stored."""
        return self.raw_name + self.packed

    @property
    def storage_path(self) -> str:
        """Return where it goes on each storage target."""
        folder = self.spec.type.strip().lower() or "file"
        own = f"records/{self.payload.recordId}/" if self.release.record_folders else ""
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
