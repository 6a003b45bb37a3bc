"""Behind ASGI an exchange arrives whole, leaves whole, and ends when the client has gone."""

import json
import random
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import pytest
import trio
from conftest import HandClock

from harness.clock import VirtualClock
from harness.target import SeededEntropy
from master.app import App
from master.config import Config
from master.core import Master
from master.http import NO_CONTENT, Route
from master.protocol.exchange import Request, Response
from master.protocol.states import NodeStatus
from master.store import nodes
from master.store.database import Database
from master.store.rows import Node

Message = MutableMapping[str, Any]
Handle = Callable[[Request], Awaitable[Response]]

DISCONNECT = {"type": "http.disconnect"}


class Stub:
    """In place of a master: remembers requests, and answers what it was told."""

    def __init__(self, told: Response | Exception | None = None) -> None:
        self._told = told or Response(200, b"{}")
        self.requests: list[Request] = []

    def streams(self, _method: str, path: str) -> bool:
        return path == "/stream"

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        self.requests.append(request)
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


class BlockingStub(Stub):
    """The same, for calls that block."""

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        return self._later(request)

    async def _later(self, request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        answer = super().answer(request)
        assert isinstance(answer, Response)
        return answer


def scope(
    method: str = "POST",
    path: str = "/api/x",
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    query: bytes = b"",
    client: tuple[str, int] | None = ("192.0.2.7", 5000),
) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": list(headers),
        "client": client,
    }


def chunks(*parts: bytes) -> list[Message]:
    """Return the messages that bring a body in parts."""
    return [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]


async def exchange(
    master: Any, asked: dict[str, Any], incoming: Iterable[Message] = ()
) -> list[Message]:
    """Send one request to an application, and return what it sent back."""
    queue = list(incoming)
    sent: list[Message] = []

    async def receive() -> Message:
        if not queue:
            await trio.sleep_forever()
        return queue.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await App(master)(asked, receive, send)
    return sent


def header(sent: list[Message], name: bytes) -> list[bytes]:
    return [value for key, value in sent[0]["headers"] if key == name]


async def test_a_body_may_come_in_parts() -> None:
    """The parts of a body are one body, empty ones and ones without a body included."""
    stub = Stub()
    parts = chunks(b"{", b"", b'"a":', b"1}")
    parts[1].pop("body")

    await exchange(stub, scope(), parts)

    assert [request.body for request in stub.requests] == [b'{"a":1}']


async def test_a_request_arrives_as_it_was_sent() -> None:
    """Method, decoded path, raw query and peer reach the master."""
    stub = Stub()

    await exchange(stub, scope("PUT", "/api/é/ x", query=b"a=%20&b"), chunks(b""))

    (request,) = stub.requests
    assert (request.method, request.path, request.query) == ("PUT", "/api/é/ x", "a=%20&b")
    assert request.client == "192.0.2.7"


async def test_a_peer_may_have_no_address() -> None:
    """Over a Unix socket there is none."""
    stub = Stub()

    await exchange(stub, scope(client=None), chunks(b""))

    assert stub.requests[0].client == ""


async def test_the_first_of_a_repeated_header_counts() -> None:
    """Names are compared without regard to case, as Go's `Header.Get` does."""
    stub = Stub()
    headers = [(b"X-Agent-Token", b"first"), (b"x-agent-token", b"second"), (b"Accept", b"\xe9")]

    await exchange(stub, scope(headers=headers), chunks(b""))

    assert stub.requests[0].headers == {"x-agent-token": "first", "accept": "é"}


async def test_an_answer_has_its_headers_and_its_length() -> None:
    """Every answer is sent with the CORS headers, its own, and how many bytes follow."""
    stub = Stub(Response(418, "密".encode(), (("X-Own", "é"),)))

    sent = await exchange(stub, scope(), chunks(b""))

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[1]["body"]) == (418, "密".encode())
    assert header(sent, b"content-length") == [b"3"]
    assert header(sent, b"x-own") == [b"\xe9"]
    assert header(sent, b"access-control-allow-origin") == [b"*"]


async def test_a_head_has_the_length_and_no_body() -> None:
    """What GET would answer is announced, and not sent."""
    sent = await exchange(Stub(Response(404, b"{...}")), scope("HEAD"), chunks(b""))

    assert header(sent, b"content-length") == [b"5"]
    assert sent[1]["body"] == b""


async def test_no_content_has_no_length() -> None:
    """A 204 may not say how long nothing is."""
    sent = await exchange(Stub(NO_CONTENT), scope("OPTIONS"), chunks(b""))

    assert (sent[0]["status"], sent[1]["body"]) == (204, b"")
    assert header(sent, b"content-length") == []


async def test_half_a_request_is_none() -> None:
    """A client that hangs up within its body is not answered, and nothing was asked."""
    stub = Stub()
    half = {"type": "http.request", "body": b'{"success":', "more_body": True}

    sent = await exchange(stub, scope(), [half, DISCONNECT])

    assert (stub.requests, sent) == ([], [])


