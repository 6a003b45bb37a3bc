"""The report for GitHub Actions: annotations at the lines of scenarios, and the summary of the step.

Annotations are lines on standard output that the runner understands ("workflow commands"); the
summary is Markdown, appended to a file that it names. GitHub shows ten annotations of each kind a
step, so the summary is the whole story.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from harness.plan import Listener
from harness.reports.explained import counted, explain, meaning, stale_lines, warp_text
from harness.reports.visited import site_lines
from harness.scenario.model import Place
from harness.verdict import ClauseResult, Outcome, Report, Verdict

SUMMARY_MAX: Final = 1_000_000
"""Bytes of a step's summary; GitHub drops one above 1 MiB as a whole."""

_QUIET: Final = {Verdict.PASS, Verdict.SKIP, Verdict.KNOWN}
_WARNINGS: Final = {Verdict.WARN, Verdict.VACUOUS}
_PLACE: Final = re.compile(r"(.*):(\d+):(\d+)")
_FENCE_ROOM: Final = 100
_CUT: Final = "\n\nThe rest is cut: GitHub takes no more. The JSON report has all of it.\n"
_SIGNS: Final = {Verdict.PASS: "✅", Verdict.FAIL: "❌"}


class GitHub(Listener):
    """Writes annotations and the summary when a run is over.

    Args:
        env: `GITHUB_WORKSPACE`, the folder that paths are shown from, and `GITHUB_STEP_SUMMARY`,
            the file that the summary is appended to; those of this process when left out.
        stream: where annotations go; standard output when left out.

    """

    def __init__(self, env: Mapping[str, str] | None = None, stream: TextIO | None = None) -> None:
        env = os.environ if env is None else env
        self._root = Path(env.get("GITHUB_WORKSPACE") or Path.cwd())
        self._summary = env.get("GITHUB_STEP_SUMMARY")
        self._stream = stream

    def finished(self, report: Report) -> None:
        """Write them."""
        stream = self._stream or sys.stdout
        for outcome in report.outcomes:
            if outcome.verdict not in _QUIET:
                stream.write(self._annotation(outcome, report) + "\n")
        for entry, line in zip(report.stale, stale_lines(report), strict=True):
            stream.write(_command("error", self._where(entry.place), "known failure", line) + "\n")
        stream.flush()
        if self._summary:
            _append(Path(self._summary), summary(report))

    def _annotation(self, outcome: Outcome, report: Report) -> str:
        kind = "warning" if outcome.verdict in _WARNINGS else "error"
        place, lines = Place(outcome.scenario.path, 1, 1), [outcome.reason or ""]
        if outcome.failure is not None:
            found = _PLACE.fullmatch(outcome.failure.place)
            assert found is not None
            place = Place(Path(found[1]), int(found[2]), int(found[3]))
            lines = [
                f"{one.id} {one.level}: {one.text}" for one in explain(outcome, report).clauses
            ]
            lines += [f"expected {outcome.failure.expected}", f"seen {outcome.failure.seen}"]
            lines += [outcome.reason] if outcome.reason else []
        clauses = ", ".join(outcome.broken or outcome.scenario.clauses)
        title = f"{outcome.verdict} {clauses} ({outcome.scenario.id}, profile {report.profile})"
        text = "\n".join([*lines, f"replay: {outcome.replay}"])
        return _command(kind, self._where(place), title, text)

    def _where(self, place: Place) -> dict[str, str]:
        whole, root = place.path.resolve(), self._root.resolve()
        path = whole.relative_to(root) if whole.is_relative_to(root) else whole
        return {"file": path.as_posix(), "line": str(place.line), "col": str(place.column)}


def _command(kind: str, where: Mapping[str, str], title: str, message: str) -> str:
    """Return a workflow command, with what has a meaning in it escaped."""
    properties = {**where, "title": title}
    written = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in properties.items()
    )
    return f"::{kind} {written}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def summary(report: Report) -> str:
    """Return what came of a run, as Markdown: the verdict, clauses by area, and every failure."""
    sign = _SIGNS.get(report.verdict, "⚠️")
    said = meaning(report)
    lines = [
        f"## {sign} muster: {report.verdict}, profile {report.profile}",
        "",
        f"{said[0].upper()}{said[1:]} (exit {report.exit_code.value}).",
        f"Clock {report.clock}, seed {report.seed}, {report.duration_s:.1f} s.",
        *(f"- {_inline(line)}" for line in site_lines(report)),
        *([f"Warped {warped}."] if (warped := warp_text(report.warped)) else []),
        "",
        *_areas(report.clauses),
        "",
        f"Scenarios: {counted(one.verdict for one in report.outcomes)}.",
    ]
    lines += [f"- {_inline(line)}" for line in stale_lines(report)]
    for outcome in report.outcomes:
        if outcome.verdict not in _QUIET:
            lines += ["", *_failure(outcome, report)]
    return "\n".join(lines) + "\n\n"


def _areas(clauses: tuple[ClauseResult, ...]) -> Iterator[str]:
    """Yield a table: a row an area, a column a verdict."""
    verdicts = [one for one in Verdict if any(clause.verdict is one for clause in clauses)]
    yield "| clauses | " + " | ".join(verdicts) + " |"
    yield "| --- |" + " ---: |" * len(verdicts)
    for area in dict.fromkeys(clause.id.partition("-")[0] for clause in clauses):
        of = [one.verdict for one in clauses if one.id.partition("-")[0] == area]
        yield f"| {area} | " + " | ".join(str(of.count(one) or "") for one in verdicts) + " |"


def _failure(outcome: Outcome, report: Report) -> Iterator[str]:
    yield f"### {outcome.verdict} {_inline(outcome.scenario.id)}"
    yield ""
    yield _inline(outcome.scenario.shows)
    yield ""
    text = f"{outcome.reason}\nreplay  {outcome.replay}"
    if outcome.failure is not None:
        text = explain(outcome, report).text()
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    yield f"{fence}text\n{text}\n{fence}"


def _inline(text: str) -> str:
    """Return a text with what Markdown would take for its own escaped."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def _append(path: Path, text: str) -> None:
    """Append to the summary as much as GitHub takes of all that is in it."""
    there = path.stat().st_size if path.exists() else 0
    room = max(0, SUMMARY_MAX - there - len(_CUT.encode()) - _FENCE_ROOM)
    encoded = text.encode("utf-8", "backslashreplace")
    if not room:
        return  # it was cut before
    if len(encoded) > room:
        encoded = _cut(encoded[:room].decode("utf-8", "ignore")).encode()
    with path.open("ab") as file:
        file.write(encoded)


def _cut(kept: str) -> str:
    """Return the beginning of a summary with its end, out of any block of code that it is cut in."""
    fences = re.findall(r"^(`{3,})", kept, re.MULTILINE)
    return kept + (f"\n{fences[-1]}" if len(fences) % 2 else "") + _CUT
