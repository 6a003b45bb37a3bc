"""A failure in words, the same for every report: what was broken, where, what was seen, how to replay it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from harness.verdict import ClauseResult, Exit, Outcome, Report, Verdict
from harness.waiting import Warped

COLUMN: Final = 12
"""Where the texts of an explanation begin."""

_BODY_LENGTH: Final = 160
"""How much of a body a line of the history shows."""

_MEANINGS: Final = {
    Exit.OK: "all applicable MUST clauses pass",
    Exit.VIOLATION: "a MUST clause is broken",
    Exit.UNKNOWN: "the run could not tell, or was interrupted",
    Exit.TARGET: "no scenario could be set up",
    Exit.NOTHING_TESTED: "nothing was tested, or a MUST clause only vacuously",
    Exit.INTERNAL: "a fault of muster itself",
}


def meaning(report: Report) -> str:
    """Return what a run's exit code says, in a few words."""
    counted = {clause.verdict for clause in report.clauses if clause.counts}
    if report.stale and Verdict.FAIL not in counted:
        return "a known failure passes: delete its entry"
    if report.exit_code is Exit.TARGET and report.site is not None and report.site.gone:
        return "the server ended in the middle"
    if report.strict and report.exit_code in {Exit.OK, Exit.VIOLATION}:
        return _MEANINGS[report.exit_code].replace("MUST", "MUST or SHOULD")
    return _MEANINGS[report.exit_code]


def stale_lines(report: Report) -> list[str]:
    """Return, for each known failure that passes, what to do about it."""
    return [
        f"{entry.place}: {entry} passes on profile {report.profile}: delete this entry"
        " (or name the profiles and targets where it fails)"
        for entry in report.stale
    ]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a scenario did not pass.

    Attributes:
        clauses: those that were broken, or may be.
        rows: a name and a text each.
        before: the last of the history before it, a line each.
        replay: the command that plays it again.

    """

    clauses: tuple[ClauseResult, ...]
    rows: tuple[tuple[str, str], ...]
    before: tuple[str, ...]
    replay: str

    def text(self) -> str:
        """Return all of it as plain text."""
        lines = [f"{clause.id} {clause.level}: {clause.text}" for clause in self.clauses]
        lines += [f"  {name:>8}  {indented(text)}" for name, text in self.rows]
        lines += ["    before", *(" " * COLUMN + line for line in self.before)]
        return "\n".join([*lines, f"    replay  {self.replay}"])


def explain(outcome: Outcome, report: Report) -> Explanation:
    """Return why a scenario with a failed expectation did not pass."""
    failure = outcome.failure
    assert failure is not None
    clauses = tuple(clause for clause in report.clauses if clause.id in outcome.broken)
    unknown = f" ({outcome.reason})" if outcome.reason else ""
    rows = [
        ("scenario", f"{outcome.scenario.shows}{unknown}"),
        ("at", f"{failure.place}, {failure.time_s:.3f} s after it began"),
        ("step", failure.step),
        ("expected", failure.expected),
        ("seen", failure.seen),
    ]
    meant = dict.fromkeys(clause.means for clause in clauses if clause.means)
    rows += [("usually", text) for text in meant if text]
    before = tuple(brief(line) for line in failure.operations)
    return Explanation(clauses, tuple(rows), before, outcome.replay)


def indented(text: str) -> str:
    """Return a text whose further lines begin where its first does."""
    return text.rstrip().replace("\n", "\n" + " " * COLUMN)


def counted(verdicts: Iterable[Verdict]) -> str:
    """Return how many there are of each verdict: `155 PASS, 1 SKIP`."""
    counts: dict[Verdict, int] = {}
    for verdict in verdicts:
        counts[verdict] = counts.get(verdict, 0) + 1
    shown = [f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict in counts]
    return ", ".join(shown) or "none"


def warp_text(warped: Warped) -> str | None:
    """Return what was skipped in place of being waited for, in words; `None` when nothing was."""
    if not warped.times:
        return None
    span = timedelta(seconds=round(warped.seconds))
    return (
        f"{warped.times} times, {span} skipped in all,"
        f" times in {warped.rows} rows of the master's database moved back"
    )


def brief(line: dict[str, Any]) -> str:
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
