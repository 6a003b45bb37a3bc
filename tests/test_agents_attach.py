"""Where tokens come from: the admin API, or a file."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from test_agents_fakes import Arm, World, both, ok, refusal

from master.protocol.exchange import Request, Response
from simulated_agents.attach import (
    ApiKey,
    AttachError,
    Login,
    Provisioned,
    provision,
    read_tokens,
)
from simulated_agents.ports import NoReply
from simulated_agents.ports.direct import DirectPort

LOGIN = Login("admin", "pass-word")
STATUS = ("GET", "/api/auth/setup/status")
NODES = ("GET", "/api/nodes")


class Administration:
    """The admin API as far as it is used: nodes in memory, one administrator."""

    def __init__(self, *, initialized: bool = True) -> None:
        self.calls: list[tuple[str, str]] = []
        self.nodes = {"本机 (Local)": 1, "beta": 2}
        self.initialized = initialized

    async def handle(self, request: Request) -> Response:
        self.calls.append((request.method, request.path))
        if (request.method, request.path) == STATUS:
            return ok({"initialized": self.initialized})
        body = json.loads(request.body) if request.body else {}
        if request.path.startswith("/api/auth/"):
            return self._session(request.path, body)
        if not self._allowed(request):
            return refusal(401, "AUTH_REQUIRED", "请先登录")
        return self._answer(request, body)

    def _session(self, path: str, body: dict[str, str]) -> Response:
        name = body.pop("displayName", None)
        known = body == {"username": "admin", "password": "pass-word"}
        right = "/api/auth/login" if self.initialized else "/api/auth/setup"
        if not known or path != right or (name is None) is not self.initialized:
            return refusal(401, "AUTH_INVALID_CREDENTIALS", "用户名或密码错误")
        return ok({"token": "jwt"})

    def _allowed(self, request: Request) -> bool:
        headers = request.headers
        return headers.get("authorization") == "Bearer jwt" or headers.get("x-api-key") == "bax_1"

    def _answer(self, request: Request, body: dict[str, str]) -> Response:
        if (request.method, request.path) == NODES:
            return ok([{"id": number, "name": name} for name, number in self.nodes.items()])
        if request.path == "/api/nodes":
            self.nodes[body["name"]] = len(self.nodes) + 1
            return ok({"token": f"new-{body['name']}"})
        number = int(request.path.split("/")[3])
        return ok({"newToken": f"rotated-{number}"})


@both
def test_nodes_are_made_or_get_a_new_token(arm: Arm) -> None:
    """In the order of the names; ids come from the list of nodes."""

    async def body(world: World) -> None:
        administration = Administration()
        for key in ALL_CALLS:
            world.master.answers[key] = administration.handle

        made = await provision(world.port, LOGIN, ["alpha", "beta"])

        assert made == [Provisioned("alpha", 3, "new-alpha"), Provisioned("beta", 2, "rotated-2")]
        assert administration.calls == [
            STATUS,
            ("POST", "/api/auth/login"),
            NODES,
            ("POST", "/api/nodes"),
            ("POST", "/api/nodes/2/rotate-token"),
            NODES,
        ]

    arm.run(body)


ALL_CALLS = [
    STATUS,
    NODES,
    ("POST", "/api/auth/login"),
    ("POST", "/api/nodes"),
    ("POST", "/api/nodes/2/rotate-token"),
]


def provisioned(
    handle: Callable[[Request], Awaitable[Response]],
    credentials: Login | ApiKey = LOGIN,
    names: tuple[str, ...] = ("alpha",),
) -> list[Provisioned]:
    return trio.run(provision, DirectPort(handle), credentials, names)


def test_a_fresh_server_is_set_up() -> None:
    """With the given name and password, which are the administrator's from then on."""
    administration = Administration(initialized=False)

    assert provisioned(administration.handle)[0].token == "new-alpha"
    assert administration.calls[1] == ("POST", "/api/auth/setup")


def test_an_api_key_needs_no_login() -> None:
    """It goes into every request instead."""
    administration = Administration()

    provisioned(administration.handle, ApiKey("bax_1"))

    assert administration.calls[0] == NODES


@pytest.mark.parametrize("credentials", [Login("admin", "wrong-secret"), ApiKey("wrong-secret")])
def test_refused_credentials_are_named_and_not_shown(credentials: Login | ApiKey) -> None:
    """The message has the call, the status and the code."""
    with pytest.raises(AttachError, match="http 401 AUTH_") as caught:
        provisioned(Administration().handle, credentials)

    assert "wrong-secret" not in f"{caught.value!r} {credentials!r}"


