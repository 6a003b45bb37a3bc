"""`muster target`: describe a server to play on, and see what can be done there."""

from pathlib import Path

import click
import trio

from harness.sites.door import TIMEOUT_S, Way, ask_health, check_version, is_fresh, open_door
from harness.sites.file import FILE_NAME, SetUp, TargetFile, read_target
from harness.sites.found import Found, insist, look
from harness.sites.judgeable import judgeable
from harness.sites.ports import port_maker
from harness.sites.told import tell, tell_judgeable
from harness.suite import Suite
from harness.verdict import Exit
from simulated_agents.clock import RealClock


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
    """Look at the server; say what can be judged there by the scenarios in PATH… (or the suite).

    Nothing on the server is changed.
    """
    described = read_target(path)
    way, found, notes = trio.run(_look, described, set_up)
    for line in tell(described, found, notes):
        click.echo(line)
    insist(described, found)
    suite = Suite.read(paths)
    for one in judgeable(suite, described.profile, found.able(described)):
        for line in tell_judgeable(described, one, everything=everything):
            click.echo(line)
    if way is None:
        click.echo("\nThe server is fresh: --set-up makes its first administrator, as a run does.")
    return Exit.OK


async def _look(described: TargetFile, set_up: bool) -> tuple[Way | None, Found, tuple[str, ...]]:
    port = port_maker(described, TIMEOUT_S)()
    try:
        health = await ask_health(described, port)
        notes = check_version(described, health)
        way = None
        fresh = isinstance(described.door, SetUp) and await is_fresh(described, port)
        if set_up or not fresh:
            way = await open_door(described, port)
        return way, await look(described, way, port, RealClock()), notes
    finally:
        with trio.CancelScope(shield=True):
            await port.aclose()
