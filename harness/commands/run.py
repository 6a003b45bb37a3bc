"""`muster run`: play scenarios and judge."""

import os
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from harness.commands.aiming import LONGEST_S, Aim, aim
from harness.commands.options import ALL_PROFILES, DURATION, played_profile_option
from harness.plan import SPEEDS, Listener, Plan
from harness.reports.github import GitHub
from harness.reports.histories import Histories
from harness.reports.html import HtmlFile
from harness.reports.jsonfile import JsonFile
from harness.reports.junit import JunitFile
from harness.reports.terminal import Terminal
from harness.runner import run as run_plan
from harness.runner import select
from harness.scenario.catalogue import Catalogue
from harness.scenario.header import CLOCKS
from harness.scenario.known import KNOWN_NAME
from harness.scenario.model import Scenario
from harness.sites.served import ServerError
from harness.stop import StopError, first, first_message
from harness.suite import Suite
from harness.verdict import Exit, Report, worst
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES
from simulated_agents.ports import NoReply

OUTPUT = click.Path(path_type=Path, dir_okay=False, writable=True)

_DECIDES: Final = frozenset({"clock", "profile", "seed"})
"""Options that a command to play a run again always names."""

_DECIDES_AT_A_TARGET: Final = frozenset({"seed"})
"""The same for a target, whose file says the rest."""

