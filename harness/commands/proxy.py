"""`muster proxy`: between real agents and a real master, recording what passes and injecting faults."""

import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec
import trio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.faults import Faults, Plan
from harness.faults.file import read_plan
from harness.faults.keys import FaultError
from harness.faults.short import parse
from harness.front import Front
from harness.proxy.journal import Journal
from harness.proxy.recording import NoHistoryError, Recording
from harness.proxy.switchboard import Switchboard
from harness.proxy.upstream import Upstream
from harness.redact import Redactor
from harness.scenario.errors import ScenarioErrors
from harness.sites.door import Health
from harness.sites.strangers import silence, stranger
from harness.sites.versions import profile_of
from harness.stop import StopError
from harness.verdict import Exit
from master.protocol.exchange import Request, Response
from simulated_agents.clock import RealClock
from simulated_agents.ports import NoReply
from simulated_agents.ports.http import HttpPort, base_parts

CONNECTIONS_MAX: Final = 1_000
"""To the master, for each process: all of a browser's, and of a crowd of strangers'."""

PATIENCE_S: Final = 3_600.0
"""How long a master may be silent in one answer: agents lose patience before the proxy does."""

_SHOW_S: Final = 0.5
_LINE_S: Final = 60.0
"""How often progress is written where no live line can be."""

_RETRY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Order:
    """What to stand between, and what to do there."""

    target: str
    ca: Path | None
    record: Path
    append: bool
    host: str
    number: int
    plan: Plan
    seed: int
    wait: bool


@click.command()
@click.option("--target", required=True, metavar="URL", help="The master's base URL.")
@click.option(
    "--record",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the history here, while it happens; a file that is there is not touched.",
)
@click.option("--append", is_flag=True, help="Go on in a history that is there.")
@click.option(
    "--listen",
    default="127.0.0.1:0",
    show_default=True,
    metavar="ADDRESS:PORT",
    help="Where agents come in; port 0 takes a free one.",
)
@click.option(
    "--faults",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A plan of faults (docs/faults.md).",
)
@click.option(
    "--fault",
    "short",
    multiple=True,
    metavar="FAULT",
    help="A fault in one line, such as 'drop_reply poll#2 alpha'; behind those of --faults.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of chance.")
@click.option(
    "--ca",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file of certificates (PEM) to trust for https://, in place of this machine's.",
)
@click.option("--wait", is_flag=True, help="Wait for a master that cannot be reached yet.")
def proxy(
    target: str,
    record: Path,
    append: bool,
    listen: str,
    plan_file: Path | None,
    short: tuple[str, ...],
    seed: int,
    ca: Path | None,
    wait: bool,
) -> None:
    """Pass everything between agents and the master at URL, and record it as a history.

    Ends with SIGINT or SIGTERM. `muster check` judges what was recorded.
    """
    host, number = _address(listen)
    order = Order(
        target=target.rstrip("/"),
        ca=ca,
        record=record,
        append=append,
        host=host,
        number=number,
        plan=_plan(plan_file, short),
        seed=seed,
        wait=wait,
    )
    try:
        base_parts(order.target)
    except ValueError as error:
        raise StopError(Exit.USAGE, f"--target: {error}") from None
    trio.run(_run, order)


def _address(text: str) -> tuple[str, int]:
    host, colon, number = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not number.isdecimal() or int(number) > 65535:
        message = f"expected an address and a port such as 127.0.0.1:8341, got {text!r}"
        raise click.BadParameter(message, param_hint="--listen")
    return host, int(number)


def _plan(file: Path | None, short: tuple[str, ...]) -> Plan:
    try:
        plan = Plan() if file is None else read_plan(file)
    except ScenarioErrors as errors:
        raise StopError(Exit.USAGE, str(errors)) from None
    faults = []
    for text in short:
        try:
            faults.append(parse(text))
        except FaultError as error:
            hint = f" ({error.hint})" if error.hint else ""
            raise StopError(Exit.USAGE, f"--fault {text!r}: {error}{hint}") from None
    return Plan((*plan, *faults))


def upstream(order: Order) -> Upstream:
    """Return a way to the master.

    Raises:
        OSError: the file of certificates cannot be read, or holds none.

    """
    return Upstream(
        HttpPort(
            order.target,
            timeout_s=PATIENCE_S,
            ca=order.ca,
            connections=CONNECTIONS_MAX,
            verbatim=True,
        )
    )


