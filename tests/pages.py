"""HTML reports made inside tests, and what stands in them."""

import base64
import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import trio
from scenes import CATALOGUE, scene

from harness.history import History, OpType
from harness.plan import Plan
from harness.redact import Redactor
from harness.reports.html import HtmlFile
from harness.runner import run
from harness.verdict import Outcome, Report, judge_clauses
from master.core import Master
from master.protocol.exchange import Request, Response

HOSTILE = (
    "</script><script>document.title='broken out'</script><img src=x onerror=\"document.title='out'\">"
    "<!-- ]]> <svg/onload=document.title='out'> {{ 7*7 }} \u202etxt.exe\u202c \x1b[31m"
)
"""What a master may answer that wants to be more than text."""

LONG = "a long answer, <b>bold</b> " * 40_000
"""More than a megabyte."""


class Hostile(Master):
    """A master whose answers to unknown paths are meant to do harm."""

    async def handle(self, request: Request) -> Response:
        """Answer as the master does, but for these paths."""
        if request.path.startswith("/hostile/json"):
            return Response(200, json.dumps({HOSTILE: [HOSTILE]}).encode())
        if request.path.startswith("/hostile/text"):
            return Response(404, HOSTILE.encode() + b"\xff\x00")
        if request.path.startswith("/hostile/long"):
            return Response(200, LONG.encode())
        if request.path.startswith("/hostile/slow"):
            await trio.sleep(3)
        return await super().handle(request)


PASSING = """
scenario: An idle poll is answered at once
clauses: [CMD-5, HTTP-1]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - poll: alpha
    expect: {command: null}
  - run: nightly
    as: backup
  - poll: alpha
    as: cmd
  - wait: command_timeout + command_scan + 1s
  - expect: {record: backup, status: failed}
  - result: {agent: alpha, command: "${cmd.id}"}
    expect: {status: 200}
"""

FAILING = """
scenario: It says <b>what</b> it shows
clauses: [TMO-3]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
  - wait: command_timeout + command_scan + 1s
  - expect: {record: backup, status: success}
"""

ATTACK = """
scenario: A master answers what it likes
clauses: [HTTP-3]
steps:
  - request: {method: GET, path: "/hostile/json</script><!--"}
    expect: {status: 200}
  - request: {method: GET, path: /hostile/text}
    expect: {status: 404}
  - request: {method: POST, path: /hostile/long, body: "<!-- <script> --> \\" and more"}
    expect: {status: 200}
  - request: {method: GET, path: /hostile/json}
    expect: {status: 200, json: {wanted: "such </script><img src=x onerror=alert(1)> thing"}}
"""


def report(
    path: Path, *texts: str, seed: int = 0, make_master: type[Master] = Master
) -> tuple[str, Report]:
    """Play scenarios into an HTML file, and return its text and what came of the run."""
    scenarios = tuple(scene(text, f"s{number}.yaml") for number, text in enumerate(texts))
    plan = Plan(scenarios, CATALOGUE, "2.0", "virtual", seed, make_master=make_master)
    came = run(plan, [HtmlFile(path, "muster run --seed 0")])
    return path.read_text("utf-8"), came


def long_report(path: Path, exchanges: int) -> None:
    """Write the report of a run with this many exchanges of fifty agents, two operations each."""
    history = History(Redactor())
    for number in range(exchanges):
        body = {"hostname": f"host-{number % 150}x", "agentVersion": "v2.0.0", "os": "linux"}
        request = Request("POST", "/api/agent/heartbeat", {}, json.dumps(body).encode())
        answer = {"code": "OK", "message": "success", "data": {"nodeId": number // 10}}
        time_s = number * 0.072
        invoke = history.invoke(time_s, f"agent-{number % 50}", request)
        history.end(time_s, invoke, OpType.OK, Response(200, json.dumps(answer).encode()))
    outcome = Outcome(scene(PASSING), tested={"CMD-5": 1}, elapsed_s=exchanges * 0.072)
    plan = Plan((outcome.scenario,), CATALOGUE, "2.0", "virtual", 0)
    file = HtmlFile(path, "muster run")
    file.started(plan)
    file.played(outcome, history)
    clauses = judge_clauses([outcome], plan.rules)
    file.finished(Report("2.0", "virtual", 0, 1.0, False, (outcome,), clauses))


class Page(HTMLParser):
    """A page as a browser sees it: its elements with their attributes, and the text of each script.

    Attributes:
        elements: the name and the attributes of each, in order.
        scripts: attributes and text of each script.
        styles: the text of each style sheet.
        text: all that is neither script nor style.

    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.text = ""
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._in = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        elif tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        """Note that an element ends."""
        if tag in {"script", "style"}:
            self._in = ""

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._in == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self._in == "style":
            self.styles[-1] += data
        else:
            self.text += data

    def packed(self, prefix: str) -> list[Any]:
        """Return the values of the chunks whose id begins so."""
        return [
            json.loads(gzip.decompress(base64.b64decode(text)))
            for attributes, text in self.scripts
            if (attributes.get("id") or "").startswith(prefix)
        ]

    def rows(self, number: int = 0) -> list[dict[str, Any]]:
        """Return the rows of a scenario's lanes, with their words and texts."""
        (table,) = self.packed(f"t-{number}")
        texts = [text for chunk in self.packed(f"x-{number}-") for text in chunk]
        columns, words = table["columns"], table["words"]
        rows = []
        for values in zip(*columns.values(), strict=True):
            row = dict(zip(columns, values, strict=True))
            row.update({name: words[row[name]] for name in ("kind", "type", "tag", "label")})
            row.update(
                {
                    name: texts[row[name]] if row[name] >= 0 else None
                    for name in ("request", "body", "answer")
                }
            )
            row["lane"] = table["lanes"][row["lane"]] if row["lane"] >= 0 else None
            rows.append(row)
        return rows
