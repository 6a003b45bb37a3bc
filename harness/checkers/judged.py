"""What a checker is, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.observed.call import Call
from harness.observed.view import View

BROKEN_MAX: Final = 100
"""How many violations a checker keeps: the first hundred say what is wrong."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One violation.

    Attributes:
        clause: what is broken.
        sentence: what is wrong, in one sentence.
        operations: the indexes of the operations that show it, and of no others.

    """

    clause: str
    sentence: str
    operations: tuple[int, ...]


@dataclass(slots=True)
class Judged:
    """What a checker found.

    Attributes:
        view: what it looks at.
        seen: how often the situation of each clause arose.
        broken: the violations.
        count: how many there were.
        unknown: why it cannot tell, or `None`.
        measured: figures that it took, by name, in the unit that the name ends with.

    """

    view: View
    seen: dict[str, int] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    count: int = 0
    unknown: str | None = None
    measured: dict[str, float] = field(default_factory=dict)

    def saw(self, *clauses: str) -> None:
        """Count that the situation of some clauses arose."""
        for clause in clauses:
            if self.view.holds(clause):
                self.seen[clause] = self.seen.get(clause, 0) + 1

    def fails(self, clause: str, sentence: str, *calls: Call) -> None:
        """Note that a clause is broken, if it applies at all."""
        if not self.view.holds(clause):
            return
        self.seen.setdefault(clause, 1)
        self.count += 1
        if len(self.broken) < BROKEN_MAX:
            indexes = sorted({index for call in calls for index in call.operations()})
            self.broken.append(Broken(clause, sentence, tuple(indexes)))


@dataclass(frozen=True, slots=True)
class Checker:
    """One invariant.

    Attributes:
        name: of the invariant.
        says: what it demands, in one sentence.
        clauses: the ids of the clauses it speaks about.
        needs: what it must have seen to say anything.
        check: looks at a history.
        steady: it says nothing of a master whose database or clock was changed behind it.
        about: whom it judges: `master` or `agents`.

    """

    name: str
    says: str
    clauses: tuple[str, ...]
    needs: str
    check: Callable[[View, Judged], None]
    steady: bool = True
    about: str = "master"
