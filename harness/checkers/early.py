"""No early timeout: nothing is given up before its time has passed without a sign of life.

A record that has failed without anybody saying so was failed by a timeout. That is judged by when
it can have happened: after the last look that showed it running, before the one that showed it
failed, and at no moment at which the command was too young or alive.
"""

from harness.checkers.judged import Checker, Judged
from harness.observed.call import NEVER, Call
from harness.observed.records import Key, Look
from harness.observed.signs import Signs
from harness.observed.view import View
from master.protocol.states import RecordStatus

_WAITS = (
    ("list_dir", "RPC-3", "list_dir_timeout_s"),
    ("discover", "RPC-8", "discover_timeout_s"),
)


def check(view: View, judged: Judged) -> None:
    """Look at every record that failed by itself, and at every call that was given up."""
    for key, looks in view.records.looks.items():
        if not view.ours(view.queue.owner(*key)):
            continue
        failed = failed_by_itself(view, key, looks)
        if failed is not None:
            _judge(view, judged, key, *failed)
    for kind, clause, timing in _WAITS:
        timeout_s = getattr(view.timings, timing)
        for call in view.kind(kind):
            if call.code != "AGENT_COMMAND_TIMEOUT":
                continue
            judged.saw(clause)
            took_s = call.ended_s - call.began_s
            if took_s < timeout_s - view.slack_s:
                judged.fails(
                    clause,
                    f"the call was given up after {took_s:.3f} s; an agent has {timeout_s:g} s",
                    call,
                )


def failed_by_itself(view: View, key: Key, looks: list[Look]) -> tuple[Call | None, Call] | None:
    """Return the last look that showed a record running, and the first that showed it failed.

    `None` where an agent may have said that it failed, or ended a command that its end fails.
    """
    failed = next((one for one in looks if one.status == RecordStatus.FAILED), None)
    if failed is None or view.records.reported(key).said(RecordStatus.FAILED, failed.call.end):
        return None
    if failed.call.route.kind in ("run", "restore"):
        return None
    claim = view.queue.claim_of(*key)
    if view.holds("RES-14") and _ended(view, claim.id if claim else None, failed.call):
        return None
    running = [
        one.call
        for one in looks
        if one.status == RecordStatus.RUNNING and one.call.before(failed.call)
    ]
    return (running[-1] if running else None), failed.call


def _ended(view: View, command: int | None, by: Call) -> bool:
    """Return whether a result may have ended a command; of an unseen one, whether any may have."""
    if command is None:
        return any(one.possible and one.index < by.end for one in view.kind("result"))
    return any(one.possible and one.index < by.end for one in view.results_of(command))


def _judge(view: View, judged: Judged, key: Key, running: Call | None, failed: Call) -> None:
    signs = Signs(view, key)
    clause = "TMO-2" if signs.claim is not None else "TMO-12"
    clauses = [clause]
    clauses += ["TMO-14"] if signs.claim is not None and view.records.reported(key).all else []
    judged.saw(*clauses)
    after_s = running.began_s if running is not None else -NEVER
    if signs.timeout_possible(after_s, failed.ended_s):
        return
    calls = [call for call in (running, failed) if call is not None]
    if signs.claim is not None:
        calls.append(signs.claim.call)
        age_s = failed.ended_s - signs.claim.call.began_s
    else:
        age_s = failed.ended_s - signs.enqueue.call.began_s if signs.enqueue else 0.0
    young = age_s < view.timings.command_timeout_s - view.slack_s
    renewed = "TMO-14" if view.holds("TMO-14") else clause
    judged.fails(
        clause if young else renewed,
        f"{key[0]} record {key[1]} failed by itself {age_s:.3f} s after its command was"
        f" {'handed out' if signs.claim else 'asked for'}, when its time had not passed without a"
        " sign of life",
        *calls,
    )


CHECKER = Checker(
    name="no early timeout",
    says="Nothing times out before its time has passed without what the profile counts as a sign"
    " of life.",
    clauses=("TMO-2", "TMO-12", "TMO-14", "RPC-3", "RPC-8"),
    needs="a record that failed without anybody saying so, or a call that was given up",
    check=check,
)