class Proxy:
    """One run of the command.

    Args:
        order: what was asked for.
        recording: where the history goes.

    """

    def __init__(self, order: Order, recording: Recording) -> None:
        clock = RealClock()
        self.journal = Journal(
            Redactor(), recording, recording.elapsed_s, recording.count, recording.keys
        )
        self.faults = Faults(order.plan, clock, self.journal, recording.elapsed_s, order.seed)
        self.board = Switchboard(partial(upstream, order), self.journal, self.faults)
        self.front = Front(self.board, order.host, order.number)

    def summary(self) -> str:
        """Return what happened so far, in one line."""
        counters, board = self.front.counters, self.board
        shown = {
            "exchanges": counters.requests,
            "agents": board.names.agents,
            "without an answer": counters.unreachable,
            "cut": counters.cut,
            "no HTTP": counters.refused,
            "faults": sum(self.faults.done.values()),
        }
        return ", ".join(f"{value} {name}" for name, value in shown.items() if value) or "nothing"

    def lines(self) -> list[str]:
        """Return the end of the story: who asked how much, and what each fault did."""
        asked = [f"  {name}: {count}" for name, count in sorted(self.board.exchanges.items())]
        done = self.faults.done
        acted = [f"  {name}: {done[name]} times" for name in self.faults.names if done[name]]
        idle = [f"  {name}: never" for name in self.faults.names if not done[name]]
        return [*asked, *(["faults", *acted, *idle] if self.faults.names else [])]


async def _run(order: Order) -> None:
    ended: list[StopError | Proxy] = []
    with _recording(order) as recording:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, nursery.cancel_scope)
            await _between(order, recording, nursery, ended)
            nursery.cancel_scope.cancel()
        if not ended:  # it was stopped while it waited for the master
            recording.discard()
            click.echo("stopped: nothing was recorded")
    for one in ended:
        if isinstance(one, StopError):
            raise one
        if one.journal.failure is not None:
            raise _unwritable(order.record, one.journal.failure)
        click.echo("\n".join([f"stopped: {one.summary()}", *one.lines()]))


async def _between(
    order: Order, recording: Recording, nursery: trio.Nursery, ended: list[StopError | Proxy]
) -> None:
    """Stand between agents and the master until cancelled; note how that ended."""
    try:
        recording.introduce(order.target, _profile(order, await _greet(order)))
    except StopError as error:
        recording.discard()
        ended.append(error)
        return
    one = Proxy(order, recording)
    one.journal.failed = nursery.cancel_scope.cancel
    try:
        await nursery.start(one.front.serve)
        click.echo(f"listening on {one.front.url}, recording to {order.record}")
        ended.append(one)
        await _show(one)
    except OSError as error:
        recording.discard()
        where, why = f"{order.host}:{order.number}", error.strerror or str(error)
        ended.append(StopError(Exit.USAGE, f"{where} cannot be listened on: {why}"))
    finally:
        with trio.CancelScope(shield=True):
            await one.board.aclose()


async def _greet(order: Order) -> Response:
    """Return what the master says of its health.

    Raises:
        StopError: it cannot be reached, and nobody wants to wait.

    """
    try:
        port = upstream(order)
    except OSError as error:
        raise StopError(Exit.USAGE, f"--ca {order.ca}: {error}") from None
    try:
        while True:
            try:
                return await port.send(Request("GET", "/api/health"))
            except NoReply as error:
                if not order.wait:
                    said = silence(error, order.ca, "--ca") or f"no answer: {error}."
                    message = f"{order.target}: {said} --wait waits for a master that starts later."
                    raise StopError(Exit.TARGET, message) from None
            await trio.sleep(_RETRY_S)
    finally:
        with trio.CancelScope(shield=True):
            await port.aclose()


def _profile(order: Order, greeting: Response) -> str | None:
    """Return the profile that a master's version is of; say so if it is of none."""
    try:
        health = msgspec.json.decode(greeting.body, type=Health)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = f"{stranger(greeting)}. It is recorded all the same."
        click.echo(f"note: {order.target}: {said}", err=True)
        return None
    return profile_of(health.version)


def _recording(order: Order) -> Recording:
    path = order.record
    try:
        if order.append and path.exists():
            return Recording.go_on(path)
        return Recording.begin(path)
    except FileExistsError:
        raise _in_the_way(path) from None
    except NoHistoryError as error:
        raise StopError(Exit.USAGE, f"{path} is no recording to go on in: {error}") from None
    except OSError as error:
        raise _unwritable(path, error) from None


def _in_the_way(path: Path) -> StopError:
    message = f"{path} is there already: name another file, or go on in it with --append"
    return StopError(Exit.USAGE, message)


def _unwritable(path: Path, error: OSError) -> StopError:
    return StopError(
        Exit.USAGE,
        f"{path} cannot be written: {error.strerror or error}; nothing passes that is not recorded",
    )


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()


async def _show(one: Proxy) -> None:
    """Show live progress at a terminal, and a line now and then elsewhere, when there is news."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        said = ""
        while True:
            await trio.sleep(_LINE_S)
            if (line := one.summary()) != said:
                console.print(line)
                said = line
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            live.update(Text(f"{one.summary()}  (ctrl-c stops)"), refresh=True)
            await trio.sleep(_SHOW_S)
