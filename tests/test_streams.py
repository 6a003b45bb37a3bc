"""Bodies that come piece by piece, in both directions, in process and over TCP."""

import hashlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import trio
from hypercorn.trio import serve

from harness.history import History, RecordingPort
from harness.redact import Redactor
from master.app import App
from master.call import Call
from master.core import Master
from master.http import Route, reads_body
from master.protocol.exchange import BodyCutError, Chunks, Request, Response, Whole, collect
from master.serve import _settings
from master.store.rows import Node
from simulated_agents.ports import NoReply, Port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.ports.http import HttpPort

PART = b"x" * 60_000
PARTS = 50
TEXT = b'{"code":"CONTENT_LENGTH_REQUIRED","message":"m"}'


class Source:
    """A body whose pieces are made when they are asked for."""

    def __init__(
        self, count: int = PARTS, *, then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.given = 0
        self.closed = 0
        self.ended = trio.Event()
        self._count = count
        self._then = then

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.given < self._count:
            self.given += 1
            return PART
        if self._then is not None:
            await self._then()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1
        self.ended.set()


class Parts(Whole):
    """These pieces."""

    def __init__(self, *parts: bytes) -> None:
        super().__init__(b"")
        self._left = list(reversed(parts))
        self.closed = False

    async def aclose(self) -> None:
        await super().aclose()
        self.closed = True


class Echoes:
    """In place of a master: reads, stops reading, or streams, by the path."""

    def __init__(self) -> None:
        self.answers: list[Source] = []
        self.read: list[tuple[int | None, int, str]] = []
        self.cut = trio.Event()

    def streams(self, _method: str, path: str) -> bool:
        return path != "/whole"

    async def handle(self, request: Request) -> Response:
        return await self.answer(request)

    async def answer(self, request: Request) -> Response:
        match request.path:
            case "/read" | "/whole":
                size, digest = 0, hashlib.sha256()
                try:
                    async for part in request.chunks():
                        size += len(part)
                        digest.update(part)
                except BodyCutError:
                    self.cut.set()
                    raise
                self.read.append((request.length(), size, digest.hexdigest()))
                return Response(200, b"{}")
            case "/refuse":
                return Response(411, TEXT)
            case "/first":
                async for part in request.chunks():
                    return Response(200, part[:3])
        return self._long(request.path)

    def _long(self, path: str) -> Response:
        then = {"/endless": trio.sleep_forever, "/broken": _break}.get(path)
        source = Source(then=then)
        self.answers.append(source)
        length = (("Content-Length", str(PARTS * len(PART))),) if path == "/long" else ()
        return Response(200, headers=length, stream=source)


async def _break() -> None:
    raise OSError("the disk is gone")


@dataclass(frozen=True)
class Way:
    """In process, or over TCP through hypercorn and httpx."""

    name: str

    def run(self, talk: Callable[[Echoes, Port], Awaitable[None]]) -> None:
        trio.run(self._run, talk)

    async def _run(self, talk: Callable[[Echoes, Port], Awaitable[None]]) -> None:
        master = Echoes()
        with trio.fail_after(20):
            if self.name == "direct":
                await talk(master, DirectPort(master.handle))
                return
            async with trio.open_nursery() as nursery:
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    app: Any = App(master)  # type: ignore[arg-type]
                    await nursery.start(partial(serve, app, _settings(listener)))
                    port = HttpPort(f"http://127.0.0.1:{listener.getsockname()[1]}")
                    try:
                        await talk(master, port)
                    finally:
                        with trio.CancelScope(shield=True):
                            await port.aclose()
                nursery.cancel_scope.cancel()


WAYS = (Way("direct"), Way("tcp"))
both = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
WHOLE = hashlib.sha256(PART * PARTS).hexdigest()
LENGTH = {"content-length": str(PARTS * len(PART))}


@both
@pytest.mark.parametrize(("headers", "length"), [(LENGTH, PARTS * len(PART)), ({}, None)])
def test_a_long_request_is_read_as_it_comes(
    way: Way, headers: dict[str, str], length: int | None
) -> None:
    """Announced or chunked, all of it arrives, and its source is closed."""

    async def talk(master: Echoes, port: Port) -> None:
        source = Source()

        answer = await port.send(Request("PUT", "/read", headers, stream=source))

        assert (answer.status, master.read) == (200, [(length, PARTS * len(PART), WHOLE)])
        assert (source.given, source.closed > 0) == (PARTS, True)

    way.run(talk)


@both
def test_an_endpoint_that_reads_may_be_sent_bytes(way: Way) -> None:
    """A body in one piece has a length and chunks like any other."""

    async def talk(master: Echoes, port: Port) -> None:
        await port.send(Request("PUT", "/read", body=b"abc"))
        await port.send(Request("PUT", "/read"))

        assert [(length, size) for length, size, _ in master.read] == [(3, 3), (0, 0)]

    way.run(talk)


@both
@pytest.mark.parametrize("path", ["/refuse", "/first"])
def test_an_endpoint_may_stop_reading(way: Way, path: str) -> None:
    """Its answer arrives although most of the body was not read, and the next call is answered."""

    async def talk(_: Echoes, port: Port) -> None:
        source = Source(1_000)

        answer = await port.send(Request("PUT", path, stream=source))

        assert (answer.status, answer.body) == ((411, TEXT) if path == "/refuse" else (200, b"xxx"))
        assert source.closed > 0
        assert source.given < 1_000
        assert (await port.send(Request("PUT", "/read", body=b"abc"))).status == 200

    way.run(talk)


def test_a_short_body_that_nobody_reads_costs_no_connection() -> None:
    """What is left of it is read before the answer, as Go's server does."""

    async def talk(_: Echoes, port: Port) -> None:
        for _ in range(3):
            answer = await port.send(Request("PUT", "/refuse", stream=Source(2)))
            assert answer.status == 411
            assert ("connection", "close") not in answer.headers
        assert isinstance(port, HttpPort)
        pool: Any = port._client._transport
        assert len(pool._pool.connections) == 1
        assert pool._pool.connections[0].is_idle()

    WAYS[1].run(talk)


@both
def test_a_client_that_goes_within_its_body_ends_the_reading(way: Way) -> None:
    """The endpoint learns of it at once, and the client's source is closed."""

    async def talk(master: Echoes, port: Port) -> None:
        source = Source(3, then=trio.sleep_forever)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(port.send, Request("PUT", "/read", stream=source))
            while source.given < 3:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

        await source.ended.wait()
        if way.name == "tcp":
            await master.cut.wait()
        assert master.read == []

    way.run(talk)


@both
@pytest.mark.parametrize("parts", [0, PARTS - 1, PARTS + 1])
def test_a_body_of_another_length_than_announced_is_cut(way: Way, parts: int) -> None:
    """Nobody knows what the master made of the part that it got."""

    async def talk(master: Echoes, port: Port) -> None:
        with pytest.raises(NoReply) as caught:
            await port.send(Request("PUT", "/read", LENGTH, stream=Source(parts)))

        if parts < PARTS:  # a server over TCP has a whole request when it has what was announced
            await master.cut.wait()
        assert not caught.value.definite
        assert (await port.send(Request("PUT", "/read", body=b"abc"))).status == 200

    way.run(talk)


@both
@pytest.mark.parametrize("path", ["/long", "/chunked"])
def test_a_long_answer_is_handed_out_as_it_comes(way: Way, path: str) -> None:
    """With its length if there is one; its source is closed when all was read."""

    async def talk(master: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", path, streams_answer=True))
        assert answer.stream is not None

        body = await collect(answer.stream)

        assert body == PART * PARTS
        announced = {name.lower(): value for name, value in answer.headers}.get("content-length")
        assert announced == (LENGTH["content-length"] if path == "/long" else None)
        await master.answers[0].ended.wait()

    way.run(talk)


@both
def test_a_long_answer_comes_in_one_piece_to_those_who_want_it_so(way: Way) -> None:
    """A sender that says nothing of streams is handed bytes."""

    async def talk(master: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", "/long"))

        assert (answer.stream, answer.body) == (None, PART * PARTS)
        await master.answers[0].ended.wait()

    way.run(talk)


@both
def test_a_refusal_comes_in_one_piece(way: Way) -> None:
    """Whoever wanted a stream can read why there is none."""

    async def talk(_: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", "/refuse", streams_answer=True))

        assert (answer.status, answer.stream, answer.body) == (411, None, TEXT)
        assert await collect(answer.chunks()) == TEXT

    way.run(talk)


@both
@pytest.mark.parametrize("parts", [1, PARTS])
def test_a_reader_that_closes_ends_the_stream(way: Way, parts: int) -> None:
    """In the middle of what is there, or while it waits for more that does not come."""

    async def talk(master: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", "/endless", streams_answer=True))
        assert answer.stream is not None
        read = 0
        async for part in answer.stream:
            read += len(part)
            if read >= parts * len(PART):
                break

        await answer.stream.aclose()

        await master.answers[0].ended.wait()
        assert master.answers[0].given <= PARTS
        assert (await port.send(Request("PUT", "/read", body=b"abc"))).status == 200

    way.run(talk)


@both
def test_a_reader_that_is_cancelled_ends_the_stream(way: Way) -> None:
    """While it waits for more."""

    async def talk(master: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", "/endless", streams_answer=True))
        assert answer.stream is not None
        arrived = trio.Event()

        async def read(stream: Chunks) -> None:
            size = 0
            try:
                async for part in stream:
                    size += len(part)
                    if size == PARTS * len(PART):
                        arrived.set()
            finally:
                await stream.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, answer.stream)
            await arrived.wait()
            nursery.cancel_scope.cancel()

        await master.answers[0].ended.wait()

    way.run(talk)


def test_an_answer_that_breaks_off_does_not_look_whole(caplog: pytest.LogCaptureFixture) -> None:
    """The reader is told, and so is the log."""

    async def talk(master: Echoes, port: Port) -> None:
        answer = await port.send(Request("GET", "/broken", streams_answer=True))
        assert answer.stream is not None

        with pytest.raises(BodyCutError):
            await collect(answer.stream)

        await master.answers[0].ended.wait()

    with caplog.at_level(logging.ERROR, "muster.master"):
        WAYS[1].run(talk)

    assert caplog.messages == ["GET /broken broke off"]


@both
def test_the_history_has_the_size_and_hash_of_a_stream(way: Way) -> None:
    """Of either direction, and whether all of it passed; not the bytes."""
    history = History(Redactor())

    async def talk(_: Echoes, port: Port) -> None:
        recording = RecordingPort(port, history, "alpha", lambda: 0.0)
        await recording.send(Request("PUT", "/read", LENGTH, stream=Source()))
        answer = await recording.send(Request("GET", "/long", streams_answer=True))
        await collect(answer.chunks())
        cut = await recording.send(Request("GET", "/endless", streams_answer=True))
        await cut.chunks().aclose()

    way.run(talk)

    bodies = [history.described(op)["body"] for op in history.ops]
    whole = {"streamed": PARTS * len(PART), "sha256": WHOLE, "whole": True}
    nothing = {"streamed": 0, "sha256": hashlib.sha256().hexdigest(), "whole": False}
    assert bodies == [whole, {}, None, whole, None, nothing]


async def test_a_body_in_one_piece_is_chunks_too() -> None:
    """Read once, in one piece, or not at all when it is empty."""
    assert [part async for part in Whole(b"abc")] == [b"abc"]
    assert [part async for part in Whole(b"")] == []


async def test_an_endpoint_that_does_not_read_is_given_the_whole_body(master: Master) -> None:
    """However it was sent."""
    master.state.database.update(Node, 1, token="t")
    body = Parts(b'{"hostname":', b'"streamed"}')

    answer = await DirectPort(master.handle).send(
        Request("POST", "/api/agent/heartbeat", {"x-agent-token": "t"}, stream=body)
    )

    assert answer.status == 200
    assert master.state.database.get(Node, 1).hostname == "streamed"
    assert body.closed


async def test_an_endpoint_that_reads_says_so(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is marked where it is written, and then handed the stream."""
    seen: list[bytes] = []

    @reads_body
    async def upload(_: object, call: Call) -> Response:
        seen.extend([part async for part in call.request.chunks()])
        return Response(200)

    monkeypatch.setattr(master.router, "_exact", {("PUT", "/up"): Route(upload)})

    await DirectPort(master.handle).send(Request("PUT", "/up", stream=Parts(b"a", b"b")))

    assert seen == [b"a", b"b"]
    assert master.streams("PUT", "/up")
    assert not master.streams("POST", "/api/agent/heartbeat")
    assert not master.streams("GET", "/nowhere")


@pytest.mark.parametrize(("count", "read"), [(3, 3), (100, 5)])
async def test_the_rest_of_a_body_is_read_before_the_answer(count: int, read: int) -> None:
    """All of it, or as much as is worth the connection: many clients send first, and then look."""
    happened: list[str] = []
    left = count

    async def receive() -> dict[str, Any]:
        nonlocal left
        await trio.lowlevel.checkpoint()
        if left == 0:
            await trio.sleep_forever()
        left -= 1
        happened.append("part")
        return {"type": "http.request", "body": PART, "more_body": left > 0}

    async def send(message: Any) -> None:
        happened.append(message["type"])

    app: Any = App(Echoes())  # type: ignore[arg-type]
    asked = {"type": "http", "method": "PUT", "path": "/refuse", "query_string": b"", "headers": []}
    with trio.fail_after(5):
        await app(asked, receive, send)

    assert happened[: read + 1] == ["part"] * read + ["http.response.start"]
