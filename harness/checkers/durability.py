"""Durability: what was acknowledged is there after a crash, and its id is nobody else's."""

from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import Call
from harness.observed.view import View

_MAKES: Final = {"make_task": "task", "run": "backup record", "restore": "restore record"}

_ASKS: Final = {
    "task": ("task", "BACKUP_TASK_NOT_FOUND"),
    "record": ("backup record", "BACKUP_RECORD_NOT_FOUND"),
    "update_record": ("backup record", "BACKUP_RECORD_NOT_FOUND"),
    "restore_record": ("restore record", "RESTORE_RECORD_NOT_FOUND"),
    "update_restore": ("restore record", "RESTORE_RECORD_NOT_FOUND"),
    "node": ("node", "NODE_NOT_FOUND"),
}
"""Calls about one thing, and how they are refused when it is not there."""


def check(view: View, judged: Judged) -> None:
    """Look for what is gone after a crash, and for ids that were given twice."""
    made: dict[tuple[str, int], Call] = {("node", id_): by for id_, by in view.nodes.made.items()}
    for kind, what in _MAKES.items():
        for call in view.kind(kind):
            id_ = call.fields.get("id")
            if not call.ok or not isinstance(id_, int):
                continue
            judged.saw("DUR-9")
            first = made.setdefault((what, id_), call)
            if first is not call:
                judged.fails("DUR-9", f"two {what}s have the id {id_}", first, call)
    if view.deaths:
        _judge_gone(view, judged, made)


def _judge_gone(view: View, judged: Judged, made: dict[tuple[str, int], Call]) -> None:
    first, last = view.deaths[0].index, view.deaths[-1].index
    for kind, (what, code) in _ASKS.items():
        for call in view.kind(kind):
            maker = made.get((what, call.route.id))
            if maker is None or maker.end > last or call.index < first or call.status is None:
                continue
            if any(maker.end < one.index < call.index for one in view.deaths):
                judged.saw("DUR-1")
                if call.code == code and not _deleted(view, what, call):
                    judged.fails(
                        "DUR-1",
                        f"{what} {call.route.id} was made, and is gone after a crash",
                        maker,
                        call,
                    )


def _deleted(view: View, what: str, call: Call) -> bool:
    """Return whether something may have been deleted before a call was answered."""
    kinds = {
        "task": ("delete_task", "delete_tasks"),
        "backup record": ("delete_record", "delete_records"),
        "restore record": (),
        "node": ("delete_node",),
    }[what]
    return any(
        one.possible and one.index < call.end and one.route.id in (call.route.id, -1)
        for kind in kinds
        for one in view.kind(kind)
    )


CHECKER = Checker(
    name="durability",
    says="What was acknowledged is there after a crash, and no id is given twice.",
    clauses=("DUR-1", "DUR-9"),
    needs="things that were made, and a crash of the master",
    check=check,
)
