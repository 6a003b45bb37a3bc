"""What an action is, and what it is given: the parts that all actions are made of.

An action stands between a sender and a master, sees the request on its way out and the answer on its
way back, and may lose, hold, alter or repeat either. It says what it did (`Passing.did`), so that a
history tells a lost reply from a request that never arrived. When it acts is not its matter: that is
a selection's (`harness.faults.values`). It draws from the stream it is given and asks no clock.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import Field, dataclass, fields
from enum import StrEnum
from random import Random
from typing import Any, ClassVar, Protocol, TypeVar

from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply

T = TypeVar("T")


class Half(StrEnum):
    """Which half of an exchange."""

    REQUEST = "request"
    REPLY = "reply"


class Ways(StrEnum):
    """Which way nothing passes."""

    BOTH = "both"
    TO_MASTER = "to_master"
    FROM_MASTER = "from_master"


class Kind(StrEnum):
    """What sort of value a key of a plan holds; the worth is what the documentation calls it."""

    DURATION = "a duration"
    FLAG = "`yes` or `no`"
    HALF = "`request` or `reply`"
    STATUS = "an HTTP status from 200 to 599"
    TEXT = "text"
    WAYS = "`both`, `to_master` or `from_master`"
    PROCESS = "a process: an agent's name, `admin`, `stranger`; `*` stands for any characters"
    OPERATION = "an operation, or a method and a path with `*`"
    NTH = "a number from 1, or two with a hyphen: `2`, `2-4`"
    COUNT = "a number from 1"
    SHARE = "a share from 0% to 100%"


class Lost(NoReply):
    """No answer came because of a fault: a connection that broke or fell silent."""


class Passing(Protocol):
    """One exchange, where an action stands in its way."""

    @property
    def rng(self) -> Random:
        """The random stream of this fault and this process."""
        ...

    async def onwards(self, request: Request) -> Response:
        """Send a request on to the master.

        Raises:
            NoReply: there is no answer.

        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def overtaken(self, within_s: float) -> bool:
        """Wait until a later exchange of this process has ended; return whether one did in time."""
        ...

    def did(
        self, what: str, *, reached: bool | None = None, answer: Response | None = None
    ) -> None:
        """Write down what the fault did.

        Args:
            what: in words.
            reached: whether the master was given the whole request; `None` where the fault leaves
                that to the way behind it.
            answer: what the master said, whatever the sender sees of it.

        """
        ...


def key(kind: Kind, says: str) -> Mapping[str, Any]:
    """Return what a field of an action says of itself, being a key of a plan."""
    return {"kind": kind, "says": says}


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens to an exchange.

    Attributes:
        name: what plans call it.
        says: what it does, in a sentence.
        value: the key that a plan's short form may give without its name.

    """

    name: ClassVar[str]
    says: ClassVar[str]
    value: ClassVar[str | None] = None

    async def act(self, at: Passing, request: Request) -> Response:
        """Pass an exchange on, or not.

        Raises:
            NoReply: the sender gets no answer.

        """
        raise NotImplementedError

    @classmethod
    def keys(cls) -> dict[str, Field[Any]]:
        """Return the keys that a plan may give it."""
        return {one.name: one for one in fields(cls)}


async def close_body(request: Request) -> None:
    """Let go of a body that nobody will read."""
    if request.stream is not None:
        await request.stream.aclose()


async def held(response: Response, waiting: Awaitable[T]) -> T:
    """Wait with an answer in hand, which is let go if the wait is given up."""
    try:
        return await waiting
    except BaseException:
        await response.chunks().aclose()
        raise


async def lose_request(at: Passing, request: Request, why: str, after_s: float) -> Response:
    """Keep a request from the master.

    Raises:
        Lost: always.

    """
    await close_body(request)
    at.did(why, reached=False)
    await at.sleep(after_s)
    raise Lost(why, definite=False)


async def lose_reply(at: Passing, request: Request, why: str, after_s: float) -> Response:
    """Keep the master's answer from the sender.

    Raises:
        Lost: always.

    """
    response = await at.onwards(request)
    at.did(why, reached=True, answer=response)
    await response.chunks().aclose()
    await at.sleep(after_s)
    raise Lost(why, definite=False)
