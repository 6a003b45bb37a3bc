"""A visit to the server of a target file: started where muster starts it, entered, tidied, left."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import trio

from harness.activity import Activity
from harness.hiccups import PAUSES_S, Hiccups, PatientPort
from harness.scenario.model import Scenario
from harness.sites.able import Able
from harness.sites.door import TIMEOUT_S, Way, ask_health, open_door
from harness.sites.file import TargetFile
from harness.sites.found import insist, insist_on_warp, look
from harness.sites.notes import Notes
from harness.sites.order import Order
from harness.sites.ports import port_maker
from harness.sites.process import CommandServer, running
from harness.sites.pulse import Pulse, PulsePort
from harness.sites.site import Site, nets
from harness.sites.strangers import TargetError
from harness.sites.tidy import Tidier, made_in
from harness.target import FileTables
from harness.world import World
from simulated_agents.clock import RealClock
from simulated_agents.ports import NoReply, Port

DEATHS_MAX: Final = 3
"""How often a server is started again that ends by itself."""

NOWHERE: Final = Path("/dev/null/muster")
"""A folder that nobody can make, for the names of places where nothing will ever be stored."""

TIDY_S: Final = 60.0
"""How long tidying up after a scenario, or after a run, may take."""

ASK_S: Final = 10.0
"""How long a server may take to say whether it lives."""


class Visit:
    """The grounds of a target: one site, which all scenarios share.

    Args:
        target: the target.
        order: how it is to be played on.
        way: the right to administer it.
        server: its process, where muster started it.
        scratch: a folder that it may write in.
        notes: what the report will say.

    Attributes:
        able: what can be done there.
        activity: how busy all of the run is.

    """

    def __init__(
        self,
        target: TargetFile,
        order: Order,
        way: Way,
        server: CommandServer | None,
        scratch: Path | None,
        notes: Notes,
    ) -> None:
        self._target = target
        self._order = order
        self._way = way
        self._server = server
        self._scratch = scratch
        self._make_port = port_maker(target)
        self._tables = None if target.database is None else FileTables(target.database)
        self._pulse = Pulse(self._ask)
        self._life = None if server is None else _Life(server, self._pulse)
        self._lost = False
        self._numbers = count()
        moment = RealClock().now_ns() // 1_000
        self._run = f"muster-{moment % 0x1000000:06x}-"
        self._next_net = nets(moment)
        self._tidier = Tidier(self._port(), way.token, scratch)
        self.notes = notes
        self.able = Able()
        self.activity = Activity(target.crowd)

    def groups(self, scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
        """Return all scenarios as one group."""
        return [list(scenarios)] if scenarios else []

    @asynccontextmanager
    async def open(self, group: Sequence[Scenario]) -> AsyncIterator[Site]:  # noqa: ARG002 - there is one
        """Return the site."""
        target = self._target
        yield Site(
            url=target.url,
            make_port=self._port,
            token=self._way.token,
            log_in=self._way.log_in,
            profile=target.profile,
            timings=target.timings,
            speed=target.speed,
            slack_s=target.slack_s,
            next_prefix=lambda: f"{self._run}s{next(self._numbers)}-",
            tables=self._tables,
            process=self._life,
            scratch=self._scratch or NOWHERE,
            next_net=self._next_net,
            warps=target.database if self._order.warp else None,
        )

    def _port(self) -> Port:
        return PulsePort(self._make_port(), self._pulse)

    async def look_around(self) -> None:
        """Find out what can be done there, and what there is already.

        Raises:
            TargetError: it is not as the target file says, or not enough for what was ordered.

        """
        clock = RealClock()
        port = PatientPort(self._port(), Hiccups(PAUSES_S), clock)
        try:
            found = await look(self._target, self._way, port, clock)
        finally:
            with trio.CancelScope(shield=True):
                await port.aclose()
        insist(self._target, found)
        if self._order.warp:
            insist_on_warp(self._target, found)
        longest_s = None if self._order.warp else self._order.longest_s
        self.able = found.able(self._target, longest_s)
        if self.able.writes_tables:
            self._tidier.use_tables(self._tables)

    # --- is it still there? -------------------------------------------------------------------

    async def gone(self) -> str:
        """Return how the server ended, once it has."""
        reasons: list[str] = []
        async with trio.open_nursery() as nursery:

            async def notice_end() -> None:
                assert self._server is not None
                reasons.append(f"the server {await self._server.died()}")
                nursery.cancel_scope.cancel()

            async def notice_silence() -> None:
                reasons.append(await self._pulse.stopped())
                nursery.cancel_scope.cancel()

            if self._server is not None:
                nursery.start_soon(notice_end)
            nursery.start_soon(notice_silence)
        self._lost = True
        return reasons[0]

    async def still_there(self) -> None:
        """Return if the server lives; else wait for whoever watches to end this play."""
        reason = await self._ask()
        if reason is None:
            return
        if self._server is None or not await self._server.has_ended():
            self._pulse.declare(reason)
        await trio.sleep_forever()

    async def revive(self, reason: str) -> bool:
        """Start a server again that has ended, if muster may; return whether it runs."""
        self.notes.deaths.append(reason)
        if self._server is None or len(self.notes.deaths) > DEATHS_MAX:
            self.notes.gone = reason
            return False
        try:
            await self._server.stop()
            await self._server.start()
        except TargetError as error:
            self.notes.gone = error.message
            return False
        self._pulse.reset()
        self._lost = False
        return True

    async def _ask(self) -> str | None:
        port = port_maker(self._target, ASK_S)()
        try:
            await ask_health(self._target, port)
        except TargetError as error:
            return error.message
        finally:
            await port.aclose()
        return None

    # --- tidying up ---------------------------------------------------------------------------

    async def tidy(self, world: World) -> None:
        """Remove what one play of a scenario has made; what cannot be removed is noted."""
        if self._life is not None:
            await self._life.mend()
        if self._order.keep:
            return
        await self._remove(world.prefix, world)
        if self._scratch is not None:
            shutil.rmtree(self._scratch / world.prefix, ignore_errors=True)

    async def leave(self) -> None:
        """Remove what is still there of the run."""
        if not self._order.keep:
            await self._remove(self._run, None)

    async def _remove(self, prefix: str, world: World | None) -> None:
        tally = self.notes.tally
        if self._lost:
            tally.missed[prefix] = "the server was gone"
            return
        made = None if world is None else made_in(world.history)
        with trio.CancelScope(shield=True, deadline=trio.current_time() + TIDY_S) as scope:
            try:
                tally.add(await self._tidier.remove(prefix, made))
            except NoReply as error:
                tally.missed[prefix] = f"no reply: {error}"
            else:
                for one in [one for one in tally.missed if one.startswith(prefix)]:
                    del tally.missed[one]
        if scope.cancelled_caught:
            tally.missed[prefix] = f"not done within {TIDY_S:g} s"

    async def aclose(self) -> None:
        """Close every way to the server."""
        await self._tidier.aclose()


class _Life:
    """A server's process, which scenarios may kill and start again.

    Args:
        server: it.
        pulse: must not wonder meanwhile.

    """

    def __init__(self, server: CommandServer, pulse: Pulse) -> None:
        self._server = server
        self._pulse = pulse

    async def stop(self) -> None:
        """Kill it; return when it is gone."""
        self._pulse.expected = True
        await self._server.stop()

    async def start(self) -> None:
        """Start it again; return when it answers.

        Raises:
            NoReply: it does not come back.

        """
        try:
            await self._server.start()
        except TargetError as error:
            self._pulse.declare(error.message)
            raise NoReply(error.message, definite=True) from None
        self._pulse.reset()

    async def mend(self) -> None:
        """Start it again if a scenario has ended while it was killed."""
        if self._pulse.expected:
            with trio.CancelScope(shield=True), suppress(NoReply):  # the pulse knows
                await self.start()


@asynccontextmanager
async def visiting(target: TargetFile, order: Order) -> AsyncIterator[Visit]:
    """Enter the server of a target file, for as long as the block; start and stop it if need be.

    Args:
        target: the target.
        order: how it is to be played on.

    Raises:
        TargetError: there is no such server, or no way in (exit 6).
        StopError: a secret is not where the target file says it is (exit 4).

    """
    notes = Notes(target.path, target.url, kept=order.keep)
    async with AsyncExitStack() as stack:
        server = None
        scratch = target.scratch
        if target.command is not None:
            server = CommandServer(target, target.command, port_maker(target, ASK_S), order.log)
            notes.log = order.log
            await stack.enter_async_context(running(server))
            scratch = scratch or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="muster-"))
            )
        port = port_maker(target, TIMEOUT_S)()
        stack.push_async_callback(port.aclose)
        way = await open_door(target, port)
        notes.version, notes.remarks = way.health.version, way.notes
        visit = Visit(target, order, way, server, scratch, notes)
        stack.push_async_callback(visit.aclose)
        await visit.look_around()
        try:
            yield visit
        finally:
            with trio.CancelScope(shield=True):
                await visit.leave()
