"""`muster agents`: attach a fleet of simulated agents to any master."""

import dataclasses
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import trio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.commands.options import DURATION
from harness.stop import StopError
from harness.verdict import Exit
from master.protocol.exchange import Request
from master.protocol.profiles import DEFAULT_PROFILE
from simulated_agents.attach import ApiKey, AttachError, Login, provision, read_tokens
from simulated_agents.clock import RealClock
from simulated_agents.events import Counters
from simulated_agents.fleet import AGENTS_MAX, Fleet, members_of, parse_mix
from simulated_agents.plan import WorkRange
from simulated_agents.ports import NoReply
from simulated_agents.ports.http import HttpPort
from simulated_agents.releases import RELEASES, Release
from simulated_agents.timing import Timing

API_KEY_VARIABLE: Final = "MUSTER_API_KEY"
PASSWORD_VARIABLE: Final = "MUSTER_PASSWORD"  # noqa: S105 - the name of a variable
_PROGRESS_S: Final = 0.5
_LISTEN_S: Final = 5.0
"""How long to wait for a master that does not listen yet; the reference starts in about one second."""

_LINE_S: Final = 10.0
"""How often progress is written where no live line can be."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to attach, to what, for how long."""

    url: str
    mix: list[tuple[str, int]]
    prefix: str
    username: str
    token_file: Path | None
    timing: Timing
    work: WorkRange
    seed: int
    release: Release
    duration_s: float | None


@click.command()
@click.option("--url", required=True, metavar="URL", help="The master's base URL.")
@click.option("--count", type=click.IntRange(1, AGENTS_MAX), help="How many agents, in all.")
@click.option(
    "--behaviour",
    "mix",
    default="",
    metavar="NAME=N,…",
    help="How many of which behaviour; the rest of --count is prompt.",
)
@click.option("--prefix", default="muster-", show_default=True, help="Begins every node's name.")
@click.option(
    "--username",
    default="admin",
    show_default=True,
    help=f"Logs in (or sets a fresh server up) with ${PASSWORD_VARIABLE}; or give ${API_KEY_VARIABLE}.",
)
@click.option(
    "--tokens",
    "token_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File of existing agents, 'name token' or 'token' a line; nothing is registered then.",
)
@click.option("--heartbeat", type=DURATION, default="15s", show_default=True)
@click.option("--poll", type=DURATION, default="5s", show_default=True)
@click.option(
    "--work",
    "work_max",
    type=DURATION,
    default="5s",
    show_default=True,
    help="Longest piece of work.",
)
@click.option("--for", "duration", type=DURATION, help="Stop after so long; else on SIGINT.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--profile",
    type=click.Choice(list(RELEASES)),
    default=DEFAULT_PROFILE,
    show_default=True,
    help="The release that the agents are of.",
)
def agents(
    url: str,
    count: int | None,
    mix: str,
    prefix: str,
    username: str,
    token_file: Path | None,
    heartbeat: float,
    poll: float,
    work_max: float,
    duration: float | None,
    seed: int,
    profile: str,
) -> int:
    """Attach simulated agents to the master at URL, and show what they do."""
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"expected http://… or https://…, got {url}", param_hint="--url")
    order = Order(
        url=url.rstrip("/"),
        mix=_whole_mix(mix, count, token_file),
        prefix=prefix,
        username=username,
        token_file=token_file,
        timing=Timing(heartbeat, poll),
        work=WorkRange(duration_s=(min(0.5, work_max), work_max)),
        seed=seed,
        release=RELEASES[profile],
        duration_s=duration,
    )
    try:
        counters = trio.run(_attach, order)
    except* AttachError as group:
        raise StopError(Exit.TARGET, f"{order.url}: {group.exceptions[0]}") from None
    heard = counters.heartbeats + counters.polls > counters.no_reply + counters.refused
    return Exit.OK if heard else Exit.TARGET


