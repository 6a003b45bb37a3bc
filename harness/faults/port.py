"""Faults at work: a plan applied to the exchanges of a run.

`Faults` is one run's: it counts what each fault has seen, whoever it was, and has a random stream a
fault and process, forked by name, so that another fault or another agent moves nobody's draws.
`FaultyPort` is one way to the master with the faults on it; it belongs inside the port that records,
so that what is recorded is what the sender saw, and what the faults did stands beside it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import trio

from harness.faults.values import Fault, Plan
from harness.history import Disturbance, History
from master.protocol.exchange import Request, Response
from simulated_agents.clock import Clock
from simulated_agents.ports import Port, close_port
from simulated_agents.rng import fork


class Faults:
    """A plan, and how far it has come.

    Args:
        plan: what happens.
        clock: waits.
        history: is told what was done.
        elapsed_s: tells the seconds since the run began.
        seed: decides what is left to chance.

    Attributes:
        done: how often each fault acted, by its short form.

    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        history: History,
        elapsed_s: Callable[[], float],
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self.history = history
        self.elapsed_s = elapsed_s
        self.done: Counter[str] = Counter()
        self._seed = seed
        self._faults = [Numbered(fault, name) for fault, name in _named(plan)]
        self._waiting: dict[str, list[trio.Event]] = {}
        self._streams: dict[str, Random] = {}

    @property
    def names(self) -> list[str]:
        """Return what the faults are called in this run, in the order of the plan."""
        return [one.name for one in self._faults]

    def port(self, port: Port, process: str, *aliases: str) -> "FaultyPort":
        """Return a way to the master with these faults on it.

        Args:
            port: the way behind it.
            process: whose way it is.
            aliases: other names that a plan may mean it by.

        """
        return FaultyPort(port, self, process, aliases)

    def selected(self, processes: tuple[str, ...], request: Request) -> list["Numbered"]:
        """Return the faults that act on an exchange, and count it."""
        now_s = self.elapsed_s()
        return [
            one
            for one in self._faults
            if one.fault.which.about(processes, request, now_s) and self._meant(one, processes[0])
        ]

    def _meant(self, one: "Numbered", process: str) -> bool:
        which = one.fault.which
        one.seen += 1
        if not which.counts(one.seen):
            return False
        if which.share is not None and self.rng(one.name, process).random() >= which.share:
            return False
        self.done[one.name] += 1
        return True

    def rng(self, name: str, process: str) -> Random:
        """Return the random stream of a fault and a process."""
        stream = f"fault/{name}/{process}"
        if stream not in self._streams:
            self._streams[stream] = fork(self._seed, stream)
        return self._streams[stream]

    def begin(self, process: str) -> list[trio.Event]:
        """Note that an exchange begins, and return who waits to be overtaken by it."""
        return self._waiting.pop(process, [])

    async def overtaken(self, process: str, within_s: float) -> bool:
        """Wait until a later exchange of a process has ended; return whether one did in time."""
        passed = trio.Event()
        self._waiting.setdefault(process, []).append(passed)

        async def give_up(scope: trio.CancelScope) -> None:
            await self.clock.sleep(within_s)
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(give_up, nursery.cancel_scope)
            await passed.wait()
            nursery.cancel_scope.cancel()
        return passed.is_set()


@dataclass(slots=True)
class Numbered:
    """A fault of a run.

    Attributes:
        fault: what it is.
        name: what it is called in this run.
        seen: how many exchanges it has counted.

    """

    fault: Fault
    name: str
    seen: int = 0


def _named(plan: Plan) -> list[tuple[Fault, str]]:
    """Return the faults with names of their own: their short form, numbered where one is repeated."""
    times: Counter[str] = Counter()
    named = []
    for fault in plan:
        text = str(fault)
        times[text] += 1
        named.append((fault, text if times[text] == 1 else f"{text} ({times[text]})"))
    return named


class FaultyPort:
    """A way to the master on which a plan's faults lie.

    Args:
        port: the way behind it.
        faults: the plan at work.
        process: whose way it is.
        aliases: other names that the plan may mean it by.

    """

    def __init__(
        self, port: Port, faults: Faults, process: str, aliases: tuple[str, ...] = ()
    ) -> None:
        self._port = port
        self._faults = faults
        self._processes = (process, *aliases)

    async def send(self, request: Request) -> Response:
        """Pass a request on, through every fault that selects it.

        Raises:
            NoReply: there is no answer, or a fault lost it.

        """
        faults, (process, *_) = self._faults, self._processes
        overtaken = faults.begin(process)
        invoke = faults.history.beginning(request)
        port = self._port
        for one in reversed(faults.selected(self._processes, request)):
            port = _Stand(port, one, faults, process, request, invoke)
        try:
            return await port.send(request)
        finally:
            for passed in overtaken:
                passed.set()

    async def aclose(self) -> None:
        """Close the port behind it."""
        await close_port(self._port)


class _Stand:
    """One fault in the way of one exchange: a port whose sending is the fault's action.

    Args:
        port: the way behind it.
        one: the fault.
        faults: the run.
        process: who sends.
        request: as the sender sent it.
        invoke: where the history says so, or -1.

    """

    def __init__(
        self,
        port: Port,
        one: Numbered,
        faults: Faults,
        process: str,
        request: Request,
        invoke: int,
    ) -> None:
        self._port = port
        self._one = one
        self._faults = faults
        self._process = process
        self._request = request
        self._invoke = invoke
        self.onwards = port.send
        self.sleep = faults.clock.sleep

    @property
    def rng(self) -> Random:
        """The random stream of this fault and this process."""
        return self._faults.rng(f"{self._one.name}/how", self._process)

    async def send(self, request: Request) -> Response:
        """Let the fault act.

        Raises:
            NoReply: there is no answer.

        """
        return await self._one.fault.action.act(self, request)

    async def overtaken(self, within_s: float) -> bool:
        """Wait until a later exchange of this process has ended; return whether one did in time."""
        return await self._faults.overtaken(self._process, within_s)

    def did(
        self, what: str, *, reached: bool | None = None, answer: Response | None = None
    ) -> None:
        """Write down what the fault did; see `Passing.did`."""
        self._faults.history.disturbed(
            self._faults.elapsed_s(),
            self._process,
            Disturbance(
                fault=self._one.name,
                action=self._one.fault.action.name,
                what=what,
                request=self._request,
                of=self._invoke,
                reached=reached,
                answer=answer,
            ),
        )
