"""Signs of life: when a command cannot have been timed out, and when it must have been.

A command's age counts from its dispatch, or from its making while nobody took it. What renews it is
the profile's: the catalogue says so in TMO-13 (its node lives) and TMO-14 (its record changes).
"""

from bisect import bisect
from collections.abc import Iterator
from typing import Final

from harness.observed.call import NEVER, Call
from harness.observed.queue import Enqueue
from harness.observed.records import Key
from harness.observed.view import View

_MOMENT_S: Final = 1e-6
"""A command just as old as the timeout may be given up, at the moment of what would renew it."""

Span = tuple[float, float]
"""From when until when, in seconds."""


class Signs:
    """What is known of the life of one record's command.

    Args:
        view: the history.
        key: the record.

    Attributes:
        claim: the poll that was answered the command, or `None`.

    """

    def __init__(self, view: View, key: Key) -> None:
        self._view = view
        self._key = key
        self.claim = view.queue.claim_of(*key)
        self.enqueue = view.queue.of_record(*key)
        self._timeout_s = view.timings.command_timeout_s
        self._of_node = view.holds("TMO-13")
        self._of_record = view.holds("TMO-14")

    def _safe(self, after_s: float, by_s: float) -> Iterator[Span]:
        """Yield the spans in which the command cannot have been timed out, as far as they matter."""
        view, claim = self._view, self.claim
        if claim is not None:
            yield (claim.call.ended_s, claim.call.began_s + self._timeout_s - _MOMENT_S)
            after_s = max(after_s, claim.call.began_s)
        if self.enqueue is not None:
            yield (-NEVER, self._waited_until(self.enqueue))
        if self._of_record:
            for report in view.records.reported(self._key).all:
                if report.call.ok:
                    until_s = report.call.began_s + self._timeout_s - _MOMENT_S
                    yield (report.call.ended_s, until_s)
        if self._of_node and claim is not None and claim.node is not None:
            lives_s = min(view.timings.offline_after_s, self._timeout_s)
            beats = view.of_node("heartbeat", claim.node)
            for beat in beats[bisect(beats, after_s - lives_s, key=_began_s) :]:
                if beat.began_s > by_s:
                    return
                if beat.ok:
                    yield (beat.ended_s, beat.began_s + lives_s)

    def _waited_until(self, enqueue: Enqueue) -> float:
        """Return until when a command was too young to be given up while it waited."""
        claimed_s = self.claim.call.ended_s if self.claim is not None else NEVER
        if not self._view.holds("TMO-11"):
            unseen = self.claim is None and self._view.polls_lost(enqueue.node)
            return enqueue.call.began_s if unseen else claimed_s
        if self._view.holds("TMO-23") and self._view.nodes.zone not in ("Z", "+00:00"):
            return enqueue.call.began_s
        return min(enqueue.call.began_s + self._timeout_s, claimed_s)

    def timeout_possible(self, after_s: float, by_s: float) -> bool:
        """Return whether the command may have been timed out between two moments."""
        free_s = after_s
        for began_s, ended_s in _merged(sorted(self._safe(after_s, by_s))):
            if free_s < began_s and free_s < by_s:
                return True
            free_s = max(free_s, ended_s - self._view.slack_s)
        return free_s <= by_s

    def due_s(self) -> float | None:
        """Return by when the command must have been timed out, if nothing about it happens any more.

        `None` where that cannot be told: nobody was seen to take it, or something about it may
        have happened, or may yet.
        """
        view, claim = self._view, self.claim
        if claim is None or not claim.call.ok:
            return None
        if any(one.possible for one in view.results_of(claim.id)):
            return None
        last_s = claim.call.ended_s
        for report in view.records.reported(self._key).all:
            last_s = max(last_s, report.call.ended_s if self._of_record else last_s)
            if not report.call.ok:
                return None
        due_s = last_s + self._timeout_s
        if self._of_node and claim.node is not None:
            due_s = max(due_s, self._node_gone_s(claim.node))
        return due_s + view.timings.command_scan_s + view.slack_s

    def _node_gone_s(self, node: int) -> float:
        """Return by when a node no longer counts as alive."""
        timings = self._view.timings
        if self._view.warped:  # the monitor that marks it offline may not have looked meanwhile
            return self._view.last_beat_s(node) + self._timeout_s
        silent_s = timings.offline_after_s + timings.offline_scan_s + self._view.slack_s
        return self._view.last_beat_s(node) + min(silent_s, self._timeout_s)


def _began_s(call: Call) -> float:
    return call.began_s


def _merged(spans: list[Span]) -> Iterator[Span]:
    """Yield spans that touch or overlap as one, in order."""
    whole: Span | None = None
    for began_s, ended_s in spans:
        if whole is not None and began_s <= whole[1]:
            whole = (whole[0], max(whole[1], ended_s))
            continue
        if whole is not None:
            yield whole
        whole = (began_s, ended_s)
    if whole is not None:
        yield whole


RECORD_CLAUSES: Final = {"backup": "TMO-3", "restore": "TMO-4"}
"""The clause that says that a record fails with its command."""
