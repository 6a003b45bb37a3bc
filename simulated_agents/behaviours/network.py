"""An agent whose network is cut."""

from collections.abc import Mapping
from typing import ClassVar

from master.protocol.exchange import Request, Response
from simulated_agents.behaviours.base import Behaviour
from simulated_agents.events import EventKind
from simulated_agents.life import Life
from simulated_agents.ports import NoReply, Port


class _Cable:
    """A port that can be unplugged."""

    def __init__(self, port: Port, behaviour: "Offline") -> None:
        self._port = port
        self._behaviour = behaviour

    async def send(self, request: Request) -> Response:
        if self._behaviour.cut:
            raise NoReply("network is unreachable", definite=True)
        return await self._port.send(request)


class Offline(Behaviour):
    """Loses its network for a while; work goes on, and what it reports meanwhile is lost."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"after": "duration", "for": "duration"}

    def __init__(self, after_s: float = 60.0, for_s: float = 120.0) -> None:
        self._after_s = after_s
        self._for_s = for_s
        self._over = False
        self.cut = False

    def connect(self, port: Port, life: Life) -> Port:  # noqa: ARG002
        """Put the cable between the process and its master."""
        return _Cable(port, self)

    async def beside(self, life: Life) -> None:
        """Unplug, wait, plug in again: once in an agent's life."""
        if self._over:
            return
        self._over = True
        await life.clock.sleep(self._after_s)
        self.cut = True
        life.emit(EventKind.OFFLINE)
        try:
            await life.clock.sleep(self._for_s)
        finally:
            self.cut = False
        life.emit(EventKind.ONLINE)
