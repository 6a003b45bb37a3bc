"""How pretend work goes: given, or drawn from an agent's own random stream."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol


class Outcome(StrEnum):
    """How work ends."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """One piece of pretend work.

    Attributes:
        duration_s: how long a backup or a restore takes; its log lines are spread over it.
        size_bytes: how large the backup gets.
        outcome: how it ends.
        log_lines: what its runner says; `None` is what the real one of the task's type says.
        error: what it fails with.

    """

    duration_s: float = 1.0
    size_bytes: int = 1_048_576
    outcome: Outcome = Outcome.SUCCESS
    log_lines: tuple[str, ...] | None = None
    error: str = "exit status 1"

    def draw(self, rng: Random) -> "WorkPlan":  # noqa: ARG002 - a given plan is always the same
        """Return this plan."""
        return self


@dataclass(frozen=True, slots=True)
class WorkRange:
    """What pretend work is drawn from.

    Attributes:
        duration_s: the shortest and the longest.
        size_bytes: the smallest and the largest.
        failure_probability: how often it fails, from 0 to 1.

    """

    duration_s: tuple[float, float] = (0.5, 5.0)
    size_bytes: tuple[int, int] = (1_024, 1_073_741_824)
    failure_probability: float = 0.0

    def draw(self, rng: Random) -> WorkPlan:
        """Return the next piece of work; always the same number of draws, whatever comes out."""
        duration_s = rng.uniform(*self.duration_s)
        size_bytes = rng.randint(*self.size_bytes)
        failed = rng.random() < self.failure_probability
        return WorkPlan(duration_s, size_bytes, Outcome.FAILURE if failed else Outcome.SUCCESS)


class WorkSource(Protocol):
    """Where an agent's work plans come from."""

    def draw(self, rng: Random) -> WorkPlan:
        """Return the next plan."""
        ...
