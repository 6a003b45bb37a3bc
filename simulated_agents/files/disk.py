"""A storage target that is a folder of this machine: what backups are stored in, fetched, deleted.

A key never leads out of the folder: one that would, names nothing. What is stored is written beside
its place and moved there, so that a backup is there whole or not at all.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from simulated_agents.files.failing import refused
from simulated_agents.worker import WorkError

TYPE: Final = "local_disk"

_COPY_BYTES: Final = 1 << 20


class _Config(Struct, frozen=True):
    """What the master says of a local disk."""

    basePath: str = ""  # noqa: N815 - the wire's name


class Disk:
    """One local disk.

    Args:
        kind: the type of the storage target.
        config: its configuration, as JSON.
        heed: called as bytes go by.

    Raises:
        WorkError: the target is of another type, or has no folder; nothing else is supported here.

    """

    def __init__(self, kind: str, config: Raw, heed: Callable[[], None]) -> None:
        self._heed = heed
        if kind != TYPE:
            raise WorkError(f"unsupported storage provider type: {kind}")
        try:
            text = bytes(config) or b"{}"
            found = msgspec.json.decode(text, type=_Config | None) or _Config()
        except msgspec.MsgspecError as error:
            raise WorkError(f"decode config: {error}") from None
        if not found.basePath.strip():
            raise WorkError("local disk basePath is required")
        self._base = Path(found.basePath.strip())

    def store(self, file: Path, key: str) -> None:
        """Store a copy of a file.

        Raises:
            WorkError: it cannot be written, or the key leads out of the folder.

        """
        place = self._place(key)
        if place is None:
            raise WorkError(f"rclone upload {key}: path escapes the storage target")
        folder = key.rpartition("/")[0]
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = refused("mkdir", error.filename or place.parent, error)
            raise WorkError(f"rclone mkdir {folder}: {reason}") from None
        part = place.with_name(f".{place.name}.muster-part")
        try:
            with file.open("rb") as source, part.open("wb") as target:
                while chunk := source.read(_COPY_BYTES):
                    self._heed()
                    target.write(chunk)
            part.replace(place)
        except OSError as error:
            raise WorkError(f"rclone upload {key}: {refused('open', place, error)}") from None
        finally:
            part.unlink(missing_ok=True)

    def find(self, key: str) -> Path | None:
        """Return where a key's object lies; `None` when there is none.

        Raises:
            WorkError: what lies there is no file, or cannot be looked at.

        """
        place = self._place(key)
        try:
            if place is None or not place.exists():
                return None
        except OSError as error:
            raise WorkError(f"rclone find object {key}: {refused('stat', key, error)}") from None
        if place.is_dir():
            raise WorkError(f"rclone find object {key}: is a directory not a file")
        return place

    def delete(self, key: str, *, missing_is_error: bool) -> None:
        """Delete an object.

        Raises:
            WorkError: it cannot be deleted, or is not there where that counts.

        """
        place = self.find(key)
        if place is None:
            if missing_is_error:
                raise WorkError(missing(key))
            return
        try:
            place.unlink()
        except OSError as error:
            raise WorkError(f"rclone delete {key}: {refused('remove', place, error)}") from None

    def _place(self, key: str) -> Path | None:
        """Return where a key leads to; `None` when that is not below the folder."""
        base = Path(os.path.realpath(self._base))
        place = Path(os.path.realpath(base / key.lstrip("/")))
        return place if base in place.parents else None


def missing(key: str) -> str:
    """Return what is said of an object that is not there."""
    return f"rclone find object {key}: object not found"
