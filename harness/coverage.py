"""What speaks about each clause: the scenarios and checkers that could find it broken, and the mutants that break it."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.checkers.judged import Checker
from harness.checkers.registry import CHECKERS
from harness.scenario.catalogue import Clause
from harness.scenario.model import Scenario
from harness.selfcheck.mutant import Mutant
from harness.selfcheck.mutants import MUTANTS
from harness.suite import Suite


@dataclass(frozen=True, slots=True)
class Coverage:
    """A clause, the scenarios and checkers that speak about it, and the mutants that break it."""

    clause: Clause
    scenarios: tuple[Scenario, ...]
    mutants: tuple[Mutant, ...]
    checkers: tuple[Checker, ...] = ()


def cover(suite: Suite, profile: str | None = None) -> Iterator[Coverage]:
    """Yield each clause with what speaks about it, in the order of the catalogue.

    Args:
        suite: where clauses and scenarios are from; mutants and checkers are of the built-in
            clauses alone.
        profile: only clauses and scenarios that apply to it; all when `None`.

    """
    mutants, checkers = (MUTANTS, CHECKERS) if suite.built_in else ((), ())
    about: dict[str, list[Scenario]] = {}
    for scenario in suite.scenarios:
        if profile is None or profile in scenario.profiles:
            for spoken in scenario.speaks_about:
                about.setdefault(spoken, []).append(scenario)
    for clause in suite.catalogue:
        if profile is None or profile in clause.profiles:
            yield Coverage(
                clause,
                tuple(about.get(clause.id, ())),
                tuple(one for one in mutants if one.clause == clause.id),
                tuple(one for one in checkers if clause.id in one.clauses),
            )
