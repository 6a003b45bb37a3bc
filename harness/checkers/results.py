"""Results: a result takes effect exactly when its sender owns the command and was handed it."""

from bisect import bisect
from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import Call
from harness.observed.queue import Claim
from harness.observed.view import View

_ANSWERED: Final = {"list_dir": "RPC-1", "discover_db": "RPC-6"}
_MEMBER: Final = {"list_dir": "entries", "discover_db": "databases"}


def check(view: View, judged: Judged) -> None:
    """Hold every result against the claims of its command, and every answered call against results."""
    for call in view.kind("result"):
        claims = view.queue.by_id.get(call.route.id, [])
        if call.node is None or not claims:
            continue
        owner = claims[0].node
        if owner == call.node and claims[0].call.before(call):
            judged.saw("RES-1")
            if call.code in ("AGENT_COMMAND_FORBIDDEN", "AGENT_COMMAND_NOT_FOUND"):
                judged.fails(
                    "RES-1",
                    f"the result of command {call.route.id} was refused with {call.code} to the"
                    " node that was handed it",
                    claims[0].call,
                    call,
                )
    for enqueue in view.queue.enqueues:
        if enqueue.kind in _ANSWERED and enqueue.call.ok and view.ours(enqueue.node):
            _judge_answer(view, judged, enqueue.call, enqueue.kind, enqueue.claim)


def _judge_answer(view: View, judged: Judged, call: Call, kind: str, claim: Claim | None) -> None:
    """Look for the result that an administrator's call was answered with."""
    clause = _ANSWERED[kind]
    judged.saw(clause)
    node = call.route.id if kind == "list_dir" else call.said("nodeId")
    if view.polls_lost(node) and claim is None:
        return
    told = call.data if kind == "list_dir" else call.fields.get(_MEMBER[kind])
    own = view.of_node("result", node)
    sent = [
        one
        for one in own[bisect(own, call.index, key=_index) : bisect(own, call.end, key=_index)]
        if one.possible
    ]
    if not any(_same(told, _result(one, kind)) for one in sent):
        judged.fails(
            clause,
            f"the call was answered {told!r:.80}, which the agent had not said",
            call,
            *sent[-1:],
        )


def _index(call: Call) -> int:
    return call.index


def _result(call: Call, kind: str) -> Any:
    result = call.said("result")
    return result.get(_MEMBER[kind]) if isinstance(result, dict) else None


def _same(told: Any, said: Any) -> bool:
    """Return whether an answer tells what an agent said, but for members that it leaves out."""
    if isinstance(told, list) and isinstance(said, list):
        return len(told) == len(said) and all(map(_same, told, said))
    if isinstance(told, dict) and isinstance(said, dict):
        return all(_same(value, said.get(key, _EMPTY)) for key, value in told.items())
    return told == said or (said is _EMPTY and not told) or (not told and not said)


_EMPTY: Final = object()

CHECKER = Checker(
    name="results",
    says="A result takes effect exactly when its sender owns the command and it is dispatched.",
    clauses=("RES-1", "RPC-1", "RPC-6"),
    needs="the result of a claimed command, or a listing that an agent answered",
    check=check,
)
