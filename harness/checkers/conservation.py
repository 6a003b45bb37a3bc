"""Conservation: of a queue that is empty, every command is accounted for."""

from harness.checkers.judged import Checker, Judged
from harness.observed.missing import Departures
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Hold what was enqueued for a node against what was claimed, orphaned or too old."""
    for node in view.nodes.made:
        if node in view.nodes.gone:
            continue
        departures = Departures(view, node)
        if view.queue.sure(node) and any(
            one.ok and one.fields.get("command", 0) is None for one in departures.polls
        ):
            judged.saw("CMD-13")
        for one in departures.unexplained(departures.drained()):
            judged.fails(
                "CMD-13",
                f"a command ({one.enqueue.kind}, {one.enqueue.what!r}) is lost: the queue of node"
                f" {node} was found empty, and nobody had received it",
                one.enqueue.call,
                one.shown,
            )


CHECKER = Checker(
    name="conservation",
    says="After healing, acknowledged enqueues are claimed, orphaned, or timed out unclaimed.",
    clauses=("CMD-13",),
    needs="a command for a node that was made in this history, and a poll of it that found nothing",
    check=check,
)
