"""Append: a log is made of what was appended, each once, in order; unknown ones at most once.

While a restore is running its log is told from the master's memory, with lines of its own; only that
of an ended one is judged.
"""

from collections.abc import Iterator
from typing import Final

from harness.checkers.interleaving import Piece, interleaves
from harness.checkers.judged import Checker, Judged
from harness.observed.call import NEVER, Call
from harness.observed.records import Key, Look, Report
from harness.observed.view import View
from master.protocol.states import RecordStatus

_CLAUSE: Final = {"backup": "LOG-1", "restore": "LOG-2"}
_FINAL: Final = {"backup": "REC-12", "restore": "RST-12"}


def check(view: View, judged: Judged) -> None:
    """Hold the last log that was seen of each record, and the last while it ran, against reports."""
    for key, looks in view.records.looks.items():
        if not view.ours(view.queue.owner(*key)) or view.records.reported(key).unreadable:
            continue
        shown = [one for one in looks if isinstance(one.state.get("logContent"), str)]
        if key[0] == "restore":
            shown = [one for one in shown if one.finished]
        running = [one for one in shown if not one.finished]
        chosen = [group[-1] for group in (running, shown) if group]
        for look in {one.call.index: one for one in chosen}.values():
            _judge(view, judged, key, look)


def _judge(view: View, judged: Judged, key: Key, look: Look) -> None:
    pieces = _pieces(view, key, look)
    if not pieces:
        return
    judged.saw(_CLAUSE[key[0]])
    sure = [one for one in pieces if one.sure]
    died = any(note.index < look.call.index for note in view.deaths) and bool(sure)
    if died:
        judged.saw("DUR-4")
    log = look.state["logContent"]
    made = interleaves(log, pieces, by_line=key[0] == "restore")
    if made is None:
        judged.unknown = f"the log of {key[0]} record {key[1]} can be made in too many ways"
    elif not made:
        lost = next((one for one in sure if one.text not in log), None)
        said = (
            f"{lost.text!r:.60} is not in it" if lost else "it is not what was appended, in order"
        )
        reports = [
            one.call
            for one in view.records.reported(key).all
            if lost is not None and one.call.index == lost.began
        ]
        clause = "DUR-4" if died and lost is not None else _CLAUSE[key[0]]
        judged.fails(
            clause, f"the log of {key[0]} record {key[1]} is wrong: {said}", *reports, look.call
        )


def _pieces(view: View, key: Key, look: Look) -> list[Piece]:
    """Return what may be in a log that a look shows, and what must be."""
    reports = [one for one in view.records.reported(key).all if one.call.index < look.call.end]
    if view.holds(_FINAL[key[0]]):
        reports = list(_before_the_end(reports))
    certain_by = _certain_by(view, key, look, reports)
    return [
        Piece(
            one.log,
            one.call.index,
            one.call.end if one.call.ended_s < NEVER else NEVER,
            sure=one.call.ok and one.call.before(look.call) and one.call.end <= certain_by,
        )
        for one in reports
        if one.log
    ]


def _before_the_end(reports: list[Report]) -> Iterator[Report]:
    """Yield the reports that came before one that had certainly ended the record, and that one."""
    ended: Call | None = None
    for one in reports:
        if ended is None or not ended.before(one.call):
            yield one
        if one.finishes and one.call.ok and (ended is None or one.call.end < ended.end):
            ended = one.call


def _certain_by(view: View, key: Key, look: Look, reports: list[Report]) -> float:
    """Return the last operation that can end a report which has certainly counted.

    Where reports about an ended record have no effect, only those count that came while it was
    running: before a look that showed it so, or before the one report that can have ended it.
    """
    if not view.holds(_FINAL[key[0]]):
        return NEVER
    if look.status == RecordStatus.RUNNING:
        return look.call.index
    ending = [one for one in reports if one.finishes]
    if look.status == RecordStatus.SUCCESS and len(ending) == 1 and ending[0].call.ok:
        before = [one.call.end for one in reports if one.call.before(ending[0].call)]
        return (
            max([ending[0].call.end, *before])
            if _alone(ending[0], reports)
            else ending[0].call.index
        )
    running = [
        one.call.index
        for one in view.records.looks[key]
        if one.status == RecordStatus.RUNNING and one.call.before(look.call)
    ]
    return max(running, default=-1)


def _alone(ending: Report, reports: list[Report]) -> bool:
    """Return whether no other report was under way together with the one that ends a record."""
    return all(
        one is ending or one.call.before(ending.call) or ending.call.before(one.call)
        for one in reports
    )


CHECKER = Checker(
    name="append",
    says="A log is an interleaving of all acknowledged appends, each once, in order; unknown ones"
    " at most once.",
    clauses=("LOG-1", "LOG-2", "DUR-4"),
    needs="the log of a record of a node that was made in this history, and reports with texts",
    check=check,
)
