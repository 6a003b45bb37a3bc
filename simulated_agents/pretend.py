"""A worker that only pretends: nothing is read, packed or kept.

How long work takes and how it ends is the plan's. The machine that it seems to run on has a few
directories and two database servers. The bytes of a backup are made when somebody wants them, and
are always the same for one record.
"""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from posixpath import join, normpath
from typing import Final

from simulated_agents.artifact import CHUNK_BYTES, Contents
from simulated_agents.job import Job, Progress
from simulated_agents.life import Point
from simulated_agents.messages import (
    DeleteStorageObject,
    DiscoverDb,
    RestoreSpec,
    RunTask,
    Storage,
    TaskSpec,
)
from simulated_agents.plan import Outcome
from simulated_agents.runners import Runner
from simulated_agents.worker import Entry, WorkError

TREE: Final[dict[str, tuple[tuple[str, bool, int], ...]]] = {
    "/": (
        ("README", False, 412),
        ("data", True, 0),
        ("etc", True, 0),
        ("home", True, 0),
        ("srv", True, 0),
        ("tmp", True, 0),
    ),
    "/data": (
        ("archive", True, 0),
        ("invoices.db", False, 8_192_000),
        ("photos", True, 0),
        ("notes.txt", False, 2_048),
    ),
    "/data/archive": (("2025.tar", False, 73_400_320), ("2024.tar", False, 68_157_440)),
    "/data/photos": (("a.jpg", False, 245_760), ("b <&> ü.jpg", False, 184_320)),
    "/etc": (("hosts", False, 158), ("passwd", False, 1_204)),
    "/home": (("anna", True, 0), ("ben", True, 0)),
    "/home/anna": (("diary.txt", False, 9_216),),
    "/home/ben": (),
    "/srv": (("www", True, 0),),
    "/srv/www": (("index.html", False, 640),),
    "/tmp": (),  # noqa: S108 - a name in a make-believe tree
}
"""Directory to its entries: name, whether it is a directory, size."""

DATABASES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "mysql": ("MySQL", ("orders", "shop")),
    "postgresql": ("PostgreSQL", ("ledger", "shop")),
}
"""Type of server to its label in messages and its databases."""


