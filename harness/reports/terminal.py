"""The report for a person at a terminal: quiet when all is well, the broken clause first when not."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from harness.history import History
from harness.plan import Listener, Plan
from harness.reports.explained import (
    COLUMN,
    counted,
    explain,
    indented,
    meaning,
    stale_lines,
    warp_text,
)
from harness.reports.visited import site_lines
from harness.scenario.model import Scenario
from harness.verdict import Outcome, Report, Verdict, worst
from master.protocol.times import NS
from simulated_agents.clock import RealClock

STYLES: Final = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.VACUOUS: "magenta",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.SKIP: "dim",
    Verdict.KNOWN: "cyan",
}

LINE_EVERY_S: Final = 60
"""Where no live line can be, a wait is told that ends so much later than the one told last."""

_SHOWN_AT_ONCE: Final = 3
"""How many scenarios a line names."""


class Wait(NamedTuple):
    """A scenario that waits: for what, and until when."""

    scenario: str
    what: str
    until_ns: int


class Terminal(Listener):
    """Writes progress and the verdict.

    Args:
        console: where to; standard output when left out.

    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._playing: dict[str, None] = {}
        self._waits: dict[str, Wait] = {}
        self._clock = RealClock()
        self._told_ns = 0
        self._done = 0
        self._total = 0
        self._live: Live | None = None

    def started(self, plan: Plan) -> None:
        """Say what is run, the seed first of all."""
        self._total, self._done = len(plan.scenarios), 0
        self._playing.clear()
        self._waits.clear()
        self._told_ns = 0
        speed = ""
        if plan.clock != "virtual" and plan.speed != 1:
            speed = f", {plan.speed:g} × as fast as the seed's timers"
        self._console.print(
            f"muster: {self._total} scenarios, profile {plan.profile}, {plan.clock} clock{speed},"
            f" seed {plan.seed}"
        )
        if plan.target_file is not None:
            self._console.print(f"target {plan.target_file.url}, of {plan.target_file.path}")
        if entries := plan.known.on(plan.profile, plan.target):
            self._console.print(f"{len(entries)} known failures of {plan.known.path}")
        if self._console.is_terminal:
            self._live = Live(console=self._console, transient=True, refresh_per_second=8)
            self._live.start()

    def playing(self, scenario: Scenario) -> None:
        """Show what is being played."""
        self._playing[scenario.id] = None
        self._show_progress()

    def waiting(self, scenario: Scenario, what: str, for_s: float) -> None:
        """Show what is waited for, and until when."""
        wait = Wait(scenario.id, what, self._clock.now_ns() + int(for_s * NS))
        self._waits[scenario.id] = wait
        self._show_progress()
        later = wait.until_ns >= self._told_ns + LINE_EVERY_S * NS
        if not self._console.is_terminal and for_s >= LINE_EVERY_S and later:
            self._told_ns = wait.until_ns
            self._console.print(escape(self._progress()))

    def played(self, outcome: Outcome, _: History | None) -> None:
        """Show what came of a scenario, if anything is wrong with it."""
        self._playing.pop(outcome.scenario.id, None)
        self._waits.pop(outcome.scenario.id, None)
        self._done += 1
        if outcome.verdict not in {Verdict.PASS, Verdict.SKIP, Verdict.KNOWN}:
            self._line(outcome.verdict, f"{outcome.scenario.id}: {outcome.scenario.shows}")
        self._show_progress()

    def _show_progress(self) -> None:
        if self._live is None:
            return
        self._live.update(Text(self._progress(), style="dim"))

    def _progress(self) -> str:
        """Return how far the run is, and what it waits for the longest."""
        playing = len(self._playing)
        line = f"{self._done}/{self._total}  "
        now_ns = self._clock.now_ns()
        waits = [wait for wait in self._waits.values() if wait.until_ns > now_ns]
        if not waits:
            return line + _few(list(self._playing))
        last = max(waits, key=lambda wait: wait.until_ns)
        left = self._total - self._done - playing
        return (
            f"{line}{playing} playing, {left} to come; until {clock_time(last.until_ns)} at the"
            f" latest: {last.scenario} waits ({last.what})"
        )

    def finished(self, report: Report) -> None:
        """Explain every failure, and close with the verdict."""
        if self._live is not None:
            self._live.stop()
        explained = [
            outcome
            for outcome in report.outcomes
            if outcome.failure is not None and outcome.verdict is not Verdict.KNOWN
        ]
        for outcome in explained:
            self._explain(outcome, report)
        for verdict in (Verdict.UNKNOWN, Verdict.VACUOUS, Verdict.SKIP, Verdict.KNOWN):
            self._reasons(
                verdict,
                [
                    outcome
                    for outcome in report.outcomes
                    if outcome.verdict is verdict and outcome not in explained
                ],
            )
        self._clauses(report)
        for line in stale_lines(report):
            self._line(Verdict.FAIL, line)
        self._close(report)

    def _reasons(self, verdict: Verdict, outcomes: list[Outcome]) -> None:
        """Say why there was no other verdict, once a reason."""
        by_reason: dict[str | None, list[str]] = {}
        for outcome in outcomes:
            by_reason.setdefault(outcome.reason, []).append(outcome.scenario.id)
        for reason, names in by_reason.items():
            self._line(verdict, f"{_few(names)}: {reason}")

    def _clauses(self, report: Report) -> None:
        """Name the clauses that nobody can rely on."""
        for clause in report.clauses:
            if clause.verdict in {Verdict.VACUOUS, Verdict.UNKNOWN, Verdict.WARN}:
                self._line(
                    clause.verdict, f"{clause.id} {clause.text} ({clause.reason or 'see above'})"
                )

    def _explain(self, outcome: Outcome, report: Report) -> None:
        explained = explain(outcome, report)
        self._console.print()
        for clause in explained.clauses:
            style = STYLES[clause.verdict]
            self._console.print(f"[{style}]{clause.id}[/] {clause.level}: {escape(clause.text)}")
        for name, text in explained.rows:
            self._console.print(f"  [dim]{name:>8}[/]  {escape(indented(text))}")
        self._console.print("  [dim]  before[/]")
        for line in explained.before:
            self._console.print(" " * COLUMN + escape(line), style="dim")
        self._console.print(f"  [dim]  replay[/]  [cyan]{escape(explained.replay)}[/]")

    def _close(self, report: Report) -> None:
        style = STYLES[report.verdict]
        interrupted = ", interrupted" if report.interrupted else ""
        self._console.print()
        if report.unfinished:
            self._console.print(f"not finished: {escape(_few(list(report.unfinished)))}")
        if report.asked is not None and not report.outcomes:
            self._console.print(escape(report.asked))
        for line in site_lines(report):
            self._console.print(escape(line))
        self._console.print(f"scenarios  {counted(one.verdict for one in report.outcomes)}")
        self._console.print(f"clauses    {counted(one.verdict for one in report.clauses)}")
        if (warped := warp_text(report.warped)) is not None:
            self._console.print(f"warped     {warped}")
        self._console.print(
            f"[{style}]{report.verdict}[/] in {report.duration_s:.2f} s{interrupted}"
            f" (exit {report.exit_code.value}: {meaning(report)})"
        )

    def _line(self, verdict: Verdict, text: str) -> None:
        self._console.print(f"[{STYLES[verdict]}]{verdict:>7}[/]  {escape(text)}")

    def summary(self, reports: Sequence[Report]) -> None:
        """Close several runs, one a profile: a line each, and what they come to together."""
        self._console.print()
        for report in reports:
            self._console.print(
                f"profile {report.profile:<8} [{STYLES[report.verdict]}]{report.verdict:<8}[/]"
                f" {counted(one.verdict for one in report.outcomes)}"
                f" (exit {report.exit_code.value}: {meaning(report)})"
            )
        code = worst(report.exit_code for report in reports)
        self._console.print(f"the worst of {len(reports)} profiles: exit {code.value}")


def clock_time(instant_ns: int) -> str:
    """Return what the clock on the wall here shows at an instant."""
    return f"{datetime.fromtimestamp(instant_ns // NS, UTC).astimezone():%H:%M:%S}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_AT_ONCE} more" if len(names) > _SHOWN_AT_ONCE else ""
    return f"{', '.join(names[:_SHOWN_AT_ONCE])}{more}"
