"""What the checkers say of histories, for a person at a terminal and as JSON."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from harness.checkers.judged import Broken
from harness.checkers.registry import Finding
from harness.reports.explained import COLUMN, brief, counted
from harness.reports.terminal import STYLES
from harness.scenario.catalogue import Catalogue
from harness.verdict import Exit, Verdict

SCHEMA: Final = "muster-check/1"
"""Goes up when a key changes its meaning or goes away; new keys do not change it."""

SHOWN: Final = 3
"""How many violations of one checker a report shows."""

_MEANINGS: Final = {
    Exit.OK: "every checker that could judge passes",
    Exit.VIOLATION: "a MUST clause is broken",
    Exit.UNKNOWN: "a checker could not tell",
    Exit.NOTHING_TESTED: "no checker saw what it needs",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A violation with its operations.

    Attributes:
        broken: the violation.
        operations: as they are written in the history.

    """

    broken: Broken
    operations: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checkers say of one history.

    Attributes:
        name: of its file.
        profile: what it was judged as.
        size: how many operations it has.
        cut: the place of its last line, if that is cut off.
        findings: of each checker, with its verdict: WARN where only a SHOULD is broken.
        shown: the first violations of each checker, by its name.

    """

    name: str
    profile: str
    size: int
    cut: str | None
    findings: tuple[tuple[Finding, Verdict], ...]
    shown: dict[str, list[Shown]]

    @property
    def exit_code(self) -> Exit:
        """Return what this history alone comes to."""
        return exit_code(verdict for _, verdict in self.findings)


def exit_code(verdicts: Iterable[Verdict]) -> Exit:
    """Return what verdicts of checkers come to, of one history or of several."""
    seen = set(verdicts)
    if Verdict.FAIL in seen:
        return Exit.VIOLATION
    if Verdict.UNKNOWN in seen:
        return Exit.UNKNOWN
    return Exit.OK if seen & {Verdict.PASS, Verdict.WARN} else Exit.NOTHING_TESTED


class JudgementTerminal:
    """Writes what the checkers say.

    Args:
        catalogue: the clauses.
        several: there are several histories; what could not be judged is counted, not told.

    """

    def __init__(self, catalogue: Catalogue, *, several: bool) -> None:
        self._catalogue = catalogue
        self._several = several
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._verdicts: list[Verdict] = []
        self._files = 0

    def show(self, judgement: Judgement) -> None:
        """Tell of one history: what is broken first."""
        self._files += 1
        self._verdicts += [verdict for _, verdict in judgement.findings]
        wrong = {Verdict.FAIL, Verdict.WARN, Verdict.UNKNOWN}
        if self._several and not any(verdict in wrong for _, verdict in judgement.findings):
            return
        self._console.print(
            f"{escape(judgement.name)}: {judgement.size} operations, profile {judgement.profile}"
        )
        for finding, verdict in judgement.findings:
            if finding.broken:
                self._explain(finding, verdict, judgement.shown[finding.checker.name])
        self._reasons(judgement)

    def _reasons(self, judgement: Judgement) -> None:
        """Say why there was no other verdict, and what was measured."""
        told = [Verdict.UNKNOWN] if self._several else [Verdict.UNKNOWN, Verdict.VACUOUS]
        for verdict in told:
            for finding, its in judgement.findings:
                if its is verdict:
                    self._line(verdict, f"{finding.checker.name}: {finding.reason}")
        for finding, _ in judgement.findings:
            for name, value in finding.measured.items():
                if value:
                    self._console.print(f"  measured  {finding.checker.name}: {name} {value:g}")

    def _explain(self, finding: Finding, verdict: Verdict, shown: list[Shown]) -> None:
        self._console.print()
        self._line(verdict, f"{finding.checker.name}: {finding.checker.says}")
        for one in shown:
            clause = self._catalogue[one.broken.clause]
            style = STYLES[verdict]
            self._console.print(f"[{style}]{clause.id}[/] {clause.level}: {escape(clause.text)}")
            self._row("seen", one.broken.sentence)
            if clause.means:
                self._row("usually", clause.means)
            self._console.print("  [dim]  shown by[/]")
            for line in one.operations:
                text = f"{line['index']:>7}  {brief(line)}"
                self._console.print(" " * COLUMN + escape(text), style="dim")
        if finding.count > len(shown):
            self._row("and", f"{finding.count - len(shown)} more of this checker")

    def _row(self, name: str, text: str) -> None:
        self._console.print(f"  [dim]{name:>8}[/]  {escape(text)}")

    def _line(self, verdict: Verdict, text: str) -> None:
        self._console.print(f"[{STYLES[verdict]}]{verdict:>7}[/]  {escape(text)}")

    def close(self) -> Exit:
        """Close with the verdict, and return the exit code."""
        code = exit_code(self._verdicts)
        verdict = {
            Exit.OK: Verdict.PASS,
            Exit.VIOLATION: Verdict.FAIL,
            Exit.UNKNOWN: Verdict.UNKNOWN,
        }.get(code, Verdict.VACUOUS)
        self._console.print()
        if self._several:
            self._console.print(f"histories  {self._files}")
        self._console.print(f"checkers   {counted(self._verdicts)}")
        self._console.print(
            f"[{STYLES[verdict]}]{verdict}[/] (exit {code.value}: {_MEANINGS[code]})"
        )
        return code


def document(judgements: list[Judgement], code: Exit) -> dict[str, Any]:
    """Return what the checkers say as a JSON object."""
    return {
        "schema": SCHEMA,
        "exit_code": code.value,
        "histories": [
            {
                "file": one.name,
                "profile": one.profile,
                "operations": one.size,
                "cut": one.cut,
                "exit_code": one.exit_code.value,
                "checkers": [_checker(*finding, one.shown) for finding in one.findings],
            }
            for one in judgements
        ],
    }


def _checker(finding: Finding, verdict: Verdict, shown: dict[str, list[Shown]]) -> dict[str, Any]:
    return {
        "name": finding.checker.name,
        "says": finding.checker.says,
        "about": finding.checker.about,
        "verdict": verdict.value,
        "reason": finding.reason,
        "clauses": finding.seen,
        "violations": finding.count,
        "shown": [
            {
                "clause": one.broken.clause,
                "sentence": one.broken.sentence,
                "operations": one.operations,
            }
            for one in shown.get(finding.checker.name, [])
        ],
        "measured": finding.measured,
    }
