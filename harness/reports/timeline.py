"""What the lanes of one scenario show: its history as rows and spans, ready to be packed.

A history is a list of operations, two for each exchange. A reader wants one row for an exchange that
nothing else came between, a mark where an agent takes a command, shading while a process is dead,
and a break where nothing happened for minutes. All of that is decided here, in the order of the
history, so that the page only draws. What the master did by itself is no operation; what can be seen
of it is `sightings`' to say.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.history import History, Op, operation
from harness.reports.packing import Texts
from harness.reports.sightings import Sightings
from harness.verdict import Failure
from master.protocol.exchange import Request, Response

LABEL_LENGTH: Final = 160
"""Characters of a row; everything is in the exchange that it opens."""

KEPT_BYTES: Final = 8_388_608
"""How much of the bodies is kept as values, so that the same ones are read once."""

FRONT: Final = ("muster", "admin", "stranger", "master")
"""The lanes that are no agents, in this order."""

DOWN: Final = frozenset({"crashed", "ended", "offline"})
"""Notes after which a process is gone, or cannot be reached."""

UP: Final = frozenset({"started", "restarted", "online"})

_MASTER: Final = {"master killed": "crashed", "master started": "started"}
"""What muster notes of what it does to the master, and what that is for the master's lane."""

_DISTURBS: Final = ("tampered", "master's clock")
"""How notes begin that tell of something done to the master behind its back."""

_TAGS: Final = {
    "heartbeat": "heartbeat",
    "poll": "poll",
    "result": "result",
    "update_record": "update",
    "update_restore": "update",
    "task_spec": "spec",
    "restore_spec": "spec",
    "self": "look",
}
_WORDS: Final = re.compile(r"([^0-9]*)([0-9]*)")
_NUMBER: Final = re.compile(r"/(\d+)(?:/|$)")


class Row(Struct):
    """One line of the lanes.

    Attributes:
        time_s: seconds since the scenario began.
        lane: whose it is.
        kind: `exchange`, its halves `begin` and `end` where something came in between, `note`,
            `sighting` (a state that the master was seen in), `gap` (idle time) or `broken` (the
            expectation that failed).
        type: `ok`, `fail`, `info`, or nothing while an answer is not there yet.
        tag: what sort of thing it is: `claim`, `result`, `heartbeat`, `fault` …
        label: the line itself, cut at `LABEL_LENGTH`.
        op: the index in the history of the operation it begins with, or -1.
        status: the HTTP status, or 0.
        request: the index of the request line in the texts, or -1; so too `body` and `answer`. Of a
            row that is no exchange, `body` is all there is to say when the label is too short.
        mate: the row of the other half, or -1.

    """

    time_s: float
    lane: str
    kind: str
    type: str
    tag: str
    label: str
    op: int = -1
    status: int = 0
    request: int = -1
    body: int = -1
    answer: int = -1
    mate: int = -1


class Span(Struct):
    """A stretch of a lane, from one row to another: `down`, `open` (no answer yet) or `held`."""

    lane: str
    first: int
    last: int
    what: str
    text: str


