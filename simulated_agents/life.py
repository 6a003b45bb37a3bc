"""A command's life as an agent sees it, and what a behaviour may do to it.

`Life` is the side of an agent's process that behaviours are shown.
"""

from collections.abc import Awaitable
from enum import StrEnum
from random import Random
from typing import Any, Protocol, TypeVar

from simulated_agents.client import AgentClient
from simulated_agents.clock import Clock
from simulated_agents.events import EventKind
from simulated_agents.messages import Command

T = TypeVar("T")


class Point(StrEnum):
    """Named moments of a command's life, in order; spec and record exist for backups and restores."""

    CLAIMED = "claimed"  # the poll's answer is here, nothing is done
    SPEC_FETCHED = "spec_fetched"  # the agent knows what to do
    STARTED = "started"  # the master was told that it begins
    WORKING = "working"  # half of the time is over
    WORKED = "worked"  # the work is over, the master does not know
    RECORDED = "recorded"  # the record's last update was answered
    REPORTED = "reported"  # the command's result was answered


class Crashed(Exception):  # noqa: N818 - raised by a behaviour to kill its process
    """The process dies here, and nothing further is sent.

    Args:
        restart_after_s: when a new process begins; `None` is never.

    """

    def __init__(self, restart_after_s: float | None = None) -> None:
        self.restart_after_s = restart_after_s
        super().__init__()


class Abandoned(Exception):  # noqa: N818 - raised by a behaviour to drop a command
    """The rest of this command is skipped; the agent goes on polling."""


class Life(Protocol):
    """One process of an agent, as its behaviour sees it."""

    @property
    def client(self) -> AgentClient:
        """Return its way to the master."""
        ...

    @property
    def clock(self) -> Clock:
        """Return its clock."""
        ...

    @property
    def rng(self) -> Random:
        """Return its agent's random stream."""
        ...

    def emit(
        self, kind: EventKind, command: Command | None = None, outcome: str | None = None
    ) -> None:
        """Tell observers that something happened."""
        ...

    async def attempt(self, call: Awaitable[T]) -> T | None:
        """Return what a call returns; a failure is noted, and no further matter."""
        ...

    async def report(
        self, command: Command, *, success: bool, error: str = "", result: Any = None
    ) -> None:
        """Report a command's result, as the real agent does: once, and never mind the answer."""
        ...
