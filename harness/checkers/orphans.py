"""Orphans explained: a command that was passed over went with a reply that was lost, one to one."""

from harness.checkers.judged import Checker, Judged
from harness.observed.missing import Departures
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Look for commands that are gone although no reply that could have held them was lost."""
    for node in view.nodes.made:
        if node in view.nodes.gone:
            continue
        departures = Departures(view, node)
        passed = list(departures.passed_over())
        for _ in passed:
            judged.saw("CMD-13", "DUR-10")
        for one in departures.unexplained(iter(passed)):
            judged.fails(
                "CMD-13",
                f"a command ({one.enqueue.kind}, {one.enqueue.what!r}) was passed over: one asked"
                " for later was handed out, and no lost reply is left that could have held it",
                one.enqueue.call,
                one.shown,
            )


CHECKER = Checker(
    name="orphans explained",
    says="A command dispatched that no agent received has its own lost poll reply, one to one.",
    clauses=("CMD-13", "DUR-10"),
    needs="a command that nobody was seen to receive, though one asked for later was handed out",
    check=check,
)
