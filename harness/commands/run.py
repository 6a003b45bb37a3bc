"""`muster run`: play scenarios and judge."""

import tempfile
from pathlib import Path
from typing import Any

import click

from harness.commands.options import SCENARIOS, profile_option
from harness.reports.histories import Histories
from harness.reports.jsonfile import JsonFile
from harness.reports.junit import JunitFile
from harness.reports.terminal import Terminal
from harness.runner import SPEED, Listener, Plan, select
from harness.runner import run as run_plan
from harness.scenario.catalogue import Catalogue, CatalogueError
from harness.scenario.errors import ScenarioErrors
from harness.scenario.loader import load_all
from harness.scenario.model import Scenario
from harness.served import ServerError
from harness.stop import StopError
from harness.verdict import Exit
from simulated_agents.ports import NoReply

OUTPUT = click.Path(path_type=Path, dir_okay=False, writable=True)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--clock",
    type=click.Choice(["virtual", "real"]),
    default="virtual",
    show_default=True,
    help="virtual: in this process, time jumps. real: `muster serve` as a process, over TCP.",
)
@profile_option
@click.option("--clause", metavar="GLOB", help="Only scenarios about matching clauses: TMO-*.")
@click.option("--case", metavar="GLOB", help="Only these cases of parameterised scenarios.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(1, 100),
    default=SPEED,
    show_default=True,
    help="Real clock: how much shorter all timers and waits are than written.",
)
@click.option("--json", "json_file", type=OUTPUT, help="Write the report as JSON.")
@click.option("--junit", "junit_file", type=OUTPUT, help="Write the report as JUnit XML.")
@click.option(
    "--history",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each scenario's history into this folder, as JSON lines.",
)
@click.option("--list", "only_list", is_flag=True, help="Only list what would be played.")
def run(
    paths: tuple[Path, ...],
    clock: str,
    profile: str,
    clause: str | None,
    case: str | None,
    seed: int,
    speed: float,
    json_file: Path | None,
    junit_file: Path | None,
    history: Path | None,
    only_list: bool,
) -> int:
    """Play the scenarios in PATH… (the built-in suite when left out) and judge the master."""
    scenarios, catalogue = load(paths)
    selected = select(scenarios, clause, case)
    if only_list:
        for scenario in selected:
            click.echo(f"{scenario.id}  [{', '.join(scenario.clauses)}]  {scenario.shows}")
        return Exit.OK if selected else Exit.NOTHING_TESTED
    if history is not None:
        _writable_folder(history)
    listeners: list[Listener] = [JsonFile(_writable(json_file))] if json_file else []
    listeners += [JunitFile(_writable(junit_file))] if junit_file else []
    listeners += [Histories(history)] if history else []
    listeners.append(Terminal())
    plan = Plan(
        scenarios=selected,
        catalogue=catalogue,
        profile=profile,
        clock=clock,
        seed=seed,
        speed=speed,
    )
    try:
        return run_plan(plan, listeners).exit_code
    except* (ServerError, NoReply) as group:
        raise StopError(Exit.TARGET, _first_message(group)) from None


def load(paths: tuple[Path, ...]) -> tuple[list[Scenario], Catalogue]:
    """Return the scenarios below some paths, and the catalogue that goes with them.

    The catalogue is the nearest `clauses.toml` above the first path, or the built-in one.

    Raises:
        StopError: a file is wrong; all mistakes of all files are shown at once.

    """
    paths = paths or (SCENARIOS,)
    first = paths[0].resolve()
    above = [folder / "clauses.toml" for folder in (first, *first.parents)]
    file = next((one for one in above if one.is_file()), SCENARIOS / "clauses.toml")
    try:
        catalogue = Catalogue.read(file)
        return load_all(paths, catalogue), catalogue
    except (CatalogueError, ScenarioErrors) as error:
        raise StopError(Exit.USAGE, str(error)) from None


def _writable(path: Path) -> Path:
    """Find out now, not after the run, that a report cannot be written."""
    try:
        path.open("ab").close()
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None
    return path


def _writable_folder(path: Path) -> None:
    """Find out now that histories cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None


def _first_message(group: BaseExceptionGroup[Any]) -> str:
    error = group.exceptions[0]
    return _first_message(error) if isinstance(error, BaseExceptionGroup) else str(error)
