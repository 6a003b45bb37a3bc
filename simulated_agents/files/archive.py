"""Packing files and unpacking them: tar archives as the real agent makes and reads them.

Names begin with the source's own name, its parents are left out; a directory's own entry is there
for all but the source itself. Only directories and regular files come back from an archive; other
entries are written into it, without what they point at, and passed over.
"""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import basename, commonpath, dirname, normpath, realpath
from typing import IO, Final

from simulated_agents.files.failing import failed, refused
from simulated_agents.files.patterns import excluded
from simulated_agents.worker import WorkError

Heed = Callable[[], None]

FILES_A_LINE: Final = 100
"""After how many files it says how many there are."""

_TYPES: Final = (
    (stat.S_ISREG, tarfile.REGTYPE),
    (stat.S_ISDIR, tarfile.DIRTYPE),
    (stat.S_ISLNK, tarfile.SYMTYPE),
    (stat.S_ISFIFO, tarfile.FIFOTYPE),
    (stat.S_ISCHR, tarfile.CHRTYPE),
    (stat.S_ISBLK, tarfile.BLKTYPE),
)


def printable(name: str) -> str:
    """Return a file's name as JSON can hold it: what is no UTF-8 is replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


@dataclass(slots=True)
class _Count:
    """How much was packed."""

    directories: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs sources into one archive.

    Attributes:
        sources: paths of files and directories.
        patterns: what is left out.
        says: what lines begin with: about a directory that is packed, about one that is not.
        stamp_s: the time that every entry gets, in seconds since the epoch, with no owner, so that
            the same files always make the same bytes; each file's own when `None`.
        heed: called as bytes go by.

    """

    sources: Sequence[str]
    patterns: Sequence[str]
    says: tuple[str, str]
    stamp_s: int | None
    heed: Heed

    def pack(self, archive: Path) -> Iterator[str]:
        """Write the archive, yielding what there is to say about it.

        Raises:
            WorkError: a source is not there, or something in it cannot be read.

        """
        sources = [normpath(source.strip()) for source in self.sources]
        if not sources:
            raise WorkError("source path is required")
        for source in sources:
            _is_dir(source)
        whole = _Count()
        with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar:
            for number, source in enumerate(sources, 1):
                count, place = _Count(), f"[{number}/{len(sources)}]"
                yield f"开始打包源路径 {place}: {printable(source)}"
                yield from self._pack_source(tar, source, count)
                if _is_dir(source):
                    dirs, files = count.directories, count.files
                    yield f"源路径 {place} 打包完成（{dirs} 个目录，{files} 个文件）"
                else:
                    yield f"源路径 {place} 文件打包完成"
                whole.directories += count.directories
                whole.files += count.files
        if len(sources) > 1:
            yield f"全部源路径打包完成（共 {whole.directories} 个目录，{whole.files} 个文件）"

    def _pack_source(self, tar: tarfile.TarFile, source: str, count: _Count) -> Iterator[str]:
        """Pack a source and all below it, in the order of names."""
        waiting = [(source, basename(source) or ".")]
        try:
            while waiting:
                path, name = waiting.pop()
                try:
                    found, below = _look(path)
                except OSError as error:
                    operation = "open" if isinstance(error, PermissionError) else "lstat"
                    reason = printable(refused(operation, path, error))
                    yield f"{self.says[1]} 无法访问 {printable(path)}: {reason}"
                    continue
                if excluded(name, self.patterns, is_dir=below is not None):
                    if below is not None:
                        yield f"跳过排除目录 {printable(name)}"
                    continue
                if below is None or path != source:  # the source's own directory has no entry
                    yield from self._add(tar, path, name, found, count)
                for one in reversed(below or ()):
                    inside = one if name == "." else f"{name}/{one}"
                    waiting.append((f"{path.rstrip('/')}/{one}", inside))
        except WorkError as error:
            raise WorkError(f"walk source path {printable(source)}: {error}") from None

    def _add(
        self, tar: tarfile.TarFile, path: str, name: str, found: os.stat_result, count: _Count
    ) -> Iterator[str]:
        """Write one entry."""
        info = self._entry(name, found)
        if not info.isreg():
            tar.addfile(info)
            if info.isdir():
                count.directories += 1
                yield f"{self.says[0]} 进入目录 {printable(name)}"
            return
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - a path here is text, as everywhere
                tar.addfile(info, _Heeding(file, self.heed))
        except OSError as error:
            raise failed("", "open", printable(path), error) from None
        count.files += 1
        if count.files % FILES_A_LINE == 0:
            yield f"已打包 {count.files} 个文件..."

    def _entry(self, name: str, found: os.stat_result) -> tarfile.TarInfo:
        kind = next((kind for is_it, kind in _TYPES if is_it(found.st_mode)), None)
        if kind is None:
            raise WorkError("archive/tar: sockets not supported")
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mode = stat.S_IMODE(found.st_mode)
        info.size = found.st_size if kind == tarfile.REGTYPE else 0
        if self.stamp_s is None:
            info.mtime, info.uid, info.gid = int(found.st_mtime), found.st_uid, found.st_gid
        else:
            info.mtime = self.stamp_s
        return info


