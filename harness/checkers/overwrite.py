"""No overwrite: the monitor never changes a record that is not running."""

from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import NEVER
from harness.observed.records import Key, Look, Report
from harness.observed.signs import Signs
from harness.observed.view import View
from master.protocol.states import RecordStatus

FINAL: Final = {"backup": "REC-12", "restore": "RST-12"}


def check(view: View, judged: Judged) -> None:
    """Look for a record that its agent finished, and that failed afterwards by itself."""
    for key, reports in view.records.reports.items():
        if not view.ours(view.queue.owner(*key)) or reports.said(RecordStatus.FAILED, _LAST):
            continue
        finished = next((one for one in reports.all if _succeeds(one)), None)
        if finished is None:
            continue
        for look in view.records.looks.get(key, []):
            if finished.call.before(look.call):
                judged.saw("TMO-5")
                if look.status == RecordStatus.FAILED and _counted(view, key, finished):
                    judged.fails(
                        "TMO-5",
                        f"{key[0]} record {key[1]} was reported successful, and then failed without"
                        " anybody saying so",
                        finished.call,
                        look.call,
                    )
                    break


_LAST: Final = 2**62
"""Behind every operation."""


def _succeeds(report: Report) -> bool:
    return report.call.ok and report.status == RecordStatus.SUCCESS


def _counted(view: View, key: Key, report: Report) -> bool:
    """Return whether a report has counted: the record cannot have failed before it."""
    if not view.holds(FINAL[key[0]]):
        return True  # a report counts whatever it finds
    running = [one.call for one in view.records.looks.get(key, []) if _shows_life(one, report)]
    after_s = running[-1].began_s if running else -NEVER
    return not Signs(view, key).timeout_possible(after_s, report.call.ended_s)


def _shows_life(look: Look, report: Report) -> bool:
    return look.status == RecordStatus.RUNNING and look.call.before(report.call)


CHECKER = Checker(
    name="no overwrite",
    says="The monitor never changes a record that is not running.",
    clauses=("TMO-5",),
    needs="a look at a record after it was reported successful, and nothing else was",
    check=check,
)
