"""Agreement: a command that its agent has ended leaves no record running."""

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View
from master.protocol.states import RecordStatus


def check(view: View, judged: Judged) -> None:
    """Look for a record that is running after the result of its command was answered."""
    if not view.holds("RES-14"):
        return
    for key, looks in view.records.looks.items():
        claim = view.queue.claim_of(*key)
        if claim is None or claim.node is None:
            continue
        ended = [
            one
            for one in view.results_of(claim.id)
            if one.ok and one.node == claim.node and claim.call.before(one)
        ]
        if not ended:
            continue
        for look in looks:
            if ended[0].before(look.call):
                judged.saw("RES-14")
                if look.status == RecordStatus.RUNNING:
                    judged.fails(
                        "RES-14",
                        f"command {claim.id} has ended, and its {key[0]} record {key[1]} is running",
                        claim.call,
                        ended[0],
                        look.call,
                    )
                    break


CHECKER = Checker(
    name="agreement",
    says="At the end no finished command has a running record.",
    clauses=("RES-14",),
    needs="a look at a record after its command's result",
    check=check,
)
