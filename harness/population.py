"""The agents of one scenario: who they are, which of them live by themselves, how each is reached."""

from functools import partial
from pathlib import Path
from typing import Any

import trio

from harness.faults import Faults, Plan
from harness.history import RecordingPort
from harness.programs import Program, Simulated
from harness.scenario.declarations import BY_STEPS, MANUAL, TESTED
from harness.scenario.model import AgentDecl, Duration, Scenario
from harness.scope import Scope
from harness.world import World
from simulated_agents.actor import Agent
from simulated_agents.behaviours import make
from simulated_agents.events import Event, EventKind
from simulated_agents.files.hands import AtOnce
from simulated_agents.files.worker import FileWorker
from simulated_agents.plan import Outcome, WorkPlan, WorkRange, WorkSource
from simulated_agents.ports import close_port
from simulated_agents.pretend import PretendWorker
from simulated_agents.releases import RELEASES
from simulated_agents.rng import fork
from simulated_agents.worker import WorkerMaker

_NOTED = frozenset(
    {
        EventKind.STARTED,
        EventKind.RESTARTED,
        EventKind.CRASHED,
        EventKind.ENDED,
        EventKind.OFFLINE,
        EventKind.ONLINE,
    }
)
"""What a history tells of an agent beside its exchanges."""


class Population:
    """Makes a scenario's agents, and starts and kills their processes.

    Args:
        scenario: declares them.
        world: where they live.
        nursery: runs their processes.

    Attributes:
        names: every agent's name, the members of groups included, in the order of declaration.

    """

    def __init__(self, scenario: Scenario, world: World, nursery: trio.Nursery) -> None:
        self._world = world
        self._nursery = nursery
        self._declared = {
            name: declared for declared in scenario.agents for name in _member_names(declared)
        }
        plan = Plan((*scenario.faults, *world.faults)).faster(world.factor)
        self._faults = Faults(plan, world.clock, world.history, world.elapsed_s, world.seed)
        self._ports: dict[str, RecordingPort] = {}
        self._agents: dict[str, Agent] = {}
        self._programs: dict[str, Program] = {}
        self.names = tuple(self._declared)

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the labels of an agent's node."""
        return self._declared[name].labels

    def port(self, process: str) -> RecordingPort:
        """Return the way to the master that a process uses for the calls of steps."""
        if process not in self._ports:
            self._ports[process] = self._way(process)
        return self._ports[process]

    def _way(self, process: str) -> RecordingPort:
        """Return a new way to the master, with the faults on it that are about this process."""
        way = self._world.port(process)
        if process not in self._declared:
            return way
        return way.behind(self._faults.port)

    async def aclose(self) -> None:
        """Close every way to the master that the agents had."""
        for port in (*self._ports.values(), *(agent.port for agent in self._agents.values())):
            await close_port(port)

    async def start_all(self, names: dict[str, Any]) -> None:
        """Start the processes of all agents that live by themselves and do not wait for a step.

        The members of a group start spread over one poll interval, so that they do not march in
        step.
        """
        for name, declared in self._declared.items():
            if declared.behaviour == TESTED and declared.start:
                await self.start(name, names)
            elif declared.behaviour != MANUAL and declared.start:
                rng = fork(self._world.seed, f"start/{name}")
                spread_s = self._world.agent_timing.poll_s
                delay_s = rng.uniform(0, spread_s) if declared.count else 0.0
                self._nursery.start_soon(self._run, self._agent(name, names), delay_s)

    async def start(self, name: str, names: dict[str, Any]) -> None:
        """Start an agent's process, if none runs."""
        if self._declared[name].behaviour == TESTED:
            await self._program(name, names).start(names[name]["token"])
            return
        agent = self._agent(name, names)
        if not agent.alive:
            self._nursery.start_soon(self._run, agent, 0.0)
            await trio.lowlevel.checkpoint()

    def use_token(self, name: str, token: str) -> None:
        """Give an agent that lives by itself its new token; a program gets one when it starts."""
        if name in self._agents and name not in self._programs:
            self._agents[name].use_token(token)

    async def crash(self, name: str) -> None:
        """Kill an agent's processes at once."""
        if name in self._programs:
            await self._programs[name].crash()
        elif name in self._agents:
            self._agents[name].crash()
        await trio.lowlevel.checkpoint()

    async def stop(self, name: str) -> None:
        """Ask an agent's processes to end."""
        if name in self._programs:
            await self._programs[name].stop()
        elif name in self._agents:
            self._agents[name].stop()
        await trio.lowlevel.checkpoint()

    def process(self, name: str) -> dict[str, Any] | None:
        """Return what the process of an agent under test shows; `None` where none ever started."""
        program = self._programs.get(name)
        return None if program is None else program.described()

    def _program(self, name: str, names: dict[str, Any]) -> Program:
        if name not in self._programs:
            make = self._world.make_program
            self._programs[name] = (
                Simulated(self._agent(name, names), self._nursery)
                if make is None
                else make(name, self._way(name))
            )
        return self._programs[name]

    async def _run(self, agent: Agent, delay_s: float) -> None:
        await self._world.clock.sleep(delay_s)
        await agent.run()

    def _agent(self, name: str, names: dict[str, Any]) -> Agent:
        if name not in self._agents:
            declared = self._declared[name]
            world = self._world
            options = {key: self._value(value, names) for key, value in declared.options.items()}
            plain = declared.behaviour in BY_STEPS
            behaviour = make("prompt" if plain else declared.behaviour, options)
            self._agents[name] = Agent(
                name,
                world.patient(self._way(name)),
                names[name]["token"],
                world.clock,
                behaviour=behaviour,
                work=self._work(declared),
                rng=fork(world.seed, f"agent/{name}"),
                release=RELEASES[declared.release or world.profile],
                timing=world.agent_timing,
                on_event=self._note,
                worker=self._worker(declared),
            )
        return self._agents[name]

    def _worker(self, declared: AgentDecl) -> WorkerMaker:
        """Return what does an agent's work: real files where it stands for the program under test."""
        if declared.behaviour != TESTED:
            return PretendWorker
        temp_dir = Path(self._world.scratch, "tmp", declared.name)
        return partial(FileWorker, temp_dir=temp_dir, hands=AtOnce(), same_bytes=True)

    def _value(self, value: Any, names: dict[str, Any]) -> Any:
        """Return an option's value: durations in seconds of this clock, agents by their id."""
        if isinstance(value, Duration):
            return Scope(self._world).seconds(value)
        if isinstance(value, str) and value in self._declared:
            return names[value]["id"]
        return value

    def _work(self, declared: AgentDecl) -> WorkSource:
        work = declared.work
        if not work:
            low_s, high_s = WorkRange().duration_s
            factor = self._world.factor
            return WorkRange(duration_s=(low_s / factor, high_s / factor))
        given = WorkPlan()
        duration = work.get("duration")
        return WorkPlan(
            duration_s=self._value(duration, {}) if duration is not None else given.duration_s,
            size_bytes=work.get("size", given.size_bytes),
            outcome=Outcome(work.get("outcome", given.outcome)),
            log_lines=tuple(work["logs"]) if "logs" in work else None,
        )

    def _note(self, event: Event) -> None:
        if event.kind in _NOTED:
            self._world.history.note(self._world.elapsed_s(), event.agent, str(event.kind))


def _member_names(declared: AgentDecl) -> list[str]:
    if declared.count is None:
        return [declared.name]
    return [f"{declared.name}-{number}" for number in range(1, declared.count + 1)]
