"""A proxy's inside: who is who, what is written down and when, what never is."""

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from test_front import CLOSE, Answers, front_of, talk

from harness.clock import VirtualClock
from harness.faults import Faults, Plan
from harness.faults.short import parse
from harness.front import Front
from harness.proxy.journal import Journal
from harness.proxy.recording import NoHistoryError, Recording
from harness.proxy.switchboard import Switchboard
from harness.proxy.upstream import Upstream
from harness.redact import Redactor
from harness.target import SeededEntropy
from master.config import Config
from master.core import Master
from master.protocol.exchange import BodyCutError, Request, Response, Whole, collect
from master.store.database import Database
from simulated_agents.ports import NoReply, Port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.ports.http import HttpPort

HEARTBEAT, POLL = "/api/agent/heartbeat", "/api/agent/commands/poll"
PASSWORD = "correct horse battery"
CONFIG = Config(encryption_key="a key", bcrypt_cost=4)


class Scene:
    """A switchboard before a master, and what it has written so far."""

    def __init__(self, port: Port, *plan: str, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.written: list[bytes] = []
        self.journal = Journal(Redactor(), self, self.clock.monotonic_s)
        faults = Faults(
            Plan(tuple(parse(text) for text in plan)),
            self.clock,
            self.journal,
            self.clock.monotonic_s,
        )
        self.board = Switchboard(lambda: Upstream(port), self.journal, faults)

    def write(self, line: bytes) -> None:
        self.written.append(line)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written]

    def run(self, main: Callable[[], Awaitable[Any]]) -> Any:
        return trio.run(main, clock=self.clock)

    async def agent(self, token: str, path: str, body: bytes = b"") -> Response:
        return await self.board.send(Request("POST", path, {"x-agent-token": token}, body))

    async def admin(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        raw = b"" if body is None else json.dumps(body).encode()
        response = await self.board.send(Request(method, path, headers, raw))
        assert response.status == 200, response.body
        return json.loads(response.body)["data"]

    async def set_up(self) -> str:
        who = {"username": "admin", "password": PASSWORD, "displayName": "A"}
        return str((await self.admin("POST", "/api/auth/setup", who))["token"])


def processes(scene: Scene, f: str) -> list[str]:
    return [line["process"] for line in scene.lines if line.get("f") == f and "request" in line]


def test_an_agent_is_called_what_the_master_calls_it(master: Master) -> None:
    """From its first exchange on, and the same after its token was rotated."""
    scene = Scene(DirectPort(master.handle))

    async def main() -> None:
        admin = await scene.set_up()
        node = await scene.admin("POST", "/api/nodes", {"name": "alpha"}, admin)
        await scene.agent(node["token"], POLL)
        path = "/api/nodes/2/rotate-token"
        rotated = (await scene.admin("POST", path, token=admin))["newToken"]
        await scene.agent(rotated, HEARTBEAT)
        assert (await scene.agent("f" * 64, POLL)).status == 401
        await scene.board.send(Request("POST", POLL))

    scene.run(main)
    assert processes(scene, "poll") == ["alpha", "stranger", "stranger"]
    assert processes(scene, "heartbeat") == ["alpha"]
    assert processes(scene, "self") == ["muster"] * 3
    assert processes(scene, "POST /api/auth/setup") == ["stranger"]
    assert processes(scene, "POST /api/nodes") == ["admin"]
    assert scene.board.names.agents == 1


def test_an_old_agents_token_is_in_its_heartbeats_body(master: Master) -> None:
    """It is that agent all the same."""
    scene = Scene(DirectPort(master.handle))

    async def main() -> None:
        admin = await scene.set_up()
        node = await scene.admin("POST", "/api/nodes", {"name": "alpha"}, admin)
        body = json.dumps({"token": node["token"], "hostname": "h"}).encode()
        await scene.board.send(Request("POST", HEARTBEAT, {}, body))

    scene.run(main)
    assert processes(scene, "heartbeat") == ["alpha"]


def test_a_node_that_is_called_like_somebody_else_has_a_name_of_its_own(master: Master) -> None:
    """`admin` is who administers."""
    scene = Scene(DirectPort(master.handle))

    async def main() -> None:
        admin = await scene.set_up()
        node = await scene.admin("POST", "/api/nodes", {"name": "admin"}, admin)
        await scene.agent(node["token"], POLL)

    scene.run(main)
    assert processes(scene, "poll") == ["node-2"]


def test_an_agent_of_which_the_master_cannot_speak_has_a_number() -> None:
    """It keeps that name; a plan of faults may then mean it by its own as well."""

    async def handle(request: Request) -> Response:
        if request.path == HEARTBEAT:
            return Response(200, b'{"code":"OK","data":{"name":"alpha","nodeId":7}}')
        return Response(404 if request.method == "GET" else 200, b'{"code":"X"}')

    scene = Scene(Answers(handle), "drop_request poll alpha")

    async def main() -> None:
        await scene.agent("token-one", POLL)
        await scene.agent("token-two", POLL)
        await scene.agent("token-one", HEARTBEAT)
        with pytest.raises(NoReply):
            await scene.agent("token-one", POLL)

    scene.run(main)
    assert processes(scene, "poll") == ["agent-1", "agent-2", "agent-1"]
    notes = [line["note"] for line in scene.lines if "f" not in line]
    assert notes == ["is node 7, 'alpha'"]


def test_a_crowd_of_one_token_is_asked_about_once() -> None:
    """While the question is on its way, the others wait for its answer."""

    async def handle(request: Request) -> Response:
        await scene.clock.sleep(1)
        known = b'{"code":"OK","data":{"id":3,"name":"alpha"}}'
        return Response(200, known if request.method == "GET" else b"{}")

    port = Answers(handle)
    scene = Scene(port)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(scene.agent, "token-one", POLL)

    scene.run(main)
    assert [request.method for request, _ in port.asked].count("GET") == 1
    assert processes(scene, "poll") == ["alpha"] * 5


SECRET_ANSWERS = {
    "/api/agent/tasks/1": {
        "dbPassword": "db-secret-1",
        "storageTargets": [{"id": 1, "config": {"bucket": "b", "secretAccessKey": "s3-secret"}}],
    },
    "/api/nodes/1/install-tokens": {
        "installToken": "install-secret",
        "url": "/install/install-secret",
    },
    "/api/auth/login": {"token": "jwt-secret", "trustedDeviceToken": "device-secret"},
    "/api/api-keys": {"plainKey": "bax_key-secret"},
    "/api/users/2fa": {"secret": "otp-secret-1", "recoveryCodes": ["recovery-secret"]},
}


def test_no_secret_is_written_down() -> None:
    """Not those of headers, bodies, answers, paths or scripts; not even where they turn up later."""

    async def handle(request: Request) -> Response:
        if request.path in SECRET_ANSWERS:
            data = {"code": "OK", "data": SECRET_ANSWERS[request.path]}
            return Response(200, json.dumps(data).encode())
        known = b" of db-secret-1" if len(scene.written) > 1 else b""
        return Response(404, b'{"code":"NOT_FOUND","message":"token-secret%s?"}' % known)

    scene = Scene(Answers(handle), "garble task_spec#2", "drop_reply task_spec#3")

    async def main() -> None:
        for _ in range(2):
            await scene.board.send(
                Request("GET", "/api/agent/tasks/1", {"x-agent-token": "token-secret"})
            )
        with pytest.raises(NoReply):
            await scene.board.send(
                Request("GET", "/api/agent/tasks/1", {"x-agent-token": "token-secret"})
            )
        for path in SECRET_ANSWERS:
            await scene.board.send(
                Request(
                    "POST",
                    path,
                    {"authorization": "Bearer admin-secret"},
                    b'{"password":"pass-secret"}',
                )
            )
        await scene.board.send(Request("GET", "/install/another-secret"))
        await scene.board.send(
            Request("POST", HEARTBEAT, {}, b'{"token":"body-secret","hostname":"pass-secret"}')
        )

    scene.run(main)
    text = b"".join(scene.written)
    assert b"secret" not in text.replace(b"secretAccessKey", b"").replace(b'"secret":', b"")
    assert b'"garbled":' in text
    assert text.count(b"[redacted]") > 10


def test_a_lost_claim_is_known() -> None:
    """The agent saw a broken connection; the history says what it would have been given."""
    clock = VirtualClock()
    master = Master(Database(), clock, SeededEntropy(random.Random(1)), CONFIG)
    scene = Scene(DirectPort(master.handle), "drop_reply poll#1 alpha", clock=clock)

    async def main() -> None:
        admin = await scene.set_up()
        node = await scene.admin("POST", "/api/nodes", {"name": "alpha"}, admin)
        await scene.agent(node["token"], HEARTBEAT)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.admin, "GET", "/api/nodes/2/fs/list", None, admin)
            await scene.clock.sleep(1)
            with pytest.raises(NoReply):
                await scene.agent(node["token"], POLL)
            nursery.cancel_scope.cancel()

    scene.run(main)
    fault = next(line for line in scene.lines if line.get("action") == "drop_reply")
    begin = scene.lines[fault["of"]]
    end = next(line for line in scene.lines if line.get("invoke") == fault["of"])
    assert (begin["f"], begin["process"], end["type"]) == ("poll", "alpha", "info")
    assert fault["reached"] is True
    assert fault["body"]["data"]["command"]["type"] == "list_dir"
    given_up = next(line for line in scene.lines if line.get("note") == "given up while waiting")
    assert given_up["type"] == "info"


