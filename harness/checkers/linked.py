"""Linked failure: a record that ended has its end time and its duration, from the same step."""

from datetime import datetime
from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.records import Look
from harness.observed.view import View

CLAUSES: Final = {"backup": "REC-5", "restore": "RST-2"}


def check(view: View, judged: Judged) -> None:
    """Look at what every ended record says of its end."""
    for (kind, record), looks in view.records.looks.items():
        if not view.ours(view.queue.owner(kind, record)):
            continue
        for look in looks:
            if not look.finished:
                continue
            clause = CLAUSES[kind]
            judged.saw(clause)
            wrong = _wrong(look)
            if wrong is not None:
                judged.fails(clause, f"{kind} record {record} is {look.status}, {wrong}", look.call)
                break


def _wrong(look: Look) -> str | None:
    """Return what is wrong with the end of a record, or `None`.

    A duration is told in whole seconds, cut off (REC-70); both instants may be read from a clock
    one after the other, so a second more or less is let go.
    """
    ended = _instant(look.state.get("completedAt"))
    began = _instant(look.state.get("startedAt"))
    if ended is None:
        return "and has no end time"
    duration_s = look.state.get("durationSeconds")
    if began is None or not isinstance(duration_s, int):
        return None
    lasted_s = (ended - began).total_seconds()
    if lasted_s - 2 <= duration_s <= lasted_s + 1:
        return None
    return f"lasted {lasted_s:.3f} s by its times, and {duration_s} s by its duration"


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    whole, dot, rest = text.partition(".")
    if dot:
        digits = rest.rstrip("Z")
        zone = "Z" if digits != rest else ""
        for sign in "+-":
            digits, found, offset = digits.partition(sign)
            zone = f"{found}{offset}" if found else zone
        text = f"{whole}.{digits[:6]:0<6}{zone}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


CHECKER = Checker(
    name="linked failure",
    says="A record that ended, by a report or by its command's timeout, has end time and duration.",
    clauses=tuple(CLAUSES.values()),
    needs="an ended record of a node that was made in this history",
    check=check,
)
