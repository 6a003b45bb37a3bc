"""Runs in which something goes wrong with muster, not with the master."""

import re
from dataclasses import replace
from io import StringIO
from typing import Any

from rich.console import Console
from scenes import CATALOGUE, scene

from harness.plan import Plan
from harness.reports.terminal import Terminal
from harness.runner import run
from harness.verdict import Exit, Report, Verdict
from master.core import Master

STORY = """
scenario: Something is shown
clauses: [CMD-1]
agents: {alpha: manual}
steps: [{poll: alpha, expect: {status: 200}}]
"""


class Counted:
    """Makes masters, and raises in place of one of them.

    Args:
        at: which, from 1.
        error: what is raised.

    """

    def __init__(self, at: int, error: BaseException) -> None:
        self._left = at
        self._error = error

    def __call__(self, *args: Any, **options: Any) -> Master:
        self._left -= 1
        if not self._left:
            raise self._error
        return Master(*args, **options)


def play(make_master: Counted) -> tuple[Report, str]:
    """Play three scenarios."""
    scenarios = tuple(replace(scene(STORY), id=name) for name in ("one", "two", "three"))
    written = StringIO()
    plan = Plan(scenarios, CATALOGUE, "2.0", "virtual", 0, make_master=make_master)
    report = run(plan, [Terminal(Console(file=written, width=200))])
    return report, written.getvalue()


def test_a_fault_is_one_scenarios_own() -> None:
    """The others are played, and the exit code says that muster has a fault."""
    report, written = play(Counted(2, LookupError("by a slip")))

    verdicts = [outcome.verdict for outcome in report.outcomes]
    assert verdicts == [Verdict.PASS, Verdict.UNKNOWN, Verdict.PASS]
    assert report.exit_code is Exit.INTERNAL
    assert "two: a fault of muster: LookupError: by a slip" in written


def test_an_interrupted_run_says_what_is_left() -> None:
    """What it was at, and what it had not begun."""
    report, written = play(Counted(2, KeyboardInterrupt()))

    assert report.unfinished == ("two", "three")
    assert report.exit_code is Exit.UNKNOWN
    assert "not finished: two, three" in written


def test_long_waits_are_told_where_no_line_can_change() -> None:
    """One line for those that end at about the same time: who plays, and until when."""
    one, two, three = (replace(scene(STORY), id=name) for name in ("one", "two", "three"))
    written = StringIO()
    terminal = Terminal(Console(file=written, width=200))
    terminal.started(Plan((one, two, three), CATALOGUE, "2.0", "real", 0))
    head = written.tell()
    for scenario in (one, two):
        terminal.playing(scenario)
    terminal.waiting(one, "5s", 5.0)
    terminal.waiting(one, "command_timeout", 600.0)
    terminal.waiting(two, "command_timeout + 1s", 601.0)
    lines = written.getvalue()[head:].splitlines()

    assert len(lines) == 1
    assert re.fullmatch(
        r"0/3  2 playing, 1 to come; until \d\d:\d\d:\d\d at the latest: one waits \(command_timeout\)",
        lines[0],
    )
