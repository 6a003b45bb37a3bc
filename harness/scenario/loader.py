"""Reading scenario files: all of them, with every mistake in them at once."""

from collections.abc import Collection, Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.scenario.cases import CASES, Cases, merged
from harness.scenario.catalogue import CATALOGUE_NAME, Catalogue
from harness.scenario.declarations import TESTED, imply_disk, read_agents, read_targets, read_tasks
from harness.scenario.errors import ScenarioError, ScenarioErrors
from harness.scenario.header import (
    REQUIRED,
    TOP_KEYS,
    read_clocks,
    read_faults,
    read_profiles,
    read_reason,
    read_shows,
    read_timing,
    read_zone,
)
from harness.scenario.model import Place, Scenario
from harness.scenario.reading import Reading
from harness.scenario.source import Mapping, Sequence, read_page
from harness.scenario.steps import read_steps

ENDING: Final = ".yaml"
_OTHER_ENDING: Final = ".yml"

FILES_MAX: Final = 10_000
"""Files of one call: more than a person would write, fewer than a wrong folder may hold."""

Behaviours = Table[str, Table[str, str]]
"""What agents can be: each behaviour's options with the `Kind` of each."""


def load(
    path: Path,
    root: Path,
    catalogue: Catalogue | Collection[str],
    behaviours: Behaviours | None = None,
) -> list[Scenario]:
    """Return the scenarios that a file says: one, or one for each of its cases.

    Args:
        path: the file.
        root: the folder that its id counts from.
        catalogue: the clauses that there are.
        behaviours: what agents can be; that of `simulated_agents.behaviours` when left out.

    Raises:
        ScenarioErrors: everything that is wrong with it.

    """
    known = _Known.of(catalogue, behaviours)
    scenarios, errors = _load(path, root, known)
    if errors:
        raise ScenarioErrors(errors)
    return scenarios


def load_all(
    paths: Iterable[Path],
    catalogue: Catalogue | Collection[str],
    behaviours: Behaviours | None = None,
) -> list[Scenario]:
    """Return the scenarios of some files and folders, in the order of their paths.

    The folder that ids count from is the nearest one above with a catalogue in it, else the folder
    that is given, or the file's own.

    Raises:
        ScenarioErrors: everything that is wrong with all of them.

    """
    known = _Known.of(catalogue, behaviours)
    scenarios: list[Scenario] = []
    errors: list[ScenarioError] = []
    ids: dict[str, Path] = {}
    for path, root in _files(paths, errors).items():
        scenario_id = _id(path, root)
        if scenario_id in ids:
            message = (
                f"expected an id of its own, got {scenario_id!r}, also that of {ids[scenario_id]}"
            )
            errors.append(ScenarioError(Place(path, 1, 1), message))
            continue
        ids[scenario_id] = path
        found, wrong = _load(path, root, known)
        scenarios += found
        errors += wrong
    if errors:
        raise ScenarioErrors(errors)
    return scenarios


@dataclass(frozen=True, slots=True)
class _Known:
    """What scenarios may refer to."""

    clauses: Collection[str]
    behaviours: Behaviours

    @classmethod
    def of(cls, catalogue: Catalogue | Collection[str], behaviours: Behaviours | None) -> "_Known":
        if behaviours is None:
            # Only here, so that files can be checked against other behaviours without these.
            from simulated_agents.behaviours import OPTIONS  # noqa: PLC0415

            behaviours = OPTIONS
        ids = catalogue.ids if isinstance(catalogue, Catalogue) else sorted(catalogue)
        return cls(ids, behaviours)


def _files(paths: Iterable[Path], errors: list[ScenarioError]) -> dict[Path, Path]:
    """Return the files below some paths, each once and with its root."""
    found: dict[Path, Path] = {}
    seen: set[Path] = set()
    for path in paths:
        root = root_of(path)
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.suffix in {ENDING, _OTHER_ENDING})
            if not files:
                message = f"expected a folder with scenarios ({ENDING}), got one without"
                errors.append(ScenarioError(Place(path, 1, 1), message))
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                found[file] = root
    if len(found) > FILES_MAX:
        message = f"expected at most {FILES_MAX} scenario files, got {len(found)}"
        raise ScenarioErrors([ScenarioError(Place(next(iter(found)), 1, 1), message)])
    return found


