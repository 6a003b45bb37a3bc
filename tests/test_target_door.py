"""Getting in at a target's door, and the one line for each way in which that fails."""

import random
import re
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from certificates import Authority
from conftest import HandClock
from msgspec.structs import replace
from test_agents_fakes import listen, ok, refusal, serve

from harness.sites import visit
from harness.sites.door import TargetError, Way, open_door
from harness.sites.file import ApiKey, Login, SetUp, TargetFile
from harness.sites.order import Order
from harness.sites.ports import port_maker
from harness.sites.secrets import SecretVariable
from harness.target import SeededEntropy
from harness.verdict import Exit
from master.config import Config
from master.core import Master
from master.protocol.exchange import Request, Response
from master.protocol.profiles import PROFILES
from master.protocol.times import NS
from master.store.database import Database
from simulated_agents.ports.http import HttpPort

PASSWORD = "correct-horse"
LIVE = b'{"status":"live","timestamp":"2026-01-01T00:00:00Z","uptime":5,"version":"v2.4.0"}'

Answers = dict[str, Response]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", PASSWORD)


LOGIN = Login("admin", SecretVariable("PASSWORD", "the password"))
SET_UP = SetUp("admin", SecretVariable("PASSWORD", "the password"))
KEY = ApiKey(SecretVariable("PASSWORD", "the key"))

Door = Login | SetUp | ApiKey


def target(url: str, door: Door = LOGIN, **more: object) -> TargetFile:
    return TargetFile(Path("backupx.toml"), url, door, **{"profile": "2.4", **more})  # type: ignore[arg-type]


async def enter(where: TargetFile, timeout_s: float = 30.0) -> Way:
    port = port_maker(where, timeout_s)()
    try:
        return await open_door(where, port)
    finally:
        await port.aclose()


async def refused(where: TargetFile, timeout_s: float = 30.0) -> str:
    """Return the one line for why there is no way in, without the URL before it."""
    with pytest.raises(TargetError) as caught:
        await enter(where, timeout_s)
    assert caught.value.code is Exit.TARGET
    assert PASSWORD not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(f"{where.url}: ")


