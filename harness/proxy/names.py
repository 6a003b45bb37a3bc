"""Whose an exchange is: a stable name for each agent, whatever token it has today.

An agent is called what the master calls it. A token that was not seen before is asked about once,
with the agent's own question (`GET /api/v1/agent/self`), which changes nothing at the master; so its
very first exchange has its name, and a plan of faults can mean it. After a rotation the answer names
the same node, and so the same agent. Tokens are kept in memory and nowhere else.
"""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Final

import msgspec
import trio

from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply

ADMIN: Final = "admin"
STRANGER: Final = "stranger"
MUSTER: Final = "muster"
_RESERVED: Final = frozenset({ADMIN, STRANGER, MUSTER, "master"})

HEARTBEAT: Final = "/api/agent/heartbeat"
SELF: Final = "/api/v1/agent/self"
_AGENT_PATHS: Final = ("/api/agent/", "/api/v1/agent/")
_BEARER: Final = "Bearer "

Ask = Callable[[Request], Awaitable[Response]]


class Names:
    """Who is who.

    Args:
        ask: sends a question of muster's own to the master.

    Attributes:
        aliases: what the master calls agents that had been given a name already.

    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._of_token: dict[str, str] = {}
        self._of_node: dict[int, str] = {}
        self._asked: dict[str, trio.Event] = {}
        self._unnamed: dict[str, str] = {}
        self._numbers = count(1)
        self.aliases: dict[str, str] = {}

    @property
    def agents(self) -> int:
        """Return how many agents were seen."""
        return len(set(self._of_token.values()))

    async def process(self, request: Request) -> str:
        """Return the name of who sent a request."""
        if not request.path.startswith(_AGENT_PATHS):
            known = "authorization" in request.headers or "x-api-key" in request.headers
            return ADMIN if known else STRANGER
        token = token_of(request)
        if not token:
            return STRANGER
        while token not in self._of_token:
            if token in self._asked:
                await self._asked[token].wait()
                continue
            self._asked[token] = trio.Event()
            try:
                name = await self._named(token)
            finally:
                self._asked.pop(token).set()
            if name is None:
                return STRANGER
            self._of_token[token] = name
        return self._of_token[token]

    def learn(self, request: Request, response: Response) -> tuple[str, str] | None:
        """Look at an answer for what it says about an agent that had no name.

        Returns:
            The agent, and what is to be written down about it, if that is news.

        """
        if request.path != HEARTBEAT or response.status != 200 or not self._unnamed:
            return None
        process = self._unnamed.pop(token_of(request), None)
        data = _data(response)
        if process is None or not isinstance(data.get("nodeId"), int):
            return None
        self._of_node.setdefault(data["nodeId"], process)
        self.aliases[process] = str(data.get("name"))
        return process, f"is node {data['nodeId']}, {data.get('name')!r}"

    async def _named(self, token: str) -> str | None:
        """Return the name of a token's agent; `None` if the master knows no such token."""
        try:
            response = await self._ask(Request("GET", SELF, {"x-agent-token": token}))
        except NoReply:
            return self._provisional(token)
        if response.status == 401:
            return None
        data = _data(response)
        node = data.get("id")
        if response.status != 200 or not isinstance(node, int):
            return self._provisional(token)
        if node not in self._of_node:
            name = str(data.get("name") or f"node-{node}")
            taken = name in _RESERVED or name in self._of_node.values()
            self._of_node[node] = f"node-{node}" if taken else name
        return self._of_node[node]

    def _provisional(self, token: str) -> str:
        self._unnamed[token] = f"agent-{next(self._numbers)}"
        return self._unnamed[token]


def token_of(request: Request) -> str:
    """Return the credential of an agent's request, or an empty text."""
    token = request.headers.get("x-agent-token", "").strip()
    bearer = request.headers.get("authorization", "")
    if not token and bearer.startswith(_BEARER):
        token = bearer.removeprefix(_BEARER).strip()
    if not token and request.path == HEARTBEAT:
        body = _object(request.body)
        said = next((value for key, value in body.items() if key.lower() == "token"), None)
        return said if isinstance(said, str) else ""
    return token


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _data(response: Response) -> dict[str, Any]:
    data = _object(response.body).get("data")
    return data if isinstance(data, dict) else {}
