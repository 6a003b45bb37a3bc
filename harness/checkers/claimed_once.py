"""Claimed once: no command is handed out twice, whatever happens in between."""

from harness.checkers.judged import Checker, Judged
from harness.observed.queue import Claim
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Look for a command that two polls were answered.

    Two deliveries of one reply would be one poll here: what a history has is what was answered.
    """
    for claims in view.queue.by_id.values():
        judged.saw("CMD-4")
        first = claims[0]
        died = [note for note in view.deaths if note.index > first.call.index]
        if died:
            judged.saw("DUR-2")
        for again in claims[1:]:
            clause = "DUR-2" if _died_between(view, first, again) else "CMD-4"
            judged.fails(
                clause,
                f"command {first.id} ({first.kind}) was handed out to {first.call.process}, and"
                f" then to {again.call.process}",
                first.call,
                again.call,
            )


def _died_between(view: View, first: Claim, again: Claim) -> bool:
    return any(first.call.end < note.index < again.call.end for note in view.deaths)


CHECKER = Checker(
    name="claimed once",
    says="No command is returned by two polls: not across crashes, restarts, cloned tokens or"
    " master restarts.",
    clauses=("CMD-4", "DUR-2"),
    needs="a claimed command",
    check=check,
)
