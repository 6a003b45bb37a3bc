"""Agents that reach for what is not theirs.

They know no ids: they try small ones, in order, again and again, whatever the answers are.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import ClassVar, Final

import msgspec

from master.protocol.states import CommandType
from simulated_agents.behaviours.base import Behaviour
from simulated_agents.life import Life, Point
from simulated_agents.messages import Command, CommandIds

Call = tuple[str, str, bytes | None]

_RESULT: Final = b'{"errorMessage":"","result":{"stolen":true},"success":true}'
_UPDATE: Final = b'{"status":"failed","errorMessage":"stolen","logAppend":"stolen\\n"}'


def calls_about(number: int) -> Iterator[Call]:
    """Yield a call about everything that may have this id."""
    yield "POST", f"/api/agent/commands/{number}/result", _RESULT
    yield "GET", f"/api/agent/tasks/{number}", None
    yield "POST", f"/api/agent/records/{number}", _UPDATE
    yield "GET", f"/api/agent/restores/{number}/spec", None
    yield "POST", f"/api/agent/restores/{number}", _UPDATE


def paths_of(command: Command) -> set[str]:
    """Return the paths of the calls that a command entitles its agent to."""
    paths = {f"/api/agent/commands/{command.id}/result"}
    try:
        ids = msgspec.json.decode(command.payload, type=CommandIds)
    except msgspec.DecodeError:
        return paths
    if command.type == CommandType.RUN_TASK:
        paths |= {f"/api/agent/tasks/{ids.taskId}", f"/api/agent/records/{ids.recordId}"}
    elif command.type == CommandType.RESTORE_RECORD:
        restore = f"/api/agent/restores/{ids.restoreRecordId}"
        paths |= {restore, restore + "/spec"}
    return paths


class Probing(Behaviour):
    """Tries every endpoint with ids that it was never given."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"ids": "number", "every": "duration"}

    def __init__(self, ids: int = 20, every_s: float = 5.0) -> None:
        if ids < 1:
            raise ValueError(f"ids must be at least 1, not {ids}")
        self._ids = ids
        self._every_s = every_s
        self._own: set[str] = set()

    async def at(self, point: Point, command: Command, life: Life) -> None:  # noqa: ARG002
        """Remember what is its own."""
        if point is Point.CLAIMED:
            self._own |= paths_of(command)

    async def beside(self, life: Life) -> None:
        """Go through the ids, one id at a time."""
        while True:
            for number in range(1, self._ids + 1):
                await life.clock.sleep(self._every_s)
                for method, path, body in calls_about(number):
                    if path not in self._own:
                        await life.attempt(life.client.call(method, path, body))


class Hostile(Probing):
    """Reports for other nodes' commands, records and restores, and asks for their tasks."""


class Unauthorised(Probing):
    """Calls every endpoint with a token that is wrong, empty, or rotated away."""

    OPTIONS: ClassVar[Mapping[str, str]] = {
        "token": "choice:wrong|empty|stale",
        **Probing.OPTIONS,
    }
    persists = True

    def __init__(
        self,
        token: str = "wrong",  # noqa: S107 - a word for one
        ids: int = 20,
        every_s: float = 5.0,
    ) -> None:
        super().__init__(ids, every_s)
        if token not in {"wrong", "empty", "stale"}:
            raise ValueError(f"token must be wrong, empty or stale, not {token!r}")
        self._kind = token
        self._first: str | None = None

    def token(self, token: str, rng: Random) -> str:
        """Return no valid token; a stale one is the first that the agent was given."""
        if self._first is None:
            self._first = token if self._kind == "stale" else ""
            if self._kind == "wrong":
                self._first = rng.randbytes(32).hex()
        return self._first
