"""`muster target`: describe a server to play on, and see what can be done there."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import trio

from harness.commands.aiming import LONGEST_S, log_of
from harness.commands.asking import Given, Interview, known_secret, write_private
from harness.hiccups import PAUSES_S, Hiccups, PatientPort
from harness.reports.visited import left_lines, removed_line
from harness.sites.door import TIMEOUT_S, Way, ask_health, check_version, is_fresh, open_door
from harness.sites.file import FILE_NAME, SetUp, TargetFile, read_target
from harness.sites.found import Found, insist, look
from harness.sites.judgeable import judgeable
from harness.sites.ports import port_maker
from harness.sites.process import CommandServer, running
from harness.sites.sweep import sweep
from harness.sites.told import tell, tell_judgeable
from harness.sites.writing import target_text
from harness.stop import StopError
from harness.suite import Suite
from harness.verdict import Exit
from master.protocol.profiles import PROFILES
from simulated_agents.clock import RealClock
from simulated_agents.ports import NoReply


@click.group()
def target() -> None:
    """Describe a server to play on, and see what can be done there."""


target_option = click.option(
    "--target",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=FILE_NAME,
    show_default=True,
    help="The target file.",
)


@target.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@target_option
@click.option("--set-up", is_flag=True, help="Make the first administrator of a fresh server.")
@click.option("--all", "everything", is_flag=True, help="Name every clause and scenario.")
def check(paths: tuple[Path, ...], path: Path, set_up: bool, everything: bool) -> int:
    """Look at the server, and say what can be judged there.

    It is counted for the scenarios in PATH…, the built-in suite when left out. Nothing on the server is changed. One that muster starts is started, and stopped again.
    """
    described = read_target(path)
    way, found, notes = trio.run(_look, described, set_up)
    for line in tell(described, found, notes):
        click.echo(line)
    insist(described, found)
    suite = Suite.read(paths)
    for one in judgeable(suite, described.profile, found.able(described, LONGEST_S)):
        for line in tell_judgeable(one, everything=everything):
            click.echo(line)
    if way is None:
        click.echo("\nThe server is fresh: --set-up makes its first administrator, as a run does.")
    return Exit.OK


async def _look(described: TargetFile, set_up: bool) -> tuple[Way | None, Found, tuple[str, ...]]:
    """Look at a server; at one that muster starts, for as long as that takes."""
    async with AsyncExitStack() as stack:
        make_port = port_maker(described, TIMEOUT_S)
        if described.command is not None:
            log = log_of(described.path, ())
            server = CommandServer(described, described.command, make_port, log)
            await stack.enter_async_context(running(server))
        clock = RealClock()
        port = PatientPort(make_port(), Hiccups(PAUSES_S), clock)
        stack.push_async_callback(port.aclose)
        health = await ask_health(described, port)
        notes = check_version(described, health)
        way = None
        fresh = isinstance(described.door, SetUp) and await is_fresh(described, port)
        if set_up or not fresh:
            way = await open_door(described, port)
        return way, await look(described, way, port, clock), notes


_FILE = click.Path(path_type=Path, dir_okay=False)


@target.command()
@click.argument("path", type=_FILE, default=FILE_NAME)
@click.option("--url", metavar="URL", help="Where the server is.")
@click.option("--profile", type=click.Choice(list(PROFILES)), help="The release to be judged as.")
@click.option("--ca", type=_FILE, help="Certificates of a private CA.")
@click.option("--set-up", is_flag=True, help="Make the first administrator of a fresh server.")
@click.option("--username", help="The administrator's name.")
@click.option("--password-env", metavar="NAME", help="The variable that has the password.")
@click.option("--password-file", type=_FILE, help="The file that has the password.")
@click.option("--api-key-env", metavar="NAME", help="The variable that has an API key.")
@click.option("--api-key-file", type=_FILE, help="The file that has an API key.")
@click.option("--database", type=_FILE, help="The server's SQLite file.")
@click.option("--scratch", type=click.Path(path_type=Path), help="A folder it may write in.")
@click.option("--command", "starts", metavar="WORDS", help="What starts it, with its arguments.")
@click.option(
    "--speed", type=click.FloatRange(0, min_open=True), metavar="N", help="How fast its timers are."
)
@click.option("--no-input", is_flag=True, help="Ask nothing; what no option says is left out.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path, no_input: bool, force: bool, set_up: bool, **options: Any) -> int:
    """Write a target file (backupx.toml) by asking, and try what it is told."""
    asks = not no_input
    _check_free(path, asks=asks, force=force)
    places = ("password_env", "password_file", "api_key_env", "api_key_file")
    door, secret = known_secret({name: options.pop(name) for name in places})
    if set_up and door == "api_key":
        raise StopError(Exit.USAGE, "expected --set-up or an API key: a fresh server has no keys")
    if no_input and secret is None:
        raise StopError(Exit.USAGE, f"expected one of --{', --'.join(places)}".replace("_", "-"))
    given = Given(
        door="setup" if set_up else door,
        secret=secret,
        command=options.pop("starts"),
        **options,
    )
    text = target_text(Interview(path, given, asks=asks).values())
    _write(path, text)
    click.echo(f"{path} is written. Look at the server with: muster target check --target {path}")
    return Exit.OK


def _check_free(path: Path, *, asks: bool, force: bool) -> None:
    """Stop where a file would be overwritten that should not be."""
    if not path.exists() or force:
        return
    if not asks or not click.confirm(f"{path} is there. Overwrite it?", default=False):
        raise StopError(Exit.USAGE, f"{path} is there: --force overwrites it")


def _write(path: Path, text: str) -> None:
    """Write a target file that reads well, or none."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, text)
    try:
        read_target(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@target.command()
@target_option
def clean(path: Path) -> int:
    """Remove from the server what runs left there that were killed, or told to keep it.

    That is everything whose name begins with muster-, and what belongs to it.
    """
    try:
        tally = trio.run(sweep, read_target(path), log_of(path, ()))
    except NoReply as error:
        raise StopError(Exit.TARGET, str(error)) from None
    click.echo(removed_line(tally))
    for line in left_lines(tally):
        click.echo(line)
    return Exit.OK