_WRITES: Final = frozenset({"json_file", "junit_file", "html_file", "history", "only_list"})
"""Options that it does not need."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--clock",
    type=click.Choice(CLOCKS),
    default="virtual",
    show_default=True,
    help="virtual: in this process, time jumps. real: `muster serve` as a process, over TCP."
    " warp: the same, and long waits move the times in its database.",
)
@click.option(
    "--target",
    "target_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Play on the server of this target file, on the real clock or the warp clock.",
)
@played_profile_option
@click.option("--clause", metavar="GLOB", help="Only scenarios about matching clauses: TMO-*.")
@click.option("--case", metavar="GLOB", help="Only these cases of parameterised scenarios.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(1, 100),
    default=None,
    show_default=", ".join(f"{clock}: {SPEEDS[clock]:g}" for clock in ("real", "warp")),
    help="Real and warp clock: how much shorter all timers and waits are than written.",
)
@click.option(
    "--longest",
    type=DURATION,
    default=f"{LONGEST_S:g}s",
    show_default="20m",
    help="Target: skip what waits for longer than this.",
)
@click.option("--keep", is_flag=True, help="Target: leave there what scenarios make.")
@click.option("--json", "json_file", type=OUTPUT, help="Write the report as JSON.")
@click.option("--junit", "junit_file", type=OUTPUT, help="Write the report as JUnit XML.")
@click.option(
    "--html", "html_file", type=OUTPUT, help="Write the report as one HTML page (one a profile)."
)
@click.option(
    "--history",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each scenario's history into this folder, as JSON lines.",
)
@click.option(
    "--known-failures",
    "known_file",
    type=click.Path(path_type=Path, exists=True),
    help=f"What is known to fail, and why; the nearest {KNOWN_NAME} when left out.",
)
@click.option("--strict", is_flag=True, help="A SHOULD counts as a MUST.")
@click.option(
    "--github/--no-github",
    default=None,
    help="Annotations and a step summary; by itself in GitHub Actions.",
)
@click.option("--list", "only_list", is_flag=True, help="Only list what would be played.")
def run(
    paths: tuple[Path, ...],
    clock: str,
    target_file: Path | None,
    profile: str,
    clause: str | None,
    case: str | None,
    seed: int,
    speed: float | None,
    longest: float,
    keep: bool,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    history: Path | None,
    known_file: Path | None,
    strict: bool,
    github: bool | None,
    only_list: bool,
) -> int:
    """Play the scenarios in PATH… (the built-in suite when left out) and judge the master."""
    files = (json_file, junit_file, html_file)
    aimed = aim(target_file, clock, profile, longest_s=longest, keep=keep, reports=files)
    suite = Suite.read(paths)
    selected = select(suite.scenarios, clause, case)
    asked = None if selected else suite.why_nothing(clause, case)
    if only_list:
        for scenario in selected:
            click.echo(f"{scenario.id}  [{', '.join(scenario.clauses)}]  {scenario.shows}")
        if asked is not None:
            click.echo(asked, err=True)
        return Exit.OK if selected else Exit.NOTHING_TESTED
    if history is not None:
        writable_folder(history)
    several = profile == ALL_PROFILES
    html = _html(html_file, several=several) if html_file else None
    listeners = listeners_for(json_file, junit_file, history, github, several=several)
    listeners += [html] if html else []
    plan = Plan(
        scenarios=selected,
        catalogue=suite.catalogue,
        profile=DEFAULT_PROFILE if several else aimed.profile,
        clock=aimed.clock,
        seed=seed,
        speed=_speed(aimed, speed),
        target_file=aimed.target,
        order=aimed.order,
        known=suite.known_failures(known_file),
        strict=strict,
        asked=asked,
    )
    try:
        code = _play_all(plan, listeners) if several else _play(plan, listeners)
    except* (ServerError, NoReply) as group:
        raise StopError(Exit.TARGET, first_message(group)) from None
    except* StopError as group:
        raise first(group) from None
    for path in html.written if html else ():
        click.echo(f"report: {path}")
    return code


def _speed(aimed: Aim, said: float | None) -> float:
    """Return how much faster than written time passes: what the target says, or somebody."""
    if aimed.target is not None:
        return aimed.target.speed
    return SPEEDS[aimed.clock] if said is None else said


def listeners_for(
    json_file: Path | None,
    junit_file: Path | None,
    history: Path | None,
    github: bool | None,
    *,
    several: bool,
) -> list[Listener]:
    """Return the reports that are asked for; GitHub asks by its environment where nobody says."""
    listeners: list[Listener] = []
    if json_file:
        listeners.append(JsonFile(writable(json_file), all_profiles=several))
    if junit_file:
        listeners.append(JunitFile(writable(junit_file), all_profiles=several))
    if history:
        listeners.append(Histories(history, all_profiles=several))
    if os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github:
        listeners.append(GitHub())
    return listeners


def _play(plan: Plan, listeners: Sequence[Listener]) -> int:
    return run_plan(plan, [*listeners, Terminal()]).exit_code


def _play_all(plan: Plan, listeners: Sequence[Listener]) -> int:
    """Play a plan on every profile, one after the other, and return the worst exit code."""
    terminal = Terminal()
    reports: list[Report] = []
    for profile in PROFILES:
        reports.append(run_plan(replace(plan, profile=profile), [*listeners, terminal]))
        if reports[-1].interrupted:
            break
    terminal.summary(reports)
    return worst(report.exit_code for report in reports)


def load(paths: tuple[Path, ...]) -> tuple[list[Scenario], Catalogue]:
    """Return the scenarios below some paths, and the catalogue that goes with them.

    Raises:
        StopError: a file is wrong; all mistakes of all files are shown at once.

    """
    suite = Suite.read(paths)
    return list(suite.scenarios), suite.catalogue


def _html(path: Path, *, several: bool) -> HtmlFile:
    """Return the report as a page, one a profile where there are several; all can be written."""
    html = HtmlFile(path, _command(), all_profiles=several)
    for profile in PROFILES if several else ("",):
        writable(html.path(profile))
    return html


def _command() -> str:
    """Return the command line that makes this run again, with all that decides about it."""
    context = click.get_current_context()
    words = ["muster", "run"]
    decides = _DECIDES if context.params["target_file"] is None else _DECIDES_AT_A_TARGET

    def given(name: str) -> bool:
        return context.get_parameter_source(name) is not ParameterSource.DEFAULT

    for option in context.command.params:
        name = option.name or ""
        value = context.params.get(name)
        if name == "paths":
            words += map(str, value or ())
        elif name in decides or (given(name) and name not in _WRITES):
            words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
    return shlex.join(words)


def writable(path: Path) -> Path:
    """Find out now, not after the run, that a report cannot be written."""
    try:
        path.open("ab").close()
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None
    return path


def writable_folder(path: Path) -> None:
    """Find out now that histories cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None
