"""What a report says of the server that was played on, beside what came of the scenarios."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Tally:
    """What was removed, and what is left behind.

    Attributes:
        removed: how many of each kind, in the words of a report.
        left: what is still there: ids by kind, so that nothing is counted twice.
        reasons: what the server said where it did not let us.
        missed: what could not even be looked for: what names begin with, and why.

    """

    removed: Counter[str] = field(default_factory=Counter)
    left: dict[str, set[int]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    missed: dict[str, str] = field(default_factory=dict)

    def leave(self, kind: str, row_id: int, reason: str = "") -> None:
        """Note that something stays, and what the server said about it."""
        self.left.setdefault(kind, set()).add(row_id)
        if reason and (line := f"{kind}: {reason}") not in self.reasons:
            self.reasons.append(line)

    @property
    def left_counts(self) -> dict[str, int]:
        """Return how many of each kind are still there."""
        return {kind: len(ids) for kind, ids in self.left.items()}

    def add(self, other: "Tally") -> None:
        """Count another's too."""
        self.removed += other.removed
        for kind, ids in other.left.items():
            self.left.setdefault(kind, set()).update(ids)
        self.reasons += [one for one in other.reasons if one not in self.reasons]


@dataclass(slots=True)
class Notes:
    """What is worth knowing of a visit to a server; filled in while it is on.

    Attributes:
        file: the target file.
        url: the server's address; never with credentials.
        version: what the server says it is.
        remarks: what is worth saying of it.
        log: where the log of a server is that muster started.
        deaths: how it ended, each time that it did so by itself.
        gone: why the run ended with it; `None` when it did not.
        kept: nothing was removed, because that was asked for.
        tally: what was removed, and what is left behind.

    """

    file: Path
    url: str
    version: str = ""
    remarks: tuple[str, ...] = ()
    log: Path | None = None
    deaths: list[str] = field(default_factory=list)
    gone: str | None = None
    kept: bool = False
    tally: Tally = field(default_factory=Tally)
