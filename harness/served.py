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


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        url: where it listens.
        database: its file.
        admin_token: authorises administration; "" where nobody was set up.
        log: where its log goes.
        pid: its process.

    """

    url: str
    database: Path
    admin_token: str
    log: Path
    pid: int


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
        database, log = Path(folder, "master.db"), Path(folder, "serve.log")
        with log.open("wb") as log_file:  # noqa: ASYNC230 - a fresh file in a fresh folder
            process = await trio.lowlevel.open_process(
                _command(database, timings, profile),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                env={**os.environ, "MUSTER_ENCRYPTION_KEY": "muster"},
            )
        try:
            url = await _wait_ready(process, log)
            token = await _set_up(url) if set_up else ""
            yield Served(url, database, token, log, process.pid)
        finally:
            with trio.CancelScope(shield=True):
                await _stop(process)


def _command(database: Path, timings: Timings, profile: str) -> list[str]:
    options = [
        f"--{timing.name.removesuffix('_s').replace('_', '-')}={getattr(timings, timing.name)}s"
        for timing in fields(timings)
    ]
    return [
        *(sys.executable, "-P", "-m", "harness", "serve"),
        *("--port=0", f"--database={database}", f"--profile={profile}", "--until-stdin-closes"),
        *options,
    ]


async def _wait_ready(process: trio.Process, log: Path) -> str:
    assert process.stdout is not None
    said = b""
    with trio.move_on_after(START_S):
        async for chunk in process.stdout:
            said += chunk
            for line in said.decode("utf-8", "replace").splitlines(keepends=True):
                if line.startswith(READY_PREFIX) and line.endswith("\n"):
                    return line[len(READY_PREFIX) :].strip()
        await process.wait()
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]  # noqa: ASYNC240 - small
    raise ServerError("the server did not start: " + (" / ".join(last) or "it said nothing"))


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


async def _stop(process: trio.Process) -> None:
    assert process.stdin is not None
    await process.stdin.aclose()
    process.terminate()
    with trio.move_on_after(STOP_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
