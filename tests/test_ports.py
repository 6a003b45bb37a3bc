"""What ports carry, unchanged, and how they tell that nothing came back."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
from test_agents_fakes import TOKEN, Arm, World, both, listen, ok

from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply, close_port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.ports.http import HttpPort


@both
def test_a_request_arrives_as_it_was_sent(arm: Arm) -> None:
    """Method, path, query, headers and body are the sender's."""

    async def body(world: World) -> None:
        sent = Request(
            "PUT", "/api/x", {"x-agent-token": TOKEN, "content-type": "a/b"}, b"\x00\xff", "a=%20&b"
        )
        await world.port.send(sent)

        (arrived,) = world.master.requests

        assert (arrived.method, arrived.path, arrived.query, arrived.body) == (
            ("PUT", "/api/x", "a=%20&b", b"\x00\xff")
        )
        assert arrived.headers["x-agent-token"] == TOKEN
        assert arrived.headers["content-type"] == "a/b"

    arm.run(body)


@both
def test_an_answer_comes_back_as_it_was_given(arm: Arm) -> None:
    """Status, body and every header; a redirect is an answer."""

    async def body(world: World) -> None:
        world.master.answers["POST", "/old"] = Response(
            307, b"elsewhere", (("Location", "/new"),), cors=False
        )

        answer = await world.port.send(Request("POST", "/old"))

        assert (answer.status, answer.body) == (307, b"elsewhere")
        assert ("location", "/new") in [(name.lower(), text) for name, text in answer.all_headers()]
        assert len(world.master.requests) == 1

    arm.run(body)


PATHS = {
    "/api/agent/commands//result": ("/api/agent/commands//result", "/api/agent/commands//result"),
    "/api/agent/records/%2B1": ("/api/agent/records/%2B1", "/api/agent/records/+1"),
    "/api/agent/records/+1": ("/api/agent/records/+1", "/api/agent/records/+1"),
    "/a/../b/./c": ("/a/../b/./c", "/a/../b/./c"),
    "/a%2fb": ("/a%2fb", "/a/b"),
    "/a b/é?#": ("/a%20b/%C3%A9%3F%23", "/a b/é?#"),
    "/100%": ("/100%25", "/100%"),
    "//": ("//", "//"),
}


@both
@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_not_tidied_up(arm: Arm, path: str) -> None:
    """Dots, slashes and escapes reach the server as they stand, and mean the same to both arms."""

    async def body(world: World) -> None:
        await world.port.send(Request("GET", path, query="p=/x"))

        target, decoded = PATHS[path]

        assert world.master.requests[0].path == decoded
        if arm.name == "http":
            assert world.targets == [target + "?p=/x"]

    arm.run(body)


TIMEOUT_S = 0.2

Handle = Callable[[Request], Awaitable[Response]]
Talk = Callable[[str, list[str]], Awaitable[None]]


async def answer_ok(_: Request) -> Response:
    return ok(None)


def over_http(talk: Talk, handle: Handle = answer_ok) -> None:
    async def main() -> None:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                targets: list[str] = []
                await talk(await listen(nursery, handle, targets), targets)
                nursery.cancel_scope.cancel()

    trio.run(main)


async def no_reply(port: HttpPort) -> NoReply:
    try:
        with pytest.raises(NoReply) as caught:
            await port.send(Request("POST", "/x", {"x-agent-token": TOKEN}, b"{}"))
    finally:
        await port.aclose()
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_prefix_comes_before_every_path() -> None:
    """A master behind a path of a proxy is reached below it."""

    async def talk(url: str, targets: list[str]) -> None:
        port = HttpPort(url + "/backup%20x/")
        await port.send(Request("GET", "/api//health"))
        await port.aclose()

        assert targets == ["/backup%20x/api//health"]

    over_http(talk)


def test_one_connection_serves_one_call_after_the_other() -> None:
    """A port keeps its connection between calls."""
    connections: list[trio.SocketStream] = []

    async def count(stream: trio.SocketStream) -> None:
        connections.append(stream)
        while await stream.receive_some():
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            port = await listening(nursery, count)
            for _ in range(3):
                await port.send(Request("POST", "/x"))
            await port.aclose()
            nursery.cancel_scope.cancel()

    trio.run(main)

    assert len(connections) == 1


async def listening(
    nursery: trio.Nursery, serve: Callable[[trio.SocketStream], Awaitable[None]]
) -> HttpPort:
    listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    return HttpPort(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}", timeout_s=TIMEOUT_S)


def reply_of(serve: Callable[[trio.SocketStream], Awaitable[None]]) -> NoReply:
    async def main() -> NoReply:
        async with trio.open_nursery() as nursery:
            reason = await no_reply(await listening(nursery, serve))
            nursery.cancel_scope.cancel()
        return reason

    return trio.run(main)


def test_nobody_listens() -> None:
    """A refused connection is definite: the request was not received."""

    async def main() -> None:
        with trio.socket.socket() as bound:
            await bound.bind(("127.0.0.1", 0))
            port = HttpPort(f"http://127.0.0.1:{bound.getsockname()[1]}")

            assert (await no_reply(port)).definite

    trio.run(main)


def test_the_server_hangs_up() -> None:
    """A connection that closes without an answer leaves open what happened."""

    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.aclose()

    assert not reply_of(hang_up).definite


def test_the_server_hangs_up_in_the_middle_of_its_answer() -> None:
    """Half an answer is none."""

    async def half(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")
        await stream.aclose()

    assert not reply_of(half).definite


def test_the_server_does_not_answer_in_time() -> None:
    """The limit is on the whole call, and what happened is unknown."""

    async def drip(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
        while True:
            await stream.send_all(b"x")
            await trio.sleep(0.05)

    reason = reply_of(drip)

    assert (reason.definite, reason.reason) == (False, f"no answer within {TIMEOUT_S} s")


def test_the_server_does_not_speak_http() -> None:
    """Nonsense is no answer."""

    async def nonsense(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"220 mail.example ESMTP\r\n")

    assert not reply_of(nonsense).definite


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents go straight to their master."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def talk(url: str, targets: list[str]) -> None:
        port = HttpPort(url)
        await port.send(Request("GET", "/direct"))
        await port.aclose()

        assert targets == ["/direct"]

    over_http(talk)


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "ftp://h", "http://", "http://u:p@h", "http://h/?a", "http://h:x"],
)
def test_what_is_no_url_of_a_master(url: str) -> None:
    """Only http and https to a host, without credentials, query or fragment."""
    with pytest.raises(ValueError, match=r"URL|expected"):
        HttpPort(url)


def test_closing_a_port_without_connections() -> None:
    """Any port may be closed; one in process has nothing to close."""
    port = DirectPort(answer_ok)

    async def main() -> Response:
        await close_port(port)
        return await port.send(Request("GET", "/x"))

    assert trio.run(main).status == 200
