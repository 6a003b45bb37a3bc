"""A server that a command starts: waited for, killed, started again, and always stopped.

It has a process group of its own, so that all that it starts is stopped with it, and so that an
interrupt at the terminal is muster's to deal with. A guard that lives as long as muster kills the group
when muster itself is killed. Its output is kept in a log.
"""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import trio

from harness.sites.door import TargetError, ask_health
from harness.sites.file import Command, TargetFile
from simulated_agents.ports import ClosablePort

LOOK_EVERY_S: Final = 0.05
"""How often it is asked whether it is ready."""

ENDS_S: Final = 1.0
"""How long a process may take to end that does not answer any more."""

LINES: Final = 5
"""How many of the last lines of its log are shown."""

_LINE_MAX: Final = 300

_GUARD: Final = 'read line; kill -KILL "-$1"'
"""Waits for the end of its input, which comes when muster is gone, and ends the group."""


class CommandServer:
    """The server of a target file with a command.

    Args:
        target: the target.
        command: its command.
        make_port: makes a way to it.
        log: takes what it writes.

    Attributes:
        log: its log.
        wanted: whether it should run.

    """

    def __init__(
        self,
        target: TargetFile,
        command: Command,
        make_port: Callable[[], ClosablePort],
        log: Path,
    ) -> None:
        self._target = target
        self._command = command
        self._make_port = make_port
        self._process: trio.Process | None = None
        self._guard: trio.Process | None = None
        self._started = trio.Event()
        self.log = log
        self.wanted = False

    async def check_free(self) -> None:
        """Make sure that nobody else is where the server will be.

        Raises:
            TargetError: somebody is.

        """
        host = await self._who_answers()
        if host is not None:
            raise TargetError(
                f"{self._target.url}: {host} answers there already, before muster started"
                f" {self._command.argv[0]}: stop it, or leave [command] out of {self._target.path}"
                " to play on it"
            )

    async def is_free(self) -> bool:
        """Return whether nobody is where the server will be."""
        return await self._who_answers() is None

    async def _who_answers(self) -> str | None:
        port = self._make_port()
        try:
            health = await ask_health(self._target, port)
        except TargetError as error:
            return None if "nothing listens there" in error.message else "something else"
        finally:
            await port.aclose()
        return f"a server ({health.version}, up for {health.uptime_s} s)"

    async def start(self) -> None:
        """Start it, and return when it is ready.

        Raises:
            TargetError: it did not come up; the message ends with what its log ends with.
            StopError: a secret for it is not where the target file says.

        """
        environment = {
            name: value if isinstance(value, str) else value.read()
            for name, value in self._command.environment.items()
        }
        with self.log.open("ab") as log:
            try:
                self._process = await trio.lowlevel.open_process(
                    self._command.argv,
                    cwd=self._command.folder,
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as error:
                raise TargetError(
                    f"{self._target.path}: {self._command.argv[0]} cannot be started:"
                    f" {error.strerror}"
                ) from None
            self._guard = await trio.lowlevel.open_process(
                ["/bin/sh", "-c", _GUARD, "muster-guard", str(self._process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.wanted = True
        self._started.set()
        await self._wait_ready(self._process)

    async def _wait_ready(self, process: trio.Process) -> None:
        ready = False
        async with trio.open_nursery() as nursery:

            async def look() -> None:
                nonlocal ready
                port = self._make_port()
                try:
                    while not await self._answers(port):  # noqa: ASYNC110 - it tells nobody
                        await trio.sleep(LOOK_EVERY_S)
                finally:
                    with trio.CancelScope(shield=True):
                        await port.aclose()
                ready = True
                nursery.cancel_scope.cancel()

            nursery.start_soon(look)
            with trio.move_on_after(self._command.ready_s) as limit:
                await process.wait()
            nursery.cancel_scope.cancel()
        if ready and process.returncode is None:
            return
        how = (
            f"did not answer within {self._command.ready_s:g} s"
            if limit.cancelled_caught
            else how_ended(process.returncode)
        )
        await self.stop()
        raise TargetError(f"{self._target.url}: the server that muster started {how}{self.last()}")

    async def _answers(self, port: ClosablePort) -> bool:
        with suppress(TargetError):
            await ask_health(self._target, port)
            return True
        return False

    async def stop(self) -> None:
        """Kill it and all that it has started, as `kill -9` does; return when it is gone."""
        self._leave()
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        await self._process.wait()
        self._process = None
        await self._dismiss_guard()

    def _leave(self) -> None:
        """Be ended by nobody's fault from now on."""
        self.wanted = False
        self._started = trio.Event()

    async def end(self) -> None:
        """Let it stop in its own way, if it does in time; then kill what is left of its group."""
        self._leave()
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with trio.move_on_after(self._command.stop_s):
                await self._process.wait()
        await self.stop()

    async def has_ended(self) -> bool:
        """Return whether the process has ended, or does so just now."""
        if self._process is not None:
            with trio.move_on_after(ENDS_S):
                await self._process.wait()
        return self._process is None or self._process.returncode is not None

    async def died(self) -> str:
        """Return how it ended, once it has ended though nobody stopped it."""
        while True:
            await self._started.wait()
            process = self._process
            assert process is not None  # it was started
            await process.wait()
            if self.wanted:
                return f"{how_ended(process.returncode)}{self.last()}"

    def last(self) -> str:
        """Return what its log ends with, as the end of a sentence."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - LINES * 4096))
                lines = log.read().decode("utf-8", "replace").strip().splitlines()[-LINES:]
        except OSError as error:
            return f"; its log {self.log} cannot be read: {error.strerror}"
        if not lines:
            return f"; it wrote nothing ({self.log})"
        shown = "".join(f"\n    {line[:_LINE_MAX]}" for line in lines)
        return f"; {self.log} ends with:{shown}"

    def _signal(self, number: int) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def _dismiss_guard(self) -> None:
        if self._guard is None:
            return
        self._guard.kill()
        await self._guard.wait()
        assert self._guard.stdin is not None
        await self._guard.stdin.aclose()
        self._guard = None


def how_ended(returncode: int | None) -> str:
    """Return how a process ended, in words that follow "the server"."""
    if returncode is None:
        return "runs"
    if returncode < 0:
        try:
            name = signal.Signals(-returncode).name
        except ValueError:
            name = f"signal {-returncode}"
        return f"was ended by {name}"
    return f"ended with exit code {returncode}"


@asynccontextmanager
async def running(server: CommandServer) -> AsyncIterator[CommandServer]:
    """Run a server for as long as the block, however that ends.

    Raises:
        TargetError: somebody else is where it should be, or it did not come up.

    """
    await server.check_free()
    try:
        await server.start()
        yield server
    finally:
        with trio.CancelScope(shield=True):
            await server.end()
