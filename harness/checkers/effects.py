"""Effects: an agent starts each command at most once, and how long it goes on too long is measured.

This is about agents. The start of a backup and of a restore is told by the line that every release
of the agent writes into the record's log first.
"""

from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.records import Key, Report
from harness.observed.view import View

STARTS: Final = {"backup": "[agent] 开始执行任务", "restore": "[agent] 开始恢复"}
"""How an agent's first line about a record begins."""


def check(view: View, judged: Judged) -> None:
    """Count the starts of each record's work, and measure what goes on after its end."""
    longest_s = 0.0
    for key, reports in view.records.reports.items():
        starts = [one for one in reports.all if one.log.startswith(STARTS[key[0]])]
        if starts:
            judged.saw("AGT-13")
        sent = {one.call.index: one.call for one in starts}  # what the network repeats is no start
        if len(sent) > 1:
            judged.fails(
                "AGT-13",
                f"the work of {key[0]} record {key[1]} was started {len(sent)} times",
                *list(sent.values())[:2],
            )
        longest_s = max(longest_s, _too_long_s(view, key, reports.all))
    judged.measured["goes_on_after_the_end_s"] = round(longest_s, 3)


def _too_long_s(view: View, key: Key, reports: list[Report]) -> float:
    """Return for how long reports came after a record was seen to have ended."""
    ended = next((one for one in view.records.looks.get(key, []) if one.finished), None)
    if ended is None or not reports:
        return 0.0
    return max(0.0, reports[-1].call.began_s - ended.call.ended_s)


CHECKER = Checker(
    name="effects",
    says="An agent starts each command at most once; how long it goes on with what has ended is"
    " measured.",
    clauses=("AGT-13",),
    needs="an agent that tells when it starts, as the real ones do",
    check=check,
    about="agents",
)