def test_a_line_is_written_when_it_happens() -> None:
    """A request before its answer; so a kill in between leaves an exchange that nobody knows of."""
    seen: list[int] = []

    async def handle(_: Request) -> Response:
        seen.append(len(scene.written))
        return Response(200, b"{}")

    scene = Scene(Answers(handle))

    async def main() -> None:
        await scene.board.send(Request("GET", "/api/health"))

    scene.run(main)
    assert seen == [1]
    assert [line["index"] for line in scene.lines] == [0, 1]


def test_a_streamed_answer_is_written_when_it_is_over() -> None:
    """With what had come by then, and what had gone of the request."""

    async def handle(request: Request) -> Response:
        await collect(request.chunks())
        headers = (("Content-Type", "application/octet-stream"),)
        return Response(200, headers=headers, stream=Whole(b"abc"))

    scene = Scene(Answers(handle))

    async def main() -> None:
        headers = {"content-type": "application/octet-stream"}
        request = Request("PUT", "/a", headers, stream=Whole(b"12345"), streams_answer=True)
        response = await scene.board.send(request)
        assert len(scene.written) == 1
        assert await collect(response.chunks()) == b"abc"

    scene.run(main)
    begin, end = scene.lines
    assert begin["body"]["whole"] is False
    assert (end["body"]["streamed"], end["body"]["whole"]) == (3, True)
    assert (end["sent"]["streamed"], end["sent"]["whole"]) == (5, True)


