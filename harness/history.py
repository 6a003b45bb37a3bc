"""What happened, in order: each exchange as `invoke` and then `ok`, `fail` or `info`.

`ok` happened. `fail` definitely did not: the master refused it. `info` may have: the reply was lost,
or the answer does not say. Every checker rests on that difference.
While a run is on, only references are kept; the text of an operation is made when it is written.
Of a streamed body there is its size and its hash, as far as it had come by then.
Written down, a history begins with a line that says what it is of, and tells credentials apart
without showing them (`harness.keys`); `harness.observed` reads it back.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from harness.about import About
from harness.keys import KeyRing
from harness.redact import Redactor
from master.protocol.errors import REGISTRY
from master.protocol.exchange import Chunks, Request, Response
from simulated_agents.ports import NoReply, Port, close_port


class OpType(StrEnum):
    """How far an operation has come."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Altered(Response, frozen=True, gc=False):
    """An answer that is not as the master gave it: what it says about the request means nothing.

    Attributes:
        garbled: whether its bytes mean nothing either; they are not written down, for parts of
            secrets could stand in them.

    """

    garbled: bool = False


class Disturbance(Struct, frozen=True, gc=False):
    """What a fault did to an exchange.

    Attributes:
        fault: what it is called.
        action: what sort of thing it does: a name of `harness.faults.actions`.
        what: what it did this time, in words.
        request: as its sender sent it.
        of: the index of its `invoke`, or -1.
        reached: whether the master was given all of it; `None` where the fault does not decide that.
        answer: what the master said, whatever the sender saw of it; `None` if it was not asked, or
            the fault does not know.

    """

    fault: str
    action: str
    what: str
    request: Request
    of: int = -1
    reached: bool | None = None
    answer: Response | None = None

    def __str__(self) -> str:
        return f"{self.what} ({self.fault})"


class Op(Struct, frozen=True, gc=False):
    """One line of a history.

    Attributes:
        index: its place, from 0.
        time_s: seconds since the run began, on the run's clock.
        type: see `OpType`.
        process: who: an agent's name, `admin`, or `muster`.
        subject: the request of an `invoke`; the response, the reason or a note of the others; what a
            fault did.
        invoke: the index of the `invoke` that this one ends, or -1.

    """

    index: int
    time_s: float
    type: OpType
    process: str
    subject: Request | Response | Disturbance | str
    invoke: int = -1


_OPERATIONS: Final = (
    ("POST", "/api/agent/heartbeat", "", "heartbeat"),
    ("POST", "/api/agent/commands/poll", "", "poll"),
    ("POST", "/api/agent/commands/", "/result", "result"),
    ("GET", "/api/agent/tasks/", "", "task_spec"),
    ("POST", "/api/agent/records/", "", "update_record"),
    ("GET", "/api/agent/restores/", "/spec", "restore_spec"),
    ("POST", "/api/agent/restores/", "", "update_restore"),
    ("PUT", "/api/agent/records/", "", "upload_artifact"),
    ("GET", "/api/agent/restores/", "/artifact", "download_artifact"),
    ("GET", "/api/v1/agent/self", "", "self"),
)

OPERATION_NAMES: Final = tuple(name for *_, name in _OPERATIONS)
"""What agents do, by name."""


def operation(request: Request) -> str:
    """Return the name of what a request does: an agent's operation, or its method and path."""
    for method, prefix, suffix, name in _OPERATIONS:
        if (
            request.method == method
            and request.path.startswith(prefix)
            and request.path.endswith(suffix)
        ):
            return name
    return f"{request.method} {request.path}"


def reply_type(response: Response) -> OpType:
    """Return what an answer says about whether its request took effect."""
    if isinstance(response, Altered):
        return OpType.INFO
    if response.status < 400:  # most are, and their bodies are not read
        return OpType.OK
    return settled(response.status, _json(response.body, {}).get("code"))