class _Heeding:
    """A file that heeds its agent's end while it is read.

    Args:
        file: the file.
        heed: see `Packer`.

    """

    def __init__(self, file: IO[bytes], heed: Heed) -> None:
        self._file = file
        self._heed = heed

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        self._heed()
        return self._file.read(size)


def _is_dir(source: str) -> bool:
    """Return whether a source is a directory, or a link to one.

    Raises:
        WorkError: there is none.

    """
    try:
        return stat.S_ISDIR(os.stat(source).st_mode)  # noqa: PTH116 - a path here is text
    except OSError as error:
        raise failed(f"stat source path {source}", "stat", source, error) from None


def _look(path: str) -> tuple[os.stat_result, list[str] | None]:
    """Return what is at a path, and the names below it if it is a directory."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        return found, None
    return found, sorted(os.listdir(path), key=os.fsencode)  # noqa: PTH208 - a path here is text


# --- back again -----------------------------------------------------------------------------


def unpack(archive: Path, sources: Sequence[str], heed: Heed) -> None:
    """Put an archive's files and directories where they came from.

    An entry goes below the parent of the source that it begins with the name of. A file is written
    beside its place and moved there; what lies there and is in no archive stays.

    Args:
        archive: the file.
        sources: the paths that were packed.
        heed: called as bytes go by.

    Raises:
        WorkError: the archive cannot be read, an entry would land elsewhere, or cannot be written.

    """
    parents = {basename(one): dirname(one) for one in reversed([*map(normpath, sources)])}
    home = dirname(normpath(sources[0])) if sources else ""
    made: list[tuple[Path, int]] = []
    try:
        with tarfile.open(archive, "r:") as tar:
            for info in tar:
                heed()
                if info.isdir() or info.isreg():
                    parent = parents.get(info.name.partition("/")[0], home)
                    _put_back(tar, info, Path(parent or "."), made, heed)
    except tarfile.TarError as error:
        raise WorkError(f"read tar entry: {error}") from None
    for path, mode in reversed(made):  # only now: a directory may forbid what was put into it
        path.chmod(mode)


def _place(parent: Path, name: str) -> Path:
    """Return where an entry belongs; `tarfile.data_filter` is not in every Python that we run on.

    Raises:
        WorkError: that is not below the parent, by its name or by a link that is in the way.

    """
    path = parent / name.lstrip("/")
    home = realpath(parent)
    if commonpath((home, realpath(path))) != home:
        raise WorkError("tar entry escapes restore path")
    return path


def _put_back(
    tar: tarfile.TarFile,
    info: tarfile.TarInfo,
    parent: Path,
    made: list[tuple[Path, int]],
    heed: Heed,
) -> None:
    """Write one entry below a directory."""
    path = _place(parent, info.name)
    mode = info.mode & 0o777
    if info.isdir():
        try:
            if not path.is_dir():
                path.mkdir(parents=True)
                made.append((path, mode))
        except OSError as error:
            raise failed("create restore dir", "mkdir", path, error) from None
        return
    part = path.with_name(f".{path.name}.muster-part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        source = tar.extractfile(info)
        assert source is not None, info  # it is a regular file
        with part.open("wb") as target:
            while chunk := source.read(1 << 20):
                heed()
                target.write(chunk)
        part.chmod(mode)
        part.replace(path)
    except OSError as error:
        raise failed("create restore file", "open", path, error) from None
    finally:
        part.unlink(missing_ok=True)
