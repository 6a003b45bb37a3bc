"""One agent: a process that beats, polls and works, dies and comes back.

The first heartbeat decides: when it fails the process ends, as the real agent's does.
Then two loops share a nursery. Commands are done in the poll loop, one at a time, while heartbeats
go on. All that goes wrong in a call is noted, and nothing is tried twice.
What an agent does differently is its behaviour's; how it reaches a master, its port's.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

import trio

from master.protocol.exchange import Request, Response
from simulated_agents.behaviours.base import Behaviour
from simulated_agents.client import CALL_FAILED, AgentClient, Identity, Refused
from simulated_agents.clock import Clock
from simulated_agents.events import Counters, Event, EventKind
from simulated_agents.job import Job
from simulated_agents.life import Abandoned, Crashed, Point
from simulated_agents.messages import Command
from simulated_agents.plan import Outcome, WorkPlan, WorkSource
from simulated_agents.ports import NoReply, Port
from simulated_agents.pretend import PretendWorker
from simulated_agents.releases import DEFAULT_RELEASE, Release
from simulated_agents.timing import Timing
from simulated_agents.work import execute
from simulated_agents.worker import WorkerMaker

T = TypeVar("T")


class _Grave:
    """The port of a dead process: a call is where its cancellation takes effect."""

    async def send(self, request: Request) -> Response:  # noqa: ARG002
        await trio.sleep_forever()


class Agent:
    """An agent, over all its processes.

    Args:
        name: what events call it.
        port: how it reaches the master.
        token: its node's token.
        clock: the time.
        behaviour: what it does differently; nothing when left out.
        work: where its work plans come from.
        worker: makes what does the work of a command; it only pretends when left out.
        rng: its own random stream.
        identity: what its heartbeats say.
        release: what it does as its release does.
        timing: its intervals.
        restart_s: how long after a process ended by itself a new one starts, as a service manager
            does it (the real agent's unit waits 10 s); `None` is never.
        on_event: told of everything that really happens; must not block.
        counters: where calls are counted; may be shared.

    Attributes:
        token: what it sends as its token.

    """

    def __init__(
        self,
        name: str,
        port: Port,
        token: str,
        clock: Clock,
        *,
        behaviour: Behaviour | None = None,
        work: WorkSource | None = None,
        worker: WorkerMaker = PretendWorker,
        rng: Random | None = None,
        identity: Identity | None = None,
        release: Release = DEFAULT_RELEASE,
        timing: Timing | None = None,
        restart_s: float | None = None,
        on_event: Callable[[Event], None] | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.clock = clock
        self.behaviour = behaviour or Behaviour()
        self.work: WorkSource = work or WorkPlan()
        self.worker = worker
        self.rng = rng or Random(name)
        self.release = release
        self.identity = identity or Identity(hostname=name, agent_version=release.version)
        self.timing = timing or Timing()
        self.counters = counters or Counters()
        self.on_event = on_event
        self._restart_s = restart_s
        self._processes: list[Process] = []
        self._started = 0
        self._stopped = False
        self.use_token(token)

    @property
    def alive(self) -> bool:
        """Return whether a process of it runs."""
        return bool(self._processes)

    def use_token(self, token: str) -> None:
        """Give it a new token, which it uses from now on."""
        self.token: str = self.behaviour.token(token, self.rng)
        for process in self._processes:
            process.client.use_token(self.token)

    async def run(self) -> None:
        """Run its processes, until the last one is gone for good."""
        self._stopped = False
        if self.behaviour.processes == 1:
            await self._live(0.0)
            return
        async with trio.open_nursery() as nursery:
            for number in range(self.behaviour.processes):
                nursery.start_soon(self._live, number * self.behaviour.apart_s)

    def crash(self) -> None:
        """Kill every process, in the middle of whatever it does."""
        for process in tuple(self._processes):
            process.die(Crashed())

    def stop(self) -> None:
        """End every process, as a signal does; none comes back until `run` is called again."""
        self._stopped = True
        for process in tuple(self._processes):
            process.end()

    async def _live(self, delay_s: float) -> None:
        if delay_s:
            await self.clock.sleep(delay_s)
        kind = EventKind.STARTED
        while True:
            self._started += 1
            process = Process(self, self._started)
            self._processes.append(process)
            try:
                restart_s = await process.run(kind)
            finally:
                self._processes.remove(process)
            if restart_s is None:
                return
            await self.clock.sleep(restart_s)
            if self._stopped:
                return
            kind = EventKind.RESTARTED


class Process:
    """One process of an agent, from its first heartbeat to its end.

    Args:
        agent: whose.
        number: which, counted from 1.

    """

    def __init__(self, agent: Agent, number: int) -> None:
        self.clock = agent.clock
        self.rng = agent.rng
        self._agent = agent
        self._behaviour = agent.behaviour
        self._counters = agent.counters
        self._number = number
        self._alive = True
        self._restart_s: float | None = None
        self._scope = trio.CancelScope()
        port = agent.behaviour.connect(agent.port, self)
        self.client: AgentClient = AgentClient(
            port, agent.token, agent.identity, release=agent.release, clock=agent.clock
        )

    async def run(self, kind: EventKind) -> float | None:
        """Live; return after how many seconds a new process is to start, if at all."""
        self._counters.started += 1
        self.emit(kind)
        with self._scope:
            if await self._connect():
                start_s = self.clock.monotonic_s()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._beat, start_s)
                    if self._behaviour.polls:
                        nursery.start_soon(self._poll, start_s)
                    nursery.start_soon(self._behaviour.beside, self)
        return self._restart_s

    # --- its end ----------------------------------------------------------------------------

    def die(self, crash: Crashed, command: Command | None = None) -> None:
        """Crash: from here on nothing is sent and nothing happens."""
        self._counters.crashed += 1
        self.emit(EventKind.CRASHED, command)
        self._restart_s = crash.restart_after_s
        self._bury()

    def end(self) -> None:
        """End for good."""
        self.emit(EventKind.ENDED)
        self._counters.ended += 1
        self._bury()

    def _bury(self) -> None:
        # A task that already woke would go on to its next call: that call goes nowhere.
        self._alive = False
        self.client.port = _Grave()
        self._scope.cancel()

    # --- its loops --------------------------------------------------------------------------

    async def _connect(self) -> bool:
        """Send the first heartbeat; return whether the process goes on."""
        try:
            self._counters.heartbeats += 1
            await self.client.heartbeat()
        except CALL_FAILED as error:
            self.note(error)
            if not self._behaviour.persists:
                self.end()
                self._restart_s = self._agent._restart_s  # noqa: SLF001 - one noun, two classes
                return False
        return True

    async def _beat(self, start_s: float) -> None:
        interval_s, due_s = self._agent.timing.heartbeat_s, start_s
        client, counters, clock = self.client, self._counters, self.clock
        while True:
            due_s = _next_tick(due_s, interval_s, clock.monotonic_s())
            await clock.sleep_until(due_s)
            counters.heartbeats += 1
            try:
                await client.heartbeat()
            except CALL_FAILED as error:
                self.note(error)

    async def _poll(self, start_s: float) -> None:
        interval_s, due_s = self._agent.timing.poll_s, start_s
        client, counters, clock = self.client, self._counters, self.clock
        while True:
            due_s = _next_tick(due_s, interval_s, clock.monotonic_s())
            await clock.sleep_until(due_s)
            counters.polls += 1
            try:
                command = await client.poll()
            except CALL_FAILED as error:
                self.note(error)
                continue
            if command is not None:
                await self._handle(command)

    # --- its work ---------------------------------------------------------------------------

    async def _handle(self, command: Command) -> None:
        try:
            await self._perform(command)
        except Abandoned:
            return
        except Crashed as crash:
            self.die(crash, command)

    async def _perform(self, command: Command) -> None:
        behaviour = self._behaviour

        async def at(point: Point) -> None:
            await behaviour.at(point, command, self)

        job = Job(
            command=command,
            client=self.client,
            release=self._agent.release,
            clock=self.clock,
            plan=behaviour.plan(self._agent.work.draw(self.rng)),
            at=at,
            begin=lambda: self.emit(EventKind.EXECUTING, command),
            note=self.note,
        )
        self._counters.claimed += 1
        self.emit(EventKind.CLAIMED, command)
        await at(Point.CLAIMED)
        worker = self._agent.worker(job)
        try:
            report = await execute(job, worker)
        finally:
            worker.close()
        self._counters.finished += 1
        outcome = Outcome.SUCCESS if report.success else Outcome.FAILURE
        self.emit(EventKind.FINISHED, command, outcome)
        await behaviour.report(command, report, self)
        await at(Point.REPORTED)

    async def report(
        self, command: Command, *, success: bool, error: str = "", result: Any = None
    ) -> None:
        """Report a command's result: once, and never mind the answer."""
        call = self.client.report_result(command.id, success=success, error=error, result=result)
        await self.attempt(call)

    async def attempt(self, call: Awaitable[T]) -> T | None:
        """Return what a call returns; a failure is noted, and no further matter."""
        try:
            return await call
        except CALL_FAILED as error:
            self.note(error)
            return None

    # --- what others get to know ------------------------------------------------------------

    def note(self, error: Exception) -> None:
        """Count a call that failed, and tell observers of a refusal."""
        if isinstance(error, Refused):
            self._counters.refused += 1
            self._tell(EventKind.REFUSED, status=error.status, code=error.code, reason=str(error))
            return
        if isinstance(error, NoReply):
            self._counters.no_reply += 1
        else:
            self._counters.unreadable += 1
        self._tell(EventKind.UNANSWERED, reason=str(error))

    def emit(
        self, kind: EventKind, command: Command | None = None, outcome: str | None = None
    ) -> None:
        """Tell observers that something happened."""
        if command is None:
            self._tell(kind)
        else:
            self._tell(kind, command_id=command.id, command_type=command.type, outcome=outcome)

    def _tell(self, kind: EventKind, **details: Any) -> None:
        observe = self._agent.on_event
        if observe is not None and self._alive:
            name, at_ns = self._agent.name, self.clock.now_ns()
            observe(Event(kind, name, at_ns, self._number, **details))


def _next_tick(due_s: float, interval_s: float, now_s: float) -> float:
    """Return when a loop is due again.

    A tick that passed during work is made up for once, at once; the others are lost.
    """
    due_s += interval_s
    if due_s + interval_s <= now_s:
        due_s += (now_s - due_s) // interval_s * interval_s
    return due_s
