"""A history that is written while it happens: a kill loses at most the line in work.

An answer that comes in pieces is written when it is over, with what has come by then: its size and
hash are the point. What is written is forgotten, so that a recording may last for weeks.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from harness.history import Disturbance, History, Measured, Op, OpType
from harness.redact import Redactor
from master.protocol.exchange import Request, Response

_WRITTEN: Final = Op(-1, 0.0, OpType.INFO, "", "")
"""Stands where an operation was that nobody needs any more."""


class Sink(Protocol):
    """Where lines go; each is there when `write` returns."""

    def write(self, line: bytes, /) -> Any:
        """Take a line."""
        ...


class Journal(History):
    """A history on its way into a file.

    Args:
        redactor: takes secrets out.
        sink: takes the lines.
        elapsed_s: tells the seconds since the recording began.
        count: how many operations there are already, of an earlier recording in the same file.
        keys: how many names of credentials are taken there.

    Attributes:
        failure: why nothing can be written any more.
        failed: is called then.

    """

    def __init__(
        self,
        redactor: Redactor,
        sink: Sink,
        elapsed_s: Callable[[], float],
        count: int = 0,
        keys: int = 0,
    ) -> None:
        super().__init__(redactor, keys)
        self.ops = [_WRITTEN] * count
        self.failure: OSError | None = None
        self.failed: Callable[[], None] | None = None
        self._sink = sink
        self._elapsed_s = elapsed_s

    def invoke(self, time_s: float, process: str, request: Request) -> int:
        """Note that a request goes out, and return its index."""
        index = super().invoke(time_s, process, request)
        self._write(self.ops[index])
        return index

    def end(self, time_s: float, invoke: int, kind: OpType, subject: Response | str) -> None:
        """Note how a request ended; of an answer in pieces, once the last has come."""
        if isinstance(subject, Response) and isinstance(subject.stream, Measured):
            subject.stream.when_closed = lambda: self._end(self._elapsed_s(), invoke, kind, subject)
        else:
            self._end(time_s, invoke, kind, subject)

    def _end(self, time_s: float, invoke: int, kind: OpType, subject: Response | str) -> None:
        super().end(time_s, invoke, kind, subject)
        self._write(self.ops[-1])
        self.ops[-1] = self.ops[invoke] = _WRITTEN

    def note(self, time_s: float, process: str, text: str) -> None:
        """Note something that is no exchange."""
        super().note(time_s, process, text)
        self._write(self.ops[-1])
        self.ops[-1] = _WRITTEN

    def disturbed(self, time_s: float, process: str, disturbance: Disturbance) -> None:
        """Note what a fault did to an exchange of a process."""
        super().disturbed(time_s, process, disturbance)
        self._write(self.ops[-1])
        self.ops[-1] = _WRITTEN

    def described(self, op: Op) -> dict[str, Any]:
        """Return an operation as a JSON object; an end says how much of a request's stream went out."""
        line = super().described(op)
        request = self.ops[op.invoke].subject if op.invoke >= 0 else None
        if isinstance(request, Request) and isinstance(request.stream, Measured):
            line["sent"] = request.stream.described()
        return line

    def _write(self, op: Op) -> None:
        if self.failure is not None:
            return
        try:
            for line in self.lines([op]):
                self._sink.write(line)
        except OSError as error:
            self.failure = error
            if self.failed is not None:
                self.failed()