Handle = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def served(handle: Handle) -> AsyncIterator[str]:
    """Serve over sockets for as long as the block, and yield the URL."""
    async with trio.open_nursery() as nursery:
        yield await listen(nursery, handle, [])
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def raw(
    say: Callable[[trio.SocketStream], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Listen for something that need not be HTTP."""
    async with trio.open_nursery() as nursery:
        serve = (
            partial(trio.serve_tcp, say, 0, host="127.0.0.1")
            if tls is None
            else partial(trio.serve_ssl_over_tcp, say, 0, tls, host="127.0.0.1")
        )
        listeners = await nursery.start(serve)
        inner = getattr(listeners[0], "transport_listener", listeners[0])
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{inner.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


def answering(answers: Answers, health: bytes = LIVE) -> Handle:
    """Return a server of a few answers, and 404 for the rest."""

    async def handle(request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        if request.path == "/api/health":
            return Response(200, health)
        if request.path == "/api/auth/setup/status":
            return ok({"initialized": True})
        return answers.get(request.path, refusal(404, "NOT_FOUND"))

    return handle


def a_login(role: str) -> dict[str, object]:
    return {"token": "a-log-in", "user": {"id": 1, "username": "admin", "role": role}}


@pytest.fixture
def reference(clock: HandClock) -> Iterator[Master]:
    """A fresh reference master of v2.4."""
    config = Config(profile=PROFILES["2.4"], bcrypt_cost=4)
    with Master(Database(release="v2.4.0"), clock, SeededEntropy(random.Random(1)), config) as made:
        yield made


async def asked(
    url: str, token: str, method: str, path: str, body: object = None
) -> dict[str, str]:
    """Return the data of an administrator's call that succeeds."""
    port = HttpPort(url)
    request = Request(method, path, {"authorization": f"Bearer {token}"}, msgspec.json.encode(body))
    try:
        response = await port.send(request)
    finally:
        await port.aclose()
    assert response.status == 200, response.body
    data: dict[str, str] = msgspec.json.decode(response.body)["data"]
    return data


async def test_a_fresh_server_is_set_up(reference: Master) -> None:
    """Its first administrator is the one of the target file, whose log-in works."""
    async with served(reference.handle) as url:
        way = await enter(target(url, SET_UP))

        profile = await asked(url, way.token, "GET", "/api/auth/profile")

    assert (profile["username"], profile["role"]) == ("admin", "admin")
    assert way.log_in == {"username": "admin", "password": PASSWORD}
    assert way.health.version == "v2.4.0"
    assert set(way.secrets) == {PASSWORD, way.token}
    assert way.token not in repr(way)
    assert PASSWORD not in repr(way)


async def test_a_server_that_was_set_up_before_is_logged_in_to(reference: Master) -> None:
    """So that the same file can be used twice."""
    async with served(reference.handle) as url:
        await enter(target(url, SET_UP))
        again = await enter(target(url, SET_UP))
        login = await enter(target(url, LOGIN))

        for way in (again, login):
            assert await asked(url, way.token, "GET", "/api/auth/profile")


async def test_a_server_that_others_set_up_says_so(reference: Master) -> None:
    """Beside that the log-in failed."""
    async with served(reference.handle) as url:
        await enter(target(url, SetUp("somebody", SET_UP.password)))

        said = await refused(target(url, SET_UP))

    assert said == (
        "the log-in of 'admin' was refused (AUTH_INVALID_CREDENTIALS): wrong password, or no such"
        " user (the server has been set up already, so 'admin' of [setup] was tried as a log-in)"
    )


async def test_the_loser_of_a_race_to_set_up_logs_in(reference: Master) -> None:
    """The server was fresh when it was asked, and is not any more."""

    async def handle(request: Request) -> Response:
        if request.path == "/api/auth/setup/status":
            return ok({"initialized": False})
        return await reference.handle(request)

    async with served(handle) as url:
        await enter(target(url, SET_UP))
        again = await enter(target(url, SET_UP))

        assert await asked(url, again.token, "GET", "/api/auth/profile")


async def test_too_many_log_ins_are_told_with_the_end_of_the_wait(
    reference: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five a minute and client; the sixth is told until when."""
    async with served(reference.handle) as url:
        await enter(target(url, SET_UP))
        monkeypatch.setenv("PASSWORD", "wrong-" + PASSWORD)
        said = [await refused(target(url)) for _ in range(6)]

    assert all("wrong password, or no such user" in line for line in said[:5])
    assert re.fullmatch(
        r"the log-in of 'admin' was refused \(AUTH_RATE_LIMITED\): too many log-ins from this"
        r" machine \(5 a minute\): try again after \d\d:\d\d:\d\d UTC, or use an API key",
        said[5],
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"role": "operator"}, "its role is too low: muster needs one of role admin"),
        ({"role": "viewer"}, "its role is too low: muster needs one of role admin"),
        ({"disabled": True}, "it is disabled: enable it, or make another"),
        ({"ttlHours": 1}, "it has expired: make another"),
        ({"revoked": True}, "the server does not know it: it was revoked, or is another's"),
        ({}, ""),
    ],
)
async def test_an_api_key_is_tried(
    reference: Master,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    said: str,
) -> None:
    """One of an administrator opens the door; the others are told apart."""
    async with served(reference.handle) as url:
        admin = (await enter(target(url, SET_UP))).token
        body = {"name": "ci", "role": "admin", "ttlHours": 0} | change
        made: Any = await asked(url, admin, "POST", "/api/api-keys", body)
        monkeypatch.setenv("PASSWORD", made["plainKey"])
        key_path = f"/api/api-keys/{made['apiKey']['id']}"
        if "disabled" in change:
            await asked(url, admin, "PUT", f"{key_path}/toggle", {"disabled": True})
        if "revoked" in change:
            await asked(url, admin, "DELETE", key_path)
        if "ttlHours" in change:
            clock.ns += 3_601 * NS

        if said:
            line = await refused(target(url, KEY))
            assert line.startswith("the API key was refused (AUTH_")
            assert line.endswith(said)
        else:
            way = await enter(target(url, KEY))
            assert (way.token, way.log_in) == (made["plainKey"], None)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("AUTH_USER_DISABLED", 401, "'admin' is disabled: enable the user, or take another"),
        ("AUTH_2FA_REQUIRED", 401, "'admin' has a second factor: give muster an API key"),
        ("AUTH_LOGIN_INVALID", 400, "a name of 3 to 64 characters and a password of 8 to 128"),
    ],
)
async def test_a_refused_log_in_says_why(code: str, status: int, said: str) -> None:
    """And what to do."""
    async with served(answering({"/api/auth/login": refusal(status, code)})) as url:
        line = await refused(target(url))

    assert line.startswith(f"the log-in of 'admin' was refused ({code}): {said}")


@pytest.mark.parametrize("door", [LOGIN, KEY])
async def test_a_fresh_server_that_nobody_was_told_to_set_up_says_so(
    reference: Master, door: Door
) -> None:
    """It is not set up unasked."""
    async with served(reference.handle) as url:
        line = await refused(target(url, door))

    assert line == (
        "the server is fresh, nobody has set it up: take [setup] in backupx.toml to make its first"
        " administrator"
    )


async def test_a_log_in_with_too_low_a_role_is_told() -> None:
    """Before anything is refused for it."""
    async with served(answering({"/api/auth/login": ok(a_login("operator"))})) as url:
        line = await refused(target(url))

    assert line == "'admin' has role operator, and muster needs one of role admin"


async def test_an_answer_that_nobody_expected_is_shown() -> None:
    """In one line."""
    broken = Response(500, b'{"code":"INTERNAL_ERROR",\n"message":"no"}')
    async with served(answering({"/api/auth/login": broken})) as url:
        line = await refused(target(url))

    assert line == (
        'the log-in of \'admin\' was answered 500 {"code":"INTERNAL_ERROR", "message":"no"}'
    )


@pytest.mark.parametrize(
    ("version", "profile", "wanted", "said"),
    [
        (
            "v2.3.5",
            "2.4",
            None,
            "the server is v2.3.5, which is profile 2.3.5, and backupx.toml says 2.4",
        ),
        ("v2.2.0", "2.3.4", None, "the server is v2.2.0, which is profile 2.0"),
        ("v2.4.0", "2.4", "v2.4.1", "the server is v2.4.0, and backupx.toml says version 'v2.4.1'"),
    ],
)
async def test_a_server_of_another_version_is_refused(
    version: str, profile: str, wanted: str | None, said: str
) -> None:
    """What it is and what it was said to be."""
    health = LIVE.replace(b"v2.4.0", version.encode())
    async with served(answering({}, health)) as url:
        line = await refused(target(url, profile=profile, version=wanted))

    assert line.startswith(said)
    assert 'version = "any"' in line


@pytest.mark.parametrize(
    ("version", "profile", "wanted", "note"),
    [
        ("v2.4.0", "2.4", None, ()),
        (
            "v2.2.0",
            "2.0",
            None,
            ("the server is v2.2.0, no release that profile 2.0 was held against",),
        ),
        (
            "v2.4.0-patched",
            "2.4",
            None,
            ("the server is v2.4.0-patched, no release that profile 2.4 was held against",),
        ),
        (
            "dev",
            "2.3.5",
            None,
            (
                "the server's version is 'dev', which is no release: judged as 2.3.5 because the target file says so",
            ),
        ),
        ("v2.3.5", "2.4", "any", ("the server is v2.3.5, which is profile 2.3.5: judged as 2.4",)),
        (
            "v2.3.5",
            "strict",
            None,
            ("the server is v2.3.5, which is profile 2.3.5: judged as strict",),
        ),
    ],
)
async def test_a_version_that_is_unusual_is_noted(
    version: str, profile: str, wanted: str | None, note: tuple[str, ...]
) -> None:
    """A patched server and one without a version are played on, and so is any that is asked for."""
    health = LIVE.replace(b"v2.4.0", version.encode())
    answers = {"/api/auth/login": ok(a_login("admin"))}
    async with served(answering(answers, health)) as url:
        way = await enter(target(url, profile=profile, version=wanted))

    assert way.notes == note


# --- nobody there, or somebody else -------------------------------------------------------------


def html(status: int, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, text.encode(), headers, cors=False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            html(404, "<html>\n<h1>404</h1></html>", ("Server", "nginx/1.24.0")),
            "no BackupX: GET /api/health was answered by nginx/1.24.0 404 <html> <h1>404</h1></html>",
        ),
        (html(200, "{}"), "no BackupX: GET /api/health was answered 200 {}"),
        (html(200, "[1]"), "no BackupX: GET /api/health was answered 200 [1]"),
        (html(200, "\x1b[31mred"), "no BackupX: GET /api/health was answered 200 [31mred"),
        (
            html(502, "Bad Gateway", ("Server", "nginx")),
            "a proxy answers by nginx, and the server behind it does not (502)",
        ),
        (
            html(301, "", ("Location", "https://h/api/health")),
            "it sends us elsewhere (301 to https://h/api/health): correct the url",
        ),
    ],
)
async def test_something_else_altogether_is_told_by_what_it_answers(
    answer: Response, said: str
) -> None:
    """No tracebacks, no pages of HTML, no escapes of a terminal."""

    async def handle(_: Request) -> Response:
        await trio.lowlevel.checkpoint()
        return answer

    async with served(handle) as url:
        assert await refused(target(url)) == said


async def test_nobody_there_is_told() -> None:
    """The port is closed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        said = await refused(target(url))

    assert said == "nothing listens there (connection refused): is the server running?"


async def test_a_host_that_is_not_there_is_told() -> None:
    """`.invalid` is never one."""
    said = await refused(target("http://muster.invalid:8340"))

    assert said.startswith("there is no such host")


async def test_a_port_that_speaks_something_else_is_told() -> None:
    """Such as SSH."""

    async def ssh(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        await stream.receive_some()

    async with raw(ssh) as url:
        said = await refused(target(url))

    assert said.startswith("what answers there speaks no HTTP")
    assert "SSH-2.0-OpenSSH_9.2p1" in said


async def test_a_port_that_greets_and_waits_is_told_by_its_greeting() -> None:
    """It would wait for as long as we do."""

    async def ssh(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        await trio.sleep_forever()

    async with raw(ssh) as url:
        said = await refused(target(url), timeout_s=0.3)

    assert "SSH-2.0-OpenSSH_9.2p1" in said


async def test_a_server_whose_database_is_locked_says_so(tmp_path: Path) -> None:
    """Where its file can be reached: its own answer says nothing of it."""
    path = tmp_path / "backupx.db"
    Database(path, release="v2.4.0").close()
    broken = Response(500, b'{"code":"AUTH_LOOKUP_FAILED","message":"no"}')
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with served(answering({"/api/auth/login": broken})) as url:
            line = await refused(target(url, database=path))

    assert line.startswith("the log-in of 'admin' was answered 500")
    assert f"its database {path}: " in line
    assert "locked" in line


async def test_a_server_that_hangs_up_is_told() -> None:
    """It takes the request and closes."""

    async def close(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with raw(close) as url:
        said = await refused(target(url))

    assert said == "no answer: Server disconnected without sending a response."


async def test_a_server_that_never_answers_is_told() -> None:
    """After the time that calls may take."""

    async def say_nothing(_: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with raw(say_nothing) as url:
        said = await refused(target(url), timeout_s=0.05)

    assert said == "the server did not answer in time: is it a BackupX, and is it well?"


async def test_a_visit_waits_no_longer_at_the_door(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Calls in the middle of a run may take longer than those that show who is there."""
    monkeypatch.setattr(visit, "TIMEOUT_S", 0.05)

    async def say_nothing(_: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with raw(say_nothing) as url:
        with trio.fail_after(10), pytest.raises(TargetError, match="did not answer in time"):
            async with visit.visiting(target(url), Order(tmp_path / "log")):
                raise AssertionError("nobody is there")


# --- TLS and prefixes ---------------------------------------------------------------------------


@asynccontextmanager
async def behind_tls(handle: Handle, authority: Authority, folder: Path) -> AsyncIterator[str]:
    serve_plain: Any = partial(serve, handle, [])

    async def serve_one(stream: Any) -> None:
        with suppress(trio.BrokenResourceError):  # who does not trust us hangs up
            await serve_plain(stream)

    async with raw(serve_one, authority.context(folder)) as url:
        yield url


async def test_a_private_authority_is_trusted_when_it_is_named(
    reference: Master, tmp_path: Path
) -> None:
    """All calls go through, below the path that a proxy put before them."""
    authority = Authority("muster's own")
    ca = authority.write(tmp_path / "ca.pem")
    paths: list[str] = []

    async def proxy(request: Request) -> Response:
        paths.append(request.path)
        before, prefix, path = request.path.partition("/backupx")
        if before or not prefix:
            return html(404, "not here")
        return await reference.handle(replace(request, path=path))

    async with behind_tls(proxy, authority, tmp_path) as url:
        way = await enter(target(f"{url}/backupx", SET_UP, ca=ca))

    assert way.health.version == "v2.4.0"
    assert paths == [
        "/backupx/api/health",
        "/backupx/api/auth/setup/status",
        "/backupx/api/auth/setup",
    ]


@pytest.mark.parametrize("other", [True, False])
async def test_a_certificate_that_is_not_trusted_is_told_with_what_it_was_checked_by(
    tmp_path: Path, other: bool
) -> None:
    """By this machine's authorities, or those of the file that the target names."""
    authority = Authority("muster's own")
    ca = Authority("another").write(tmp_path / "other.pem") if other else None

    async with behind_tls(answering({}), authority, tmp_path) as url:
        said = await refused(target(url, ca=ca))

    by = f"by {ca}" if other else "by this machine's CAs"
    assert said.startswith(f"its TLS certificate is not trusted {by}: ")
    assert said.endswith("certificates with ca = … in backupx.toml")


async def test_a_certificate_of_another_host_is_not_trusted(tmp_path: Path) -> None:
    """Although its authority is."""
    authority = Authority("muster's own")
    ca = authority.write(tmp_path / "ca.pem")
    context = authority.context(tmp_path, "127.0.0.2")

    async def read(stream: Any) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.receive_some()

    async with raw(read, context) as url:
        said = await refused(target(url, ca=ca))

    assert "IP address mismatch" in said


async def test_tls_where_none_is_spoken_is_told() -> None:
    """The URL says https, and the server speaks HTTP."""

    async def plain(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw(plain) as url:
        said = await refused(target(url.replace("http:", "https:")))

    assert said.startswith("it speaks no TLS that we know")
    assert said.endswith("is it http:// there?")
