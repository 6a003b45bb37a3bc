"""Known failures: what a master is known to break, each entry with the reason it is put up with.

The list excuses a failure and nothing else: an entry whose clause or scenario passes fails the run,
and one that is about nothing is refused, so that the list stays true.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.scenario.catalogue import Catalogue
from harness.scenario.errors import ScenarioErrors
from harness.scenario.header import KNOWN_PROFILES
from harness.scenario.loader import ENDING
from harness.scenario.model import Place, Scenario
from harness.scenario.suggest import did_you_mean
from harness.scenario.tables import Tables, Unreadable

KNOWN_NAME: Final = "known-failures.toml"

TARGETS: Final = ("embedded", "real", "agent")
"""What a run can be against: the reference master in this process, a server over TCP, or an agent."""

_KEYS: Final = ("clause", "scenario", "profiles", "targets", "reason")


class KnownError(ScenarioErrors):
    """Every mistake of a list of known failures."""


@dataclass(frozen=True, slots=True)
class Known:
    """One entry.

    Attributes:
        place: where it stands.
        clause: the clause that is broken; any when `None`.
        scenario: the scenario that fails, all its cases where it has some; any when `None`.
        profiles: where it fails.
        targets: where it fails.
        reason: why it is put up with.

    """

    place: Place
    clause: str | None
    scenario: str | None
    profiles: tuple[str, ...]
    targets: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return " in ".join(one for one in (self.clause, self.scenario) if one is not None)

    def names(self, scenario_id: str) -> bool:
        """Return whether it may be about a scenario."""
        return self.scenario in {None, scenario_id, scenario_id.partition("[")[0]}

    def about(self, scenario: Scenario) -> bool:
        """Return whether a scenario could show what it says, on a profile it names."""
        return (
            self.names(scenario.id)
            and (self.clause is None or self.clause in scenario.speaks_about)
            and not set(self.profiles).isdisjoint(scenario.profiles)
        )

    def covers(self, scenario_id: str, clause: str) -> bool:
        """Return whether it excuses that a scenario found a clause broken."""
        return self.names(scenario_id) and self.clause in {None, clause}


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """A list of known failures, held against the scenarios there are.

    Attributes:
        path: its file; `None` when there is no list.
        entries: in the order of the file.
        scenarios: the scenarios that were read.
        whole: these are all there are below their folders, so that a clause can be said to pass.

    """

    path: Path | None = None
    entries: tuple[Known, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    whole: bool = False

    def on(self, profile: str, target: str) -> tuple[Known, ...]:
        """Return the entries about a profile and a target."""
        return tuple(
            entry for entry in self.entries if profile in entry.profiles and target in entry.targets
        )


def read_known(
    path: Path, catalogue: Catalogue, scenarios: Sequence[Scenario], root: Path, *, whole: bool
) -> KnownFailures:
    """Return the known failures that a file lists.

    Args:
        path: the file.
        catalogue: the clauses that there are.
        scenarios: the scenarios that were read.
        root: the folder that their ids count from.
        whole: these are all that there are.

    Raises:
        KnownError: everything that is wrong with it, entries that are about nothing included.

    """
    tables = Tables(path, "known", "a known failure")
    entries: list[Known] = []
    try:
        for at, item in enumerate(tables.read()):
            before = len(tables.errors)
            entry = _entry(tables, at, item, catalogue)
            if len(tables.errors) == before:
                _check_about(tables, at, entry, scenarios, None if whole else root)
            entries.append(entry)
    except Unreadable:
        raise KnownError(tables.errors) from None
    if tables.errors:
        raise KnownError(tables.errors)
    return KnownFailures(path, tuple(entries), tuple(scenarios), whole)


def _entry(tables: Tables, at: int, item: dict[str, Any], catalogue: Catalogue) -> Known:
    tables.known_keys(at, item, _KEYS)
    if not {"clause", "scenario"} & set(item):
        tables.wrong(at, None, "expected 'clause' or 'scenario', or both: what is known to fail")
    if "reason" not in item:
        tables.wrong(at, None, "expected 'reason': why this failure is put up with")
    clause = tables.sentence(at, item, "clause")
    if clause is not None and clause not in catalogue:
        message = f"expected a clause of the catalogue, got {clause!r}"
        tables.wrong(at, "clause", message, did_you_mean(clause, catalogue.ids))
    return Known(
        place=tables.place(at),
        clause=clause,
        scenario=tables.sentence(at, item, "scenario"),
        profiles=tables.words(at, item, "profiles", "profile", KNOWN_PROFILES),
        targets=tables.words(at, item, "targets", "target", TARGETS),
        reason=tables.sentence(at, item, "reason") or "",
    )


def _check_about(
    tables: Tables, at: int, entry: Known, scenarios: Iterable[Scenario], root: Path | None
) -> None:
    """Note an entry that is about nothing; below `root` may be scenarios that were not read."""
    scenarios = list(scenarios)
    if any(entry.about(scenario) for scenario in scenarios):
        return
    named = [scenario for scenario in scenarios if entry.names(scenario.id)]
    if entry.scenario is None:
        if root is None:
            where = f" on profile {', '.join(entry.profiles)}"
            message = f"expected a clause that a scenario is about{where}, got {entry.clause!r}"
            tables.wrong(at, "clause", message)
    elif named:
        _disagrees(tables, at, entry, named)
    elif root is None or not (root / f"{entry.scenario.partition('[')[0]}{ENDING}").is_file():
        ids = [scenario.id for scenario in scenarios]
        message = f"expected the id of a scenario, got {entry.scenario!r}"
        tables.wrong(at, "scenario", message, did_you_mean(entry.scenario, ids))


def _disagrees(tables: Tables, at: int, entry: Known, named: list[Scenario]) -> None:
    """Note that the scenario an entry names is not about its clause, or not for its profiles."""
    spoken = list(dict.fromkeys(clause for one in named for clause in one.speaks_about))
    profiles = list(dict.fromkeys(profile for one in named for profile in one.profiles))
    if entry.clause is not None and entry.clause not in spoken:
        message = f"expected a clause that {entry.scenario} is about ({', '.join(spoken)})"
        tables.wrong(at, "clause", f"{message}, got {entry.clause!r}")
    else:
        message = f"expected a profile that {entry.scenario} applies to ({', '.join(profiles)})"
        tables.wrong(at, "profiles", f"{message}, got {', '.join(entry.profiles)}")
