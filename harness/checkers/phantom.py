"""No phantom: nobody is handed a command that nobody asked for."""

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Hold every claim of a known node against what was asked for before it was answered."""
    for claim in view.claims_of_ours():
        if claim is not view.queue.by_id[claim.id][0]:
            continue  # that it was claimed again is another checker's
        if claim.enqueue is None:
            first = view.queue.first_about_its_record(claim)
            if first is not None and claim.kind not in view.slipped_in:
                judged.saw("CMD-12")
                judged.fails(
                    "CMD-12",
                    f"command {claim.id} ({claim.kind}, {claim.what!r}) was handed out after"
                    f" command {first.id}, which is the one for the same record",
                    first.call,
                    claim.call,
                )
                continue
            if not view.whole or claim.kind in view.slipped_in:
                continue  # it was asked for past the recorder, or by muster itself
            judged.saw("CMD-12")
            if not view.queue.may_be(claim):
                judged.fails(
                    "CMD-12",
                    f"command {claim.id} ({claim.kind}, {claim.what!r}) was handed out, and nobody"
                    " had asked for it",
                    claim.call,
                )
            continue
        judged.saw("CMD-12", "CMD-7")
        task = claim.payload.get("taskId")
        if claim.kind == "run_task" and task != claim.enqueue.call.route.id:
            judged.fails(
                "CMD-7",
                f"command {claim.id} says task {task}, and task {claim.enqueue.call.route.id} was"
                " run",
                claim.enqueue.call,
                claim.call,
            )


CHECKER = Checker(
    name="no phantom",
    says="A poll returns only commands that someone enqueued.",
    clauses=("CMD-12", "CMD-7"),
    needs="a command claimed by a node that was made in this history, and the calls that enqueue",
    check=check,
)
