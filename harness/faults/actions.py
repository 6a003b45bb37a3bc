"""What can happen to an exchange on its way: one class an action, and one line in the registry."""

from dataclasses import dataclass, field
from typing import ClassVar, Final

from msgspec.structs import replace

from harness.faults.action import (
    Action,
    Half,
    Kind,
    Lost,
    Passing,
    Ways,
    close_body,
    held,
    key,
    lose_reply,
    lose_request,
)
from harness.faults.streams import CutShort, Garbled, announced, garbled
from harness.history import Altered
from master.protocol.exchange import Headers, Request, Response
from simulated_agents.ports import NoReply

_AFTER: Final = "how long the sender waits before its connection breaks"


@dataclass(frozen=True, slots=True)
class DropRequest(Action):
    """The master hears nothing."""

    name: ClassVar[str] = "drop_request"
    says: ClassVar[str] = "The master never hears the request; the sender's connection breaks."

    after: float = field(default=0.0, metadata=key(Kind.DURATION, _AFTER))

    async def act(self, at: Passing, request: Request) -> Response:
        """Lose the request.

        Raises:
            Lost: always.

        """
        return await lose_request(at, request, "the request was lost", self.after)


@dataclass(frozen=True, slots=True)
class DropReply(Action):
    """The master has done it, and the sender does not know."""

    name: ClassVar[str] = "drop_reply"
    says: ClassVar[str] = (
        "The master has answered, and the sender does not hear it; its connection breaks."
    )

    after: float = field(default=0.0, metadata=key(Kind.DURATION, _AFTER))

    async def act(self, at: Passing, request: Request) -> Response:
        """Lose the answer.

        Raises:
            Lost: always.

        """
        return await lose_reply(at, request, "the reply was lost", self.after)


@dataclass(frozen=True, slots=True)
class Delay(Action):
    """A slow way."""

    name: ClassVar[str] = "delay"
    says: ClassVar[str] = "The request, or the reply, arrives later."
    value: ClassVar[str | None] = "by"

    by: float = field(default=1.0, metadata=key(Kind.DURATION, "how much later, at least"))
    up_to: float = field(
        default=0.0, metadata=key(Kind.DURATION, "how much later at most; each time drawn anew")
    )
    half: Half = field(default=Half.REQUEST, metadata=key(Kind.HALF, "what is late"))

    async def act(self, at: Passing, request: Request) -> Response:
        """Hold one half of the exchange."""
        seconds = at.rng.uniform(self.by, self.up_to) if self.up_to > self.by else self.by
        if self.half is Half.REQUEST:
            at.did(f"the request was held for {seconds:.3f} s")
            try:
                await at.sleep(seconds)
            except BaseException:
                await close_body(request)
                raise
            return await at.onwards(request)
        response = await at.onwards(request)
        at.did(f"the reply was held for {seconds:.3f} s", reached=True, answer=response)
        await held(response, at.sleep(seconds))
        return response


@dataclass(frozen=True, slots=True)
class Duplicate(Action):
    """A packet that arrives twice."""

    name: ClassVar[str] = "duplicate"
    says: ClassVar[str] = (
        "The master gets the request twice, one right after the other; the sender hears the first"
        " answer. A streamed body cannot be sent again: such a request passes as it is."
    )

    async def act(self, at: Passing, request: Request) -> Response:
        """Send a request again, and keep the first answer."""
        if request.stream is not None:
            at.did("not duplicated: a streamed body is sent once")
            return await at.onwards(request)
        first = await at.onwards(request)
        try:
            second = await at.onwards(request)
        except NoReply as error:
            at.did(f"the request was sent a second time: no reply: {error}")
        except BaseException:
            await first.chunks().aclose()
            raise
        else:
            at.did("the request was sent a second time", reached=True, answer=second)
            await second.chunks().aclose()
        return first


@dataclass(frozen=True, slots=True)
class Reorder(Action):
    """Two packets that overtake one another."""

    name: ClassVar[str] = "reorder"
    says: ClassVar[str] = (
        "The request, or the reply, is held until a later exchange of the same process is over."
    )

    half: Half = field(default=Half.REQUEST, metadata=key(Kind.HALF, "what is overtaken"))
    within: float = field(
        default=5.0, metadata=key(Kind.DURATION, "how long it is held if nothing overtakes it")
    )

    async def act(self, at: Passing, request: Request) -> Response:
        """Hold one half of the exchange until another has passed."""
        if self.half is Half.REQUEST:
            try:
                overtaken = await at.overtaken(self.within)
            except BaseException:
                await close_body(request)
                raise
            at.did(f"the request was {_late(overtaken)}")
            return await at.onwards(request)
        response = await at.onwards(request)
        overtaken = await held(response, at.overtaken(self.within))
        at.did(f"the reply was {_late(overtaken)}", reached=True, answer=response)
        return response


def _late(overtaken: bool) -> str:
    return "overtaken by a later exchange" if overtaken else "held, and nothing overtook it"


