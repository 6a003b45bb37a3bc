"""The master's event stream, read for as long as a scenario lasts: server-sent events as values."""

from typing import Any, Final

import msgspec
import trio

from harness.history import RecordingPort
from harness.world import World
from master.protocol.exchange import BodyCutError, Request, Response
from simulated_agents.ports import NoReply

_COMMENT: Final = ""


class Feed:
    """What came over one event stream so far.

    Attributes:
        items: in order: events with their `event`, and the fields of their data; comments as
            `comment`; and at last how it `ended`: `closed` by the master, or `cut`.

    """

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._left = b""
        self._fields: dict[str, list[str]] = {}

    async def read(self, response: Response) -> None:
        """Read a stream to its end."""
        assert response.stream is not None
        how = "closed"
        try:
            async for part in response.stream:
                self.feed(part)
        except (BodyCutError, NoReply):
            how = "cut"
        finally:
            await response.stream.aclose()
        self.items.append({"ended": how})

    def feed(self, part: bytes) -> None:
        """Take the next bytes."""
        *lines, self._left = (self._left + part).split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "replace").removesuffix("\r"))

    def _line(self, line: str) -> None:
        if not line:
            self._dispatch()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == _COMMENT:
            self.items.append({"comment": value})
        else:
            self._fields.setdefault(name, []).append(value)

    def _dispatch(self) -> None:
        """Take the event that an empty line ends, if there is one."""
        fields, self._fields = self._fields, {}
        if not fields:
            return
        item: dict[str, Any] = {name: values[-1] for name, values in fields.items()}
        item["data"] = "\n".join(fields.get("data", ()))
        try:
            data = msgspec.json.decode(item["data"])
        except msgspec.DecodeError:
            data = None
        self.items.append({**item, **data} if isinstance(data, dict) else item)


class Feeds:
    """The event streams of a scenario, by name.

    Args:
        world: where.
        nursery: reads them.

    """

    def __init__(self, world: World, nursery: trio.Nursery) -> None:
        self._world = world
        self._nursery = nursery
        self._feeds: dict[str, tuple[Feed, RecordingPort, trio.CancelScope]] = {}

    def items(self, name: str) -> list[dict[str, Any]]:
        """Return what came over a stream so far."""
        return self._feeds[name][0].items

    async def open(self, name: str, token: str) -> Response:
        """Open a stream and read it from now on; return the answer, which may be a refusal.

        Raises:
            NoReply: there is no answer.

        """
        port = self._world.port(name)
        headers = {"authorization": f"Bearer {token}"}
        request = Request("GET", "/api/events/stream", headers, streams_answer=True)
        feed, scope = Feed(), trio.CancelScope()
        self._feeds[name] = feed, port, scope
        response = await port.send(request)
        if response.stream is not None:
            self._nursery.start_soon(_read, feed, response, scope)
        return response

    async def close(self, name: str) -> None:
        """Hang up."""
        _, port, scope = self._feeds[name]
        scope.cancel()
        await port.aclose()

    async def aclose(self) -> None:
        """Hang up everywhere."""
        for name in self._feeds:
            await self.close(name)


async def _read(feed: Feed, response: Response, scope: trio.CancelScope) -> None:
    with scope:
        await feed.read(response)