def test_what_is_written_is_forgotten() -> None:
    """A recording of weeks keeps no bodies."""

    async def handle(_: Request) -> Response:
        return Response(200, b"{}")

    scene = Scene(Answers(handle), "delay 1s half=reply")

    async def main() -> None:
        for _ in range(10):
            await scene.board.send(Request("POST", "/api/x", {}, b'{"a":1}'))
        scene.journal.note(0.0, "muster", "a note")

    scene.run(main)
    assert len(scene.written) == len(scene.journal.ops) == 31
    assert {op.subject for op in scene.journal.ops} == {""}


def test_a_disk_that_is_full_ends_the_recording() -> None:
    """Whoever runs it is told once; what passes is not held up."""
    scene = Scene(Answers())
    told: list[str] = []
    scene.journal.failed = lambda: told.append("told")

    def refuse(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    scene.write = refuse  # type: ignore[method-assign]

    async def main() -> None:
        await scene.board.send(Request("GET", "/api/health"))

    scene.run(main)
    assert told == ["told"]
    assert scene.journal.failure is not None


# --- the file -------------------------------------------------------------------------------


def test_a_recording_begins_with_what_it_is_of(tmp_path: Path) -> None:
    """And is never begun over one that is there."""
    path = tmp_path / "a.jsonl"

    async def main() -> None:
        with Recording.begin(path) as recording:
            recording.introduce("http://h:1", "2.4")
            assert 0 <= recording.elapsed_s() < 60
        with pytest.raises(FileExistsError):
            Recording.begin(path)

    trio.run(main)
    header = json.loads(path.read_bytes())
    assert (header["muster"], header["version"], header["target"]) == ("history", 1, "http://h:1")
    assert header["profile"] == "2.4"
    assert header["started"].endswith("Z")
    assert header["recorder"].startswith("muster proxy ")


def test_a_recording_is_gone_on_with(tmp_path: Path) -> None:
    """Behind its last whole line, with the next index, the next key and the same beginning of time."""
    path = tmp_path / "a.jsonl"

    async def main() -> None:
        with Recording.begin(path) as recording:
            recording.introduce("http://h:1", None)
            recording.write(b'{"index":0,"time":1.0,"keys":{"x-agent-token":"k12"}}\n')
            recording.write(b'{"index":1,"time":2.0}\n{"index":2,"time":3.0,"note":"a long')
        started = json.loads(path.read_bytes().splitlines()[0])["started"]
        text = path.read_text("utf-8").replace(started, "2026-01-01T00:00:00Z")
        path.write_text(text, "utf-8")
        with Recording.go_on(path) as recording:
            recording.introduce("http://other:1", "2.0")
            assert (recording.count, recording.keys) == (2, 12)
            assert recording.elapsed_s() > 1_000_000
            recording.write(b'{"index":2,"time":9.0}\n')

    trio.run(main)
    assert [json.loads(line).get("index") for line in path.read_bytes().splitlines()] == [
        None,
        0,
        1,
        2,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello\n",
        '{"muster":"history","version":1}\n',
        '{"muster":"history","version":1,"started":"2026-01-01T00:00:00Z"}\n{"index":5,"a":1}\n',
    ],
)
def test_a_file_that_is_no_recording_stays_as_it_is(tmp_path: Path, text: str) -> None:
    """It may be somebody's data."""
    path = tmp_path / "a.jsonl"
    path.write_text(text, "utf-8")

    with pytest.raises(NoHistoryError):
        Recording.go_on(path)

    assert path.read_text("utf-8") == text


