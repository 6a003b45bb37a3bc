"""Bounded detection: a command without a sign of life is given up, and its record with it."""

from harness.checkers.judged import Checker, Judged
from harness.observed.signs import RECORD_CLAUSES, Signs
from harness.observed.view import View
from master.protocol.states import RecordStatus


def check(view: View, judged: Judged) -> None:
    """Look for a record that is still running when its command must have been given up."""
    for key, looks in view.records.looks.items():
        if not view.ours(view.queue.owner(*key)):
            continue
        due_s = Signs(view, key).due_s()
        if due_s is None:
            continue
        for look in looks:
            scanned_s = view.steady_since_s(look.call.began_s) + view.timings.command_scan_s
            if look.call.began_s <= max(due_s, scanned_s + view.slack_s):
                continue
            judged.saw("TMO-1", RECORD_CLAUSES[key[0]])
            if look.status == RecordStatus.RUNNING:
                claim = view.queue.claim_of(*key)
                judged.fails(
                    "TMO-1",
                    f"{key[0]} record {key[1]} is still running {look.call.began_s - due_s:.3f} s"
                    " after its command must have timed out",
                    *([claim.call] if claim else []),
                    look.call,
                )
                break


CHECKER = Checker(
    name="bounded detection",
    says="With no sign of life about a command, it is finished by its timeout, one scan and the"
    " slack.",
    clauses=("TMO-1", "TMO-3", "TMO-4"),
    needs="a look at a record whose command was taken, and left alone for longer than its timeout",
    check=check,
)
