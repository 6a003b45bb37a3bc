"""`muster agent-test`: hold a program against the clauses about agents."""

import shlex
import tempfile
from pathlib import Path
from typing import Final

import click
import trio

from harness.commands.options import DURATION, SCENARIOS, shortest
from harness.commands.run import OUTPUT, listeners_for, writable, writable_folder
from harness.faults.file import read_plan
from harness.faults.values import Plan as Faults
from harness.plan import Plan
from harness.reports.html import HtmlFile
from harness.reports.terminal import Terminal
from harness.runner import run, select
from harness.scenario.errors import ScenarioErrors
from harness.scenario.known import KNOWN_NAME
from harness.stop import StopError
from harness.suite import Suite
from harness.trial.contact import make_contact
from harness.trial.trial import REAL, Trial
from harness.verdict import Exit
from master.protocol.profiles import DEFAULT_PROFILE, PROFILES
from simulated_agents.timing import Timing

AGENTS: Final = SCENARIOS / "agents"
"""The scenarios about agents that come with muster."""

HEARTBEAT_S: Final = 1.0
"""How often the program is told to beat unless it is said otherwise, in seconds."""

FOLDER: Final = click.Path(path_type=Path, file_okay=False)


@click.command("agent-test", context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND …")
@click.option(
    "--target-profile",
    "profile",
    type=click.Choice(list(PROFILES)),
    default=DEFAULT_PROFILE,
    show_default=True,
    help="The release that the master is, and that the program is judged as.",
)
@click.option(
    "--scenarios",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Scenarios to play, in place of those that come with muster; may be repeated.",
)
@click.option("--clause", metavar="GLOB", help="Only scenarios about matching clauses: AGT-1*.")
@click.option("--case", metavar="GLOB", help="Only these cases of parameterised scenarios.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--heartbeat",
    type=DURATION,
    default=f"{HEARTBEAT_S:g}s",
    show_default=True,
    help="How often the program beats; it is told so in its environment.",
)
@click.option(
    "--poll",
    type=DURATION,
    help="How often it polls; a third of --heartbeat when left out, as the real agent does.",
)
@click.option(
    "--faults",
    "faults_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Faults that happen to its calls, beside those of the scenarios.",
)
@click.option("--json", "json_file", type=OUTPUT, help="Write the report as JSON.")
@click.option("--junit", "junit_file", type=OUTPUT, help="Write the report as JUnit XML.")
@click.option("--html", "html_file", type=OUTPUT, help="Write the report as one HTML page.")
@click.option(
    "--history", type=FOLDER, help="Write each scenario's history into this folder, as JSON lines."
)
@click.option(
    "--output",
    type=FOLDER,
    help="Keep what the program writes in this folder, without secrets; beside a report when left out.",
)
@click.option("--keep", is_flag=True, help="Leave the folders of the scenarios, with their files.")
@click.option(
    "--known-failures",
    "known_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"What is known to fail, and why; the nearest {KNOWN_NAME} when left out.",
)
@click.option("--strict", is_flag=True, help="A SHOULD counts as a MUST.")
@click.option("--github/--no-github", default=None, help="Annotate a GitHub workflow's run.")
def agent_test(
    command: tuple[str, ...],
    profile: str,
    paths: tuple[Path, ...],
    clause: str | None,
    case: str | None,
    seed: int,
    heartbeat: float,
    poll: float | None,
    faults_file: Path | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    history: Path | None,
    output: Path | None,
    keep: bool,
    known_file: Path | None,
    strict: bool,
    github: bool | None,
) -> int:
    """Start a program as an agent, again and again, and judge what it does.

    It finds the master by {url}, {token_file}, {token}, {name} and {temp_dir} in its arguments, or in
    its environment: MUSTER_URL, MUSTER_TOKEN, MUSTER_TOKEN_FILE, and what the real agent reads,
    BACKUPX_AGENT_MASTER and so on.
    """
    suite = Suite.read(paths or (shortest(AGENTS),))
    selected = select(suite.scenarios, clause, case)
    reports = [file for file in (html_file, json_file, junit_file) if file is not None]
    if output is None and reports:
        output = reports[0].with_name(f"{reports[0].stem}-output")
    for folder in (history, output):
        if folder is not None:
            writable_folder(folder)
    trial = Trial(
        command=command,
        pace=_pace(heartbeat, poll),
        faults=_faults(faults_file),
        output=output,
        keep=keep,
        options=_options(profile, seed, heartbeat, poll, faults_file),
    )
    plan = Plan(
        scenarios=selected,
        catalogue=suite.catalogue,
        profile=profile,
        clock="real",
        seed=seed,
        speed=trial.speed,
        known=suite.known_failures(known_file),
        strict=strict,
        asked=None if selected else suite.why_nothing(clause, case),
        trial=trial,
    )
    listeners = listeners_for(json_file, junit_file, history, github, several=False)
    if html_file is not None:
        again = shlex.join(["muster", "agent-test", *trial.options, "--", *command])
        listeners.append(HtmlFile(writable(html_file), again, all_profiles=False))
    if selected:
        _meet(plan, trial)
    code: Exit = run(plan, [*listeners, Terminal()]).exit_code
    if output is not None:
        click.echo(f"output of the program: {output}")
    if keep:
        click.echo(f"folders of the scenarios: {Path(tempfile.gettempdir(), 'muster-agents-*')}")
    return code


def _meet(plan: Plan, trial: Trial) -> None:
    """Start the program once, and say what is odd about it.

    Raises:
        StopError: it is no agent at all.

    """
    if any("{token}" in word for word in trial.command):
        click.echo(
            "warning: {token} is in the arguments, where every user of the machine sees it:"
            " use {token_file}, or $MUSTER_TOKEN",
            err=True,
        )
    odd = trio.run(make_contact, trial, plan.profile, plan.seed)
    if odd is not None:
        click.echo(f"warning: {odd}", err=True)


def _pace(heartbeat_s: float, poll_s: float | None) -> Timing:
    return Timing(heartbeat_s, poll_s or heartbeat_s * REAL.poll_s / REAL.heartbeat_s)


def _faults(file: Path | None) -> Faults:
    """Return the plan of a file.

    Raises:
        StopError: it is wrong; all of its mistakes are shown.

    """
    if file is None:
        return Faults()
    try:
        return read_plan(file)
    except ScenarioErrors as error:
        raise StopError(Exit.USAGE, str(error)) from None


def _options(
    profile: str, seed: int, heartbeat_s: float, poll_s: float | None, faults: Path | None
) -> tuple[str, ...]:
    """Return the options of the command that judges it so again."""
    words = ["--target-profile", profile, "--seed", str(seed)]
    if heartbeat_s != HEARTBEAT_S:
        words += ["--heartbeat", f"{heartbeat_s:g}s"]
    if poll_s is not None:
        words += ["--poll", f"{poll_s:g}s"]
    if faults is not None:
        words += ["--faults", str(faults)]
    return tuple(words)
