"""Many agents in one run: who they are, when they start, how they stop."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from simulated_agents.actor import Agent
from simulated_agents.behaviours import BEHAVIOURS, Behaviour, make
from simulated_agents.clock import Clock
from simulated_agents.events import Counters, Event
from simulated_agents.plan import WorkRange, WorkSource
from simulated_agents.ports import Port, close_port
from simulated_agents.releases import DEFAULT_RELEASE, Release
from simulated_agents.rng import fork
from simulated_agents.timing import Timing

AGENTS_MAX: Final = 100_000
"""More than one process can drive; a larger number is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Member:
    """One agent to be.

    Attributes:
        name: unique in its fleet; also names its random streams.
        token: its node's token.
        behaviour: what it does differently; an instance of its own.
        work: where its work plans come from; the fleet's own source when left out.

    """

    name: str
    token: str = field(repr=False)
    behaviour: Behaviour = field(default_factory=Behaviour)
    work: WorkSource | None = None


class Fleet:
    """A population of agents.

    Args:
        members: who they are.
        connect: makes an agent's own port, given its name; the fleet closes it.
        clock: the time.
        seed: what all their random streams are forked from.
        work: where work plans come from, for members without a source of their own.
        release: what they do as their release does.
        timing: their intervals.
        ramp_up_s: what their starts are spread over; one poll interval when left out.
        restart_s: see `Agent`.
        on_event: told of everything that happens to any of them.

    Attributes:
        agents: by name, in the order of the members.
        counters: what all of them did so far.

    Raises:
        ValueError: two members have one name, or there are too many.

    """

    def __init__(
        self,
        members: Sequence[Member],
        connect: Callable[[str], Port],
        clock: Clock,
        *,
        seed: int,
        work: WorkSource | None = None,
        release: Release = DEFAULT_RELEASE,
        timing: Timing | None = None,
        ramp_up_s: float | None = None,
        restart_s: float | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        if len(members) > AGENTS_MAX:
            raise ValueError(f"a fleet has at most {AGENTS_MAX} agents, not {len(members)}")
        timing = timing or Timing()
        self.counters = Counters()
        self.agents: dict[str, Agent] = {}
        self._clock = clock
        self._seed = seed
        self._ramp_up_s = timing.poll_s if ramp_up_s is None else ramp_up_s
        self._scope: trio.CancelScope | None = None
        work = work or WorkRange()
        for member in members:
            if member.name in self.agents:
                raise ValueError(f"two agents are called {member.name!r}")
            self.agents[member.name] = Agent(
                member.name,
                connect(member.name),
                member.token,
                clock,
                behaviour=member.behaviour,
                work=member.work or work,
                rng=fork(seed, f"agent/{member.name}"),
                release=release,
                timing=timing,
                restart_s=restart_s,
                on_event=on_event,
                counters=self.counters,
            )

    async def run(self) -> None:
        """Run all agents until the last is gone for good, or the fleet is stopped."""
        try:
            async with trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                for name, agent in self.agents.items():
                    delay_s = fork(self._seed, f"start/{name}").uniform(0, self._ramp_up_s)
                    nursery.start_soon(self._start, agent, delay_s)
        finally:
            self._scope = None
            with trio.CancelScope(shield=True):
                for agent in self.agents.values():
                    await close_port(agent.port)

    def stop(self) -> None:
        """End every process, as a signal does; `run` returns."""
        for agent in self.agents.values():
            agent.stop()
        if self._scope is not None:
            self._scope.cancel()

    async def _start(self, agent: Agent, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        await agent.run()


_ENTRY = re.compile(r"\s*([a-z_]+)\s*=\s*([0-9]+)\s*", re.ASCII)


def parse_mix(text: str) -> list[tuple[str, int]]:
    """Return the behaviours and counts of a mix: `prompt=40,crashing=10`.

    Raises:
        ValueError: it is no mix; the message says where and what was expected.

    """
    mix: dict[str, int] = {}
    for entry in text.split(","):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"expected <behaviour>=<count>, as in 'prompt=40', not {entry!r}")
        name, count = match[1], int(match[2])
        if name not in BEHAVIOURS:
            raise ValueError(f"no behaviour {name!r}; there are {', '.join(BEHAVIOURS)}")
        if name in mix:
            raise ValueError(f"behaviour {name!r} is there twice")
        if not 1 <= count <= AGENTS_MAX:
            raise ValueError(f"{name} needs a count from 1 to {AGENTS_MAX}, not {count}")
        mix[name] = count
    return list(mix.items())


def members_of(mix: Sequence[tuple[str, int]], tokens: Sequence[tuple[str, str]]) -> list[Member]:
    """Return an agent for each token (name and token), with the behaviours of a mix in its order.

    Raises:
        ValueError: there are not as many tokens as the mix has agents.

    """
    behaviours = [name for name, count in mix for _ in range(count)]
    if len(behaviours) != len(tokens):
        raise ValueError(
            f"the mix has {len(behaviours)} agents, and there are {len(tokens)} tokens"
        )
    return [
        Member(name, token, make(behaviour))
        for behaviour, (name, token) in zip(behaviours, tokens, strict=True)
    ]
