"""What a self-check found, for a person and for programs. The same for any number of processes."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from harness.scenario.catalogue import AREAS, Clause
from harness.selfcheck.check import Fate, Result, uncovered
from harness.verdict import Exit

SCHEMA: Final = "muster-selfcheck/1"
"""Goes up when a key changes its meaning or goes away; new keys do not change it."""

VAGUE: Final = 3
"""A failure that blames more clauses than this says little about which one is broken."""

_STYLES: Final = {
    Fate.KILLED: "green",
    Fate.WRONG: "bold yellow",
    Fate.SURVIVED: "bold red",
    Fate.FAULT: "bold magenta",
}
_NAMES_FROM: Final = 20


def exit_code(clauses: Sequence[Clause], results: Sequence[Result]) -> Exit:
    """Return how a check ends.

    Args:
        clauses: those that each need a killed mutant.
        results: what became of the mutants.

    """
    if not results and not clauses:
        return Exit.NOTHING_TESTED
    fates = {result.fate for result in results}
    if Fate.FAULT in fates:
        return Exit.INTERNAL
    missing = any(clause.level == "MUST" for clause in uncovered(clauses, results))
    return Exit.VIOLATION if missing or fates - {Fate.KILLED} else Exit.OK


def document(clauses: Sequence[Clause], results: Sequence[Result]) -> dict[str, Any]:
    """Return a finished check as a JSON object."""
    return {
        "schema": SCHEMA,
        "exit_code": exit_code(clauses, results).value,
        "mutants": [
            {
                "name": result.mutant.name,
                "clause": result.mutant.clause,
                "wrong": result.mutant.wrong,
                "profile": result.profile,
                "fate": result.fate.name.lower(),
                "scenario": result.scenario,
                "blamed": list(result.blamed),
                "why": result.why,
            }
            for result in results
        ],
        "uncovered": [
            {"clause": clause.id, "level": clause.level} for clause in uncovered(clauses, results)
        ],
    }


def show(console: Console, clauses: Sequence[Clause], results: Sequence[Result]) -> None:
    """Print a finished check: clause by clause, then each mutant that needs work, then the sum."""
    ids = dict.fromkeys(
        [clause.id for clause in clauses] + [result.mutant.clause for result in results]
    )
    for area, about in AREAS.items():
        of_area = [clause for clause in ids if clause.startswith(f"{area}-")]
        if of_area:
            console.print(f"[bold]{area}[/]  {about}")
            for clause in sorted(of_area, key=lambda one: int(one.partition("-")[2])):
                _show_clause(console, clause, results)
            console.print()
    for result in results:
        if result.fate is not Fate.KILLED:
            _explain(console, result)
    _show_vague(console, results)
    _show_sum(console, clauses, results)


def _show_clause(console: Console, clause: str, results: Sequence[Result]) -> None:
    """Print what became of the mutants of a clause, a line for each fate."""
    of_clause = [result for result in results if result.mutant.clause == clause]
    shown = clause
    for fate in Fate:
        names = [result.mutant.name for result in of_clause if result.fate is fate]
        if names:
            word = fate.value if fate is Fate.KILLED else fate.name
            line = f"{word:<9} {', '.join(names)}"
            console.print(f"  {shown:<8} [{_STYLES[fate]}]{escape(line)}[/]")
            shown = ""
    if not of_clause:
        console.print(f"  {clause:<8} [bold]–         no mutant[/]")


def _explain(console: Console, result: Result) -> None:
    mutant = result.mutant
    console.print(f"[{_STYLES[result.fate]}]{result.fate.name}[/]  {mutant.name}", highlight=False)
    rows = [
        ("wrong", f"{mutant.wrong} ({mutant.clause}, profile {result.profile})"),
        ("by", " ".join(filter(None, (result.scenario, _blame(result))))),
        ("why", result.why),
        ("source", f"muster selfcheck --show {mutant.name}"),
    ]
    for name, text in rows:
        if text:
            console.print(f"  [dim]{name:>8}[/]  {escape(text)}")


def _blame(result: Result) -> str:
    return f"which blames {', '.join(result.blamed)}" if result.blamed else ""


def _show_vague(console: Console, results: Sequence[Result]) -> None:
    """Name the kills that blame many clauses: who reads such a failure learns little."""
    for result in results:
        if result.fate is Fate.KILLED and len(result.blamed) > VAGUE:
            console.print(
                f"[yellow]vague[/]  {result.mutant.name}: {result.scenario} blames"
                f" {len(result.blamed)} clauses: {', '.join(result.blamed)}"
            )


def _show_sum(console: Console, clauses: Sequence[Clause], results: Sequence[Result]) -> None:
    missing = uncovered(clauses, results)
    for level in dict.fromkeys(clause.level for clause in missing):
        ids = ", ".join(clause.id for clause in missing if clause.level == level)
        console.print(f"uncovered {level}  {ids}")
    fates = [
        f"{count} {fate.value}"
        for fate in Fate
        if (count := sum(result.fate is fate for result in results))
    ]
    precise = sum(result.blamed == (result.mutant.clause,) for result in results)
    console.print(f"mutants    {', '.join(fates) or 'none'}; {precise} by their clause alone")
    console.print(f"clauses    {len(clauses) - len(missing)} of {len(clauses)} covered")
    code = exit_code(clauses, results)
    word, style = ("PASS", "green") if code is Exit.OK else ("FAIL", "bold red")
    console.print(f"[{style}]{word}[/] (exit {code.value})")
