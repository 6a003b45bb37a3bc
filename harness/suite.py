"""A suite of scenarios, read: the files below some paths, their catalogue, and what is known to fail."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.commands.options import SCENARIOS, shortest
from harness.scenario.catalogue import CATALOGUE_NAME, Catalogue
from harness.scenario.errors import ScenarioErrors
from harness.scenario.known import KNOWN_NAME, KnownFailures, read_known
from harness.scenario.loader import load_all, root_of
from harness.scenario.model import Scenario
from harness.scenario.suggest import did_you_mean
from harness.stop import StopError
from harness.verdict import Exit


@dataclass(frozen=True, slots=True)
class Suite:
    """What some paths hold.

    Attributes:
        paths: the files and folders it was read from.
        scenarios: in the order of their files.
        catalogue: the nearest `clauses.toml` above the first path, or the built-in one.
        catalogue_path: its file.

    """

    paths: tuple[Path, ...]
    scenarios: tuple[Scenario, ...]
    catalogue: Catalogue
    catalogue_path: Path

    @classmethod
    def read(cls, paths: tuple[Path, ...] = ()) -> "Suite":
        """Return the suite below some paths; the built-in one when there are none.

        Raises:
            StopError: a file is wrong; all mistakes of all files are shown at once.

        """
        paths = paths or (shortest(SCENARIOS),)
        file = _nearest(CATALOGUE_NAME, paths[0]) or SCENARIOS / CATALOGUE_NAME
        try:
            catalogue = _catalogue(file)
            return cls(paths, tuple(load_all(paths, catalogue)), catalogue, file)
        except ScenarioErrors as error:
            raise StopError(Exit.USAGE, str(error)) from None

    @property
    def built_in(self) -> bool:
        """Return whether its clauses are those that come with muster."""
        return self.catalogue_path.resolve() == SCENARIOS / CATALOGUE_NAME

    @property
    def whole(self) -> bool:
        """Return whether these are all the scenarios that count from their folders."""
        return all(path.is_dir() and path.resolve() == root_of(path) for path in self.paths)

    def known_failures(self, path: Path | None = None) -> KnownFailures:
        """Return the known failures of the suite.

        Args:
            path: their file; when left out the nearest `known-failures.toml` at or above the first
                path, else the one in the current folder, else there are none.

        Raises:
            StopError: the file is wrong, or has an entry that is about nothing.

        """
        here = Path(KNOWN_NAME)
        path = path or _nearest(KNOWN_NAME, self.paths[0]) or (here if here.is_file() else None)
        if path is None:
            return KnownFailures()
        try:
            root = root_of(self.paths[0])
            return read_known(path, self.catalogue, self.scenarios, root, whole=self.whole)
        except ScenarioErrors as error:
            raise StopError(Exit.USAGE, str(error)) from None

    def why_nothing(self, clause: str | None, case: str | None) -> str:
        """Return what was asked for where nothing matched, and what there is."""
        spoken = sorted({one for scenario in self.scenarios for one in scenario.speaks_about})
        areas = Counter(one.partition("-")[0] for one in spoken)
        there = ", ".join(f"{area} ({count})" for area, count in areas.items())
        asked = [
            f"--{name} {glob!r}" for name, glob in (("clause", clause), ("case", case)) if glob
        ]
        hint = None if clause is None else did_you_mean(clause.rstrip("*-"), [*spoken, *areas])
        return (
            f"nothing to play: none of {len(self.scenarios)} scenarios matches {' '.join(asked)}"
            f"{f'; {hint}' if hint else ''}\nclauses they are about, by area: {there or 'none'}"
        )


def _catalogue(file: Path) -> Catalogue:
    """Return the catalogue of a file; a file that did not change is read once."""
    try:
        stat = file.stat()
    except OSError:  # the reader says what is wrong with it
        return Catalogue.read(file)
    return _read_once(file.absolute(), stat.st_mtime_ns, stat.st_size)


@cache
def _read_once(file: Path, _mtime_ns: int, _size: int) -> Catalogue:
    return Catalogue.read(shortest(file))


def _nearest(name: str, path: Path) -> Path | None:
    """Return the nearest file with a name, at a path or above it, by the shortest way to it."""
    whole = path.resolve()
    for folder in (whole, *whole.parents):
        if (folder / name).is_file():
            return shortest(folder) / name
    return None
