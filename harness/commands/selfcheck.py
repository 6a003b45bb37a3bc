"""`muster selfcheck`: try the suite on masters that are wrong."""

import fnmatch
import os
import sys
from pathlib import Path
from typing import Self

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.commands.run import load
from harness.scenario.catalogue import AREAS, Clause
from harness.scenario.suggest import did_you_mean
from harness.selfcheck.check import ControlError, Suite, check
from harness.selfcheck.mutant import Mutant, MutantError
from harness.selfcheck.mutants import MUTANTS
from harness.selfcheck.report import document, exit_code, show
from harness.stop import StopError
from harness.verdict import Exit


@click.command()
@click.option("--clause", metavar="GLOB", help="Only mutants of matching clauses: TMO-*.")
@click.option("--area", type=click.Choice(list(AREAS)), help="Only mutants of one area's clauses.")
@click.option("--mutant", "name", metavar="NAME", help="Only this mutant.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=lambda: len(os.sched_getaffinity(0)),
    show_default="one a processor",
    help="How many mutants are played at the same time.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write the report as JSON.",
)
@click.option("--show", "shown", metavar="NAME", help="Only print what a mutant changes.")
def selfcheck(
    clause: str | None,
    area: str | None,
    name: str | None,
    jobs: int,
    json_file: Path | None,
    shown: str | None,
) -> int:
    """Try the built-in suite on masters that each break one clause.

    A mutant is killed when a scenario fails and the failed expectation is about the clause that
    the mutant breaks. Exit code 1: one survived, was killed for a wrong reason, or a MUST clause
    has no killed mutant.
    """
    try:
        if shown is not None:
            click.echo(_named(shown).diff(), nl=False)
            return Exit.OK
        wanted = None if name is None else _named(name)
        scenarios, catalogue = load(())
        suite = Suite(scenarios, catalogue)
        clauses = [one for one in catalogue if _selected(one, clause, area)]
        ids = {one.id for one in clauses}
        mutants = [one for one in MUTANTS if one.clause in ids]
        if wanted is not None:
            mutants = [one for one in mutants if one == wanted]
            clauses = []  # whether they are covered, one mutant does not say
        if not mutants and not clauses:
            raise StopError(Exit.NOTHING_TESTED, "no clause and no mutant matches")
        with _Progress({one.name for one in mutants}) as progress:
            results = check(mutants, suite, processes=jobs, hear=progress.hear)
    except MutantError as error:
        raise StopError(Exit.USAGE, str(error)) from None
    except ControlError as error:
        raise StopError(Exit.VIOLATION, str(error)) from None
    show(Console(file=sys.stdout, highlight=False, soft_wrap=True), clauses, results)
    if json_file is not None:
        encoded = msgspec.json.format(msgspec.json.encode(document(clauses, results)), indent=2)
        json_file.write_bytes(encoded + b"\n")
    return exit_code(clauses, results)


def _selected(clause: Clause, glob: str | None, area: str | None) -> bool:
    return (glob is None or fnmatch.fnmatchcase(clause.id, glob)) and area in (None, clause.area)


def _named(name: str) -> Mutant:
    """Return the mutant with a name.

    Raises:
        StopError: there is none.

    """
    found = next((one for one in MUTANTS if one.name == name), None)
    if found is None:
        hint = did_you_mean(name, [one.name for one in MUTANTS])
        message = f"expected the name of a mutant, got {name!r}"
        raise StopError(Exit.USAGE, f"{message}; {hint}" if hint else message)
    return found


class _Progress:
    """One line that says how far a check is, on a terminal; nothing elsewhere.

    It has no thread of its own: this process is forked all the time.

    Args:
        names: the mutants; what else is done is shown, and not counted.

    """

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._done: set[str] = set()
        console = Console(file=sys.stderr)
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, transient=True, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def hear(self, part: str) -> None:
        """Show what was done last."""
        self._done |= self._names & {part}
        if self._live is not None:
            counted = f"{len(self._done)}/{len(self._names)}"
            self._live.update(Text(f"{counted}  {part}", "dim"), refresh=True)
