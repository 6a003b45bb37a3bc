"""The report for programs: one JSON file, with a version of its own."""

from pathlib import Path
from typing import Any, Final

import msgspec

from harness.runner import Listener
from harness.verdict import Outcome, Report

SCHEMA: Final = "muster-report/1"
"""Goes up when a key changes its meaning or goes away; new keys do not change it."""


def document(report: Report) -> dict[str, Any]:
    """Return a report as a JSON object."""
    return {
        "schema": SCHEMA,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code.value,
        "interrupted": report.interrupted,
        "profile": report.profile,
        "clock": report.clock,
        "seed": report.seed,
        "duration_s": round(report.duration_s, 3),
        "clauses": [
            {
                "id": clause.id,
                "level": clause.level,
                "text": clause.text,
                "verdict": clause.verdict.value,
                "reason": clause.reason,
                "scenarios": list(clause.scenarios),
            }
            for clause in report.clauses
        ],
        "scenarios": [_scenario(outcome) for outcome in report.outcomes],
    }


def _scenario(outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "id": outcome.scenario.id,
        "path": str(outcome.scenario.path),
        "shows": outcome.scenario.shows,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason,
        "duration_s": round(outcome.duration_s, 4),
        "elapsed_s": round(outcome.elapsed_s, 3),
        "clauses": list(outcome.scenario.clauses),
        "broken": list(outcome.broken),
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

    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def finished(self, report: Report) -> None:
        """Write the file."""
        encoded = msgspec.json.format(msgspec.json.encode(document(report)), indent=2)
        self._path.write_bytes(encoded + b"\n")
