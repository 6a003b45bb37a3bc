"""Authentication: without a token that counts nothing happens, and with one everything does.

A token counts from the answer that gave it. It dies with its node, when the grace after a rotation
is over, or with the second rotation.
"""

from typing import Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import Call
from harness.observed.nodes import Given
from harness.observed.view import View

_REFUSED: Final = "NODE_INVALID_TOKEN"

KINDS: Final = (
    "heartbeat",
    "poll",
    "result",
    "task_spec",
    "update_record",
    "restore_spec",
    "update_restore",
    "self",
)


def check(view: View, judged: Judged) -> None:
    """Hold every call of an agent against what is known of its token."""
    if not view.recorded.keyed:
        return
    lives = {one.key: _Life(view, one) for one in view.nodes.given if one.node is not None}
    for kind in KINDS:
        for call in view.kind(kind):
            key = view.nodes.key(call)
            if key is None:
                _judge_none(judged, call)
            elif key in lives:
                lives[key].judge(judged, call)
            elif view.nodes.of_key(key) is None or kind == "heartbeat":
                _judge_unknown(view, judged, call)


def _judge_none(judged: Judged, call: Call) -> None:
    judged.saw("AUTH-1")
    if call.ok:
        judged.fails("AUTH-1", "a call without a token was answered 200", call)


def _judge_unknown(view: View, judged: Judged, call: Call) -> None:
    """Judge a call with a token that no answer gave."""
    node = call.fields.get("nodeId")
    if call.code == _REFUSED:
        judged.saw("AUTH-2")
    elif call.ok and isinstance(node, int) and _all_known(view, node):
        judged.fails("AUTH-2", f"a token that was never given counts as node {node}'s", call)


def _all_known(view: View, node: int) -> bool:
    """Return whether every token of a node is in the history."""
    given = [one for one in view.nodes.given if one.node == node]
    return (
        view.whole
        and view.ours(node)
        and bool(given)
        and not view.kind("install", "make_install_token")
        and all(one.ok for one in view.nodes.rotated.get(node, []))
    )


class _Life:
    """How long one token counts.

    Args:
        view: the history.
        given: the token.

    """

    def __init__(self, view: View, given: Given) -> None:
        assert given.node is not None  # others are not judged
        self._given = given
        self._slack_s = view.slack_s
        self._grace_s = view.timings.token_grace_s
        turns = [
            one for one in view.nodes.rotated.get(given.node, []) if one.index > given.call.index
        ]
        self._turns = turns[: 2 if all(one.ok for one in turns[:2]) else None]
        self._gone = view.nodes.gone.get(given.node)

    def judge(self, judged: Judged, call: Call) -> None:
        """Judge a call with this token."""
        given = self._given
        dead = self._dead(call)
        if dead is not None:
            clause, why, by = dead
            judged.saw(clause)
            if call.ok:
                judged.fails(clause, f"a token counts though {why}", given.call, by, call)
        elif given.call.before(call) and not self._perhaps_dead(call):
            clause = self._alive_by(call)
            judged.saw(clause)
            if call.code == _REFUSED:
                judged.fails(
                    clause,
                    f"a token of node {given.node} was refused, though an answer gave it and nothing"
                    " has ended it",
                    given.call,
                    call,
                )

    def _alive_by(self, call: Call) -> str:
        """Return the clause by which the token counts."""
        if self._turns and self._turns[0].before(call):
            return "ROT-2"
        return "ROT-1" if self._given.call.route.kind == "rotate" else "AUTH-20"

    def _dead(self, call: Call) -> tuple[str, str, Call] | None:
        """Return by which clause the token is certainly dead, why, and by which call."""
        if self._gone is not None and self._gone.ok and self._gone.before(call):
            return "AUTH-15", "its node was deleted", self._gone
        sure = [one for one in self._turns if one.ok and one.before(call)]
        if len(sure) > 1:
            return "ROT-4", "it was rotated twice", sure[1]
        if sure and call.began_s > sure[0].ended_s + self._grace_s + self._slack_s:
            return "ROT-3", "the grace after its rotation is over", sure[0]
        return None

    def _perhaps_dead(self, call: Call) -> bool:
        """Return whether the token may be dead by the time a call is answered."""
        if self._gone is not None and self._gone.index < call.end:
            return True
        begun = [one for one in self._turns if one.index < call.end]
        if len(begun) > 1:
            return True
        return bool(begun) and call.ended_s >= begun[0].began_s + self._grace_s - self._slack_s


CHECKER = Checker(
    name="authentication",
    says="Absent, unknown, expired, revoked: refused, no effect; a rotated-in token works from its"
    " answer on.",
    clauses=("AUTH-1", "AUTH-2", "AUTH-15", "AUTH-20", "ROT-1", "ROT-2", "ROT-3", "ROT-4"),
    needs="calls of agents in a history that tells credentials apart",
    check=check,
)
