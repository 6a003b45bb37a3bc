"""Ownership: another node's request has no effect, and learns nothing."""

from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import Call
from harness.observed.view import View

_RECORDS: Final = {
    "update_record": ("backup", "REC-1"),
    "put_artifact": ("backup", "ART-3"),
    "update_restore": ("restore", "RST-1"),
    "restore_spec": ("restore", "SPEC-8"),
    "get_artifact": ("restore", "ART-17"),
}
"""What is asked about a record: of which kind, and the clause about another node's."""


def check(view: View, judged: Judged) -> None:
    """Hold the sender of every call against whose the thing is that it is about."""
    for call in view.kind("result"):
        claims = view.queue.by_id.get(call.route.id, [])
        owners = {claim.node for claim in claims}
        if call.node is not None and owners and None not in owners:
            _judge(judged, call, "RES-6", owners, f"command {call.route.id}")
    for kind, (record, clause) in _RECORDS.items():
        for call in view.kind(kind):
            owners = _owners(view, record, call.route.id)
            if call.node is not None and owners:
                _judge(judged, call, clause, owners, f"{record} record {call.route.id}")
    ran: dict[Any, set[int | None]] = {}
    for claim in view.queue.claims:
        ran.setdefault(claim.payload.get("taskId"), set()).add(claim.node)
    for call in view.kind("task_spec"):
        owners = _may_read(view, call.route.id, ran)
        if call.node is not None and owners:
            _judge(judged, call, "SPEC-4", owners, f"task {call.route.id}")


def _owners(view: View, kind: str, record: int) -> set[int | None]:
    """Return every node that a record may belong to; none where others may."""
    owner = view.queue.owner(kind, record)
    if not view.ours(owner):
        return set()
    if view.holds("REC-15") or kind == "restore":
        return {owner}
    enqueue = view.queue.of_record(kind, record)
    bound = view.tasks.ever(enqueue.call.route.id) if enqueue is not None else None
    return {owner, *bound} if bound is not None else set()


def _may_read(view: View, task: int, ran: dict[Any, set[int | None]]) -> set[int | None]:
    """Return every node that may ever read a task's specification; none where others may."""
    bound = view.tasks.ever(task)
    if bound is None:
        return set()
    also = ran.get(task, set())
    return {*bound, *also} if None not in also else set()


def _judge(judged: Judged, call: Call, clause: str, owners: set[int | None], what: str) -> None:
    if call.node in owners:
        return
    judged.saw(clause)
    if call.ok or (call.status is not None and call.data is not None):
        whose = ", ".join(str(owner) for owner in sorted(one for one in owners if one is not None))
        done = "answered 200" if call.ok else "refused with a word of its content"
        judged.fails(
            clause,
            f"{what} is of node {whose}, and node {call.node}'s call about it was {done}",
            call,
        )


CHECKER = Checker(
    name="ownership",
    says="Another node's request has no effect and learns nothing.",
    clauses=("RES-6", "REC-1", "RST-1", "SPEC-4", "SPEC-8", "ART-3", "ART-17"),
    needs="a call of one node about what is another's",
    check=check,
)
