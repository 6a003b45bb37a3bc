"""Records of backups and restores: what was reported about them, and what was seen of them."""

from bisect import bisect
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from harness.observed.call import NEVER, Call
from master.protocol.messages import bind_record_update
from master.protocol.states import FINISHED_RECORD
from master.protocol.wire import BindError

Key = tuple[str, int]
"""A record: `backup` or `restore`, and its id."""

_SEEN_IN: Final = {
    "record": "backup",
    "records": "backup",
    "run": "backup",
    "restore_record": "restore",
    "restores": "restore",
    "restore": "restore",
}
"""Which records the answer of a call shows."""

_REPORTED_BY: Final = {"update_record": "backup", "update_restore": "restore"}


class Look(Struct):
    """What an answer showed of a record.

    Attributes:
        call: whose answer.
        state: the record's members.

    """

    call: Call
    state: dict[str, Any]

    @property
    def status(self) -> str:
        """Return its status."""
        return str(self.state.get("status"))

    @property
    def finished(self) -> bool:
        """Return whether it had ended."""
        return self.status in FINISHED_RECORD


class Report(Struct):
    """What an agent reported about a record.

    Attributes:
        call: in which call.
        status: the new status, or nothing.
        log: what was to be appended.

    """

    call: Call
    status: str
    log: str

    @property
    def finishes(self) -> bool:
        """Return whether it says that the record has ended."""
        return self.status in FINISHED_RECORD


class Reports:
    """What was reported about one record, that happened or may have, in the order of the calls.

    Attributes:
        all: the reports.
        unreadable: one of them cannot be read back as it was sent.

    """

    def __init__(self) -> None:
        self.all: list[Report] = []
        self.unreadable = False
        self._begun: list[int] = []
        self._last_end: list[float] = []
        self._first: dict[str, int] = {}

    def add(self, report: Report) -> None:
        """Add the next one."""
        call = report.call
        self.all.append(report)
        if isinstance(call.body, dict) and None in call.body.values():
            self.unreadable = True  # of two members of one name the last is kept; null is no value
        self._begun.append(call.index)
        end = call.end if call.ended_s < NEVER else NEVER
        self._last_end.append(max(end, self._last_end[-1] if self._last_end else -1))
        self._first.setdefault(report.status, call.index)

    def said(self, status: str, by: int) -> bool:
        """Return whether a status may have been reported before an operation."""
        return self._first.get(status, by) < by

    def between(self, after: int, by: int) -> bool:
        """Return whether any may have taken effect after one operation and before another."""
        at = bisect(self._begun, by)
        return at > 0 and self._last_end[at - 1] > after


class Records:
    """The records of a history.

    Args:
        calls: all of its calls, in their order.

    Attributes:
        looks: of each record, in the order in which the calls began.
        reports: about each record that happened or may have.
        deleted: what may have deleted backups: the calls by record; those for any under -1.

    """

    def __init__(self, calls: Iterable[Call]) -> None:
        self.looks: dict[Key, list[Look]] = {}
        self.reports: dict[Key, Reports] = {}
        self.deleted: dict[int, list[Call]] = {}
        for call in calls:
            kind = call.route.kind
            if kind in _SEEN_IN:
                if call.ok:
                    self._look(_SEEN_IN[kind], call)
            elif kind in _REPORTED_BY:
                if call.possible:
                    key = (_REPORTED_BY[kind], call.route.id)
                    self.reports.setdefault(key, Reports()).add(_report(call))
            elif kind in ("delete_record", "delete_records") and call.possible:
                self.deleted.setdefault(call.route.id, []).append(call)

    def _look(self, kind: str, call: Call) -> None:
        data = call.data
        for state in data if isinstance(data, list) else [data]:
            if isinstance(state, dict) and isinstance(state.get("id"), int):
                self.looks.setdefault((kind, state["id"]), []).append(Look(call, state))

    def reported(self, key: Key) -> Reports:
        """Return the reports about a record that happened or may have."""
        return self.reports.get(key, _NONE)


_NONE: Final = Reports()


def _report(call: Call) -> Report:
    if isinstance(call.body, str):  # what is behind the first value, or no character, is no matter
        try:
            update = bind_record_update(call.body.encode("utf-8", "replace"))
        except BindError:
            return Report(call, "", "")
        return Report(call, update.status, update.logAppend)
    return Report(call, _text(call.said("status")), _text(call.said("logAppend")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
