"""Play golden stories: what a real BackupX answered, byte for byte.

A story is one JSON file that begins on an empty master and lists steps:

``request``    sent to the master; ``response`` is the answer to expect.
``sql``        run on the master's database; ``rows`` is the result to expect.
``sql_exec``   changes the master's database, for instance to make time pass.
``await_sql``  repeats ``query`` until it gives ``rows``, at most ``timeout_s``.

``file``       named a file of this machine; ``text`` is what is in it, null for no file.

A request may ``capture`` parts of the answer's JSON; later steps write them as
``${name}``.  ``${folder}`` is a folder for this story alone, of which paths may speak.
It may have steps that happen ``meanwhile``: the request is then sent from a thread of
its own and answered only after them.  It may be repeated ``until`` the answer has some
text in it.  Of the stream of events, which has no end, the first one is looked at.

What no two runs share (times, tokens, keys) is replaced by a placeholder on both
sides before they are compared.  All else counts: key order, spacing, escapes, and
the headers in `KEPT`.  A response that names no headers has those of the story.

A later release's file may say only what it did otherwise: ``like`` names the release
whose story of that name was played, ``outcomes`` the steps, by position, that ended in
another way (see `load`).
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
Send: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""``send(method, path, headers, body)``; must follow no redirect."""
Query: TypeAlias = Callable[[str], list[list[Any]]]
"""Run one statement on the master's database, commit, give its rows."""
Step: TypeAlias = dict[str, Any]
Story: TypeAlias = dict[str, Any]

EVENTS = "/api/events/stream"

OUTCOMES = ("response", "meanwhile", "rows", "await_sql", "text")
"""What a step has seen; all else in it says what to do."""

KEPT = re.compile(
    r"content-type|content-disposition|location|cache-control|access-control-.*", re.IGNORECASE
)
PATIENCE_S = 40.0
"""How long a request is repeated that waits for something: the longest timer is 30 s."""
FOLDER = "golden-folder"
"""The last part of every story's folder, by which it is known in answers."""

FRACTION = r"(?:\.\d{0,8}[1-9])?"  # trailing zeros are never written
RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), placeholder)
    for pattern, placeholder in (
        (rf"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d{FRACTION}Z", "<time>"),
        (rf"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d{FRACTION}([+-]\d\d:\d\d)", r"<time\1>"),
        (rf"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d{FRACTION}([+-]\d\d:\d\d)", r"<dbtime\1>"),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<jwt>"),
        (r"bax_[0-9a-f]{48}", "<key>"),
        (r"bax_[0-9a-f]{8}(?![0-9a-f])", "<key prefix>"),
        (r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", "<token>"),
        (rf'(?<=[\s"\'])/[\w./-]*/{FOLDER}', "<folder>"),
        (r"^: connected \d+", ": connected <time>"),
        (r'"uptime":\d+', '"uptime":<seconds>'),
        # Steps follow at once or after minutes; no machine is so slow as to mix them up.
        (r'"durationSeconds":\d(?=[,}])', '"durationSeconds":0'),
        (r'"durationSeconds":\d{3,}(?=[,}])', '"durationSeconds":<minutes>'),
        (r'"oldestActiveAgeSeconds":\d(?=[,}])', '"oldestActiveAgeSeconds":0'),
        (r'"oldestActiveAgeSeconds":\d{3,}(?=[,}])', '"oldestActiveAgeSeconds":<minutes>'),
        # The JSON decoder's and the validator's own words are nobody's protocol.
        (r'("code":"INVALID_INPUT","message":")(?!missing token)(?:[^"\\]|\\.)+', r"\1<reason>"),
        (r'("message":"decode config: )json: (?:[^"\\]|\\.)+', r"\1<reason>"),
        (r'http://[^/"]+(?=(?:/api)?/install/)', "<master>"),
        # An installer's script is BackupX's own text; what the runtime says of itself in the
        # metrics is Go's, and what a figure is good for is said in prose.  Figures about
        # the master's own runs and its storage are none about agents.
        (r'("scriptBase64":)"[\w+/=]+"', r'\1"<script>"'),
        (r"(?s)\A#!/bin/sh\n.*", "<script>"),
        (r"(?s)\A(?:.*\n)?services:\n.*", "<compose file>"),
        (r"(?m)^(?:# (?:HELP|TYPE) )?(?:go|process|promhttp)_.*\n", ""),
        (r"(?m)^(?:# (?:HELP|TYPE) )?backupx_(?:task|storage|sla|restore|verify|repl).*\n", ""),
        (r"(?m)^(# HELP \w+) .*$", r"\1 <help>"),
        # The master's own node is described by the machine that it runs on.
        (r'("name":"本机 \(Local\)","hostname":)"[^"]+"', r'\1"<host>"'),
        (r'("hostname":"<host>","ipAddress":)"[^"]*"', r'\1"<address>"'),
    )
)


def load(path: Path) -> Story:
    """Read the story in `path`; one that is like an older release's is put together."""
    story: Story = json.loads(path.read_text(encoding="utf-8"))
    if "like" not in story:
        return story
    older = load(path.parent.parent / story["like"] / path.name)
    steps = [
        {**step, **story["outcomes"].get(str(number), {})}
        for number, step in enumerate(older["steps"])
    ]
    return {**older, **story, "steps": steps}


