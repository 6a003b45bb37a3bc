"""What an agent asked the master, as scenarios look at it: a view of the history, call by call."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from harness.expect import Mismatch, matches, show
from harness.history import Disturbance, History, Measured, Op, operation
from master.protocol.exchange import Request, Response
from simulated_agents.events import EventKind

TOLERANCE: Final = 0.25
"""How much longer or shorter an interval may be than it is said to be: a ticker may be late once."""

_CALLS_MIN: Final = 3
"""Of fewer calls nobody can say how far apart they are."""

_OVER: Final = frozenset({EventKind.CRASHED, EventKind.ENDED})
"""The notes after which a process holds no command any more."""


class Heard:
    """The calls of one agent, one after the other.

    Args:
        history: all that happened.
        agent: whose calls.

    Attributes:
        calls: as values to look at: its number, the operation, what was sent, what was answered (`None` where no
            answer came), whether the agent had a command in its hands (`busy`) when it called, and
            which of its calls were open then (`beside`).

    """

    def __init__(self, history: History, agent: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self._agent = agent
        self._open: dict[int, dict[str, Any]] = {}
        self._held: dict[str, None] = {}
        for op in history.ops:
            if op.process == agent:
                self._hear(op)

    def _hear(self, op: Op) -> None:
        match op.subject:
            case Request() as request:
                self._begin(op, request)
            case str() as note if op.invoke < 0:
                if note.partition(":")[0] in _OVER:
                    self._held.clear()
            case Response() | str() as answer:
                self._end(op, answer)
            case Disturbance():  # the agent does not see what was done to its call
                pass

    def _begin(self, op: Op, request: Request) -> None:
        call: dict[str, Any] = {
            "index": op.index,
            "number": len(self.calls) + 1,
            "at": op.time_s,
            "op": operation(request),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            **_body(request),
            "status": None,
            "busy": bool(self._held),
            "beside": [other["op"] for other in self._open.values()],
        }
        self._open[op.index] = call
        self.calls.append(call)

    def _end(self, op: Op, answer: Response | str) -> None:
        call = self._open.pop(op.invoke)
        if call["op"] == "result":
            self._held.pop(call["path"].split("/")[-2], None)
        if isinstance(answer, str):
            return
        call["status"] = answer.status
        call["answer"] = _decoded(answer.body)
        if call["op"] == "poll" and (command := _command(call["answer"])):
            self._held[str(command)] = None


def _body(request: Request) -> dict[str, Any]:
    if isinstance(request.stream, Measured):
        measured = request.stream.described()
        return {"body": None, "size": measured["streamed"], "sha256": measured["sha256"]}
    body: dict[str, Any] = {
        "body": request.body.decode("utf-8", "replace"),
        "size": len(request.body),
    }
    value = _decoded(request.body)
    return body if value is None else {**body, "sent": value}


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _command(answer: Any) -> Any:
    """Return the id of the command that a poll was given, or `None`."""
    data = answer.get("data") if isinstance(answer, dict) else None
    command = data.get("command") if isinstance(data, dict) else None
    return command.get("id") if isinstance(command, dict) else None


def far_apart(calls: Sequence[dict[str, Any]], every_s: float, slack_s: float) -> Mismatch | None:
    """Return how calls are not as far apart as said, or `None`.

    Args:
        calls: in their order.
        every_s: how long it must be from one to the next, on average, give or take `TOLERANCE`.
        slack_s: how late the first and the last may have been noticed.

    """
    gaps = len(calls) - 1
    if gaps + 1 < _CALLS_MIN:
        said = f"at least {_CALLS_MIN} calls, {every_s:g} s apart"
        return Mismatch("calls", said, f"{len(calls)} calls")
    mean_s = (calls[-1]["at"] - calls[0]["at"]) / gaps
    if abs(mean_s - every_s) <= every_s * TOLERANCE + slack_s / gaps:
        return None
    seen = f"{len(calls)} calls, {mean_s:.3f} s apart on average"
    return Mismatch("calls", f"calls {every_s:g} s apart, give or take a quarter", seen)


def in_order(expected: Sequence[Any], items: Sequence[Any], where: str) -> Mismatch | None:
    """Return which of some things does not come where it must, one behind the other, or `None`."""
    at = 0
    for number, one in enumerate(expected, 1):
        found = next((i for i in range(at, len(items)) if matches(one, items[i]) is None), None)
        if found is None:
            behind = f" behind [{at - 1}]" if number > 1 else ""
            seen = [item.get("op", item) if isinstance(item, dict) else item for item in items[at:]]
            return Mismatch(
                where, f"one like {show(one)}{behind}, number {number} in order", show(seen)
            )
        at = found + 1
    return None
