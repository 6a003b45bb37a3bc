"""The master as a server process: hypercorn on trio, the wall clock, the system's randomness."""

import logging
import os
import platform
import secrets
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import hypercorn.trio.run
import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio import serve as hypercorn_serve
from hypercorn.trio.tcp_server import TCPServer

from master.admin.passwords import ThreadHasher
from master.app import App
from master.config import Config
from master.core import Master
from master.objects import DiskObjects
from master.store.database import Database
from master.store.rows import User

log = logging.getLogger("muster.master")

KEEP_ALIVE_S: Final = 75.0
"""Longer than any agent's pause between two calls; hypercorn's 5 s would race a 5 s poll."""

REQUESTS_PER_CONNECTION: Final = 1_000_000
"""An agent that polls every 5 s stays connected for weeks."""

GRACEFUL_S: Final = 10.0
"""How long running requests may take to end after a signal, as the real master's."""

_GO_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "windows"}
_GO_PROCESSORS = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class _Connection(TCPServer):
    """A connection that is forgotten when its client closes it.

    hypercorn's own waits for the end of the keep-alive time first, with the socket open.
    """

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()


hypercorn.trio.run.TCPServer = _Connection  # type: ignore[attr-defined]  # no other door


class WallClock:
    """The time of this machine."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch."""
        return time.time_ns()

    def offset_s(self, instant_ns: int) -> int:
        """Return this machine's distance from UTC at an instant, in seconds east."""
        return time.localtime(instant_ns // 1_000_000_000).tm_gmtoff

    def monotonic_s(self) -> float:
        """Return trio's clock."""
        return trio.current_time()

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until trio's clock shows `deadline_s`."""
        await trio.sleep_until(deadline_s)


class SystemEntropy:
    """The randomness of this machine."""

    def token_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)


@dataclass(frozen=True, slots=True)
class Server:
    """What `muster serve` was told.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        database: the file.
        config: how the master behaves.

    """

    host: str
    port: int
    database: Path
    config: Config


class PortTakenError(Exception):
    """Nothing can listen there; the message says why."""


def _listen(server: Server) -> socket.socket:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((server.host, server.port))
        listener.listen(1024)
    except (OSError, OverflowError, TypeError) as error:  # TypeError: the host is no name at all
        listener.close()
        raise PortTakenError(
            f"cannot listen on {server.host}:{server.port}: {error}. Give another --host or --port."
        ) from error
    return listener


def _here(config: Config) -> Config:
    """Return a configuration with what this machine says of itself."""
    system = _GO_SYSTEMS.get(platform.system(), platform.system().lower())
    processor = _GO_PROCESSORS.get(platform.machine(), platform.machine().lower())
    return replace(config, hostname=platform.node(), platform=(system, processor))


def run(server: Server, announce: Callable[[str, bool], None]) -> None:
    """Serve until SIGINT or SIGTERM, then end running requests and close the database.

    Args:
        server: what to serve, and where.
        announce: is called once with the URL and whether a first administrator is still missing,
            when connections are accepted.

    Raises:
        PortTakenError: nothing can listen there.
        DatabaseError: the file cannot be used.
        WrongKeyError: the encryption key is not the database's.

    """
    listener = _listen(server)
    try:
        database = Database(server.database, server.config.profile.release)
        try:
            hasher = ThreadHasher(server.config.bcrypt_cost)
            master = Master(
                database,
                WallClock(),
                SystemEntropy(),
                _here(server.config),
                hasher,
                DiskObjects(),
            )
        except BaseException:
            database.close()
            raise
        with master:
            trio.run(_serve, master, listener, announce)
    finally:
        listener.close()


async def _serve(
    master: Master, listener: socket.socket, announce: Callable[[str, bool], None]
) -> None:
    host, port = listener.getsockname()[:2]
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_wait_signal, stop)
        nursery.start_soon(master.run_monitors)
        serve = partial(hypercorn_serve, shutdown_trigger=stop.wait)
        async with trio.open_nursery() as serving:
            await serving.start(serve, App(master), _settings(listener))
            name = f"[{host}]" if ":" in host else host
            announce(f"http://{name}:{port}", master.state.database.count(User, "1") == 0)
        log.info("stopped")
        nursery.cancel_scope.cancel()


def _settings(listener: socket.socket) -> HypercornConfig:
    settings = HypercornConfig()
    settings.bind = [f"fd://{os.dup(listener.fileno())}"]  # hypercorn closes what it is given
    settings.keep_alive_timeout = KEEP_ALIVE_S
    settings.keep_alive_max_requests = REQUESTS_PER_CONNECTION
    settings.graceful_timeout = GRACEFUL_S
    settings.include_server_header = False
    settings.accesslog = None
    settings.errorlog = None
    return settings


async def _wait_signal(stop: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            log.info("%s received, stopping", signal.Signals(number).name)
            stop.set()
            return
