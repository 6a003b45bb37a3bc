"""Histories told by hand, as a master might have made them, to be judged."""

import json
from collections.abc import Mapping
from typing import Any

from harness.about import About
from harness.checkers.registry import Finding, judge
from harness.commands.options import SCENARIOS
from harness.history import Disturbance, History, OpType
from harness.observed.reading import Recorded, read_lines
from harness.observed.view import Rules, View
from harness.redact import Redactor
from harness.scenario.catalogue import Catalogue
from harness.verdict import Verdict
from master.config import Timings
from master.protocol.exchange import Request, Response

CATALOGUE = Catalogue.read(SCENARIOS / "clauses.toml")

START = "2026-01-01T00:00:00Z"


def rules(profile: str, about: About | None = None) -> Rules:
    """Return what a profile's histories are judged by."""
    about = about or About()
    return Rules(
        profile=profile,
        clauses=frozenset(one.id for one in CATALOGUE if profile in one.profiles),
        timings=Timings(**about.timings),
        slack_s=about.slack_s or 0.0,
    )


def recorded(history: History) -> Recorded:
    """Return a history as it is read back."""
    return read_lines(history.lines(), "tale.jsonl")


def judged(history: History, profile: str) -> dict[str, Finding]:
    """Return what every checker says of a history, by its name."""
    read = recorded(history)
    return {one.checker.name: one for one in judge(View(read, rules(profile, read.about)))}


def alarms(history: History, profile: str) -> list[str]:
    """Return what checkers have against a history."""
    return [
        f"{name}: {one.broken[0].sentence if one.broken else one.reason}"
        for name, one in judged(history, profile).items()
        if one.verdict not in (Verdict.PASS, Verdict.VACUOUS)
    ]


