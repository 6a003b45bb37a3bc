"""A front over real sockets: what clients send arrives as it is, and answers leave as they are."""

import hashlib
import http.client
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.faults import Faults, Plan
from harness.faults.short import parse
from harness.front import Front
from harness.history import History
from harness.redact import Redactor
from master.protocol.exchange import BodyCutError, Request, Response, Whole, collect
from simulated_agents.clock import RealClock
from simulated_agents.ports import NoReply, Port

PART = b"x" * 60_000
OK = Response(200, b'{"code":"OK"}')

Handle = Callable[[Request], Awaitable[Response]]


class Answers:
    """A port that answers as a test says, and keeps what it was asked."""

    def __init__(self, handle: Handle | None = None) -> None:
        self.asked: list[tuple[Request, bytes]] = []
        self.begun = trio.Event()
        self.cancelled = trio.Event()
        self._handle = handle

    async def send(self, request: Request) -> Response:
        if self._handle is None:
            self.asked.append((request, await collect(request.chunks())))
            return OK
        self.asked.append((request, request.body))
        self.begun.set()
        try:
            return await self._handle(request)
        except trio.Cancelled:
            self.cancelled.set()
            raise


@asynccontextmanager
async def front_of(port: Port) -> AsyncIterator[Front]:
    front = Front(port)
    async with trio.open_nursery() as nursery:
        await nursery.start(front.serve)
        try:
            yield front
        finally:
            nursery.cancel_scope.cancel()


async def connect(front: Front) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", front.number)


async def read_all(stream: trio.SocketStream) -> bytes:
    parts = []
    while part := await stream.receive_some():
        parts.append(part)
    return b"".join(parts)


async def talk(front: Front, *parts: bytes) -> bytes:
    """Send bytes, and return all that comes until the front ends the connection."""
    async with await connect(front) as stream:
        for part in parts:
            await stream.send_all(part)
        return await read_all(stream)


CLOSE = b"Host: h\r\nConnection: close\r\n"


async def test_a_request_arrives_as_it_was_sent() -> None:
    """The path byte for byte, the query, the method, and every header with its case and repetition."""
    port = Answers()
    async with front_of(port) as front:
        await talk(
            front,
            b"PATCH //api/%2e%2e/a%zz/%C3%A9;b?x=%20&&y HTTP/1.1\r\n"
            b"hOST: h\r\nX-Twice: 1\r\nx-twice: 2\r\nConnection: close\r\n\r\n",
        )

    ((request, body),) = port.asked
    assert (request.method, request.path, request.query) == (
        "PATCH",
        "//api/%2e%2e/a%zz/%C3%A9;b",
        "x=%20&&y",
    )
    assert list(request.headers.items()) == [
        ("hOST", "h"),
        ("X-Twice", "1"),
        ("x-twice", "2"),
        ("Connection", "close"),
    ]
    assert request.headers["x-twice"] == "1"
    assert request.client == "127.0.0.1"
    assert body == b""


@pytest.mark.parametrize(
    ("head", "sent", "body"),
    [
        (b"Content-Length: 5\r\n", b"hello", b"hello"),
        (b"Content-Length: 0\r\n", b"", b""),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b"hello"),
        (b"", b"", b""),
    ],
)
async def test_a_body_is_whole_however_it_is_delimited(
    head: bytes, sent: bytes, body: bytes
) -> None:
    """By its length, in chunks, or not at all."""
    port = Answers()
    async with front_of(port) as front:
        answer = await talk(front, b"POST /a HTTP/1.1\r\n" + CLOSE + head + b"\r\n", sent)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [(request.body, request.stream) for request, _ in port.asked] == [(body, None)]


async def test_an_answer_leaves_as_it_is() -> None:
    """Names and order of headers stay, a repeated one too; what belongs to a connection goes."""

    async def handle(_: Request) -> Response:
        headers = (
            ("X-One", "a"),
            ("set-cookie", "1"),
            ("Set-Cookie", "2"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "99"),
        )
        return Response(418, b"tea", headers, cors=False)

    async with front_of(Answers(handle)) as front:
        answer = await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert answer == (
        b"HTTP/1.1 418 I'm a Teapot\r\nX-One: a\r\nset-cookie: 1\r\nSet-Cookie: 2\r\n"
        b"Content-Length: 3\r\nConnection: close\r\n\r\ntea"
    )


