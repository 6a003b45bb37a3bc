"""Hiccups: answers that say that a server stumbled, not what became of the call. The rule about them.

Every release of the real master answers some calls with 500 because two of its writers met ("database
is locked"): with INTERNAL_ERROR, or with a code of what it could not do, such as
BACKUP_RECORD_CREATE_FAILED. Nobody knows then what became of the call. So:

- A poll, a heartbeat or a call that only looks is made again, a few times, where nobody expected
  such an answer. Each stands in the history, and the report counts them.
- A scenario that fails after a hiccup is played again. It counts as failed when a play without one
  fails, or when the same call got no other answer in every play; else nobody can tell.

In a simulation nothing stumbles: there an answer 500 is what it is.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from harness.history import operation
from master.protocol.exchange import Request, Response
from simulated_agents.clock import Clock
from simulated_agents.ports import Port, close_port

PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""How long to wait before a call is made again; a writer is done after some milliseconds."""

PLAYS_MAX: Final = 4
"""How often a scenario is played that fails after hiccups: once, and up to three times again."""

_NUMBER: Final = re.compile(r"/\d+")
_CODE: Final = re.compile(r"INTERNAL_ERROR|[A-Z_]+_FAILED")
_STATUS: Final = 500
_ASKED_AGAIN: Final = frozenset({"heartbeat", "poll"})
"""Calls that change something, and may be made again all the same."""


def is_hiccup(response: Response) -> bool:
    """Return whether an answer leaves open what became of its call."""
    if response.status != _STATUS:
        return False
    try:
        return _is_code(msgspec.json.decode(response.body)["code"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return False


def expects_one(expect: Any) -> bool:
    """Return whether an expectation, filled in, speaks of such an answer."""
    if isinstance(expect, dict):
        return any(expects_one(item) for item in expect.values())
    if isinstance(expect, list | tuple):
        return any(expects_one(item) for item in expect)
    return (expect == _STATUS and type(expect) is int) or _is_code(expect)


def _is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


class Hiccups:
    """The hiccups of one play.

    Args:
        pauses_s: how long to wait before a call is made again, each time; none takes every answer
            as it is.
        note: is told of each.

    Attributes:
        count: how many there were.
        final: the calls that were answered so in the end, each kind once.

    """

    def __init__(
        self, pauses_s: tuple[float, ...] = (), note: Callable[[str], None] = lambda _: None
    ) -> None:
        self._pauses_s = pauses_s
        self._note = note
        self.count = 0
        self.final: list[str] = []

    @property
    def minded(self) -> bool:
        """Return whether anything is done about them."""
        return bool(self._pauses_s)

    async def send(self, port: Port, request: Request, clock: Clock) -> Response:
        """Return the answer of a call that is made again if the server stumbled, and it is safe.

        Raises:
            NoReply: there is none.

        """
        response = await port.send(request)
        if not self._pauses_s or not is_hiccup(response):
            return response
        call = operation(request)
        again = call in _ASKED_AGAIN or _looks(request)
        self._count(call, again=again)
        for pause_s in self._pauses_s if again else ():
            await clock.sleep(pause_s)
            response = await port.send(request)
            if not is_hiccup(response):
                return response
            self._count(call, again=True)
        kind = _NUMBER.sub("/…", call)
        if kind not in self.final:
            self.final.append(kind)
        return response

    def _count(self, call: str, *, again: bool) -> None:
        self.count += 1
        self._note(f"hiccup: {call} was answered {_STATUS}{', asked again' * again}")


def _looks(request: Request) -> bool:
    """Return whether a request changes nothing, as all `GET`s but these.

    A listing of an agent's directory makes a command, and an install script comes once.
    """
    path = request.path
    return request.method == "GET" and not path.endswith("/fs/list") and "/install/" not in path


class PatientPort:
    """A way to the master on which calls are made again after a hiccup.

    Args:
        port: the way.
        hiccups: those of the play.
        clock: the time.

    """

    def __init__(self, port: Port, hiccups: Hiccups, clock: Clock) -> None:
        self._port = port
        self._hiccups = hiccups
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """Return the answer.

        Raises:
            NoReply: there is none.

        """
        return await self._hiccups.send(self._port, request, self._clock)

    async def aclose(self) -> None:
        """Close the way."""
        await close_port(self._port)