def settled(status: int, code: Any) -> OpType:
    """Return what a status, and the code beside it, say about whether a request took effect."""
    if status < 400:
        return OpType.OK
    if status < 500:
        return OpType.FAIL
    known = REGISTRY.get(str(code))
    return OpType.FAIL if known is not None and known.definite else OpType.INFO


def _json(body: bytes, default: Any) -> Any:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return default
    return value if default is None or isinstance(value, type(default)) else default


class History:
    """The operations of one run.

    Args:
        redactor: takes secrets out of what is written.
        keys: how many names of credentials are taken already (see `harness.keys`).

    Attributes:
        ops: its operations.
        about: what it is of, once that is known; its first line when it is written.

    """

    def __init__(self, redactor: Redactor, keys: int = 0) -> None:
        self.redactor = redactor
        self.ops: list[Op] = []
        self.about: About | None = None
        self._keys = KeyRing(keys)

    def invoke(self, time_s: float, process: str, request: Request) -> int:
        """Note that a request goes out, and return its index."""
        index = len(self.ops)
        self.ops.append(Op(index, time_s, OpType.INVOKE, process, request))
        return index

    def end(self, time_s: float, invoke: int, kind: OpType, subject: Response | str) -> None:
        """Note how a request ended."""
        process = self.ops[invoke].process
        self.ops.append(Op(len(self.ops), time_s, kind, process, subject, invoke))

    def note(self, time_s: float, process: str, text: str) -> None:
        """Note something that is no exchange: a crash, a phase, time that passed."""
        self.ops.append(Op(len(self.ops), time_s, OpType.INFO, process, text))

    def disturbed(self, time_s: float, process: str, disturbance: Disturbance) -> None:
        """Note what a fault did to an exchange of a process."""
        self.ops.append(Op(len(self.ops), time_s, OpType.INFO, process, disturbance))

    def beginning(self, request: Request) -> int:
        """Return the index of the `invoke` that was just noted, or -1 if it is of another request."""
        last = self.ops[-1] if self.ops else None
        return last.index if last is not None and last.subject is request else -1

    def described(self, op: Op) -> dict[str, Any]:
        """Return an operation as a JSON object without secrets."""
        line: dict[str, Any] = {
            "index": op.index,
            "time": round(op.time_s, 9),
            "type": op.type.value,
            "process": op.process,
        }
        request = self.ops[op.invoke].subject if op.invoke >= 0 else op.subject
        if isinstance(request, Disturbance):
            request = request.request
        if isinstance(request, Request):
            line["f"] = self.redactor.text(operation(request))
        if op.invoke >= 0:
            line["invoke"] = op.invoke
        line.update(self._value(op.subject))
        return line

    def _value(self, subject: Request | Response | Disturbance | str) -> dict[str, Any]:
        if isinstance(subject, str):
            return {"note": self.redactor.text(subject)}
        if isinstance(subject, Disturbance):
            return self._disturbance(subject)
        if isinstance(subject, Request):
            query = f"?{subject.query}" if subject.query else ""
            return {
                "request": f"{subject.method} {self.redactor.text(subject.path + query)}",
                "body": self.carried(subject),
            }
        return {"status": subject.status, "body": self.carried(subject)}

    def _disturbance(self, subject: Disturbance) -> dict[str, Any]:
        line: dict[str, Any] = {
            "fault": self.redactor.text(subject.fault),
            "action": subject.action,
            "note": self.redactor.text(subject.what),
        }
        if subject.of >= 0:
            line["of"] = subject.of
        if subject.reached is not None:
            line["reached"] = subject.reached
        if subject.answer is not None:
            line.update(self._value(subject.answer))
        return line

    def carried(self, subject: Request | Response) -> Any:
        """Return what a request or an answer brought, without secrets; of a stream, how much."""
        if isinstance(subject.stream, Measured):
            return subject.stream.described()
        if isinstance(subject, Altered) and subject.garbled:
            return {"garbled": len(subject.body)}
        return self.body(subject.body)

    def body(self, body: bytes) -> Any:
        """Return a body without secrets: a JSON value, else a text; `None` when it is empty."""
        if not body:
            return None
        value = _json(body, None)
        if value is None:
            return self.redactor.text(body.decode("utf-8", "replace"))
        return self.redactor.value(value)

    def lines(self, ops: Iterable[Op] | None = None) -> Iterator[bytes]:
        """Yield the operations as JSON lines, all of them behind the one that says what of.

        A recorder that writes while it records asks for some at a time, in their order.
        """
        if ops is None:
            self._keys = KeyRing()
            if self.about is not None:
                yield self.about.line()
        for op in self.ops if ops is None else ops:
            line = self.described(op)
            if isinstance(op.subject, Request) and (keys := self._keys.shown(op.subject)):
                line["keys"] = keys
            elif isinstance(op.subject, Response) and (gave := self._keys.given(op.subject)):
                line["gave"] = gave
            yield msgspec.json.encode(line) + b"\n"

    def last(self, count: int) -> list[dict[str, Any]]:
        """Return the last operations, described."""
        return [self.described(op) for op in self.ops[-count:]]


