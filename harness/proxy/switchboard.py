"""Where every request of a proxy goes: named, written down, through the faults, to the master."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import msgspec

from harness.faults import Faults
from harness.history import RecordingPort
from harness.proxy.journal import Journal
from harness.proxy.names import MUSTER, Names
from harness.proxy.upstream import Upstream
from master.protocol.exchange import Request, Response
from simulated_agents.ports import Port, close_port


class Switchboard:
    """A port for a front, behind which everybody has a way of their own.

    Args:
        make_port: makes a way to the master.
        journal: what happens is written there.
        faults: what may happen on the way.

    Attributes:
        names: who is who.
        exchanges: how many there were, by process.

    """

    def __init__(self, make_port: Callable[[], Upstream], journal: Journal, faults: Faults) -> None:
        self._make_port = make_port
        self._journal = journal
        self._faults = faults
        self._ways: dict[str, Upstream] = {}
        self.names = Names(self._ask)
        self.exchanges: Counter[str] = Counter()

    async def send(self, request: Request) -> Response:
        """Pass a request on, and write down both sides.

        Raises:
            NoReply: there is no answer.

        """
        self._journal.redactor.learn_request(request)
        process = await self.names.process(request)
        self.exchanges[process] += 1
        alias = self.names.aliases.get(process)
        way: Port = _Heard(self._way(process), self)
        way = self._faults.port(way, process, *([alias] if alias else []))
        return await self._recorded(way, process).send(request)

    async def aclose(self) -> None:
        """Close every connection to the master."""
        for way in self._ways.values():
            await close_port(way)

    def hear(self, request: Request, response: Response) -> None:
        """Learn from what the master says: secrets, and who is who."""
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            self._journal.redactor.learn_from(msgspec.json.decode(response.body))
        news = self.names.learn(request, response)
        if news is not None:
            self._journal.note(self._faults.elapsed_s(), *news)

    def _way(self, process: str) -> Upstream:
        if process not in self._ways:
            self._ways[process] = self._make_port()
        return self._ways[process]

    def _recorded(self, way: Port, process: str) -> RecordingPort:
        return RecordingPort(way, self._journal, process, self._faults.elapsed_s)

    async def _ask(self, request: Request) -> Response:
        return await self._recorded(self._way(MUSTER), MUSTER).send(request)


class _Heard:
    """The last bit of the way to the master, where its own words are heard.

    Args:
        port: the way.
        board: hears them.

    """

    def __init__(self, port: Port, board: Switchboard) -> None:
        self._port = port
        self._board = board

    async def send(self, request: Request) -> Response:
        """Pass a request on, and listen to the answer.

        Raises:
            NoReply: there is none.

        """
        response = await self._port.send(request)
        self._board.hear(request, response)
        return response