class PretendWorker:
    """Lets the plan's time pass, and says what the real runners say.

    Args:
        job: the command, with its plan.

    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._plan = job.plan

    def make_room(self) -> None:
        """Need none."""

    async def back_up(
        self,
        record: Progress,
        spec: TaskSpec,
        payload: RunTask,
        runner: Runner,
        name: str,  # noqa: ARG002 - there is no file
    ) -> Contents:
        """Return made-up bytes, when the plan's time is over."""
        await self._work(record, runner.backup(spec, self._plan))
        return PretendContents(payload, self._plan.size_bytes)

    async def compress(self, contents: Contents, ending: str) -> Contents:  # noqa: ARG002
        """Return the same; the plan's size is the last one."""
        return contents

    async def checksum(self, contents: Contents, *, sent: bool) -> str:
        """Return the SHA-256; of bytes that nobody sees, of their description."""
        if isinstance(contents, PretendContents):
            return contents.checksum(sent=sent)
        assert isinstance(contents, Fetched), contents
        return contents.checksum

    async def store(self, contents: Contents, target: Storage, key: str) -> None:
        """Store nothing."""

    async def fetch(self, spec: RestoreSpec) -> Contents:
        """Return what is as it was."""
        return Fetched(spec.checksum, 0)

    def sink(self, spec: RestoreSpec) -> "DigestSink":  # noqa: ARG002
        """Return what only counts."""
        return DigestSink()

    async def decompress(self, contents: Contents) -> Contents:
        """Return the same."""
        return contents

    async def restore(
        self,
        record: Progress,
        spec: RestoreSpec,  # noqa: ARG002
        runner: Runner,
        contents: Contents,  # noqa: ARG002
    ) -> None:
        """Let the plan's time pass."""
        await self._work(record, runner.restore)

    async def list_dir(self, path: str) -> list[Entry]:
        """Return what the tree has."""
        path = normpath(path) if path else "."
        entries = TREE.get("/" if path == "." else path)
        if entries is None:
            raise WorkError(f"read dir: open {path}: no such file or directory")
        self._fail_if_planned(f"read dir: open {path}: permission denied")
        return [
            Entry(name, normpath(join(path, name)), is_dir, size) for name, is_dir, size in entries
        ]

    async def discover(self, payload: DiscoverDb) -> list[str]:
        """Return the databases of a made-up server."""
        server = DATABASES.get(payload.type.strip().lower())
        if server is None:
            raise WorkError(f"unsupported database type: {payload.type}")
        label, names = server
        self._fail_if_planned(f"连接 {label} 失败：{self._plan.error}")
        return list(names)

    async def delete(self, payload: DeleteStorageObject) -> None:  # noqa: ARG002
        """Delete nothing."""
        self._fail_if_planned(f"delete object: {self._plan.error}")

    def close(self) -> None:
        """Leave nothing."""

    async def _work(self, record: Progress, lines: tuple[str, ...]) -> None:
        """Let the plan's time pass, with log lines from its beginning to its end."""
        clock, duration_s = self._job.clock, self._plan.duration_s
        lines = lines if self._plan.log_lines is None else self._plan.log_lines
        begin_s = clock.monotonic_s()
        gap_s = duration_s / max(len(lines) - 1, 1)
        half = (len(lines) + 1) // 2
        for number, line in enumerate(lines[:half]):
            await clock.sleep_until(begin_s + number * gap_s)
            await record.log(line)
        await clock.sleep_until(begin_s + duration_s / 2)
        await self._job.at(Point.WORKING)
        for number, line in enumerate(lines[half:], half):
            await clock.sleep_until(begin_s + number * gap_s)
            await record.log(line)
        await clock.sleep_until(begin_s + duration_s)
        self._fail_if_planned(self._plan.error)

    def _fail_if_planned(self, message: str) -> None:
        if self._plan.outcome is Outcome.FAILURE:
            raise WorkError(message)


class PretendContents:
    """The bytes of a pretend backup.

    Args:
        payload: which task and record they are for; makes them its own.
        size_bytes: how many there are.

    """

    def __init__(self, payload: RunTask, size_bytes: int) -> None:
        self._whose = f"task {payload.taskId} record {payload.recordId}"
        self.size_bytes = size_bytes

    def checksum(self, *, sent: bool) -> str:
        """Return their SHA-256, in hexadecimal digits.

        Bytes that are sent to nobody are not made: a description of them stands in, which costs
        nothing of a simulation's time.
        """
        if not sent:
            return sha256(f"{self._whose}: {self.size_bytes} bytes".encode()).hexdigest()
        digest = sha256()
        for part in self._parts():
            digest.update(part)
        return digest.hexdigest()

    def chunks(self) -> "PretendChunks":
        """Return them as the body of an upload."""
        return PretendChunks(self._parts())

    def _parts(self) -> Iterator[bytes]:
        line = f"{self._whose}\n".encode()
        block = line * (CHUNK_BYTES // len(line) + 1)
        left = self.size_bytes
        while left > 0:
            part = block[: min(left, CHUNK_BYTES)]
            left -= len(part)
            yield part


class PretendChunks:
    """The bytes of a pretend backup on their way out.

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


class Fetched:
    """A backup of which only the checksum was kept.

    Args:
        checksum: its SHA-256, in hexadecimal digits.
        size_bytes: its size.

    """

    def __init__(self, checksum: str, size_bytes: int) -> None:
        self.checksum = checksum
        self.size_bytes = size_bytes

    def chunks(self) -> PretendChunks:
        """Return nothing: the bytes are gone."""
        return PretendChunks(iter(()))


class DigestSink:
    """Counts and hashes what comes, and forgets it."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._size_bytes = 0

    def write(self, part: bytes) -> None:
        """Count a piece."""
        self._digest.update(part)
        self._size_bytes += len(part)

    def finish(self) -> Fetched:
        """Return what it was."""
        return Fetched(self._digest.hexdigest(), self._size_bytes)