class Measured:
    """A streamed body on its way: passes on what comes, and keeps its size and SHA-256.

    Args:
        chunks: the body.

    Attributes:
        when_closed: is called once, when nothing more comes.

    """

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._parts = aiter(chunks)
        self._hash = sha256()
        self._size_bytes = 0
        self._whole = False
        self.when_closed: Callable[[], None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            part = await anext(self._parts)
        except StopAsyncIteration:
            self._whole = True
            raise
        self._hash.update(part)
        self._size_bytes += len(part)
        return part

    async def aclose(self) -> None:
        """Close the body."""
        await self._chunks.aclose()
        if self.when_closed is not None:
            told, self.when_closed = self.when_closed, None
            told()

    def described(self) -> dict[str, Any]:
        """Return what has passed, as a JSON object; `whole` once the end was seen."""
        return {
            "streamed": self._size_bytes,
            "sha256": self._hash.hexdigest(),
            "whole": self._whole,
        }


class RecordingPort:
    """A port that writes down what passes through it.

    Args:
        port: the way to the master.
        history: where it is written.
        process: whose port it is.
        elapsed_s: tells the seconds since the run began.

    """

    def __init__(
        self, port: Port, history: History, process: str, elapsed_s: Callable[[], float]
    ) -> None:
        self._port = port
        self._history = history
        self._process = process
        self._elapsed_s = elapsed_s

    async def send(self, request: Request) -> Response:
        """Pass a request on, and write down both sides.

        Raises:
            NoReply: as the port does.

        """
        history = self._history
        if request.stream is not None:
            request = replace(request, stream=Measured(request.stream))
        invoke = history.invoke(self._elapsed_s(), self._process, request)
        try:
            response = await self._port.send(request)
        except NoReply as error:
            kind = OpType.FAIL if error.definite else OpType.INFO
            history.end(self._elapsed_s(), invoke, kind, f"no reply: {error}")
            raise
        except BaseException:
            history.end(self._elapsed_s(), invoke, OpType.INFO, "given up while waiting")
            raise
        if response.stream is not None:
            response = replace(response, stream=Measured(response.stream))
        history.end(self._elapsed_s(), invoke, reply_type(response), response)
        return response

    def behind(self, plan: Callable[[Port, str], Port]) -> "RecordingPort":
        """Return the same way to the master with faults on it, written down as seen from here.

        Args:
            plan: makes of a port and whose it is a faulty one: `Faults.port`.

        """
        port = plan(self._port, self._process)
        return RecordingPort(port, self._history, self._process, self._elapsed_s)

    async def aclose(self) -> None:
        """Close the port behind it."""
        await close_port(self._port)
