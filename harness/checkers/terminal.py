"""Terminal absorbs: what has ended stays as it ended.

Where a release takes reports about what has ended, they alone may change it.
"""

from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.records import Look
from harness.observed.view import View

FINAL: Final = {"backup": "REC-12", "restore": "RST-12"}
"""The clause that says so without exception."""

UNASKED: Final = "TMO-5"
"""The clause that says so where reports may still change it."""

KEPT: Final = (
    "status",
    "errorMessage",
    "completedAt",
    "durationSeconds",
    "fileName",
    "fileSize",
    "checksum",
    "storagePath",
)
"""What an ended record keeps."""


def check(view: View, judged: Judged) -> None:
    """Hold each look at an ended record against the one before."""
    for key, looks in view.records.looks.items():
        if view.nodes.own is not None and view.queue.owner(*key) is None:
            continue  # what the master itself works at is no agent's
        final = view.holds(FINAL[key[0]])
        clause = FINAL[key[0]] if final else UNASKED
        reports = view.records.reported(key)
        last: Look | None = None
        for look in looks:
            if last is not None and last.call.before(look.call):
                judged.saw(clause)
                changed = _changed(last.state, look.state, view)
                if changed and (final or not reports.between(last.call.index, look.call.end)):
                    judged.fails(
                        clause,
                        f"{key[0]} record {key[1]} had ended, and its {changed} changed from"
                        f" {last.state.get(changed)!r} to {look.state.get(changed)!r}",
                        last.call,
                        look.call,
                    )
            if look.finished:
                last = look
            elif not final:
                last = None


def _changed(before: dict[str, Any], after: dict[str, Any], view: View) -> str | None:
    """Return what an answer shows otherwise than an earlier one, of what both show."""
    for name in KEPT:
        if name == "completedAt" and view.warped:
            continue
        if name in before and name in after and before[name] != after[name]:
            return name
    return None


CHECKER = Checker(
    name="terminal absorbs",
    says="Once finished, status, error, end time and file stay (but for reports, where the profile"
    " takes them).",
    clauses=(*FINAL.values(), UNASKED),
    needs="two looks at a record, one after the other, the first of which showed it ended",
    check=check,
)
