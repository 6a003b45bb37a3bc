"""`muster clauses` and `muster explain`: the catalogue, and what speaks about each clause."""

import fnmatch
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.markup import escape

from harness.coverage import Coverage, cover
from harness.scenario.catalogue import AREAS
from harness.scenario.header import KNOWN_PROFILES
from harness.scenario.suggest import did_you_mean
from harness.stop import StopError
from harness.suite import Suite
from harness.verdict import Exit

SCHEMA: Final = "muster-clauses/1"
"""Goes up when a key changes its meaning or goes away; new keys do not change it."""

suite_option = click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, exists=True),
    help="Scenarios with a catalogue of their own; the built-in suite when left out.",
)


@click.command()
@click.option(
    "--profile", type=click.Choice(KNOWN_PROFILES), help="Only what applies to this release."
)
@click.option("--area", type=click.Choice(list(AREAS)), help="Only the clauses of this area.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@suite_option
def clauses(profile: str | None, area: str | None, as_json: bool, folder: Path | None) -> int:
    """List the clauses, with the scenarios that speak about each and the mutants that break it."""
    suite = Suite.read((folder,) if folder else ())
    covered = [one for one in cover(suite, profile) if area in {None, one.clause.area}]
    if not covered:
        of = " ".join(filter(None, (area and f"area {area}", profile and f"profile {profile}")))
        raise StopError(Exit.NOTHING_TESTED, f"no clause of {of} is in {suite.catalogue_path}")
    if as_json:
        encoded = msgspec.json.encode(document(covered, profile))
        click.echo(msgspec.json.format(encoded, indent=2).decode())
    else:
        _show(covered)
    return Exit.OK


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="CLAUSE…")
@suite_option
def explain(ids: tuple[str, ...], folder: Path | None) -> int:
    """Say all there is to know about clauses: TMO-4, or several, or globs such as 'ROT-*'."""
    covered = {one.clause.id: one for one in cover(Suite.read((folder,) if folder else ()))}
    chosen: dict[str, Coverage] = {}
    for asked in ids:
        found = [one for one in covered if fnmatch.fnmatchcase(one, asked.upper())]
        if not found:
            hint = did_you_mean(asked, covered)
            message = f"expected the id of a clause, or a glob that matches one, got {asked!r}"
            raise StopError(Exit.USAGE, f"{message}; {hint}" if hint else message)
        chosen |= {one: covered[one] for one in found}
    console = _console()
    for number, one in enumerate(chosen.values()):
        if number:
            console.print()
        _explain(console, one)
    return Exit.OK


def document(covered: list[Coverage], profile: str | None) -> dict[str, Any]:
    """Return clauses and what speaks about them as a JSON object."""
    return {
        "schema": SCHEMA,
        "profile": profile,
        "clauses": [
            {
                "id": one.clause.id,
                "area": one.clause.area,
                "level": one.clause.level,
                "text": one.clause.text,
                "profiles": list(one.clause.profiles),
                "source": one.clause.source,
                "why": one.clause.why,
                "means": one.clause.means,
                "scenarios": [scenario.id for scenario in one.scenarios],
                "checkers": [checker.name for checker in one.checkers],
                "mutants": [mutant.name for mutant in one.mutants],
            }
            for one in covered
        ],
    }


def profiles_text(profiles: tuple[str, ...]) -> str:
    """Return in few words which profiles something applies to: `all`, `2.3.4 to 2.4`, `2.0`."""
    if profiles == KNOWN_PROFILES:
        return "all"
    first = KNOWN_PROFILES.index(profiles[0])
    if len(profiles) > 2 and profiles == KNOWN_PROFILES[first : first + len(profiles)]:
        return f"{profiles[0]} to {profiles[-1]}"
    return ", ".join(profiles)


def _console() -> Console:
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def _show(covered: list[Coverage]) -> None:
    console = _console()
    heads = ("clause", "level", "profiles", "scenarios", "mutants")
    console.print(
        f"{heads[0]:<9}{heads[1]:<8}{heads[2]:<18}{heads[3]:>9} {heads[4]:>8}", style="dim"
    )
    area = ""
    for one in covered:
        clause = one.clause
        if clause.area != area:
            area = clause.area
            console.print(f"\n[bold]{area}[/]  {AREAS[area]}")
        counts = "".join(
            f"[bold yellow]{count:>9}[/]" if not count else f"{count:>9}"
            for count in (len(one.scenarios), len(one.mutants))
        )
        console.print(
            f"{clause.id:<9}{clause.level:<8}{profiles_text(clause.profiles):<18}{counts}"
            f"  {escape(clause.text)}"
        )
    bare = [one.clause.id for one in covered if not one.scenarios and not one.checkers]
    unbroken = [one.clause.id for one in covered if one.clause.level == "MUST" and not one.mutants]
    console.print(f"\n{len(covered)} clauses")
    if bare:
        console.print(f"no scenario and no checker speaks about {len(bare)}: {', '.join(bare)}")
    if unbroken:
        console.print(f"no mutant breaks {len(unbroken)} MUST clauses: {', '.join(unbroken)}")


def _explain(console: Console, one: Coverage) -> None:
    clause = one.clause
    console.print(f"[bold]{clause.id}[/] {clause.level}: {escape(clause.text)}")
    rows = [
        ("area", f"{clause.area}, {AREAS[clause.area]}"),
        ("profiles", ", ".join(clause.profiles)),
        ("source", clause.source),
        ("why", clause.why),
        ("a failure usually means", clause.means),
    ]
    for name, text in rows:
        if text:
            console.print(f"  [dim]{name}:[/] {escape(text)}")
    console.print("  [dim]scenarios:[/]" + ("" if one.scenarios else " none"))
    for scenario in one.scenarios:
        console.print(f"    {escape(scenario.id)}: {escape(scenario.shows)}")
    if one.checkers:
        console.print("  [dim]checkers:[/]")
        for checker in one.checkers:
            console.print(f"    {escape(checker.name)}: {escape(checker.says)}")
    console.print("  [dim]mutants:[/]" + ("" if one.mutants else " none"))
    for mutant in one.mutants:
        console.print(f"    {escape(mutant.name)}: {escape(mutant.wrong)}")
