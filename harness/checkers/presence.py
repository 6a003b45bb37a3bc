"""Presence: a node is offline exactly when it was silent for too long."""

from bisect import bisect
from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.call import NEVER, Call
from harness.observed.view import View
from master.protocol.states import NodeStatus

_SHOWN_BY: Final = ("nodes", "node", "self")


def check(view: View, judged: Judged) -> None:
    """Hold every status that was shown of a node against its heartbeats."""
    beats = _Beats(view)
    for call in view.kind(*_SHOWN_BY):
        if not call.ok:
            continue
        for node in call.data if isinstance(call.data, list) else [call.data]:
            if isinstance(node, dict) and view.ours(node.get("id")) and not node.get("isLocal"):
                beats.judge(judged, call, node)


class _Beats:
    """The heartbeats of each node.

    Args:
        view: the history.

    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._of: dict[int, list[Call]] = {}
        self._ends: dict[int, list[float]] = {}
        self._unclear = NEVER  # the first heartbeat of which nobody knows whose it is
        for call in view.kind("heartbeat"):
            if not call.possible:
                continue
            node = call.fields.get("nodeId") if call.ok else call.node
            if not isinstance(node, int):
                self._unclear = min(self._unclear, call.index)
                continue
            ends = self._ends.setdefault(node, [])
            self._of.setdefault(node, []).append(call)
            ends.append(max(call.ended_s, ends[-1] if ends else call.ended_s))

    def judge(self, judged: Judged, call: Call, node: dict[str, Any]) -> None:
        """Judge what one answer shows of a node."""
        if node.get("status") == NodeStatus.OFFLINE:
            self._judge_offline(judged, call, node["id"])
        elif node.get("status") == NodeStatus.ONLINE and self._unclear > call.end:
            self._judge_online(judged, call, node["id"])

    def _judge_offline(self, judged: Judged, call: Call, node: int) -> None:
        beats = self._of.get(node, [])
        at = bisect(beats, call.index, key=_index)
        last = next((one for one in reversed(beats[max(0, at - 3) : at]) if one.before(call)), None)
        if last is None or not last.ok:
            return
        judged.saw("OFF-2")
        silent_s = call.ended_s - last.began_s
        if silent_s < self._view.timings.offline_after_s - self._view.slack_s:
            judged.fails(
                "OFF-2",
                f"node {node} is shown offline at most {silent_s:.3f} s after a heartbeat",
                last,
                call,
            )

    def _judge_online(self, judged: Judged, call: Call, node: int) -> None:
        view = self._view
        at = bisect(self._of.get(node, []), call.end, key=_index)
        if not at:
            judged.saw("NODE-1")
            judged.fails("NODE-1", f"node {node} is shown online and has sent no heartbeat", call)
            return
        last_s = self._ends[node][at - 1]
        silent_s = call.began_s - last_s
        after_s = view.timings.offline_after_s + view.slack_s
        scan_s = view.timings.offline_scan_s
        judged.saw("OFF-1", "OFF-8")
        last = self._of[node][at - 1]
        said = f"node {node} is shown online {silent_s:.3f} s after its last heartbeat"
        if call.route.kind != "self" and view.holds("OFF-8") and silent_s > after_s:
            judged.fails("OFF-8", said, last, call)
        elif silent_s > after_s + scan_s and call.began_s > (
            view.steady_since_s(call.began_s) + scan_s + view.slack_s
        ):
            judged.fails("OFF-1", said, last, call)


def _index(call: Call) -> int:
    return call.index


CHECKER = Checker(
    name="presence",
    says="A node is offline exactly when no heartbeat came for the threshold, but for the scan.",
    clauses=("OFF-1", "OFF-2", "OFF-8", "NODE-1"),
    needs="a node that was made in this history, shown after its heartbeats",
    check=check,
)
