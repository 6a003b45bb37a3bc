"""Life cycle: a record is running until its agent, or the master for it, says otherwise.

Commands are shown by no answer, so it is records that are looked at: what their status may be
follows from what was reported.
"""

from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View
from master.protocol.states import RecordStatus

_BY_RESULT: Final = "RES-7"
"""What is usually broken: a result changes its record; where it may, a report is all that does."""

_BY_REPORT: Final = "REC-30"

_BY_MASTER: Final = frozenset({RecordStatus.RUNNING.value, RecordStatus.FAILED.value})
"""What the master makes of a record by itself; all else an agent must have said."""


def check(view: View, judged: Judged) -> None:
    """Look for a status that nobody reported."""
    for key, looks in view.records.looks.items():
        if not view.ours(view.queue.owner(*key)):
            continue
        clause = _BY_RESULT if view.holds(_BY_RESULT) else _BY_REPORT
        reports = view.records.reported(key)
        for look in looks:
            judged.saw(clause)
            if look.status not in _BY_MASTER and not reports.said(look.status, look.call.end):
                judged.fails(
                    clause,
                    f"{key[0]} record {key[1]} is {look.status!r}, which nobody had reported",
                    look.call,
                )


CHECKER = Checker(
    name="life cycle",
    says="A record's status is running, failed by the master, or what its agent reported.",
    clauses=(_BY_RESULT, _BY_REPORT),
    needs="a record of a node that was made in this history, seen",
    check=check,
)