async def test_a_client_who_hangs_up_ends_its_request() -> None:
    """The work on its answer is cancelled, and nothing is sent after it."""
    ended = []

    class Slow(Stub):
        async def answer(self, _: Request) -> Response:
            try:
                await trio.sleep_forever()
            finally:
                ended.append(True)
            raise AssertionError

    with trio.fail_after(5):
        sent = await exchange(Slow(), scope(), [*chunks(b""), DISCONNECT])

    assert (ended, sent) == ([True], [])


@pytest.mark.parametrize("stub", [Stub, BlockingStub])
async def test_an_answer_does_not_wait_for_the_client_to_go(stub: type[Stub]) -> None:
    """Looking out for the end of a connection ends with the answer."""
    with trio.fail_after(5):
        sent = await exchange(stub(), scope(), chunks(b""))

    assert len(sent) == 2


def test_a_client_who_hangs_up_leaves_the_agent_s_command() -> None:
    """The call to an agent ends for the caller alone; no waiter stays behind."""
    clock = VirtualClock()
    body = b'{"username":"admin","password":"password1","displayName":"A"}'
    waiting: list[int] = []
    sent: list[Message] = []

    async def main() -> None:
        entropy = SeededEntropy(random.Random(1))
        with Master(Database(), clock, entropy, Config(bcrypt_cost=4)) as master:
            state = master.state
            node_id = nodes.insert(state.database, "alpha", "token", state.started)
            state.database.update(Node, node_id, status=NodeStatus.ONLINE)
            setup = await exchange(master, scope("POST", "/api/auth/setup"), chunks(body))
            token = json.loads(setup[1]["body"])["data"]["token"]
            headers = [(b"authorization", f"Bearer {token}".encode())]
            asked = scope("GET", f"/api/nodes/{node_id}/fs/list", headers=headers)
            parts = chunks(b"")

            async def receive() -> Message:
                if parts:
                    return parts.pop()
                await clock.sleep(3.0)
                waiting.extend(state.waiters._events)
                return DISCONNECT

            async def send(message: Message) -> None:
                sent.append(message)

            await App(master)(asked, receive, send)

            assert (waiting, sent) == ([1], [])
            assert clock.monotonic_s() == 3.0
            assert state.waiters._events == {}
            commands = state.database.query("SELECT id, status FROM agent_commands")
            assert commands == [(1, "pending")]

    trio.run(main, clock=clock)


SECRETS = ("hunter2", "token-of-alpha", "swordfish")


@pytest.mark.parametrize("kind", [Stub, BlockingStub])
async def test_a_fault_is_answered_and_told_of(
    kind: type[Stub], caplog: pytest.LogCaptureFixture
) -> None:
    """A bug gives 500 and no body; the log says where it happened, and no secret."""
    stub = kind(KeyError("boom"))
    asked = scope(headers=[(b"x-agent-token", b"token-of-alpha")], query=b"password=swordfish")

    sent = await exchange(stub, asked, chunks(b'{"password":"hunter2"}'))

    assert (sent[0]["status"], sent[1]["body"]) == (500, b"")
    assert header(sent, b"content-length") == [b"0"]
    assert header(sent, b"access-control-allow-origin") == [b"*"]
    assert "POST /api/x failed" in caplog.text
    assert "KeyError: 'boom'" in caplog.text
    assert [secret for secret in SECRETS if secret in caplog.text] == []


async def test_a_server_error_is_logged_without_its_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An answer of 500 and more leaves a line with method, path and status; no other does."""
    await exchange(Stub(Response(503)), scope(query=b"key=swordfish"), chunks(b""))
    await exchange(Stub(Response(499)), scope(), chunks(b""))

    assert caplog.messages == ["POST /api/x answered 503"]


async def test_a_fault_in_one_request_is_none_in_the_next(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is usable after an endpoint broke off in the middle of a change."""

    def broken(*_: object) -> Response:
        with master.state.database.transaction():
            master.state.database.execute("DELETE FROM nodes")
            raise RuntimeError

    monkeypatch.setattr(master.router, "_exact", {("GET", "/broken"): Route(broken)})
    sent = await exchange(master, scope("GET", "/broken"), chunks(b""))
    monkeypatch.undo()
    after = await exchange(master, scope("GET", "/ready"), chunks(b""))

    assert (sent[0]["status"], after[0]["status"]) == (500, 200)
    assert master.state.database.count(Node, "1") == 1
    with master.state.database.transaction():
        pass


async def test_the_server_s_life_is_acknowledged() -> None:
    """Start-up and shut-down are confirmed, in that order, and then the application returns."""
    sent = await exchange(
        Stub(),
        {"type": "lifespan"},
        [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}],
    )

    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_the_time_of_a_request_is_read_once(master: Master, clock: HandClock) -> None:
    """All that one request writes bears one instant, however long it takes."""
    before = clock.ns
    await exchange(master, scope("GET", "/health"), chunks(b""))

    assert clock.ns - before == 1_000_003  # what the clock of the tests moves by each reading