@dataclass(frozen=True, slots=True)
class Reset(Action):
    """A connection that breaks in the middle of a body."""

    name: ClassVar[str] = "reset"
    says: ClassVar[str] = (
        "The connection is reset in the middle of the reply's body, or of the request's."
    )

    half: Half = field(default=Half.REPLY, metadata=key(Kind.HALF, "whose body is cut"))

    async def act(self, at: Passing, request: Request) -> Response:
        """Pass on half of a body.

        Raises:
            Lost: the sender sees a broken connection; unless it takes the reply as a stream, which
                then breaks.

        """
        if self.half is Half.REQUEST:
            return await self._cut_request(at, request)
        response = await at.onwards(request)
        at.did("the connection broke in the middle of the reply", reached=True, answer=response)
        if request.streams_answer and response.status < 400:
            headers = response.headers
            if response.stream is None and announced(response) is None:
                headers = (*headers, ("Content-Length", str(len(response.body))))
            half = CutShort.of(response)
            return Altered(response.status, b"", headers, response.cors, half)
        await response.chunks().aclose()
        raise Lost("the connection was reset in the middle of the reply", definite=False)

    async def _cut_request(self, at: Passing, request: Request) -> Response:
        why = "the connection broke in the middle of the request"
        if not request.body and request.stream is None:
            return await lose_request(at, request, why, 0.0)
        headers = request.headers
        if request.stream is None and "content-length" not in headers:
            headers = {**headers, "content-length": str(len(request.body))}
        try:
            half = replace(request, body=b"", headers=headers, stream=CutShort.of(request))
            response = await at.onwards(half)
        except NoReply:
            at.did(why, reached=False)
        else:  # it was refused before its body was read
            await response.chunks().aclose()
            at.did(why, reached=False, answer=response)
        raise Lost("the connection was reset in the middle of the request", definite=False)


@dataclass(frozen=True, slots=True)
class Garble(Action):
    """Bytes that change on the way."""

    name: ClassVar[str] = "garble"
    says: ClassVar[str] = (
        "Bytes of the reply's body, or of the request's, change on the way: the first, and others"
        " here and there, so that no JSON is read from it. Its length stays."
    )

    half: Half = field(default=Half.REPLY, metadata=key(Kind.HALF, "whose body"))

    async def act(self, at: Passing, request: Request) -> Response:
        """Change bytes of one body."""
        if self.half is Half.REQUEST:
            if not request.body and request.stream is None:
                return await at.onwards(request)
            at.did("the request's body was garbled")
            stream = None if request.stream is None else Garbled(request.stream, at.rng)
            return await at.onwards(
                replace(request, body=garbled(request.body, at.rng), stream=stream)
            )
        response = await at.onwards(request)
        if not response.body and response.stream is None:
            return response
        at.did("the reply's body was garbled", reached=True, answer=response)
        stream = None if response.stream is None else Garbled(response.stream, at.rng)
        body = garbled(response.body, at.rng)
        return Altered(response.status, body, response.headers, response.cors, stream, garbled=True)


@dataclass(frozen=True, slots=True)
class Answer(Action):
    """A proxy that answers in the master's place."""

    name: ClassVar[str] = "answer"
    says: ClassVar[str] = "A proxy answers in the master's place."
    value: ClassVar[str | None] = "status"

    status: int = field(default=503, metadata=key(Kind.STATUS, "the status of its answer"))
    body: str = field(
        default="", metadata=key(Kind.TEXT, "its body; a short page of HTML when left out")
    )
    reached: bool = field(
        default=False,
        metadata=key(Kind.FLAG, "whether the master had the request all the same, as behind a 504"),
    )

    location: str = field(default="", metadata=key(Kind.TEXT, "where a redirect (307) leads"))

    async def act(self, at: Passing, request: Request) -> Response:
        """Answer, with or without asking the master."""
        response = None
        if self.reached:
            response = await at.onwards(request)
            await response.chunks().aclose()
        else:
            await close_body(request)
        at.did(f"a proxy answered {self.status}", reached=self.reached, answer=response)
        body = self.body or f"<html><body><h1>{self.status}</h1></body></html>\n"
        kind = {"<": "text/html", "{": "application/json; charset=utf-8"}.get(
            body.lstrip()[:1], "text/plain; charset=utf-8"
        )
        headers: Headers = (("Content-Type", kind),)
        if self.location:
            headers = (*headers, ("Location", self.location))
        return Altered(self.status, body.encode(), headers, cors=False)


@dataclass(frozen=True, slots=True)
class Partition(Action):
    """A network that is cut in two."""

    name: ClassVar[str] = "partition"
    says: ClassVar[str] = (
        "Nothing passes to the master, or nothing from it, or neither; give it a time with `from` and"
        " `until`."
    )
    value: ClassVar[str | None] = "ways"

    ways: Ways = field(default=Ways.BOTH, metadata=key(Kind.WAYS, "which way nothing passes"))
    after: float = field(default=0.0, metadata=key(Kind.DURATION, _AFTER))

    async def act(self, at: Passing, request: Request) -> Response:
        """Lose the half that goes the closed way.

        Raises:
            Lost: always.

        """
        if self.ways is Ways.FROM_MASTER:
            return await lose_reply(at, request, "nothing passes from the master", self.after)
        return await lose_request(at, request, "nothing passes to the master", self.after)


ACTIONS: Final[dict[str, type[Action]]] = {
    action.name: action
    for action in (
        DropRequest,
        DropReply,
        Delay,
        Duplicate,
        Reorder,
        Reset,
        Garble,
        Answer,
        Partition,
    )
}
"""Every action, by the name that plans call it."""