class Tale:
    """Tells a history, a call at a time.

    Args:
        profile: what the master is.

    """

    def __init__(self, profile: str = "2.0") -> None:
        self.profile = profile
        self.history = History(Redactor())
        self.history.about = About(profile=profile, scenario="tale", slack_s=0.0)
        self.at = 0.0
        self._nodes: dict[str, int] = {}
        self.tokens: dict[str, str] = {}

    # --- calls ----------------------------------------------------------------------------------

    def begin(
        self,
        process: str,
        line: str,
        body: Any = None,
        token: str | None = None,
    ) -> int:
        """Begin a call, and return its index."""
        method, _, target = line.partition(" ")
        path, _, query = target.partition("?")
        shown = self.tokens.get(process, "") if token is None else token
        header = "authorization" if process == "admin" else "x-agent-token"
        value = f"Bearer {shown}" if process == "admin" else shown
        headers: Mapping[str, str] = {header: value} if shown else {}
        raw = b"" if body is None else json.dumps(body).encode()
        return self.history.invoke(self.at, process, Request(method, path, headers, raw, query))

    def end(self, call: int, data: Any = None, status: int = 200, code: str = "OK") -> int:
        """Answer a call."""
        body = {"code": code, "message": "m"} | ({} if data is None else {"data": data})
        kind = OpType.OK if status < 400 else OpType.FAIL
        self.history.end(self.at, call, kind, Response(status, json.dumps(body).encode()))
        return call

    def lose(self, call: int) -> int:
        """Let the answer of a call not come."""
        self.history.end(self.at, call, OpType.INFO, "no reply: the reply was lost")
        return call

    def fault(
        self, call: int, action: str, data: Any = None, *, reached: bool | None = None
    ) -> None:
        """Say what a fault did to a call, and what the master answered."""
        op = self.history.ops[call]
        assert isinstance(op.subject, Request)
        answer = (
            None
            if data is None
            else Response(200, json.dumps({"code": "OK", "data": data}).encode())
        )
        self.history.disturbed(
            self.at,
            op.process,
            Disturbance(action, action, action, op.subject, call, reached, answer),
        )

    def did(self, process: str, line: str, body: Any = None, data: Any = None) -> int:
        """Make a call that is answered at once."""
        return self.end(self.begin(process, line, body), {} if data is None else data)

    def refused(self, process: str, line: str, status: int, code: str, body: Any = None) -> int:
        """Make a call that is refused."""
        return self.end(self.begin(process, line, body), None, status, code)

    def note(self, text: str, process: str = "muster") -> None:
        """Note what is no call."""
        self.history.note(self.at, process, text)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds

    # --- what is there ----------------------------------------------------------------------------

    def node(self, name: str) -> int:
        """Make a node, and show its id."""
        self.tokens.setdefault("admin", "admin-token")
        self.tokens[name] = f"token-of-{name}"
        self.did("admin", "POST /api/nodes", {"name": name}, {"token": self.tokens[name]})
        self._nodes[name] = len(self._nodes) + 2
        listed = [self.shown(one, "offline") for one in self._nodes]
        self.did("admin", "GET /api/nodes", None, listed)
        return self._nodes[name]

    def shown(self, name: str, status: str) -> dict[str, Any]:
        """Return a node as an answer shows it."""
        return {
            "id": self._nodes[name],
            "name": name,
            "status": status,
            "isLocal": False,
            "createdAt": START,
        }

    def task(self, task: int, name: str) -> None:
        """Make a task for a node."""
        node = self._nodes[name]
        self.did(
            "admin",
            "POST /api/backup/tasks",
            {"name": f"t{task}"},
            {"id": task, "nodeId": node, "cronExpr": ""},
        )

    def beat(self, name: str, **how: Any) -> int:
        """Send a heartbeat that is answered."""
        return self.end(
            self.begin(name, "POST /api/agent/heartbeat", {}, **how),
            {"name": name, "nodeId": self._nodes[name], "status": "ok"},
        )

    def run(self, task: int, record: int) -> int:
        """Run a task."""
        return self.did(
            "admin", f"POST /api/backup/tasks/{task}/run", None, self.record(record, task=task)
        )

    def record(self, record: int, status: str = "running", **more: Any) -> dict[str, Any]:
        """Return a record as an answer shows it."""
        ends = {} if status == "running" else {"completedAt": START, "durationSeconds": 0}
        return {
            "id": record,
            "taskId": more.pop("task", 1),
            "status": status,
            "startedAt": START,
            **ends,
            **more,
        }

    def see(self, record: int, status: str, **more: Any) -> int:
        """Look at a record."""
        return self.did(
            "admin", f"GET /api/backup/records/{record}", None, self.record(record, status, **more)
        )

    def poll(self, name: str, command: int | None = None, **payload: Any) -> int:
        """Poll, and be answered a command, or none."""
        return self.end(
            self.begin(name, "POST /api/agent/commands/poll"), self.command(command, **payload)
        )

    def command(
        self, command: int | None, kind: str = "run_task", **payload: Any
    ) -> dict[str, Any]:
        """Return the answer of a poll."""
        if command is None:
            return {"command": None}
        return {"command": {"id": command, "type": kind, "payload": payload}}

    def lost_poll(self, name: str) -> int:
        """Poll, and hear nothing."""
        return self.lose(self.begin(name, "POST /api/agent/commands/poll"))

    def report(self, name: str, record: int, **fields: Any) -> int:
        """Report about a record, and be answered."""
        return self.did(name, f"POST /api/agent/records/{record}", fields, {"status": "ok"})

    def result(self, name: str, command: int, **fields: Any) -> int:
        """Send a result, and be answered."""
        return self.did(
            name,
            f"POST /api/agent/commands/{command}/result",
            {"success": True, **fields},
            {"status": "ok"},
        )

    # --- the verdict ------------------------------------------------------------------------------

    def say(self, checker: str) -> Finding:
        """Return what one checker says."""
        return judged(self.history, self.profile)[checker]


def begun(profile: str = "2.0", *names: str) -> Tale:
    """Return a tale with nodes, and a task for each: task 1 of the first, task 2 of the second."""
    tale = Tale(profile)
    names = names or ("alpha",)
    for number, name in enumerate(names, 1):
        tale.node(name)
        tale.task(number, name)
    for name in names:
        tale.beat(name)
    return tale
