"""Routing: a command goes to the node it was enqueued for."""

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Hold the node of every claim against the node of its enqueue."""
    for claim in view.queue.claims:
        enqueue = claim.enqueue
        if enqueue is None or enqueue.node is None or claim.node is None:
            continue
        judged.saw("CMD-3")
        if enqueue.node != claim.node:
            judged.fails(
                "CMD-3",
                f"command {claim.id} ({claim.kind}) is for node {enqueue.node}, and was handed to"
                f" node {claim.node}",
                enqueue.call,
                claim.call,
            )


CHECKER = Checker(
    name="routing",
    says="A poll by a node returns only commands of that node.",
    clauses=("CMD-3",),
    needs="a claimed command of which it is known who enqueued it for whom",
    check=check,
)
