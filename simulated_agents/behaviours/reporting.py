"""Agents that work well and report badly."""

from collections.abc import Mapping
from typing import ClassVar

from simulated_agents.behaviours.base import Behaviour
from simulated_agents.behaviours.work import ELEVEN_MINUTES_S
from simulated_agents.job import Report
from simulated_agents.life import Life
from simulated_agents.messages import Command


class Silent(Behaviour):
    """Gives signs of life, and never asks for commands."""

    polls = False


class Forgetful(Behaviour):
    """Reports about its records, and never a command's result."""

    async def report(self, command: Command, report: Report, life: Life) -> None:
        """Forget it."""


class Duplicating(Behaviour):
    """Reports each result twice, or more often."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"times": "number"}

    def __init__(self, times: int = 2) -> None:
        self._times = times

    async def report(self, command: Command, report: Report, life: Life) -> None:
        """Report again and again."""
        for _ in range(self._times):
            await super().report(command, report, life)


class Late(Behaviour):
    """Reports each result long after the work is done; its records are up to date."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"by": "duration"}

    def __init__(self, by_s: float = ELEVEN_MINUTES_S) -> None:
        self._by_s = by_s

    async def report(self, command: Command, report: Report, life: Life) -> None:
        """Wait, then report."""
        await life.clock.sleep(self._by_s)
        await super().report(command, report, life)


class Cloned(Behaviour):
    """Runs twice under one token, as a copied machine does."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"processes": "number", "apart": "duration"}

    def __init__(self, processes: int = 2, apart_s: float = 0.0) -> None:
        self.processes = processes
        self.apart_s = apart_s