def unlike(before: str, older: Story, release: str, newer: Story) -> Story:
    """Say of the story `newer`, played on `release`, what it ended in otherwise than `before`."""
    outcomes: Step = {}
    for number, (was, step) in enumerate(zip(older["steps"], newer["steps"], strict=True)):
        changed = {key: step[key] for key in OUTCOMES if step.get(key) != was.get(key)}
        if changed:
            outcomes[str(number)] = changed
    said: Story = {"recorded_from": f"BackupX {release}", "like": before}
    if newer["headers"] != older["headers"]:
        said["headers"] = newer["headers"]
    return {**said, "outcomes": outcomes}


def normalise(value: Any) -> Any:
    """Replace in all strings of `value` what no two runs share; idempotent."""
    if isinstance(value, str):
        for pattern, placeholder in RULES:
            value = pattern.sub(placeholder, value)
        return value
    if isinstance(value, list):
        return [normalise(item) for item in value]
    if isinstance(value, dict):
        return {key: normalise(item) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class Difference:
    """A step whose outcome is not the recorded one."""

    step: int
    """Position in the story, from 0; a step of ``meanwhile`` counts as its request."""
    expected: Step
    observed: Step

    def __str__(self) -> str:
        lines = [f"step {self.step}: {self.expected.get('note', '')}".rstrip(" :")]
        for key, expected in self.expected.items():
            if self.observed.get(key) == expected:
                lines.append(f"  {key}: {_show(expected)}")
            else:
                lines.append(f"  {key}, expected: {_show(expected)}")
                lines.append(f"  {key}, observed: {_show(self.observed.get(key))}")
        return "\n".join(lines)


@dataclass
class Player:
    """Performs steps on one master and remembers what they captured."""

    send: Send
    query: Query | None = None
    sleep: Callable[[float], None] = time.sleep
    headers: Mapping[str, str] = field(default_factory=dict)
    """The story's headers: a response that has just these does not repeat them."""
    captured: dict[str, str] = field(default_factory=dict)

    def observe(self, step: Step) -> Step:
        """Perform `step`; give it back with the outcome that was seen."""
        if "request" in step:
            return self._exchange(step)
        if "sql" in step:
            return {**step, "rows": normalise(self._run(step["sql"]))}
        if "sql_exec" in step:
            self._run(step["sql_exec"])
            return step
        if "await_sql" in step:
            return {"await_sql": self._await(step["await_sql"])}
        if "file" in step:
            path = Path(self._fill(step["file"]))
            return {**step, "text": path.read_text("utf-8") if path.is_file() else None}
        raise ValueError(f"a step of no known kind: {_show(step)}")

    def _exchange(self, step: Step) -> Step:
        observed = dict(step)
        if "meanwhile" not in step:
            waited = 0.0
            observed["response"] = self._answer(step)
            while step.get("until", "") not in observed["response"]["body"]:
                if waited >= PATIENCE_S:
                    break
                self.sleep(0.5)
                waited += 0.5
                observed["response"] = self._answer(step)
            return observed
        with ThreadPoolExecutor(max_workers=1) as pool:
            answer = pool.submit(self._answer, step)
            observed["meanwhile"] = [self.observe(inner) for inner in step["meanwhile"]]
            observed["response"] = answer.result()
        return observed

    def _answer(self, step: Step) -> Step:
        request = self._fill(step["request"])
        if "body_hex" in request:
            sent = bytes.fromhex(request["body_hex"])
        else:
            sent = request.get("body", "").encode()
        status, headers, body = self.send(
            request["method"], request["path"], request.get("headers", {}), sent
        )
        text = body.decode()
        for name, path in step.get("capture", {}).items():
            self.captured[name] = str(_dig(json.loads(text), path))
        kept = {key.title(): value for key, value in headers.items() if KEPT.fullmatch(key)}
        response: Step = {"status": status, "body": normalise(text)}
        if kept != self.headers:
            response["headers"] = dict(sorted(kept.items()))
        return response

    def _await(self, wanted: Step) -> Step:
        waited = 0.0
        while True:
            rows = normalise(self._run(wanted["query"]))
            if rows == normalise(wanted["rows"]) or waited >= wanted["timeout_s"]:
                return {**wanted, "rows": rows}
            self.sleep(0.1)
            waited += 0.1

    def _run(self, sql: str) -> list[list[Any]]:
        if self.query is None:
            raise ValueError("this story looks into the database: it needs a query")
        return [list(row) for row in self.query(self._fill(sql))]

    def _fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda match: self.captured[match[1]], value)
        if isinstance(value, dict):
            return {key: self._fill(item) for key, item in value.items()}
        return value


def over_tcp(url: str) -> Send:
    """Send requests to the master at `url` verbatim: no path cleaning, no redirects."""
    address = urlsplit(url).netloc

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            seen = response.status, dict(response.getheaders())
            if path == EVENTS and response.status == HTTPStatus.OK:  # it has no end
                return *seen, response.readline() + response.readline()
            return *seen, response.read()

    return send


def given(folder: Path | None) -> dict[str, str]:
    """Return what a story may speak of from its start: its `folder`, which it is known by."""
    assert folder is None or folder.name == FOLDER
    return {} if folder is None else {"folder": str(folder)}


def replay(
    story: Story,
    send: Send,
    query: Query | None = None,
    sleep: Callable[[float], None] = time.sleep,
    folder: Path | None = None,
) -> Iterator[Difference]:
    """Play `story` on an empty master; yield each step that went another way."""
    player = Player(send, query, sleep, story["headers"], given(folder))
    for number, step in enumerate(story["steps"]):
        expected, observed = normalise(step), normalise(player.observe(step))
        if expected != observed:
            yield Difference(number, expected, observed)


def _dig(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
