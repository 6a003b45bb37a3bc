"""The worker that does real work with real files.

Temporary files lie in a folder of the command's own, which goes when the command is over.
"""

import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from posixpath import basename, normpath
from typing import IO, Final

from master.protocol.times import NS
from simulated_agents.artifact import Contents
from simulated_agents.files.archive import Packer, printable, unpack
from simulated_agents.files.clients import discover
from simulated_agents.files.contents import FileContents, FileSink
from simulated_agents.files.disk import Disk, missing
from simulated_agents.files.failing import failed, refused
from simulated_agents.files.hands import Hands, InThread, next_of
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
from simulated_agents.runners import Runner, source_paths, text_list
from simulated_agents.worker import Entry, WorkError

_COPY_BYTES: Final = 1 << 20

GZIP: Final = ".gz"

_NO_ZSTD: Final = "zstd is not supported by this agent"
"""Python has it only from 3.14 on."""

_KINDS: Final = frozenset({"file", "sqlite"})
"""The types of tasks that it can do; it has none of the programs that the others need."""


class FileWorker:
    """Does one command.

    Args:
        job: the command; its plan's duration passes beside what the work itself takes.
        temp_dir: where temporary files go.
        hands: how what blocks is done.
        same_bytes: whether the same files are to make the same archive, whoever owns them and
            whenever they were made: every entry then has the clock's time.

    """

    def __init__(
        self, job: Job, *, temp_dir: Path, hands: Hands | None = None, same_bytes: bool = False
    ) -> None:
        self._job = job
        self._temp_dir = temp_dir
        self._hands: Hands = hands or InThread()
        self._same_bytes = same_bytes
        self._folder: Path | None = None
        self._leftovers = ExitStack()

    def make_room(self) -> None:
        """Make the temporary folder, where there is none.

        Raises:
            WorkError: it cannot be made.

        """
        try:
            self._temp_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise failed("create agent temp dir", "mkdir", self._temp_dir, error) from None

    # --- backups ----------------------------------------------------------------------------

    async def back_up(
        self,
        record: Progress,
        spec: TaskSpec,
        payload: RunTask,  # noqa: ARG002 - the bytes are the files'
        runner: Runner,  # noqa: ARG002 - what is said is about the files
        name: str,
    ) -> Contents:
        """Pack files, or copy a database; return the archive or the copy."""
        made = self._own_folder() / name
        kind = _kind(spec.type)
        if kind == "file":
            now_s = self._job.clock.now_ns() // NS
            packer = Packer(
                source_paths(spec),
                text_list(spec.excludePatterns),
                self._job.release.says,
                now_s if self._same_bytes else None,
                self._hands.heed,
            )
            lines = packer.pack(made)
            while (line := await next_of(self._hands, lines)) is not None:
                await record.log(line)
        else:
            source = _database(spec.dbPath)
            try:
                await self._hands.do(os.stat, source)
            except OSError as error:
                raise failed("stat sqlite database", "stat", source, error) from None
            await self._hands.do(self._copy, source, made)
            await record.log("SQLite 备份文件已复制")
        await self._pass_time()
        return FileContents(made, self._hands)

    async def compress(self, contents: Contents, ending: str) -> Contents:
        """Gzip it; the same bytes always give the same."""
        source = _path(contents)
        packed = source.with_name(source.name + ending)
        if ending != GZIP:
            raise WorkError(f"压缩失败: {_NO_ZSTD}", _NO_ZSTD)
        try:
            await self._hands.do(self._gzip, source, packed)
        except OSError as error:
            text = refused("gzip", source.name, error)
            raise WorkError(f"压缩失败: {text}", text) from None
        return FileContents(packed, self._hands)

    async def checksum(self, contents: Contents, *, sent: bool) -> str:  # noqa: ARG002
        """Read it, and return its SHA-256."""
        try:
            return await self._hands.do(self._hash, _path(contents))
        except OSError as error:
            text = refused("read", _path(contents).name, error)
            raise WorkError(f"计算 checksum 失败: {text}", text) from None

    async def store(self, contents: Contents, target: Storage, key: str) -> None:
        """Copy it to a folder of this machine, the only kind of target there is here."""
        try:
            disk = Disk(target.type, target.config, self._hands.heed)
        except WorkError as error:
            raise WorkError(f"create provider: {error}") from None
        await self._hands.do(disk.store, _path(contents), key)

    # --- restores ---------------------------------------------------------------------------

    async def fetch(self, spec: RestoreSpec) -> Contents:
        """Copy the backup from where it lies."""
        try:
            disk = Disk(spec.storage.type, spec.storage.config, self._hands.heed)
        except WorkError as error:
            raise WorkError(f"创建存储客户端失败: {error}", str(error)) from None
        try:
            found = await self._hands.do(disk.find, spec.storagePath)
            if found is None:
                raise WorkError(missing(spec.storagePath))  # noqa: TRY301
        except WorkError as error:
            raise WorkError(f"下载备份失败: {error}", str(error)) from None
        fetched = self._own_folder() / _file_name(spec)
        await self._hands.do(self._copy, str(found), fetched)
        return FileContents(fetched, self._hands)

    def sink(self, spec: RestoreSpec) -> FileSink:
        """Return a temporary file that takes the backup in."""
        sink = FileSink(self._own_folder() / _file_name(spec), self._hands)
        self._leftovers.callback(sink.close)
        return sink

    async def decompress(self, contents: Contents) -> Contents:
        """Gunzip it."""
        packed = _path(contents)
        if not packed.name.lower().endswith(GZIP):
            raise WorkError(f"解压失败: {_NO_ZSTD}", _NO_ZSTD)
        plain = packed.with_name("plain" + packed.name[: -len(GZIP)])
        try:
            await self._hands.do(self._gunzip, packed, plain)
        except (OSError, EOFError, zlib.error) as error:
            text = f"create gzip reader: {error}"
            raise WorkError(f"解压失败: {text}", text) from None
        return FileContents(plain, self._hands)

    async def restore(
        self,
        record: Progress,
        spec: RestoreSpec,
        runner: Runner,  # noqa: ARG002 - what is said is about the files
        contents: Contents,
    ) -> None:
        """Put files back where they came from, or a database."""
        if _kind(spec.type) == "file":
            paths = [one for one in spec.sourcePaths or [spec.sourcePath] if one.strip()]
            await self._hands.do(unpack, _path(contents), paths, self._hands.heed)
            line = "文件恢复完成"
        else:
            await self._hands.do(self._copy, str(_path(contents)), Path(_database(spec.dbPath)))
            line = "SQLite 数据库已恢复"
        await self._pass_time()
        await record.log(line)

    # --- questions --------------------------------------------------------------------------

    async def list_dir(self, path: str) -> list[Entry]:
        """Look into a directory; a blank path is the root."""
        path = normpath(path.strip() or "/")
        path = "/" if path == "." else path
        try:
            return await self._hands.do(_entries, path)
        except (OSError, ValueError) as error:
            raise WorkError(f"read dir: {_why('open', path, error)}") from None

    async def discover(self, payload: DiscoverDb) -> list[str]:
        """Ask a database server with its client."""
        return await self._hands.do(discover, payload)

    async def delete(self, payload: DeleteStorageObject) -> None:
        """Delete a stored backup from a folder of this machine."""
        try:
            disk = Disk(payload.targetType, payload.targetConfig, self._hands.heed)
        except WorkError as error:
            raise WorkError(f"create provider: {error}") from None
        strict = not self._job.release.deletes_what_is_gone
        try:
            await self._hands.do(lambda: disk.delete(payload.storagePath, missing_is_error=strict))
        except WorkError as error:
            raise WorkError(f"delete object: {error}") from None

    def close(self) -> None:
        """Remove the command's own folder."""
        self._leftovers.close()

    # --- what it needs for that -------------------------------------------------------------

    def _own_folder(self) -> Path:
        if self._folder is None:
            try:
                self._folder = Path(tempfile.mkdtemp(prefix="muster-", dir=self._temp_dir))
            except OSError as error:
                raise failed("create temp dir", "mkdir", self._temp_dir, error) from None
            self._leftovers.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    async def _pass_time(self) -> None:
        """Let the plan's time pass, which is none for an agent that only works."""
        await self._job.at(Point.WORKING)
        if self._job.plan.duration_s:
            await self._job.clock.sleep(self._job.plan.duration_s)

    def _copy(self, source: str, target: Path) -> None:
        """Copy a file.

        Raises:
            WorkError: it cannot be read, or not be written.

        """
        try:
            with open(source, "rb") as file:  # noqa: PTH123 - a path from a master is text
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{target.name}.muster-part")
                with part.open("wb") as copy:
                    self._pour(file, copy.write)
                part.replace(target)
        except OSError as error:
            raise failed("copy file content", "open", error.filename or source, error) from None

    def _gzip(self, source: Path, target: Path) -> None:
        with (
            source.open("rb") as file,
            target.open("wb") as raw,
            gzip.GzipFile(source.name, "wb", 6, raw, mtime=0) as packed,
        ):
            self._pour(file, packed.write)

    def _gunzip(self, source: Path, target: Path) -> None:
        with gzip.open(source, "rb") as packed, target.open("wb") as plain:
            self._pour(packed, plain.write)

    def _hash(self, source: Path) -> str:
        digest = sha256()
        with source.open("rb") as file:
            self._pour(file, digest.update)
        return digest.hexdigest()

    def _pour(self, source: IO[bytes] | gzip.GzipFile, take: Callable[[bytes], object]) -> None:
        while part := source.read(_COPY_BYTES):
            self._hands.heed()
            take(part)


def _path(contents: Contents) -> Path:
    assert isinstance(contents, FileContents), contents  # this worker makes no others
    return contents.path


def _kind(task_type: str) -> str:
    """Return which of its types a task is.

    Raises:
        WorkError: none.

    """
    kind = task_type.strip().lower()
    if kind not in _KINDS:
        raise WorkError(f"tasks of type {kind} are not supported by this agent")
    return kind


def _database(path: str) -> str:
    if not path.strip():
        raise WorkError("sqlite database path is required")
    return normpath(path.strip())


def _file_name(spec: RestoreSpec) -> str:
    return basename(spec.fileName.strip() or spec.storagePath) or "backup"


def _entries(path: str) -> list[Entry]:
    with os.scandir(path) as found:
        return [
            Entry(
                printable(one.name),
                printable(os.path.join(path, one.name)),  # noqa: PTH118 - a path here is text
                is_dir := one.is_dir(follow_symlinks=False),
                0 if is_dir else one.stat(follow_symlinks=False).st_size,
            )
            for one in found
        ]


def _why(operation: str, path: str, error: Exception) -> str:
    return refused(operation, path, error) if isinstance(error, OSError) else str(error)
