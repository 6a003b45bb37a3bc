"""The file of a recording: made anew, or gone on with, one whole line at a time.

The first line says what is recorded: which program wrote it, what it stood before, of which release
that is, and when it began (UTC). Times of operations are seconds since then, also those of a later recording in the same file.
"""

import re
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from master.protocol.times import NS, db_text, parse, wire_text
from simulated_agents.clock import RealClock

_KEY: Final = re.compile(rb'"k([0-9]{1,9})"')
_INDEX: Final = re.compile(rb'\{"index":([0-9]{1,15}),')


class NoHistoryError(Exception):
    """A file that is to be gone on with is no recording."""


class Recording:
    """An open file for one history.

    Args:
        file: where lines go, unbuffered.
        started_ns: when the first recording in it began.
        count: how many operations it holds.
        keys: how many credentials it tells apart.

    """

    def __init__(self, file: FileIO, started_ns: int, count: int = 0, keys: int = 0) -> None:
        self._file = file
        self._started_ns = started_ns
        self._made: Path | None = None
        self.count = count
        self.keys = keys
        clock = RealClock()
        self._monotonic_s = clock.monotonic_s
        self._offset_s = (clock.now_ns() - started_ns) / NS - clock.monotonic_s()

    @classmethod
    def begin(cls, path: Path) -> Self:
        """Make a file, which still lacks its first line.

        Raises:
            OSError: it cannot be made, or is there already.

        """
        recording = cls(path.open("xb", buffering=0), RealClock().now_ns())
        recording._made = path
        return recording

    @classmethod
    def go_on(cls, path: Path) -> Self:
        """Open a file that is there, and leave out what is no whole line at its end.

        Raises:
            OSError: it cannot be opened.
            NoHistoryError: it is no recording of this command.

        """
        file = path.open("r+b", buffering=0)
        try:
            return cls(file, *_looked_through(file))
        except BaseException:
            file.close()
            raise

    def introduce(self, target: str, profile: str | None) -> None:
        """Write the first line, unless it is there from an earlier recording.

        Args:
            target: the URL of the master that is recorded.
            profile: the release that it says it is, if it is one that muster knows.

        Raises:
            OSError: it cannot be written.

        """
        if self._made is None:
            return
        header = {
            "muster": "history",
            "version": 1,
            "recorder": f"muster proxy {version('backupx-muster')}",
            "target": target,
            "started": wire_text(db_text(self._started_ns)),
        }
        if profile is not None:
            header["profile"] = profile
        self.write(msgspec.json.encode(header) + b"\n")

    def elapsed_s(self) -> float:
        """Return the seconds since the first recording in this file began."""
        return self._monotonic_s() + self._offset_s

    def write(self, line: bytes) -> None:
        """Write a line, all of it.

        Raises:
            OSError: it cannot be written.

        """
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def discard(self) -> None:
        """Take away a file that was made for nothing; one that is gone on with stays."""
        if self._made is not None:
            self._made.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _looked_through(file: FileIO) -> tuple[int, int, int]:
    """Return when a recording began, and how many operations and credentials are in it."""
    first = b""
    count = keys = size = 0
    file.seek(0)
    for number, line in enumerate(_lines(file), 1):
        if not line.endswith(b"\n"):
            break
        size += len(line)
        if number == 1:
            first = line
            continue
        found = _INDEX.match(line)
        if found is None or int(found[1]) != count:
            raise NoHistoryError(f"line {number} is not operation {count} of a history")
        count += 1
        keys = max([keys, *(int(key) for key in _KEY.findall(line))])
    started_ns = _started(first)
    file.truncate(size)
    file.seek(size)
    return started_ns, count, keys


def _lines(file: FileIO) -> Any:
    """Yield the lines of an unbuffered file."""
    left = b""
    while part := file.read(1_048_576):
        *lines, left = (left + part).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if left:
        yield left


def _started(line: bytes) -> int:
    try:
        header = msgspec.json.decode(line)
        if header["muster"] != "history":
            raise NoHistoryError("the first line is of something else")
        return parse(header["started"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        message = "expected a first line that says when the recording began"
        raise NoHistoryError(message) from None
