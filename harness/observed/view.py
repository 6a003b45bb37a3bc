"""A history as checkers look at it: calls by what they ask for, and what is concluded from them.

What a release does differently is asked for by its clause: `holds("REC-12")`. So a checker says the
same of a profile as the catalogue does, and no rule is written down twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from harness.observed.call import NEVER, Call, Note
from harness.observed.nodes import Nodes
from harness.observed.queue import Claim, Queue
from harness.observed.reading import Recorded
from harness.observed.records import Records
from harness.observed.tasks import Tasks
from master.config import Timings

DEFAULT_SLACK_S: Final = 1.0
"""How late something may be noticed where the history does not say."""

_ROUNDED_S: Final = 1e-6
"""How much a time may be off by itself: it is told in nanoseconds, and reckoned in floats."""

_TAMPERED: Final = "tampered with the database"
_WARP: Final = re.compile(r"warp ([0-9.e+-]+) s: ")
_SLIPPED_IN: Final = "enqueued "
_CLOCK_SET: Final = "master's clock set"
_KILLED: Final = "master killed"
_STARTED: Final = "master started"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a history is judged by.

    Attributes:
        profile: the release.
        clauses: the ids of the clauses that apply to it.
        timings: the master's timers.
        slack_s: how late something may be noticed.

    """

    profile: str
    clauses: frozenset[str]
    timings: Timings
    slack_s: float