def _whole_mix(text: str, count: int | None, token_file: Path | None) -> list[tuple[str, int]]:
    """Return the mix with the rest of the count as prompt agents."""
    try:
        mix = parse_mix(text) if text.strip() else []
        listed = len(read_tokens(token_file)) if token_file is not None else None
    except (ValueError, OSError) as error:
        raise StopError(Exit.USAGE, str(error)) from None
    named = sum(number for _, number in mix)
    total = count if count is not None else listed if listed is not None else named
    if listed is not None and total > listed:
        raise StopError(Exit.USAGE, f"{token_file} has {listed} tokens for {total} agents")
    if total < max(named, 1):
        what = f"--behaviour names {named} agents" if named else "neither --count nor --behaviour"
        raise StopError(Exit.USAGE, f"expected --count of at least {max(named, 1)}: {what}")
    prompt = total - named + dict(mix).get("prompt", 0)
    rest = [(name, number) for name, number in mix if name != "prompt"]
    return ([("prompt", prompt)] if prompt else []) + rest


async def _attach(order: Order) -> Counters:
    try:
        tokens = await _tokens(order)
    except (ValueError, OSError) as error:
        raise StopError(Exit.USAGE, str(error)) from None
    fleet = Fleet(
        members_of(order.mix, tokens),
        lambda _: HttpPort(order.url),
        RealClock(),
        seed=order.seed,
        work=order.work,
        release=order.release,
        timing=order.timing,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_show, fleet.counters, len(tokens))
        nursery.start_soon(_stop_on_signal, fleet, order.duration_s)
        await fleet.run()
        nursery.cancel_scope.cancel()
    click.echo(f"stopped: {_summary(fleet.counters)}")
    return fleet.counters


async def _tokens(order: Order) -> list[tuple[str, str]]:
    total = sum(number for _, number in order.mix)
    if order.token_file is not None:
        return read_tokens(order.token_file)[:total]
    names = [f"{order.prefix}{number}" for number in range(1, total + 1)]
    port = HttpPort(order.url)
    try:
        await _wait_listening(port)
        provisioned = await provision(port, _credentials(order.username), names)
    finally:
        with trio.CancelScope(shield=True):
            await port.aclose()
    click.echo(f"{total} nodes are registered: {names[0]} to {names[-1]}")
    return [(node.name, node.token) for node in provisioned]


async def _wait_listening(port: HttpPort) -> None:
    """Give a master that was started a moment ago the time to listen."""
    with trio.move_on_after(_LISTEN_S):
        while True:
            try:
                await port.send(Request("GET", "/api/health"))
            except NoReply as error:
                if not error.definite:
                    return
                await trio.sleep(_PROGRESS_S)
            else:
                return


def _credentials(username: str) -> Login | ApiKey:
    key, password = os.environ.get(API_KEY_VARIABLE), os.environ.get(PASSWORD_VARIABLE)
    if key:
        return ApiKey(key)
    if password:
        return Login(username, password)
    raise StopError(
        Exit.USAGE,
        f"expected ${PASSWORD_VARIABLE} (the password of {username}) or ${API_KEY_VARIABLE} in the"
        " environment, or --tokens FILE with existing agents",
    )


async def _stop_on_signal(fleet: Fleet, duration_s: float | None) -> None:
    with (
        trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        trio.move_on_after(duration_s if duration_s is not None else float("inf")),
    ):
        async for _ in signals:
            break
    fleet.stop()


async def _show(counters: Counters, total: int) -> None:
    """Show live progress at a terminal, and a line now and then elsewhere."""
    console = Console(highlight=False, soft_wrap=True)
    began_s = time.monotonic()
    if not console.is_terminal:
        while True:
            await trio.sleep(_LINE_S)
            console.print(f"{time.monotonic() - began_s:.0f} s: {_summary(counters)}")
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            elapsed_s = time.monotonic() - began_s
            line = f"{total} agents, {elapsed_s:.0f} s: {_summary(counters)}  (ctrl-c stops)"
            live.update(Text(line), refresh=True)
            await trio.sleep(_PROGRESS_S)


def _summary(counters: Counters) -> str:
    shown = dataclasses.asdict(counters)
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items() if value)
