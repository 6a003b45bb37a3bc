"""The files that agents under test back up and put back: made, removed and looked at by steps.

All of them lie below the folder of one scenario, and nothing outside of it is ever touched, whatever
an agent says where it has put something.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

WRITTEN_S: Final = 1_767_225_600
"""When every file was written: at the beginning of simulations, so that archives of them are the same."""

_TEXT_MAX: Final = 4_096
"""Bytes of a file up to which its text can be looked at."""

_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644


class OutsideError(Exception):
    """A path that leads out of the scenario's own folder."""


class Disk:
    """The folder of one scenario.

    Args:
        root: the folder.

    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def _path(self, text: str) -> Path:
        path = Path(os.path.normpath(text))
        if not path.is_relative_to(self._root):
            raise OutsideError(f"expected a path below {self._root}, got {text}")
        return path

    def write(self, at: str, files: Mapping[str, Any]) -> None:
        """Make files below a folder.

        Args:
            at: the folder, made where it is missing.
            files: by their paths below it: a text, `{"size": bytes}` or `{"link": path}`; a path
                that ends in a slash is a folder.

        Raises:
            OutsideError: the folder is not the scenario's.
            OSError: something cannot be written.

        """
        folder = self._path(at)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = self._path(f"{at}/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                _make(path, content)
        self._settle(folder)

    def _settle(self, folder: Path) -> None:
        """Give everything below a folder the same time and modes on every machine."""
        for path in (folder, *_below(folder)):
            if not path.is_symlink():
                path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
            os.utime(path, (WRITTEN_S, WRITTEN_S), follow_symlinks=False)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is no matter.

        Raises:
            OutsideError: it is not the scenario's.

        """
        gone = self._path(path)
        if gone.is_dir() and not gone.is_symlink():
            shutil.rmtree(gone)
        else:
            gone.unlink(missing_ok=True)

    def files(self, folder: str) -> list[dict[str, Any]]:
        """Return what lies below a folder, in the order of paths; nothing where there is no folder.

        Raises:
            OutsideError: it is not the scenario's.

        """
        root = self._path(folder)
        return [
            {"path": path.relative_to(root).as_posix(), **_described(path)} for path in _below(root)
        ]

    def file(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path, or `None`.

        Raises:
            OutsideError: it is not the scenario's.

        """
        found = self._path(path)
        there = found.is_symlink() or found.exists()
        return {"path": found.name, **_described(found)} if there else None


def _make(path: Path, content: Any) -> None:
    match content:
        case {"size": size}:
            path.write_bytes(_bytes(path.name, size))
        case {"link": target}:
            path.symlink_to(target)
        case _:
            path.write_text(str(content), encoding="utf-8")


def _bytes(name: str, size_bytes: int) -> bytes:
    """Return bytes that no compression makes much shorter, the same for the same name."""
    blocks = size_bytes // 32 + 1
    seed = name.encode()
    return b"".join(sha256(seed + number.to_bytes(8)).digest() for number in range(blocks))[
        :size_bytes
    ]


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _described(path: Path) -> dict[str, Any]:
    if path.is_symlink():
        return {"kind": "link", "to": str(path.readlink())}
    if path.is_dir():
        return {"kind": "folder"}
    digest, size = sha256(), path.stat().st_size
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    described = {"kind": "file", "size": size, "sha256": digest.hexdigest()}
    if size <= _TEXT_MAX:
        described["text"] = path.read_bytes().decode("utf-8", "replace")
    return described
