"""`muster agent`: one simulated agent as a program, which does real work with real files.

It is started and ended as the real agent is, and takes the real one's environment, so that either
can stand where the other does. A fleet that only pretends is `muster agents`.
"""

import os
import platform
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import click
import trio

from harness.commands.options import DURATION
from harness.stop import StopError
from harness.verdict import Exit
from master.protocol.profiles import DEFAULT_PROFILE
from simulated_agents.actor import Agent
from simulated_agents.client import Identity
from simulated_agents.clock import RealClock
from simulated_agents.events import Counters, Event, EventKind
from simulated_agents.files.worker import FileWorker
from simulated_agents.plan import WorkPlan
from simulated_agents.ports import close_port
from simulated_agents.ports.http import HttpPort
from simulated_agents.releases import RELEASES, Release
from simulated_agents.timing import Timing

TOKEN_VARIABLES: Final = ("MUSTER_TOKEN", "BACKUPX_AGENT_TOKEN")
"""Where the token may stand; never among the arguments, where every user of the machine sees it."""

FAILED_EXIT: Final = Exit.VIOLATION
"""The first heartbeat failed: the real agent ends so, too."""

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Order:
    """What to be, and where."""

    url: str
    token: str = field(repr=False)
    timing: Timing
    temp_dir: Path
    ca: Path | None
    release: Release


@click.command()
@click.option(
    "--url",
    envvar=["MUSTER_URL", "BACKUPX_AGENT_MASTER"],
    required=True,
    show_envvar=True,
    metavar="URL",
    help="The master's base URL.",
)
@click.option(
    "--token-file",
    envvar=["MUSTER_TOKEN_FILE", "BACKUPX_AGENT_TOKEN_FILE"],
    show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Holds the node's token; or give it in ${' or $'.join(TOKEN_VARIABLES)}.",
)
@click.option(
    "--heartbeat",
    envvar="BACKUPX_AGENT_HEARTBEAT",
    type=DURATION,
    default="15s",
    show_default=True,
    show_envvar=True,
)
@click.option(
    "--poll",
    envvar="BACKUPX_AGENT_POLL",
    type=DURATION,
    default="5s",
    show_default=True,
    show_envvar=True,
)
@click.option(
    "--temp-dir",
    envvar="BACKUPX_AGENT_TEMP_DIR",
    show_envvar=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where backups are made before they are stored; the system's place when left out.",
)
@click.option(
    "--ca-cert",
    "ca",
    envvar="BACKUPX_AGENT_CA_CERT_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Certificates (PEM) to trust instead of the system's.",
)
@click.option(
    "--profile",
    envvar="MUSTER_PROFILE",
    type=click.Choice(list(RELEASES)),
    default=DEFAULT_PROFILE,
    show_default=True,
    show_envvar=True,
    help="The release to be an agent of.",
)
def agent(
    url: str,
    token_file: Path | None,
    heartbeat: float,
    poll: float,
    temp_dir: Path | None,
    ca: Path | None,
    profile: str,
) -> int:
    """Be one agent: back real files up and restore them, for the master at URL.

    Ends with 0 when it is told to, and with 1 when its first heartbeat fails.
    """
    order = Order(
        url=url.strip(),
        token=_token(token_file),
        timing=Timing(heartbeat, poll),
        temp_dir=temp_dir or Path(tempfile.gettempdir()),
        ca=ca,
        release=RELEASES[profile],
    )
    return trio.run(_live, order)


def _token(file: Path | None) -> str:
    """Return the token, from the file if there is one, else from the environment.

    Raises:
        StopError: there is none.

    """
    if file is not None:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StopError(Exit.USAGE, f"{file}: no token can be read: {error}") from None
        where = str(file)
    else:
        variable = next((name for name in TOKEN_VARIABLES if os.environ.get(name)), None)
        text = os.environ.get(variable, "") if variable else ""
        where = f"${variable or TOKEN_VARIABLES[0]}"
    token = text.strip()
    if not token:
        raise StopError(
            Exit.USAGE, f"expected the node's token in {where}, or --token-file FILE that holds it"
        )
    if not (token.isascii() and token.isprintable()):
        raise StopError(Exit.USAGE, f"{where}: a token is made of printable ASCII characters")
    return token


async def _live(order: Order) -> int:
    """Live until a signal comes.

    Raises:
        StopError: the URL or the certificates are none, or the first heartbeat failed.

    """
    try:
        port = HttpPort(order.url, ca=order.ca)
    except (ValueError, OSError) as error:
        raise StopError(Exit.USAGE, str(error)) from None
    one = Agent(
        "agent",
        port,
        order.token,
        RealClock(),
        work=WorkPlan(duration_s=0),
        worker=partial(FileWorker, temp_dir=order.temp_dir),
        identity=_identity(order.release),
        release=order.release,
        timing=order.timing,
    )
    diary = Diary(order.token, one.counters)
    one.on_event = diary.write
    diary.say(f"agent {order.release.version} starts, for {order.url}")
    try:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stop_at_signal, signals, one, diary)
                await one.run()
                nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await close_port(port)
    if not diary.told:
        raise StopError(FAILED_EXIT, diary.redact(f"initial heartbeat failed: {diary.reason}"))
    return Exit.OK


async def _stop_at_signal(signals: AsyncIterator[int], one: Agent, diary: "Diary") -> None:
    async for number in signals:
        diary.told = True
        diary.say(f"{signal.Signals(number).name}: the agent ends")
        one.stop()


class Diary:
    """Writes what happens to the agent on standard error, a line each, without its token.

    Args:
        token: what no line may hold.
        counters: of the agent.

    Attributes:
        told: whether a signal told it to end.
        reason: why the last call failed.

    """

    def __init__(self, token: str, counters: Counters) -> None:
        self._token = token
        self._counters = counters
        self.told = False
        self.reason = ""

    def say(self, line: str) -> None:
        """Write a line."""
        click.echo(f"muster agent: {self.redact(line)}", err=True)

    def redact(self, text: str) -> str:
        """Return a text without the token; an answer that was no success may quote it."""
        return text.replace(self._token, "…")

    def write(self, event: Event) -> None:
        """Write what is worth a line."""
        about = f"command {event.command_id} ({event.command_type})"
        if event.kind is EventKind.CLAIMED:
            self.say(f"received {about}")
        elif event.kind is EventKind.FINISHED:
            self.say(f"finished {about}: {event.outcome}")
        elif event.kind in {EventKind.REFUSED, EventKind.UNANSWERED}:
            self.reason = event.reason or ""
            if self._counters.polls or self._counters.heartbeats > 1:  # the first ends it anyway
                self.say(f"call failed: {self.reason}")


def _identity(release: Release) -> Identity:
    machine = platform.machine()
    return Identity(
        hostname=socket.gethostname(),
        agent_version=release.version,
        os=sys.platform,
        arch=_ARCHITECTURES.get(machine, machine),
    )
