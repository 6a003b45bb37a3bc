"""A reference master as a server process of its own: started, waited for, and always stopped.

The child watches its standard input, so that it ends even when muster is killed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import msgspec
import trio

from harness.target import ADMIN
from master.config import Timings
from master.protocol.exchange import Request
from simulated_agents.ports.http import HttpPort

START_S: Final = 30.0
"""How long the server may take to listen; a cold start is about one second."""

STOP_S: Final = 15.0
"""How long it may take to stop after it was asked; then it is killed."""

READY_PREFIX: Final = "listening on "
"""What `muster serve` writes to its standard output, followed by its URL."""


class ServerError(Exception):
    """The server did not start, or cannot be set up; the message says why."""


class ServerProcess:
    """`muster serve` in a folder of its own, which it can be killed in and started in again.

    Args:
        folder: takes the database and the log.
        timings: the server's timers.
        profile: the release that it is.

    Attributes:
        url: where it listens, which stays the same.
        database: its file.
        log: where its log goes.

    """

    def __init__(self, folder: Path, timings: Timings, profile: str) -> None:
        self.database = folder / "master.db"
        self.log = folder / "serve.log"
        self.url = ""
        self._timings = timings
        self._profile = profile
        self._process: trio.Process | None = None

    @property
    def pid(self) -> int:
        """Return the id of the process that runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and return when it answers.

        Raises:
            ServerError: it did not start.

        """
        port = self.url.rpartition(":")[2] or "0"
        with self.log.open("ab") as log_file:
            self._process = await trio.lowlevel.open_process(
                _command(self.database, port, self._timings, self._profile),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                env={**os.environ, "MUSTER_ENCRYPTION_KEY": "muster"},
            )
        self.url = await self._wait_ready(self._process)

    async def stop(self) -> None:
        """Kill it, as `kill -9` does."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self._close_pipes()

    async def end(self) -> None:
        """Let it stop in its own way, if it does in time."""
        if self._process is None or self._process.returncode is not None:
            return
        assert self._process.stdin is not None
        await self._process.stdin.aclose()
        self._process.terminate()
        with trio.move_on_after(STOP_S):
            await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._close_pipes()

    async def _close_pipes(self) -> None:
        assert self._process is not None
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            await pipe.aclose()

    async def _wait_ready(self, process: trio.Process) -> str:
        assert process.stdout is not None
        said = b""
        with trio.move_on_after(START_S):
            async for chunk in process.stdout:
                said += chunk
                for line in said.decode("utf-8", "replace").splitlines(keepends=True):
                    if line.startswith(READY_PREFIX) and line.endswith("\n"):
                        return line[len(READY_PREFIX) :].strip()
            await process.wait()
        last = self.log.read_text("utf-8", "replace").strip().splitlines()[-3:]
        raise ServerError("the server did not start: " + (" / ".join(last) or "it said nothing"))


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        url: where it listens.
        database: its file.
        admin_token: authorises administration; "" where nobody was set up.
        log: where its log goes.
        process: it, to be killed and started again.

    """

    url: str
    database: Path
    admin_token: str
    log: Path
    process: ServerProcess

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        return self.process.pid


@asynccontextmanager
async def serve_master(
    timings: Timings, profile: str, *, set_up: bool = True
) -> AsyncIterator[Served]:
    """Run `muster serve` on a free port with a database of its own, for as long as the block.

    Args:
        timings: the server's timers.
        profile: the release that it is.
        set_up: make the first administrator.

    Raises:
        ServerError: it did not start.

    """
    with tempfile.TemporaryDirectory(prefix="muster-") as folder:
        process = ServerProcess(Path(folder), timings, profile)
        try:
            await process.start()
            token = await _set_up(process.url) if set_up else ""
            yield Served(process.url, process.database, token, process.log, process)
        finally:
            with trio.CancelScope(shield=True):
                await process.end()


def _command(database: Path, port: str, timings: Timings, profile: str) -> list[str]:
    options = [
        f"--{timing.name.removesuffix('_s').replace('_', '-')}={getattr(timings, timing.name)}s"
        for timing in fields(timings)
    ]
    return [
        *(sys.executable, "-P", "-m", "harness", "serve"),
        *(f"--port={port}", f"--database={database}", f"--profile={profile}"),
        *("--until-stdin-closes", *options),
    ]


async def _set_up(url: str) -> str:
    port = HttpPort(url)
    try:
        request = Request("POST", "/api/auth/setup", {}, msgspec.json.encode(ADMIN))
        response = await port.send(request)
        if response.status != 200:
            raise ServerError(f"the server's set-up was answered {response.status}")
        token: str = msgspec.json.decode(response.body)["data"]["token"]
        return token
    finally:
        await port.aclose()
