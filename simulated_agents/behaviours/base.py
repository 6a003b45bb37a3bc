"""What a behaviour may change about an agent; by itself it changes nothing.

A behaviour hooks into the actor, it never has loops of its own in place of the actor's.
One instance belongs to one agent and outlives its processes, so it may count over crashes.
"""

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from simulated_agents.job import Report
from simulated_agents.life import Life, Point
from simulated_agents.messages import Command
from simulated_agents.plan import WorkPlan
from simulated_agents.ports import Port


class Behaviour:
    """An agent that does everything right.

    Attributes:
        OPTIONS: what a scenario may set, with the kind of value: `duration`, `text`, `number`,
            `flag`, `agent`, or `choice:a|b|c`.
        polls: whether it asks for commands.
        persists: whether a process goes on although its first heartbeat failed.
        processes: how many processes run under its one token.
        apart_s: how long after one process the next one starts.

    """

    OPTIONS: ClassVar[Mapping[str, str]] = {}
    polls: bool = True
    persists: bool = False
    processes: int = 1
    apart_s: float = 0.0

    def connect(self, port: Port, life: Life) -> Port:  # noqa: ARG002
        """Return the port that a new process is to use."""
        return port

    def token(self, token: str, rng: Random) -> str:  # noqa: ARG002
        """Return what to send instead of the node's token."""
        return token

    def plan(self, plan: WorkPlan) -> WorkPlan:
        """Return how the next work is to go."""
        return plan

    async def at(self, point: Point, command: Command, life: Life) -> None:
        """Live through a point of a command's life: go on, wait, or raise.

        Raises:
            Crashed: the process dies here.
            Abandoned: the rest of the command is skipped.

        """

    async def report(self, command: Command, report: Report, life: Life) -> None:
        """Report a command's result."""
        await life.report(command, success=report.success, error=report.error, result=report.result)

    async def beside(self, life: Life) -> None:
        """Do something beside heartbeats and polls, as long as the process lives."""