class View:
    """A history and the rules it is judged by.

    Args:
        recorded: what was read.
        rules: what holds.

    Attributes:
        calls: in the order in which they began.
        by_kind: the calls by what they ask for.

    """

    def __init__(self, recorded: Recorded, rules: Rules) -> None:
        self.recorded = recorded
        self.rules = rules
        self.calls = recorded.calls
        self.notes = recorded.notes
        self.by_kind: dict[str, list[Call]] = {}
        for call in recorded.calls:
            self.by_kind.setdefault(call.route.kind, []).append(call)
        self._by_node: dict[tuple[str, int], list[Call]] = {}
        for kind in _FROM_AGENTS:
            for call in self.kind(kind):
                call.node = self.nodes.who(call)
                if call.node is not None:
                    self._by_node.setdefault((kind, call.node), []).append(call)

    def holds(self, clause: str) -> bool:
        """Return whether a clause applies to the profile."""
        return clause in self.rules.clauses

    def kind(self, *kinds: str) -> list[Call]:
        """Return the calls that ask for something, or for one of several things, in their order."""
        if len(kinds) == 1:
            return self.by_kind.get(kinds[0], [])
        found = [call for kind in kinds for call in self.by_kind.get(kind, [])]
        return sorted(found, key=lambda call: call.index)

    def of_node(self, kind: str, node: int) -> list[Call]:
        """Return the calls of a kind that are known to be from a node, in their order."""
        return self._by_node.get((kind, node), [])

    @cached_property
    def _results(self) -> dict[int, list[Call]]:
        found: dict[int, list[Call]] = {}
        for call in self.kind("result"):
            found.setdefault(call.route.id, []).append(call)
        return found

    def results_of(self, command: int) -> list[Call]:
        """Return the results that were sent for a command, in their order."""
        return self._results.get(command, [])

    @cached_property
    def _last_beats(self) -> dict[int, float]:
        last: dict[int, float] = {}
        for call in self.kind("heartbeat"):
            if call.possible and call.node is not None:
                last[call.node] = max(call.ended_s, last.get(call.node, call.ended_s))
        return last

    def last_beat_s(self, node: int) -> float:
        """Return by when the last heartbeat of a node has counted; `NEVER` if that may be to come."""
        return self._last_beats.get(node, -NEVER)

    @cached_property
    def _lost(self) -> frozenset[int | None]:
        return frozenset(one.node for one in self.kind("poll") if one.possible and not one.ok)

    def polls_lost(self, node: int | None) -> bool:
        """Return whether any poll of a node, or of nobody knows whom, may have lost its reply."""
        return node is None or None in self._lost or node in self._lost

    @property
    def timings(self) -> Timings:
        """Return the master's timers."""
        return self.rules.timings

    @property
    def slack_s(self) -> float:
        """Return how late something may be noticed, in seconds; more than times are rounded by."""
        return max(self.rules.slack_s, _ROUNDED_S)

    @cached_property
    def nodes(self) -> Nodes:
        """Return who is who."""
        return Nodes(self.calls, header_first=self.holds("AUTH-13"))

    @cached_property
    def tasks(self) -> Tasks:
        """Return which task is whose."""
        return Tasks(self.kind("make_task", "update_task"))

    @cached_property
    def queue(self) -> Queue:
        """Return the commands."""
        stale_s = self.timings.command_timeout_s if self.holds("TMO-11") else NEVER
        return Queue(
            self.by_kind,
            self.nodes,
            self.tasks,
            follows_record=self.holds("RST-10"),
            stale_s=stale_s,
        )

    @cached_property
    def records(self) -> Records:
        """Return the records of backups and restores."""
        return Records(self.calls)

    @cached_property
    def disturbed(self) -> str | None:
        """Return what was done behind the master's back, so that its state proves nothing."""
        for note in self.notes:
            if note.process == "muster" and note.text.startswith(_TAMPERED):
                return "the database was changed behind the master"
            if note.process == "muster" and note.text.startswith(_CLOCK_SET):
                return "the master's clock was set"
        return None

    @cached_property
    def warped(self) -> bool:
        """Return whether stored times were moved back, so that one instant is told in two ways."""
        return any(one.process == "muster" and _WARP.match(one.text) for one in self.notes)

    @cached_property
    def slipped_in(self) -> frozenset[str]:
        """Return the types of commands that muster put into the master's queue by itself."""
        return frozenset(
            one.text.removeprefix(_SLIPPED_IN)
            for one in self.notes
            if one.process == "muster" and one.text.startswith(_SLIPPED_IN)
        )

    @cached_property
    def deaths(self) -> list[Note]:
        """Return the notes of the master being killed."""
        return [one for one in self.notes if one.process == "muster" and one.text == _KILLED]

    def steady_since_s(self, time_s: float) -> float:
        """Return since when the master's monitors have run at a time as on any day, in seconds.

        That is since its last start; and since its stored times were last moved, for monitors
        look every so often in real time, however much a warp skips.
        """
        before = [time for time in self._upset_s if time <= time_s]
        return before[-1] if before else -NEVER

    @cached_property
    def _upset_s(self) -> list[float]:
        """Return when the master began, and when a warp had skipped what it says, in order."""
        found = []
        for note in self.notes:
            if note.process != "muster":
                continue
            if note.text == _STARTED:
                found.append(note.time_s)
            elif skipped := _WARP.match(note.text):
                found.append(note.time_s + float(skipped[1]))
        return sorted(found)

    @property
    def whole(self) -> bool:
        """Return whether everybody who ever called about the nodes made in it is in this history.

        So it is of what muster played; a recorder may have stood before some and not before others.
        """
        return self.recorded.about.scenario is not None

    def ours(self, node: int | None) -> bool:
        """Return whether all that was ever done to a node is in this history, and all it did.

        It is made there; and where a recorder stood, its agent was heard of there too.
        """
        if node is None or node not in self.nodes.made:
            return False
        return self.whole or any(self.of_node(kind, node) for kind in ("heartbeat", "poll"))

    def claims_of_ours(self) -> Iterator[Claim]:
        """Yield the claims of nodes that were made in this history."""
        return (claim for claim in self.queue.claims if self.ours(claim.node))


_FROM_AGENTS: Final = (
    "heartbeat",
    "poll",
    "result",
    "task_spec",
    "update_record",
    "put_artifact",
    "restore_spec",
    "update_restore",
    "get_artifact",
    "self",
)
"""What agents ask for."""