def root_of(path: Path) -> Path:
    """Return the folder that the ids of a file, or of the files in a folder, count from."""
    folder = path if path.is_dir() else path.parent
    whole = folder.resolve()
    above = (whole, *whole.parents)
    return next((one for one in above if (one / CATALOGUE_NAME).is_file()), whole)


def _id(path: Path, root: Path) -> str:
    file, top = path.resolve(), root.resolve()
    below = file.relative_to(top) if file.is_relative_to(top) else Path(file.name)
    return below.with_suffix("").as_posix()


def _load(path: Path, root: Path, known: _Known) -> tuple[list[Scenario], list[ScenarioError]]:
    """Return the scenarios of a file, and what is wrong with it."""
    if path.suffix != ENDING and not path.is_dir():
        message = f"expected a file that ends in {ENDING}, got {path.name!r}"
        return [], [ScenarioError(Place(path, 1, 1), message)]
    page, node = read_page(path)
    reading = Reading(page, known.clauses, known.behaviours)
    mapping = None if node is None else reading.mapping(node, "a scenario")
    scenarios: list[Scenario] = []
    if mapping is not None and mapping.get(CASES) is None:
        scenarios.append(_scenario(reading, mapping, _id(path, root)))
    elif mapping is not None:
        scenarios += _cases(reading, mapping, _id(path, root), known)
    errors = sorted(page.errors, key=lambda error: (error.place.line, error.place.column))
    return [] if errors else scenarios, errors


def _cases(reading: Reading, root: Mapping, file_id: str, known: _Known) -> list[Scenario]:
    """Return a scenario for each case; a mistake is noted once, whatever number of cases has it."""
    page = reading.page
    table = Cases(reading, root)
    scenarios = []
    errors: dict[str, list[ScenarioError]] = {}
    for case in table.cases:
        own = Reading(replace(page, errors=[]), known.clauses, known.behaviours)
        story = table.story(case, own.page)
        if not own.page.errors:
            scenario = _scenario(own, story, f"{file_id}[{case.name}]")
            scenarios.append(replace(scenario, case=case.name))
        errors[case.name] = own.page.errors
    table.check_used()
    page.errors += merged(errors)
    return scenarios


def _scenario(reading: Reading, root: Mapping, scenario_id: str) -> Scenario:
    for key, _ in root.entries:
        if key.text not in TOP_KEYS:
            reading.unknown_key(key, "a key of a scenario", TOP_KEYS)
    reading.required(root, "a scenario", REQUIRED)
    shows, clauses, steps = root.get("scenario"), root.get("clauses"), root.get("steps")
    read_timing(reading, root.get("timing"))
    clocks, because = read_clocks(reading, root)
    reading.clocks = clocks
    agents = read_agents(reading, root.get("agents"))
    reading.tested = any(agent.behaviour == TESTED for agent in agents)
    targets = read_targets(reading, root.get("targets"))
    targets += imply_disk(reading, root.get("tasks"))
    scenario = Scenario(
        id=scenario_id,
        path=reading.page.path,
        shows="" if shows is None else read_shows(reading, shows),
        clauses=() if clauses is None else reading.words(clauses, "clause", reading.clauses),
        profiles=read_profiles(reading, root.get("profiles")),
        clocks=clocks,
        because=because,
        alone=read_reason(reading, root, "alone"),
        empty=read_reason(reading, root, "empty"),
        exact=read_reason(reading, root, "exact"),
        zone_s=read_zone(reading, root.get("zone"), clocks),
        timing=reading.timing,
        faults=read_faults(reading, root.get("faults")),
        agents=agents,
        targets=tuple(targets),
        tasks=read_tasks(reading, root.get("tasks")),
        steps=() if steps is None else read_steps(reading, steps),
    )
    if isinstance(steps, Sequence) and steps.items and not reading.expectations:
        message = "expected at least one expectation: nothing here could fail"
        reading.wrong(root.key("steps"), message)
    return scenario
