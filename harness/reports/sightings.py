"""What the master did by itself, as far as anybody saw it.

A history has no line for a command that timed out or a node that was marked offline: nobody asked
for it. It shows in the next answer that mentions the record or the node. Here the answers are
compared: when a state differs from the one that was seen before, and no request in between could
have changed it, the master did it itself, some time between the two looks. When some request could
have, only the change is told. Nothing is concluded from an answer that was not given.
A list may show what belongs to others, so it is only asked about things that are known already.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.history import operation
from master.protocol.exchange import Request

KINDS: Final = (
    ("/api/backup/records", "record", "completedAt"),
    ("/api/restore/records", "restore", "completedAt"),
    ("/api/nodes", "node", "lastSeen"),
)
"""Whose state answers show: the path that lists them, a word, and the field that dates the change."""

_STARTERS: Final = (
    (re.compile(r"/api/backup/tasks/\d+/run"), "record"),
    (re.compile(r"/api/backup/records/\d+/restore"), "restore"),
)
"""Calls that make one, and answer with it."""

_HARMLESS: Final = frozenset({"poll", "heartbeat"})
"""They change no record; what a heartbeat does to its node is noticed by itself."""


class Sightings:
    """The states that answers have shown so far."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Any], tuple[Any, float, int]] = {}
        self._writes = 0

    def wrote(self, request: Request) -> None:
        """Take note of a request that may have changed something."""
        if request.method != "GET" and operation(request) not in _HARMLESS:
            self._writes += 1

    def disturbed(self) -> None:
        """Take note that something other than a request may have changed anything."""
        self._writes += 1

    def look(self, time_s: float, request: Request, answer: Any) -> list[tuple[str, str]]:
        """Take note of an answer.

        Args:
            time_s: when it came, in seconds.
            request: what it answers.
            answer: its body as a value.

        Returns:
            For each state that is another than before a tag (`timer` when the master did it by
            itself, else `seen`) and a sentence.

        """
        self.wrote(request)
        data = answer.get("data") if isinstance(answer, dict) else None
        found = []
        for kind, dated, item in _items(request, data):
            key, status = (kind, item["id"]), item["status"]
            if isinstance(data, list) and key not in self._known:
                continue
            before, since_s, writes = self._known.get(key, (status, time_s, 0))
            self._known[key] = (status, time_s, self._writes)
            if status == before:
                continue
            text = f"{kind} {item['id']} seen {before} → {status}"
            own = writes == self._writes and not (kind == "node" and status == "online")
            if own:
                text += f": by the master itself, between {since_s:.3f} s and {time_s:.3f} s"
            if item.get(dated):
                text += f" ({dated} {item[dated]})"
            found.append(("timer" if own else "seen", text))
        return found


def _items(request: Request, data: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each thing with a state that an answer shows: its kind, its dating field, itself."""
    kind, dated = "", ""
    for path, name, field in KINDS:
        if request.method == "GET" and re.fullmatch(rf"{path}(/\d+)?", request.path):
            kind, dated = name, field
    for pattern, name in _STARTERS:
        if pattern.fullmatch(request.path):
            kind, dated = name, "completedAt"
    if kind:
        for item in data if isinstance(data, list) else [data]:
            if isinstance(item, dict) and _scalar(item.get("id")) and _scalar(item.get("status")):
                yield kind, dated, item


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int)