@pytest.mark.parametrize("status", [200, 204, 304])
async def test_an_answer_without_a_body_has_none(status: int) -> None:
    """To HEAD, and by its status; the connection goes on."""

    async def handle(_: Request) -> Response:
        return Response(
            status, b"", (("Content-Length", "7"),) if status == 200 else (), cors=False
        )

    head = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
    async with front_of(Answers(handle)) as front:
        answer = await talk(front, head + b"HEAD / HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"\r\n\r\n")


async def test_a_connection_is_used_again_and_requests_may_be_sent_ahead() -> None:
    """Answers come in the order of the requests."""

    async def handle(request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        return Response(200, request.path.encode(), cors=False)

    port = Answers(handle)
    one = b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
    async with front_of(port) as front:
        sent = b"".join(one % number for number in range(20))
        answer = await talk(front, sent + b"GET /end HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert front.counters.connections == 1
    assert [request.path for request, _ in port.asked] == [f"/{n}" for n in range(20)] + ["/end"]
    assert answer.count(b"200 OK") == 21


async def test_a_request_may_come_while_another_is_answered() -> None:
    """It waits for its turn."""
    ready = trio.Event()

    async def handle(request: Request) -> Response:
        if request.path == "/1":
            await ready.wait()
        return Response(200, request.path.encode(), cors=False)

    port = Answers(handle)
    async with front_of(port) as front, await connect(front) as stream:
        await stream.send_all(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
        await port.begun.wait()
        await stream.send_all(b"GET /2 HTTP/1.1\r\n" + CLOSE + b"\r\n")
        await trio.testing.wait_all_tasks_blocked()
        ready.set()
        answer = await read_all(stream)

    assert answer.index(b"/1") < answer.index(b"/2")


async def test_a_body_that_nobody_reads_is_passed_over() -> None:
    """A master that refuses a short upload unread: the connection goes on behind it."""

    async def handle(request: Request) -> Response:
        return Response(200 if request.stream is None else 411, b"", cors=False)

    upload = (
        b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: 5\r\n\r\nhello"
    )
    async with front_of(Answers(handle)) as front:
        answer = await talk(front, upload, b"GET /2 HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"411", b"200"]
    assert front.counters.connections == 1


async def test_an_answer_that_cannot_be_written_ends_one_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A header that is no header: the log says so, and the front goes on."""

    async def handle(request: Request) -> Response:
        return Response(200, b"", (("X-Price", "5 €"),) if request.path == "/bad" else ())

    async with front_of(Answers(handle)) as front:
        assert await talk(front, b"GET /bad HTTP/1.1\r\n" + CLOSE + b"\r\n") == b""
        assert b"200 OK" in await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert "a connection failed" in caplog.text


async def test_an_old_client_is_answered_and_left() -> None:
    """HTTP/1.0 has no chunks: the end of the connection is the end of the body."""

    async def handle(_: Request) -> Response:
        return Response(200, headers=(), cors=False, stream=Whole(b"abc"))

    async with front_of(Answers(handle)) as front:
        answer = await talk(front, b"GET / HTTP/1.0\r\n\r\n")

    assert b"chunked" not in answer
    assert answer.endswith(b"\r\n\r\nabc")


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    """As Go's do: the body is sent once somebody reads it."""
    port = Answers()
    head = b"PUT /a HTTP/1.1\r\n" + CLOSE + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    async with front_of(port) as front, await connect(front) as stream:
        await stream.send_all(head)
        assert await stream.receive_some() == b"HTTP/1.1 100 \r\n\r\n"
        await stream.send_all(b"hello")
        assert b"200 OK" in await read_all(stream)

    assert port.asked[0][1] == b"hello"


async def test_a_refusal_before_the_body_needs_no_body() -> None:
    """A master that says no to the head of an upload: the client keeps its gigabyte."""

    async def handle(_: Request) -> Response:
        return Response(411, b"no")

    head = (
        b"PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 9999999\r\n\r\n"
    )
    async with front_of(Answers(handle)) as front:
        answer = await talk(front, head)

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close" in answer


class Endless:
    """A body that comes piece by piece, as it is asked for."""

    def __init__(self, count: int, *, breaks: bool = False) -> None:
        self.given = 0
        self.closed = False
        self._count = count
        self._breaks = breaks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.given == self._count:
            if self._breaks:
                raise BodyCutError("gone")
            raise StopAsyncIteration
        self.given += 1
        return PART

    async def aclose(self) -> None:
        self.closed = True


async def test_long_bodies_pass_in_pieces_both_ways() -> None:
    """Many megabytes: neither side's pieces are collected."""
    seen: list[int] = []
    source = Endless(500)

    async def handle(request: Request) -> Response:
        assert request.stream is not None
        digest = hashlib.sha256()
        async for part in request.chunks():
            seen.append(len(part))
            digest.update(part)
        headers = (("X-Digest", digest.hexdigest()),)
        return Response(200, headers=headers, cors=False, stream=source)

    head = (
        b"PUT /a HTTP/1.1\r\n" + CLOSE + b"Content-Type: application/octet-stream\r\n"
        b"Content-Length: %d\r\n\r\n" % (500 * len(PART))
    )

    async with front_of(Answers(handle)) as front, await connect(front) as stream:
        await stream.send_all(head)
        for _ in range(500):
            await stream.send_all(PART)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await stream.receive_some(1000)
        assert source.given < 400  # the client has not read what comes, so it has not been made
        answer += await read_all(stream)

    assert max(seen) <= 1_048_576
    assert hashlib.sha256(PART * 500).hexdigest().encode() in answer
    assert answer.count(PART[:60_000]) == 500
    assert source.closed


async def test_an_event_is_passed_on_when_it_comes() -> None:
    """A stream of events is not buffered, and is let go when the client hangs up."""
    ask, answer = trio.open_memory_channel[bytes](0)
    closed = trio.Event()

    class Events:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return aiter(answer)

        async def aclose(self) -> None:
            closed.set()

    async def handle(_: Request) -> Response:
        headers = (("Content-Type", "text/event-stream"),)
        return Response(200, headers=headers, cors=False, stream=Events())

    async with front_of(Answers(handle)) as front:
        stream = await connect(front)
        await stream.send_all(b"GET /api/events/stream HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"text/event-stream" in await stream.receive_some()
        for event in (b"data: 1\n\n", b"data: 2\n\n"):
            await ask.send(event)
            assert event in await stream.receive_some()
        await stream.aclose()
        with trio.fail_after(5):
            await closed.wait()


async def test_a_client_that_hangs_up_ends_its_request() -> None:
    """Nobody waits for an answer: the call to the master is given up."""

    async def handle(_: Request) -> Response:
        await trio.sleep_forever()
        raise AssertionError

    port = Answers(handle)
    async with front_of(port) as front:
        stream = await connect(front)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await port.begun.wait()
        await stream.aclose()
        with trio.fail_after(5):
            await port.cancelled.wait()


async def test_a_client_that_breaks_off_in_its_body_is_no_request() -> None:
    """A short body is not passed on at all; a long one breaks off at the master too."""

    async def handle(request: Request) -> Response:
        with pytest.raises(BodyCutError):
            await collect(request.chunks())
        cut.set()
        raise NoReply("cut", definite=False)

    port, cut = Answers(handle), trio.Event()
    async with front_of(port) as front:
        for kind in (b"application/json", b"application/octet-stream"):
            stream = await connect(front)
            await stream.send_all(
                b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nContent-Type: %s\r\n\r\nab"
                % kind
            )
            await stream.aclose()
        with trio.fail_after(5):
            await cut.wait()

    assert len(port.asked) == 1


async def test_a_master_that_cannot_be_reached_is_a_bad_gateway() -> None:
    """The body says why, and that it is muster who says so; the connection goes on."""

    async def handle(_: Request) -> Response:
        raise NoReply("ConnectError: refused", definite=True)

    async with front_of(Answers(handle)) as front:
        answer = await talk(
            front, b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n" + CLOSE + b"\r\n"
        )

    assert answer.count(b"HTTP/1.1 502 Bad Gateway") == 2
    body = json.loads(answer[answer.rindex(b"\r\n\r\n") :])
    assert body["message"] == "muster: the master gave no answer: ConnectError: refused"
    assert front.counters.unreachable == 2


async def test_a_fault_of_ours_is_told_from_the_masters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client gets a 500, the log the trace, and the next client its answer."""

    async def handle(_: Request) -> Response:
        raise RuntimeError("ours")

    async with front_of(Answers(handle)) as front:
        for _ in range(2):
            answer = await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
            assert b"HTTP/1.1 500 " in answer
    assert "ours" in caplog.text


# --- breaking things on purpose ---------------------------------------------------------------


def faulty(port: Port, *texts: str) -> Port:
    plan = Plan(tuple(parse(text) for text in texts))
    return Faults(plan, RealClock(), History(Redactor()), trio.current_time).port(port, "alpha")


@pytest.mark.parametrize("fault", ["drop_request", "drop_reply", "partition"])
async def test_what_is_lost_is_a_reset(fault: str) -> None:
    """The client's connection breaks without a byte of an answer."""
    port = Answers()
    async with front_of(faulty(port, fault)) as front, await connect(front) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.receive_some()

    assert "reset" in str(caught.value.__cause__)
    assert len(port.asked) == (fault == "drop_reply")
    assert front.counters.cut == 1


async def test_a_reset_in_the_middle_of_an_answer_is_one() -> None:
    """The client has the head and half of the body, then a broken connection."""
    async with front_of(faulty(Answers(), "reset")) as front, await connect(front) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        received = b""
        with pytest.raises(trio.BrokenResourceError):  # noqa: PT012 - it comes after some bytes
            while part := await stream.receive_some():
                received += part

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b'{"code')


async def test_a_body_that_breaks_off_breaks_the_connection() -> None:
    """A cut answer is never taken for a whole one."""
    source = Endless(2, breaks=True)

    async def handle(_: Request) -> Response:
        return Response(200, headers=(), cors=False, stream=source)

    async with front_of(Answers(handle)) as front, await connect(front) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        with pytest.raises(trio.BrokenResourceError):
            await read_all(stream)
    assert source.closed


async def test_a_proxys_answer_is_what_the_client_gets() -> None:
    """With its status and its page."""
    async with front_of(faulty(Answers(), "answer 503")) as front:
        answer = await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Access-Control" not in answer


async def test_a_front_refuses_and_accepts_again_on_the_same_port() -> None:
    """Connections that there are go on meanwhile, until they are cut."""
    async with front_of(Answers()) as front, await connect(front) as stream:
        number = front.number
        await front.refuse()
        with pytest.raises(OSError, match="all attempts to connect"):
            await connect(front)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"200 OK" in await stream.receive_some()
        front.cut()
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        await front.accept()
        assert front.number == number
        assert b"200 OK" in await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")


# --- garbage --------------------------------------------------------------------------------


def spoken(sent: bytes) -> tuple[bytes, int]:
    """Return what a front answers to some bytes and the end of them, and how many were requests."""

    async def main() -> tuple[bytes, int]:
        async with front_of(Answers()) as front, await connect(front) as stream:
            try:
                await stream.send_all(sent)
                await stream.send_eof()
                received = await read_all(stream)
            except trio.BrokenResourceError:
                received = b""
            again = await talk(front, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
            assert again.startswith(b"HTTP/1.1 200 OK"), "the front outlives its clients"
            return received, front.counters.requests - 1

    return trio.run(main)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_end_their_own_connection_at_most(sent: bytes) -> None:
    """A client's garbage is answered 400, or not at all."""
    received, requests = spoken(sent)

    assert requests == 0
    assert received == b"" or received.startswith(b"HTTP/1.1 4")


WORDS = st.sampled_from(
    [
        *(
            b"GET",
            b"POST",
            b"HEAD",
            b"CONNECT",
            b" ",
            b"/",
            b"/a?b",
            b"*",
            b"http://x/",
            b":",
            b"\r\n",
        ),
        *(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"Host: h\r\n", b"Content-Length: ", b"3", b"-1"),
        *(
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"Upgrade: h2c\r\n",
            b"0",
        ),
        *(b"\r\n\r\n", b"\x00", b"\xff", b"abc", b"Connection: upgrade\r\n", b"\n"),
    ]
)


@given(st.lists(WORDS, max_size=14).map(b"".join))
@settings(max_examples=150)
def test_almost_http_is_an_answer_or_an_end(sent: bytes) -> None:
    """Nothing that looks like HTTP makes a fault of ours."""
    received, _ = spoken(b"GET / HTTP/1.1\r\n" + sent)

    assert b"HTTP/1.1 500" not in received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 1_100_000, 431),
    ],
)
async def test_what_is_no_request_is_told_so(sent: bytes, status: int) -> None:
    """With the reason, and the end of the connection."""
    async with front_of(Answers()) as front:
        answer = await talk(front, sent)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"muster: this is no HTTP/1.1 request: " in answer
    assert front.counters.refused == 1


async def test_pythons_own_client_is_served() -> None:
    """A client that nobody here wrote."""
    async with front_of(Answers()) as front:

        def ask() -> tuple[int, bytes]:
            client = http.client.HTTPConnection("127.0.0.1", front.number, timeout=5)
            with closing(client):
                client.request("POST", "/a", body=iter([b"ab", b"c"]), encode_chunked=True)
                answer = client.getresponse()
                return answer.status, answer.read()

        assert await trio.to_thread.run_sync(ask) == (200, b'{"code":"OK"}')
