"""Commands that left a queue without anybody being seen to receive them, and what may explain it.

That a command has left is shown by a poll that found the queue empty, or was answered a command
which was asked for later. What may explain it: a poll of the node whose reply was lost, a result for
a command that nobody was seen to claim, and age. Each lost reply explains one command.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.observed.call import Call
from harness.observed.queue import Claim, Enqueue
from harness.observed.view import View


@dataclass(frozen=True, slots=True)
class Missing:
    """A command that has left its node's queue unseen.

    Attributes:
        enqueue: what asked for it.
        shown: the poll that shows that it is not there any more.

    """

    enqueue: Enqueue
    shown: Call


class Departures:
    """What left the queue of one node.

    Args:
        view: the history.
        node: its id.

    Attributes:
        polls: of the node, in their order.
        lost: those of them whose reply nobody saw.

    """

    def __init__(self, view: View, node: int) -> None:
        self._view = view
        self._node = node
        self.polls = [one for one in view.of_node("poll", node) if one.possible]
        self.lost = [one for one in self.polls if not one.ok]
        claimed = view.queue.by_id
        self._unclaimed = [
            one
            for one in view.of_node("result", node)
            if one.possible and one.route.id not in claimed
        ]

    def _expected(self) -> list[Enqueue]:
        """Return what was certainly enqueued for the node, and not seen to be claimed."""
        return [one for one in self._view.queue.sure(self._node) if one.claim is None]

    def drained(self) -> Iterator[Missing]:
        """Yield the commands that were not there any more when a poll found nothing."""
        empty = [one for one in self.polls if one.ok and one.fields.get("command", 0) is None]
        at = 0
        for enqueue in sorted(self._expected(), key=lambda one: one.call.end):
            while at < len(empty) and not enqueue.call.before(empty[at]):
                at += 1
            if at == len(empty):
                return
            if not self._old(enqueue, empty[at]):
                yield Missing(enqueue, empty[at])

    def passed_over(self) -> Iterator[Missing]:
        """Yield the commands that were not there any more when a later one was handed out."""
        claims = [
            one
            for one in self._view.queue.claims_of(self._node)
            if one.enqueue is not None and one.alone
        ]
        claims.sort(key=_asked)
        soonest: list[Claim] = []  # of those that were asked for from there on
        for claim in reversed(claims):
            best = soonest[-1] if soonest else claim
            soonest.append(min(claim, best, key=lambda one: one.call.end))
        soonest.reverse()
        at = 0
        for enqueue in sorted(self._expected(), key=lambda one: one.call.end):
            while at < len(claims) and not _asks_before(enqueue, claims[at]):
                at += 1
            if at == len(claims):
                return
            if not self._old(enqueue, soonest[at].call):
                yield Missing(enqueue, soonest[at].call)

    def _old(self, enqueue: Enqueue, shown: Call) -> bool:
        """Return whether a command may have timed out while it waited."""
        view = self._view
        if not view.holds("TMO-11"):
            return False
        if view.holds("TMO-23") and view.nodes.zone not in ("Z", "+00:00"):
            return True  # its age is compared as text there
        age_s = shown.ended_s - enqueue.call.began_s
        return age_s >= view.timings.command_timeout_s - view.slack_s

    def unexplained(self, missing: Iterator[Missing]) -> Iterator[Missing]:
        """Yield those of some commands for which no lost reply and no result is left, in order."""
        explanations = sorted(one.index for one in (*self.lost, *self._unclaimed))
        at = 0
        for one in sorted(missing, key=lambda one: one.shown.end):
            if at < len(explanations) and explanations[at] < one.shown.end:
                at += 1
            else:
                yield one


def _asked(claim: Claim) -> int:
    assert claim.enqueue is not None
    return claim.enqueue.call.index


def _asks_before(enqueue: Enqueue, claim: Claim) -> bool:
    assert claim.enqueue is not None
    return enqueue.call.before(claim.enqueue.call)
