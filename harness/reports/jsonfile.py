"""The report for programs: one JSON file, with a version of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.plan import Listener
from harness.reports.visited import site_document
from harness.verdict import Outcome, Report, worst
from harness.waiting import Warped

SCHEMA: Final = "muster-report/1"
"""Goes up when a key changes its meaning or goes away; new keys do not change it."""

SEVERAL_SCHEMA: Final = "muster-reports/1"
"""That of several runs in one file, each a report of `SCHEMA`."""


def document(report: Report) -> dict[str, Any]:
    """Return a report as a JSON object."""
    return {
        "schema": SCHEMA,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code.value,
        "interrupted": report.interrupted,
        "unfinished": report.unfinished,
        "profile": report.profile,
        "clock": report.clock,
        "seed": report.seed,
        "strict": report.strict,
        "asked": report.asked,
        "target": site_document(report),
        "duration_s": round(report.duration_s, 3),
        "warped": _warped(report.warped),
        "clauses": [
            {
                "id": clause.id,
                "level": clause.level,
                "counts": clause.counts,
                "text": clause.text,
                "verdict": clause.verdict.value,
                "reason": clause.reason,
                "scenarios": list(clause.scenarios),
            }
            for clause in report.clauses
        ],
        "scenarios": [_scenario(outcome) for outcome in report.outcomes],
        "known_failures": [
            {
                "place": str(entry.place),
                "clause": entry.clause,
                "scenario": entry.scenario,
                "reason": entry.reason,
                "state": state.value,
            }
            for entry, state in report.known
        ],
    }


def several(reports: Sequence[Report]) -> dict[str, Any]:
    """Return the reports of several runs, one a profile, as one JSON object."""
    return {
        "schema": SEVERAL_SCHEMA,
        "exit_code": worst(report.exit_code for report in reports).value,
        "reports": [document(report) for report in reports],
    }


def _warped(warped: Warped) -> dict[str, Any]:
    return {
        "times": warped.times,
        "skipped_s": round(warped.seconds, 3),
        "rows_moved": warped.rows,
    }


def _scenario(outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "id": outcome.scenario.id,
        "path": str(outcome.scenario.path),
        "shows": outcome.scenario.shows,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason,
        "hiccups": outcome.hiccups,
        "duration_s": round(outcome.duration_s, 4),
        "elapsed_s": round(outcome.elapsed_s, 3),
        "warped": _warped(outcome.warped),
        "clauses": list(outcome.scenario.clauses),
        "broken": list(outcome.broken),
        "known": {clause: entry.reason for clause, entry in outcome.known.items()},
        "replay": outcome.replay,
        "failure": None
        if failure is None
        else {
            "place": failure.place,
            "step": failure.step,
            "expectation": failure.expected,
            "seen": failure.seen,
            "time_s": round(failure.time_s, 6),
            "operations": failure.operations,
            "replay": outcome.replay,
        },
    }


class JsonFile(Listener):
    """Writes the report to a file when the run is over.

    Args:
        path: the file.
        all_profiles: there are several runs, one a profile; the file then holds all so far.

    """

    def __init__(self, path: Path, *, all_profiles: bool = False) -> None:
        self._path = path
        self._all_profiles = all_profiles
        self._reports: list[Report] = []

    def finished(self, report: Report) -> None:
        """Write the file."""
        self._reports.append(report)
        content = several(self._reports) if self._all_profiles else document(report)
        encoded = msgspec.json.format(msgspec.json.encode(content), indent=2)
        self._path.write_bytes(encoded + b"\n")
