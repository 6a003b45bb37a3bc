"""The report for a person at a terminal: quiet when all is well, the broken clause first when not."""

import json
import sys
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from harness.history import History
from harness.runner import Listener, Plan
from harness.scenario.model import Scenario
from harness.verdict import ClauseResult, Exit, Outcome, Report, Verdict

STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.VACUOUS: "magenta",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.SKIP: "dim",
}

_COLUMN: Final = 12
"""Where the texts of an explained failure begin."""

_BODY_LENGTH: Final = 160
"""How much of a body a line of the history shows."""

_SHOWN_AT_ONCE: Final = 3
"""How many running scenarios the progress line names."""

MEANINGS: Final = {
    Exit.OK: "all applicable MUST clauses pass",
    Exit.VIOLATION: "a MUST clause is broken",
    Exit.UNKNOWN: "the run could not tell, or was interrupted",
    Exit.TARGET: "no scenario could be set up",
    Exit.NOTHING_TESTED: "nothing was tested, or a MUST clause only vacuously",
}


class Terminal(Listener):
    """Writes progress and the verdict.

    Args:
        console: where to; standard output when left out.

    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._playing: dict[str, None] = {}
        self._done = 0
        self._total = 0
        self._live: Live | None = None

    def started(self, plan: Plan) -> None:
        """Say what is run, the seed first of all."""
        self._total = len(plan.scenarios)
        speed = f", {plan.speed:g} × as fast as the seed's timers" if plan.clock == "real" else ""
        self._console.print(
            f"muster: {self._total} scenarios, profile {plan.profile}, {plan.clock} clock{speed},"
            f" seed {plan.seed}"
        )
        if self._console.is_terminal:
            self._live = Live(console=self._console, transient=True, refresh_per_second=8)
            self._live.start()

    def playing(self, scenario: Scenario) -> None:
        """Show what is being played."""
        self._playing[scenario.id] = None
        self._show_progress()

    def played(self, outcome: Outcome, _: History | None) -> None:
        """Show what came of a scenario, if anything is wrong with it."""
        self._playing.pop(outcome.scenario.id, None)
        self._done += 1
        if outcome.verdict not in {Verdict.PASS, Verdict.SKIP}:
            self._line(outcome.verdict, f"{outcome.scenario.id}: {outcome.scenario.shows}")
        self._show_progress()

    def _show_progress(self) -> None:
        if self._live is None:
            return
        names = list(self._playing)
        more = f" and {len(names) - _SHOWN_AT_ONCE} more" if len(names) > _SHOWN_AT_ONCE else ""
        now = f"{', '.join(names[:_SHOWN_AT_ONCE])}{more}"
        self._live.update(Text(f"{self._done}/{self._total}  {now}", style="dim"))

    def finished(self, report: Report) -> None:
        """Explain every failure, and close with the verdict."""
        if self._live is not None:
            self._live.stop()
        for outcome in report.outcomes:
            if outcome.failure is not None:
                self._explain(outcome, report)
        for outcome in report.outcomes:
            if outcome.failure is None and outcome.verdict in {Verdict.UNKNOWN, Verdict.VACUOUS}:
                self._line(outcome.verdict, f"{outcome.scenario.id}: {outcome.reason}")
        for outcome in report.outcomes:
            if outcome.verdict is Verdict.SKIP:
                self._line(outcome.verdict, f"{outcome.scenario.id}: {outcome.reason}")
        for clause in report.clauses:
            if clause.verdict in {Verdict.VACUOUS, Verdict.UNKNOWN, Verdict.WARN}:
                self._line(
                    clause.verdict, f"{clause.id} {clause.text} ({clause.reason or 'see above'})"
                )
        self._close(report)

    def _explain(self, outcome: Outcome, report: Report) -> None:
        failure = outcome.failure
        assert failure is not None
        self._console.print()
        for clause in _broken(outcome, report):
            self._console.print(f"[bold red]{clause.id}[/] {clause.level}: {escape(clause.text)}")
        unknown = f" ({outcome.reason})" if outcome.reason else ""
        rows: list[tuple[str, str]] = [
            ("scenario", f"{outcome.scenario.shows}{unknown}"),
            ("at", f"{failure.place}, {failure.time_s:.3f} s after it began"),
            ("step", failure.step),
            ("expected", failure.expected),
            ("seen", failure.seen),
        ]
        for name, text in rows:
            indented = text.rstrip().replace("\n", "\n" + " " * _COLUMN)
            self._console.print(f"  [dim]{name:>8}[/]  {escape(indented)}")
        self._console.print("  [dim]  before[/]")
        for line in failure.operations:
            self._console.print(" " * _COLUMN + escape(_brief(line)), style="dim")
        self._console.print(f"  [dim]  replay[/]  [cyan]{escape(outcome.replay)}[/]")

    def _close(self, report: Report) -> None:
        scenarios = _counted(outcome.verdict for outcome in report.outcomes)
        clauses = _counted(clause.verdict for clause in report.clauses)
        style = STYLES[report.verdict]
        interrupted = ", interrupted" if report.interrupted else ""
        self._console.print()
        self._console.print(f"scenarios  {scenarios}")
        self._console.print(f"clauses    {clauses}")
        self._console.print(
            f"[{style}]{report.verdict}[/] in {report.duration_s:.2f} s{interrupted}"
            f" (exit {report.exit_code.value}: {MEANINGS[report.exit_code]})"
        )

    def _line(self, verdict: Verdict, text: str) -> None:
        self._console.print(f"[{STYLES[verdict]}]{verdict:>7}[/]  {escape(text)}")


def _broken(outcome: Outcome, report: Report) -> list[ClauseResult]:
    return [clause for clause in report.clauses if clause.id in outcome.broken]


def _counted(verdicts: Any) -> str:
    counts: dict[Verdict, int] = {}
    for verdict in verdicts:
        counts[verdict] = counts.get(verdict, 0) + 1
    shown = [f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict in counts]
    return ", ".join(shown) or "none"


def _brief(line: dict[str, Any]) -> str:
    """Return an operation of a history in one line."""
    what = line.get("f", line.get("note", ""))
    rest = ""
    if "status" in line:
        rest = f" {line['status']} {_short(line['body'])}"
    elif "request" in line and line["body"] is not None:
        rest = f" {_short(line['body'])}"
    elif "note" in line and "f" in line:
        rest = f" {line['note']}"
    return f"{line['time']:>8.3f} s  {line['process']:<8} {line['type']:<6} {what}{rest}"


def _short(body: Any) -> str:
    text = body if isinstance(body, str) else _compact(body)
    return text if len(text) <= _BODY_LENGTH else f"{text[:_BODY_LENGTH]}…"


def _compact(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
