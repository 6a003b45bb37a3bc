"""Agents whose work goes wrong."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from simulated_agents.behaviours.base import Behaviour
from simulated_agents.plan import Outcome, WorkPlan

ELEVEN_MINUTES_S = 660.0
"""Longer than a master waits for a result."""


class Slow(Behaviour):
    """Works longer than the master waits; log lines go on."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"duration": "duration"}

    def __init__(self, duration_s: float = ELEVEN_MINUTES_S) -> None:
        self._duration_s = duration_s

    def plan(self, plan: WorkPlan) -> WorkPlan:
        """Stretch the work."""
        return replace(plan, duration_s=self._duration_s)


class Failing(Behaviour):
    """Works, fails, and says so."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"error": "text"}

    def __init__(self, error: str | None = None) -> None:
        self._error = error

    def plan(self, plan: WorkPlan) -> WorkPlan:
        """Let the work fail."""
        error = plan.error if self._error is None else self._error
        return replace(plan, outcome=Outcome.FAILURE, error=error)
