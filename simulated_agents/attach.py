"""Getting tokens: from a master's admin API, or from a file.

What agents need before they can begin. Tokens and passwords never get into messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from master.protocol.exchange import Request, Response
from simulated_agents.messages import Refusal
from simulated_agents.ports import NoReply, Port

TOKEN_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
"""A hundred thousand agents' tokens, twice; anything larger is no token file."""


class AttachError(Exception):
    """The master would not let agents in, or could not be asked."""


@dataclass(frozen=True, slots=True)
class Login:
    """An administrator's name and password; on a fresh server, those of the one to be set up."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An administrator's API key."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A node that an agent can be."""

    name: str
    node_id: int
    token: str = field(repr=False)


async def provision(
    port: Port, credentials: Login | ApiKey, names: Sequence[str]
) -> list[Provisioned]:
    """Return a node for each name, made where there is none; one that is there gets a new token.

    Raises:
        AttachError: the master refused something, or did not answer.
        ValueError: a name is empty, or there twice.

    """
    if len(set(names)) != len(names) or not all(names):
        raise ValueError("the names of nodes must be different, and not empty")
    admin = _Admin(port, await _authorize(port, credentials))
    before = await admin.nodes()
    tokens = {}
    for name in names:
        if name in before:
            answer = await admin.call("POST", f"/api/nodes/{before[name]}/rotate-token")
            tokens[name] = _text(answer, "newToken")
        else:
            answer = await admin.call("POST", "/api/nodes", {"name": name})
            tokens[name] = _text(answer, "token")
    after = await admin.nodes()
    missing = [name for name in names if name not in after]
    if missing:
        raise AttachError(f"the master made node {missing[0]!r}, and does not list it")
    return [Provisioned(name, after[name], tokens[name]) for name in names]


class _Admin:
    """The admin API, as far as agents need it."""

    def __init__(self, port: Port, headers: Mapping[str, str]) -> None:
        self._port = port
        self._headers = headers

    async def nodes(self) -> dict[str, int]:
        """Return every node's id by its name."""
        listed = await self.call("GET", "/api/nodes")
        try:
            return {node["name"]: int(node["id"]) for node in listed or ()}
        except (TypeError, KeyError, ValueError):
            raise AttachError("GET /api/nodes: the answer is no list of nodes") from None

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the data of an answer.

        Raises:
            AttachError: there is none.

        """
        return await _call(self._port, self._headers, method, path, body)


async def _authorize(port: Port, credentials: Login | ApiKey) -> Mapping[str, str]:
    """Return the headers that make an administrator; set up a server that has none."""
    if isinstance(credentials, ApiKey):
        return {"x-api-key": credentials.key}
    login = {"username": credentials.username, "password": credentials.password}
    status = await _call(port, {}, "GET", "/api/auth/setup/status")
    if isinstance(status, dict) and status.get("initialized") is False:
        setup = {**login, "displayName": credentials.username}
        answer = await _call(port, {}, "POST", "/api/auth/setup", setup)
    else:
        answer = await _call(port, {}, "POST", "/api/auth/login", login)
    return {"authorization": f"Bearer {_text(answer, 'token')}"}


async def _call(
    port: Port, headers: Mapping[str, str], method: str, path: str, body: object = None
) -> Any:
    payload = b"" if body is None else msgspec.json.encode(body)
    sent = headers if body is None else {**headers, "content-type": "application/json"}
    try:
        response = await port.send(Request(method, path, sent, payload))
    except NoReply as error:
        raise AttachError(f"{method} {path}: {error.reason}") from None
    if response.status != 200:
        raise AttachError(f"{method} {path}: {_refusal(response)}")
    try:
        answer = msgspec.json.decode(response.body)
        return answer.get("data")
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        raise AttachError(f"{method} {path}: the answer is no BackupX JSON") from None


def _refusal(response: Response) -> str:
    try:
        refusal = msgspec.json.decode(response.body, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        refusal = Refusal()
    return f"http {response.status} {refusal.code} {refusal.message}".rstrip()


def _text(answer: Any, key: str) -> str:
    value = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise AttachError(f"the master's answer has no {key!r}")
    return value


# --- token files ----------------------------------------------------------------------------


def read_tokens(path: Path) -> list[tuple[str, str]]:
    """Return the names and tokens of a file: `name token` or `token` a line, `#` begins a comment.

    An agent without a name is called after its place: `agent-3`.

    Raises:
        ValueError: a line is neither, or says again what another said; the text begins `file:line`.
        OSError: the file cannot be read.

    """
    if path.stat().st_size > TOKEN_FILE_BYTES_MAX:
        raise ValueError(f"{path}: larger than {TOKEN_FILE_BYTES_MAX} bytes, so no token file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: no UTF-8 text, so no token file") from None
    found: list[tuple[str, str]] = []
    said: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        try:
            name, token = _entry(words, f"agent-{len(found) + 1}")
            _say_once(said, number, name=name, token=token)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from None
        found.append((name, token))
    if not found:
        raise ValueError(f"{path}: no tokens in it")
    return found


def _entry(words: list[str], default_name: str) -> tuple[str, str]:
    if len(words) > 2:
        raise ValueError(f"expected 'name token' or 'token', not {len(words)} words")
    token = words[-1]
    if not (token.isascii() and token.isprintable()):
        raise ValueError("a token is made of printable ASCII characters")
    return (words[0] if len(words) == 2 else default_name), token


def _say_once(said: dict[tuple[str, str], int], number: int, **values: str) -> None:
    for what, value in values.items():
        first = said.setdefault((what, value), number)
        if first != number:
            raise ValueError(f"the {what} of line {first} again")
