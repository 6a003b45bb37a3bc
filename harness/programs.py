"""The program under test, as scenarios handle it: started, asked to end, killed, looked at.

`muster agent-test` makes processes of the program it was given. On virtual time the program is one of
our own simulated agents, so that the suite for agents is itself tested.
"""

import signal
from collections.abc import Callable
from typing import Any, Protocol

import trio

from harness.history import RecordingPort
from simulated_agents.actor import Agent


class Program(Protocol):
    """One program under test; a process of it runs, or none."""

    async def start(self, token: str) -> None:
        """Start a process, unless one runs; it is given the token."""
        ...

    async def stop(self) -> None:
        """Ask the process to end, as a service manager does; do not wait for it."""
        ...

    async def crash(self) -> None:
        """Kill the process; return when it is gone."""
        ...

    def described(self) -> dict[str, Any]:
        """Return what it shows: `alive`, its `exit` code, its `output`, its `arguments`."""
        ...


MakeProgram = Callable[[str, RecordingPort], Program]
"""Makes the program of an agent, given its name and its way to the master; it is started later."""


class Simulated:
    """A simulated agent as the program under test.

    Args:
        agent: which.
        nursery: runs it.

    """

    def __init__(self, agent: Agent, nursery: trio.Nursery) -> None:
        self._agent = agent
        self._nursery = nursery
        self._ended_by: int | None = None
        self._gone = trio.Event()
        self._started = False

    async def start(self, token: str) -> None:
        """Start a process, unless one runs."""
        if self._agent.alive:
            return
        self._ended_by = None
        self._gone = trio.Event()
        self._started = True
        self._agent.use_token(token)
        self._nursery.start_soon(self._run)
        await trio.lowlevel.checkpoint()

    async def _run(self) -> None:
        try:
            await self._agent.run()
        finally:
            self._gone.set()

    async def stop(self) -> None:
        """End the process."""
        if self._agent.alive:
            self._ended_by = 0
            self._agent.stop()
        await trio.lowlevel.checkpoint()

    async def crash(self) -> None:
        """Kill the process."""
        if self._agent.alive:
            self._ended_by = -signal.SIGKILL
            self._agent.crash()
            await self._gone.wait()

    def described(self) -> dict[str, Any]:
        """Return what it shows; one that ended by itself ended as the real agent does, with 1."""
        alive = self._agent.alive
        ended = self._started and not alive
        code = (1 if self._ended_by is None else self._ended_by) if ended else None
        return {"alive": alive, "exit": code, "output": "", "arguments": []}