def answering(changes: dict[tuple[str, str], Response]) -> Callable[[Request], Any]:
    administration = Administration()

    async def handle(request: Request) -> Response:
        change = changes.get((request.method, request.path))
        return change or await administration.handle(request)

    return handle


@pytest.mark.parametrize(
    ("key", "answer", "said"),
    [
        (("POST", "/api/nodes"), refusal(403, "AUTH_FORBIDDEN", "x"), "http 403 AUTH_FORBIDDEN x"),
        (("POST", "/api/nodes"), Response(502, b"<html>"), "POST /api/nodes: http 502$"),
        (("POST", "/api/nodes"), Response(200, b"<html>"), "no BackupX JSON"),
        (("POST", "/api/nodes"), Response(200, b"[]"), "no BackupX JSON"),
        (("POST", "/api/nodes"), ok({}), "has no 'token'"),
        (("POST", "/api/nodes"), ok({"token": "secret"}), "node 'alpha', and does not list it"),
        (("GET", "/api/nodes"), ok([{"name": "x"}]), "no list of nodes"),
        (("GET", "/api/nodes"), ok(17), "no list of nodes"),
        (("POST", "/api/auth/login"), ok(None), "has no 'token'"),
    ],
)
def test_an_answer_that_helps_nobody(key: tuple[str, str], answer: Response, said: str) -> None:
    """It is told which call it was, and never with a token."""
    with pytest.raises(AttachError, match=said) as caught:
        provisioned(answering({key: answer}))

    assert "secret" not in str(caught.value)


def test_a_server_without_nodes_lists_null() -> None:
    """Go writes an empty list as null."""
    with pytest.raises(AttachError, match="does not list it"):
        provisioned(answering({NODES: ok(None)}))


def test_a_server_that_is_not_there() -> None:
    """The message says what was tried, and what was seen."""

    async def nobody(_: Request) -> Response:
        raise NoReply("connection refused", definite=True)

    with pytest.raises(AttachError, match="GET /api/auth/setup/status: connection refused"):
        provisioned(nobody)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "")])
def test_names_are_different_and_not_empty(names: tuple[str, ...]) -> None:
    """A name twice would rotate away the token it was just given."""
    with pytest.raises(ValueError, match="different, and not empty"):
        provisioned(Administration().handle, names=names)


def test_a_token_never_shows() -> None:
    """Not in the text of what was provisioned either."""
    assert "secret" not in repr(Provisioned("a", 1, "secret"))


# --- files ----------------------------------------------------------------------------------


def test_a_token_file(tmp_path: Path) -> None:
    """Names are optional; comments and empty lines do not count."""
    path = tmp_path / "tokens"
    path.write_text("# of today\nalpha t1\n\n  t2  # no name\nгамма\tt3\n", encoding="utf-8")

    assert read_tokens(path) == [("alpha", "t1"), ("agent-2", "t2"), ("гамма", "t3")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a secret\nb secret two\n", "tokens:2: expected 'name token' or 'token', not 3 words"),
        ("a secret\n\na other\n", "tokens:3: the name of line 1 again"),
        ("a secret\nb secret\n", "tokens:2: the token of line 1 again"),
        ("agent-2 secret\nother\n", "tokens:2: the name of line 1 again"),
        ("a secrét\n", "tokens:1: a token is made of printable ASCII characters"),
        ("a secret\x7f\n", "tokens:1: a token is made of printable ASCII characters"),
        ("# nothing\n", "tokens: no tokens in it"),
        ("", "tokens: no tokens in it"),
    ],
)
def test_what_is_wrong_with_a_token_file(tmp_path: Path, text: str, said: str) -> None:
    """File and line, what was expected, and no token."""
    path = tmp_path / "tokens"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=said) as caught:
        read_tokens(path)

    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """A picture is no token file."""
    path = tmp_path / "tokens"
    path.write_bytes(b"\xff\xd8\xff")

    with pytest.raises(ValueError, match="no UTF-8 text"):
        read_tokens(path)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """It is not even read."""
    path = tmp_path / "tokens"
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)

    with pytest.raises(ValueError, match="larger than"):
        read_tokens(path)
