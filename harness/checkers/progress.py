"""Progress: what waits for a live agent is claimed within a few polls.

A command that a poll did not find at all is conservation's; here, polls are answered, but with
errors, or with anything else that is neither a command nor none.
"""

from bisect import bisect
from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View

POLLS: Final = 10
"""How many more polls than there are commands a node gets before its queue must have moved."""

_HEALED: Final = "phase: heal"


def check(view: View, judged: Judged) -> None:
    """Count the polls of each node with pending commands since the faults were healed."""
    healed = [note for note in view.notes if note.text.startswith(_HEALED)]
    since = healed[-1].index if healed else -1
    for node in view.nodes.made:
        waiting = view.queue.sure(node)
        if not waiting or node in view.nodes.gone:
            continue
        answered = [
            one
            for one in view.of_node("poll", node)
            if one.index > since and (one.ok or (one.status or 0) >= 500)
        ]
        ends = [one.index for one in answered]
        enough = len(waiting) + POLLS
        for enqueue in waiting:
            first = bisect(ends, enqueue.call.end)
            if len(answered) - first < enough:
                continue
            judged.saw("CMD-13")
            if enqueue.claim is None and not any(
                one.ok for one in answered[first : first + enough]
            ):
                judged.fails(
                    "CMD-13",
                    f"a command ({enqueue.kind}, {enqueue.what!r}) waits for node {node}, and"
                    f" {enough} polls brought nothing but errors",
                    enqueue.call,
                    *answered[first : first + 3],
                )


CHECKER = Checker(
    name="progress",
    says="After healing, every live agent's pending commands are claimed within a few polls.",
    clauses=("CMD-13",),
    needs=f"a command of a node that then polled {POLLS} times and more",
    check=check,
)
