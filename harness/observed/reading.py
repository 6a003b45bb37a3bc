"""Reading a history back: JSON lines become calls, strictly, with the place of every mistake.

A recorder that is killed leaves half a line at the end: that is told, and no mistake.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from harness.about import VERSION, About
from harness.history import OpType
from harness.observed.call import NEVER, Call, Note
from harness.observed.disturbed import FaultsSeen, Seen
from harness.observed.routes import route
from harness.redact import REDACTED

_REDACTED: Final = REDACTED.encode()

MISTAKES_MAX: Final = 20
"""How many mistakes of a file are shown: a file of another kind has one in every line."""

_BODIES_MAX: Final = 100_000
"""How many bodies are remembered, so that those that are said again and again are read once."""


class HistoryError(Exception):
    """Everything that is wrong with a file."""


class _Line(Struct, forbid_unknown_fields=True):
    index: int
    time: float
    type: OpType
    process: str
    f: str = ""
    invoke: int = -1
    note: str | None = None
    request: str | None = None
    status: int | None = None
    body: Raw = Raw(b"null")
    keys: dict[str, str] = {}
    gave: dict[str, str] = {}
    sent: Any = None
    fault: str | None = None
    action: str = ""
    of: int = -1
    reached: bool | None = None


class Recorded(Struct):
    """A history that was read back.

    Attributes:
        name: of its file.
        about: its first line, or what holds where there is none.
        calls: in the order in which they began.
        notes: in their order.
        size: how many operations it has.
        cut: how its last line is cut off, or `None`.
        keyed: its credentials can be told apart.

    """

    name: str
    about: About
    calls: list[Call]
    notes: list[Note]
    size: int = 0
    cut: str | None = None
    keyed: bool = False


def read(path: str, name: str | None = None) -> Recorded:
    """Return the history in a file.

    Args:
        path: the file.
        name: what mistakes call it; its path when left out.

    Raises:
        HistoryError: all that is wrong with it.
        OSError: it cannot be read.

    """
    with Path(path).open("rb") as file:
        return read_lines(file, name or path)


def read_lines(lines: Iterable[bytes], name: str) -> Recorded:
    """Return the history in some lines.

    Raises:
        HistoryError: all that is wrong with them.

    """
    reader = _Reader(name)
    for number, line in enumerate(lines, 1):
        reader.take(number, line)
        if len(reader.mistakes) >= MISTAKES_MAX:
            break
    reader.finish()
    if reader.mistakes:
        raise HistoryError("\n".join(reader.mistakes))
    return reader.recorded


class _Reader:
    """Makes a history of lines.

    Args:
        name: of their file.

    """

    def __init__(self, name: str) -> None:
        self.recorded = Recorded(name, About(), [], [])
        self.mistakes: list[str] = []
        self._decode = msgspec.json.Decoder(_Line).decode
        self._open: dict[int, Call] = {}
        self._bodies: dict[bytes, Any] = {}
        self._time_s = -NEVER
        self._next = 0
        self._cut: tuple[int, str] | None = None
        self._faults = FaultsSeen()

    def take(self, number: int, line: bytes) -> None:
        """Read one line."""
        if self._cut is not None:
            self._wrong(*self._cut)
            self._cut = None
        if not line.strip():
            self._wrong(number, "expected an operation, got an empty line")
            return
        try:
            if number == 1 and b'"muster"' in line[:40]:
                self._header(line)
                return
            read = self._decode(line)
            if wrong := self._misplaced(read):
                self._wrong(number, wrong)
            else:
                self._keep(read)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = f"expected an operation as a JSON object: {error}"
            if line.endswith(b"\n"):
                self._wrong(number, said)
            else:
                self._cut = (number, said)

    def finish(self) -> None:
        """Close what is still open."""
        self.recorded.calls = self._faults.applied(self.recorded.calls)
        if self._cut is not None:
            self.recorded.cut = f"{self.recorded.name}:{self._cut[0]}"
        if not self.mistakes and not self.recorded.size:
            self._wrong(1, "expected operations, got none")

    def _wrong(self, number: int, message: str) -> None:
        """Note a mistake, and take what stands there for the operation that was to come."""
        self._next += 1
        self.mistakes.append(f"{self.recorded.name}:{number}: {message}")

    def _header(self, line: bytes) -> None:
        version = msgspec.json.decode(line).get("version")
        if version != VERSION:
            said = f"expected a history of version {VERSION}, got version {version!r}"
            raise HistoryError(f"{self.recorded.name}:1: {said}")
        self.recorded.about = msgspec.json.decode(line, type=About)

    def _misplaced(self, line: _Line) -> str | None:
        """Return what is wrong with a line where it stands, or `None`."""
        if line.index != self._next:
            expected, self._next = self._next, line.index
            return f"expected operation {expected}, got {line.index}"
        if line.time < self._time_s:
            return f"expected a time of at least {self._time_s}, got {line.time}"
        if line.type is OpType.INVOKE:
            return "expected a request" if line.request is None or line.invoke >= 0 else None
        if line.invoke < 0:
            return "expected a note, or what it ends" if line.note is None else None
        begun = self._open.get(line.invoke)
        if begun is None:
            return f"operation {line.invoke}, which it ends, is not under way"
        if begun.process != line.process:
            return (
                f"expected an operation of {begun.process!r}, which it ends, got {line.process!r}"
            )
        return None

    def _keep(self, line: _Line) -> None:
        recorded = self.recorded
        recorded.size += 1
        self._next += 1
        self._time_s = line.time
        if line.type is OpType.INVOKE:
            assert line.request is not None  # it would be misplaced
            call = Call(
                line.index,
                line.time,
                sys.intern(line.process),
                route(line.request),
                self._body(line.body),
                line.keys,
            )
            recorded.keyed = recorded.keyed or bool(line.keys)
            self._open[line.index] = call
            recorded.calls.append(call)
        elif line.fault is not None:
            answer = None if line.status is None else self._body(line.body)
            self._faults.add(
                Seen(line.index, line.time, line.action, line.of, line.reached, line.status, answer)
            )
        elif line.invoke < 0:
            recorded.notes.append(Note(line.index, line.time, line.process, line.note or ""))
        else:
            call = self._open.pop(line.invoke)
            call.end = line.index
            call.outcome = line.type
            if line.type is not OpType.INFO:
                call.ended_s = line.time
            call.status = line.status
            call.answer = line.note if line.status is None else self._body(line.body)
            call.gave = line.gave
            call.veiled = _REDACTED in bytes(line.body)

    def _body(self, raw: Raw) -> Any:
        """Return a body; equal ones are one value, which nobody changes."""
        key = bytes(raw)
        if key == b"null":
            return None
        value = self._bodies.get(key)
        if value is None:
            if len(self._bodies) >= _BODIES_MAX:
                self._bodies.clear()
            value = self._bodies[key] = msgspec.json.decode(key)
        return value


def lines_of(path: str, indexes: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield the operations of a file that have some indexes, as they are written."""
    wanted = set(indexes)
    with Path(path).open("rb") as file:
        for line in file:
            if not wanted:
                return
            if b'"muster"' in line[:40]:
                continue
            try:
                value = msgspec.json.decode(line)
            except msgspec.DecodeError:
                return
            if value["index"] in wanted:
                wanted.discard(value["index"])
                yield value
