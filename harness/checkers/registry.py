"""Every checker, in the order in which they are told of; and judging a history with them."""

import fnmatch
from collections.abc import Sequence
from typing import Final

from harness.checkers import (
    agreement,
    append,
    authentication,
    bounded,
    claimed_once,
    conservation,
    durability,
    early,
    effects,
    life_cycle,
    linked,
    order,
    orphans,
    overwrite,
    ownership,
    phantom,
    presence,
    progress,
    results,
    routing,
    secrets,
    terminal,
)
from harness.checkers.judged import Broken, Checker, Judged
from harness.observed.view import View
from harness.verdict import Verdict

CHECKERS: Final[tuple[Checker, ...]] = tuple(
    module.CHECKER
    for module in (
        phantom,
        routing,
        claimed_once,
        orphans,
        conservation,
        order,
        life_cycle,
        terminal,
        results,
        early,
        bounded,
        linked,
        overwrite,
        agreement,
        append,
        ownership,
        authentication,
        presence,
        effects,
        secrets,
        durability,
        progress,
    )
)


class Finding:
    """What a checker says of a history.

    Args:
        checker: which.
        judged: what it found.
        wanted: a glob of the clauses that are asked for; `None` is all.

    Attributes:
        verdict: PASS, FAIL, UNKNOWN or VACUOUS.
        reason: why it is neither PASS nor FAIL.
        broken: the violations, the one that needs the fewest operations first.
        count: how many there are of them.
        seen: how often the situation of each clause arose.

    """

    def __init__(self, checker: Checker, judged: Judged, wanted: str | None) -> None:
        self.checker = checker
        self.seen = {
            clause: count for clause, count in judged.seen.items() if _asked(clause, wanted)
        }
        self.broken: list[Broken] = sorted(
            (one for one in judged.broken if _asked(one.clause, wanted)),
            key=lambda one: (len(one.operations), one.operations),
        )
        self.count = judged.count if self.broken else 0
        self.measured = judged.measured
        self.verdict, self.reason = self._verdict(judged)

    def _verdict(self, judged: Judged) -> tuple[Verdict, str | None]:
        view = judged.view
        applicable = [one for one in self.checker.clauses if view.holds(one)]
        if not applicable:
            said = f"{', '.join(self.checker.clauses)} do not apply to profile {view.rules.profile}"
            return Verdict.VACUOUS, said
        if self.checker.steady and view.disturbed:
            self.broken, self.count, self.seen = [], 0, {}
            return Verdict.VACUOUS, view.disturbed
        if self.broken:
            return Verdict.FAIL, None
        if judged.unknown is not None:
            return Verdict.UNKNOWN, judged.unknown
        if not self.seen:
            return Verdict.VACUOUS, f"not seen: {self.checker.needs}"
        return Verdict.PASS, None


def _asked(clause: str, wanted: str | None) -> bool:
    return wanted is None or fnmatch.fnmatchcase(clause, wanted)


def speaking_about(wanted: str | None) -> tuple[Checker, ...]:
    """Return the checkers that speak about a clause that matches a glob; all for `None`."""
    return tuple(one for one in CHECKERS if any(_asked(clause, wanted) for clause in one.clauses))


def judge(
    view: View, checkers: Sequence[Checker] = CHECKERS, wanted: str | None = None
) -> list[Finding]:
    """Return what each checker says of a history."""
    findings = []
    for checker in checkers:
        judged = Judged(view)
        checker.check(view, judged)
        findings.append(Finding(checker, judged, wanted))
    return findings
