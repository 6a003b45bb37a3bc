"""Order: the oldest command of a node is claimed first.

Ids are given in the order in which commands are made, and are never used again (DUR-9). So of two
polls of a node, one over before the other began, the first was answered the smaller id; and where
it is known what enqueued two commands, one after the other, they are claimed in that order.
"""

from harness.checkers.judged import Checker, Judged
from harness.observed.queue import Claim
from harness.observed.view import View


def check(view: View, judged: Judged) -> None:
    """Hold the claims of each node against their ids and their enqueues."""
    for node in dict.fromkeys(one.node for one in view.queue.claims if one.node is not None):
        claims = view.queue.claims_of(node)
        _by_id(claims, judged)
        _by_enqueue([one for one in claims if one.enqueue is not None and one.alone], judged)


def _by_id(claims: list[Claim], judged: Judged) -> None:
    """Look for a poll that came back later with an older command.

    Of what was answered so far only the newest command matters; polls that overlap are let go, for
    nobody knows which of them came first.
    """
    newest: Claim | None = None
    under_way: list[Claim] = []
    for claim in claims:  # in the order in which the polls began
        still = []
        for other in under_way:
            if not other.call.before(claim.call):
                still.append(other)
            elif newest is None or other.id > newest.id:
                newest = other
        under_way = [*still, claim]
        if newest is None:
            continue
        judged.saw("CMD-1")
        if claim.id < newest.id:
            judged.fails(
                "CMD-1",
                f"command {newest.id} was handed out before command {claim.id}, which is older",
                newest.call,
                claim.call,
            )


def _by_enqueue(claims: list[Claim], judged: Judged) -> None:
    """Look for a command that was asked for earlier, and handed out later."""
    newest: Claim | None = None
    under_way: list[Claim] = []
    for claim in claims:
        assert claim.enqueue is not None  # they were chosen so
        still = []
        for other in under_way:
            assert other.enqueue is not None
            if not other.call.before(claim.call):
                still.append(other)
            elif newest is None or _asked(other) > _asked(newest):
                newest = other
        under_way = [*still, claim]
        if newest is None or newest.enqueue is None:
            continue
        earlier, later = claim.enqueue, newest.enqueue
        if earlier.sure and earlier.call.before(later.call):
            judged.fails(
                "CMD-1",
                f"command {newest.id} was handed out before command {claim.id}, which was asked"
                " for earlier",
                earlier.call,
                later.call,
                newest.call,
                claim.call,
            )


def _asked(claim: Claim) -> int:
    assert claim.enqueue is not None
    return claim.enqueue.call.index


CHECKER = Checker(
    name="order",
    says="A node's commands are claimed in the order in which they were enqueued.",
    clauses=("CMD-1",),
    needs="two claims of one node, one after the other",
    check=check,
)