# --- the way to the master --------------------------------------------------------------------


@asynccontextmanager
async def chain(port: Port) -> AsyncIterator[Front]:
    """A front, whose requests go over TCP to another front, whose requests go to a port."""
    async with front_of(port) as behind:
        upstream = Upstream(HttpPort(behind.url, verbatim=True))
        try:
            async with front_of(upstream) as front:
                yield front
        finally:
            await upstream.aclose()


async def test_a_request_goes_on_byte_for_byte() -> None:
    """But for what belongs to the connection, and the host, which is the master's."""
    port = Answers()
    async with chain(port) as front:
        await talk(
            front,
            b"POST //a/%2e/%zz|^?q=%|&&x HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nx-twice: 2\r\n"
            b"User-Agent: Go-http-client/1.1\r\nContent-Length: 2\r\nAccept-Encoding: gzip\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\nab",
        )

    ((request, body),) = port.asked
    assert (request.path, request.query, body) == ("//a/%2e/%zz|^", "q=%|&&x", b"ab")
    names = [name for name, _ in request.headers.items()]
    assert names[1:] == ["X-Twice", "x-twice", "User-Agent", "Accept-Encoding", "content-length"]
    assert request.headers["host"].startswith("127.0.0.1:")


@pytest.mark.parametrize("kind", [b"application/json", b"application/octet-stream"])
async def test_a_body_in_chunks_goes_on_in_chunks(kind: bytes) -> None:
    """A master that asks for a length must be able to say so."""
    port = Answers()
    async with chain(port) as front:
        await talk(
            front,
            b"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: "
            + kind
            + b"\r\n"
            + CLOSE
            + b"\r\n",
            b"2\r\nab\r\n0\r\n\r\n",
        )

    ((request, body),) = port.asked
    assert body == b"ab"
    assert "content-length" not in request.headers
    assert request.headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("status", [200, 404])
async def test_an_answer_comes_back_as_it_is(status: int) -> None:
    """A body that is encoded stays so, whatever its status; headers keep their case and number."""

    async def handle(_: Request) -> Response:
        headers = (
            ("Content-Encoding", "gzip"),
            ("x-Odd-CASE", "1"),
            ("Set-Cookie", "a"),
            ("Set-Cookie", "b"),
        )
        return Response(status, b"\x1f\x8b no gzip at all", headers, cors=False)

    async with chain(Answers(handle)) as front:
        answer = await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert answer.endswith(
        b"Content-Encoding: gzip\r\nx-Odd-CASE: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
        b"Content-Length: 17\r\nConnection: close\r\n\r\n\x1f\x8b no gzip at all"
    )


async def test_a_short_answer_that_breaks_off_is_none() -> None:
    """Nobody may take half of a JSON for an answer."""

    class Broken(Whole):
        async def __anext__(self) -> bytes:
            raise BodyCutError("gone")

    async def handle(_: Request) -> Response:
        return Response(200, headers=(("Content-Type", "application/json"),), stream=Broken(b"x"))

    upstream = Upstream(Answers(handle))
    with pytest.raises(NoReply, match="broke off") as caught:
        await upstream.send(Request("GET", "/"))
    assert not caught.value.definite