class Timeline:
    """The rows and spans of one history.

    Args:
        history: what happened.
        idle_s: from how many seconds without anything on, idle time is a break.
        failure: the expectation that failed, if one did.

    Attributes:
        rows: in the order of the history.
        spans: in the order of their beginning.
        texts: the requests and the bodies, each once, without secrets.
        exchanges: how many there are.

    """

    def __init__(self, history: History, idle_s: float, failure: Failure | None = None) -> None:
        self.rows: list[Row] = []
        self.spans: list[Span] = []
        self.texts = Texts()
        self.exchanges = 0
        self._history = history
        self._idle_s = idle_s
        self._sightings = Sightings()
        self._values: dict[bytes, tuple[int, Any]] = {}
        self._kept_bytes = 0
        self._clean: dict[str, str] = {}
        self._begun: dict[int, int] = {}
        self._open: dict[tuple[str, str], Span] = {}
        self._failure = failure
        self._fails_after = (
            failure.operations[-1]["index"] if failure and failure.operations else -1
        )
        for op, end in _paired(history.ops):
            self._add(op, end)
        for span in self._open.values():
            span.last = len(self.rows) - 1
        self.spans.sort(key=lambda span: span.first)

    @property
    def lanes(self) -> list[str]:
        """Return the lanes from left to right: muster, admin, master, then the agents by name."""
        found = {row.lane for row in self.rows if row.kind != "gap"} | {"master"}
        return [name for name in FRONT if name in found] + sorted(found - {*FRONT}, key=_natural)

    def _add(self, op: Op, end: Op | None) -> None:
        last_s = self.rows[-1].time_s if self.rows else 0.0
        if op.time_s - last_s >= self._idle_s:
            self._row(Row(op.time_s, "", "gap", "", "gap", f"{op.time_s - last_s:.9g}"))
        if isinstance(op.subject, Request):
            self._request(op, op.subject, end)
        elif op.invoke >= 0:
            self._end(op)
        else:
            self._note(op, str(op.subject))
        if self._fails_after in {op.index, end.index if end else op.index}:
            self._broken(op.time_s)

    def _row(self, row: Row) -> int:
        if len(row.label) > LABEL_LENGTH and row.request < 0:
            row.body = self.texts.add(row.label)
        row.label = row.label[:LABEL_LENGTH]
        self.rows.append(row)
        return len(self.rows) - 1

    # --- exchanges ------------------------------------------------------------------------------

    def _request(self, op: Op, request: Request, end: Op | None) -> None:
        self.exchanges += 1
        query = f"?{request.query}" if request.query else ""
        name = operation(request)
        row = Row(
            time_s=op.time_s,
            lane=self._text(op.process),
            kind="begin" if end is None else "exchange",
            type="",
            tag=_TAGS.get(name) or ("look" if request.method == "GET" else "admin"),
            label=self._asked(name, request),
            op=op.index,
            request=self.texts.add(f"{request.method} {self._text(request.path + query)}"),
            body=self._body(request.body),
        )
        place = self._row(row)
        if end is None:
            self._begun[op.index] = place
            self._sightings.wrote(request)
            self._begin(row.lane, "open", str(op.index), row.label)
        else:
            self._answered(row, end, request)
            self._see(end, request)

    def _end(self, op: Op) -> None:
        place = self._begun.pop(op.invoke)
        began = self.rows[place]
        request = self._history.ops[op.invoke].subject
        assert isinstance(request, Request)
        row = msgspec.structs.replace(began, time_s=op.time_s, kind="end", mate=place)
        began.mate = self._row(row)
        self._answered(row, op, request)
        began.answer, began.status = row.answer, row.status
        self._close(row.lane, "open", str(op.invoke))
        self._see(op, request)

    def _answered(self, row: Row, op: Op, request: Request) -> None:
        """Complete a row with the answer, and say what it comes to."""
        row.type = op.type.value
        if isinstance(op.subject, str):
            row.answer = self.texts.add(self._text(op.subject))
            row.label = f"{row.label} → {self.texts[row.answer]}"
            return
        assert isinstance(op.subject, Response)
        row.status = op.subject.status
        row.answer = self._body(op.subject.body)
        answer = self._value(op.subject.body)
        code = answer.get("code") if isinstance(answer, dict) else None
        command = _at(answer, "data", "command")
        number = _number(request)
        if row.tag == "poll" and isinstance(command, dict):
            row.tag = "claim"
            row.label += f" → claims {command.get('type')} {command.get('id')}"
            self._begin(row.lane, "held", str(command.get("id")), f"command {command.get('id')}")
        elif row.tag == "poll" and code == "OK":
            row.label += " → nothing to do"
        else:
            row.label += f" → {row.status}" + ("" if code in {"OK", None} else f" {code}")
        if row.tag == "result" and number:
            self._close(row.lane, "held", number)

    def _asked(self, name: str, request: Request) -> str:
        """Return a request in a few words."""
        number = _number(request)
        sent = self._value(request.body)
        sent = sent if isinstance(sent, dict) else {}
        if name == "result":
            return f"result of command {number}: {'success' if sent.get('success') else 'failure'}"
        if name in {"update_record", "update_restore"}:
            what = [str(sent["status"])] if sent.get("status") else []
            what += ["log"] if sent.get("logAppend") else []
            return f"{name.replace('_', ' ')} {number}{': ' if what else ''}{', '.join(what)}"
        if name in {"task_spec", "restore_spec"}:
            return f"{name.replace('_', ' ')} {number}"
        return self._text(name)

    def _text(self, text: str) -> str:
        """Return a text without secrets."""
        if text not in self._clean:
            self._clean[text] = self._history.redactor.text(text)
        return self._clean[text]

    def _body(self, body: bytes) -> int:
        return self._read(body)[0] if body else -1

    def _value(self, body: bytes) -> Any:
        return self._read(body)[1] if body else None

    def _read(self, body: bytes) -> tuple[int, Any]:
        """Return a body's place in the texts and its value, both without secrets."""
        if body not in self._values:
            self._kept_bytes += len(body)
            if self._kept_bytes > KEPT_BYTES:  # values take several times the room of their bytes
                self._values.clear()
                self._kept_bytes = len(body)
            value = self._history.body(body)
            text = value
            if not isinstance(value, str):
                text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
            self._values[body] = self.texts.add(text), value
        return self._values[body]

    # --- what is no exchange --------------------------------------------------------------------

    def _see(self, op: Op, request: Request) -> None:
        """Add a row for each change of state that an answer shows."""
        if not isinstance(op.subject, Response):
            self._sightings.wrote(request)
            return
        for tag, text in self._sightings.look(op.time_s, request, self._value(op.subject.body)):
            self._row(Row(op.time_s, "master", "sighting", "", tag, text))

    def _note(self, op: Op, note: str) -> None:
        text, lane = self._text(note), self._text(op.process)
        state = text
        if text in _MASTER:
            state, lane = _MASTER[text], "master"
        self._row(Row(op.time_s, lane, "note", "", self._sort_of(op, state), text, op.index))
        if state in UP:
            self._close(lane, "down", "")
        elif state in DOWN:
            if state != "offline":  # a process that died holds nothing any more
                for held in [key for key in self._open if key[0] == f"held {lane}"]:
                    self._open.pop(held).last = len(self.rows) - 1
            self._begin(lane, "down", "", text)

    def _sort_of(self, op: Op, state: str) -> str:
        """Return the tag of a note."""
        if state in UP:
            return "life"
        if state in DOWN:
            return "fault"
        if op.process == "master" or state.startswith(_DISTURBS):
            self._sightings.disturbed()
            return "fault"
        return (
            state.partition(" ")[0].rstrip(":")
            if state.startswith(("phase: ", "wait "))
            else "note"
        )

    def _broken(self, time_s: float) -> None:
        failure = self._failure
        assert failure is not None
        text = f"here it fails: expected {failure.expected}, seen {failure.seen}"[:LABEL_LENGTH]
        row = Row(time_s, "muster", "broken", "", "broken", text)
        row.body = self.texts.add(
            f"{failure.place}\n{failure.step}\nexpected {failure.expected}\nseen {failure.seen}"
        )
        self._row(row)

    # --- spans ------------------------------------------------------------------------------------

    def _begin(self, lane: str, what: str, key: str, text: str) -> None:
        """Begin a span at the last row, unless it goes on already."""
        if (f"{what} {lane}", key) not in self._open:
            place = len(self.rows) - 1
            span = Span(lane, place, place, what, text[:LABEL_LENGTH])
            self._open[f"{what} {lane}", key] = span
            self.spans.append(span)

    def _close(self, lane: str, what: str, key: str) -> None:
        """End a span at the last row, if there is one."""
        span = self._open.pop((f"{what} {lane}", key), None)
        if span is not None:
            span.last = len(self.rows) - 1


def _paired(ops: list[Op]) -> Iterator[tuple[Op, Op | None]]:
    """Yield each operation, an exchange's two at once where they stand side by side in one moment."""
    place = 0
    while place < len(ops):
        op = ops[place]
        after = ops[place + 1] if place + 1 < len(ops) else None
        together = after is not None and after.invoke == op.index and after.time_s == op.time_s
        yield op, after if together else None
        place += 2 if together else 1


def _natural(name: str) -> list[tuple[str, int]]:
    """Return what sorts `alpha-2` before `alpha-10`."""
    return [(word, int(number or 0)) for word, number in _WORDS.findall(name)]


def _number(request: Request) -> str:
    found = _NUMBER.search(request.path)
    return found[1] if found else ""


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
