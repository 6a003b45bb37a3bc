"""The catalogue of clauses: what a master can break, a sentence each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.scenario.errors import ScenarioErrors
from harness.scenario.header import KNOWN_PROFILES
from harness.scenario.suggest import did_you_mean
from harness.scenario.tables import Tables, Unreadable

CATALOGUE_NAME: Final = "clauses.toml"

AREAS: Final[dict[str, str]] = {
    "HTTP": "the envelope, bodies, ids and routes",
    "AUTH": "who is let in",
    "ROT": "token rotation",
    "NODE": "nodes",
    "OFF": "offline detection",
    "CMD": "enqueueing, claiming and the order of commands",
    "RES": "results of commands",
    "TMO": "timeouts",
    "SPEC": "specifications of tasks and restores",
    "REC": "backup records",
    "RST": "restore records",
    "LOG": "logs",
    "RPC": "directory listings and database discovery",
    "ART": "relayed artifacts",
    "ADM": "running, refusing and deleting",
    "DUR": "what survives a crash",
    "SEC": "who may see which secret",
    "AGT": "what an agent does",
}
LEVELS: Final = ("MUST", "SHOULD", "MAY")

_ID: Final = re.compile(r"([A-Z]{2,4})-[0-9]+")
_REQUIRED: Final = ("id", "level", "text", "source")
_KEYS: Final = (*_REQUIRED, "profiles", "why", "means")


class CatalogueError(ScenarioErrors):
    """Every mistake of a catalogue."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence that a master can break.

    Attributes:
        id: its area and number: `TMO-1`.
        level: `MUST`, `SHOULD` or `MAY`.
        text: the sentence.
        source: where the protocol says so.
        profiles: the profiles it applies to.
        why: what it is good for.
        means: what a failure usually means, and where to look.

    """

    id: str
    level: str
    text: str
    source: str
    profiles: tuple[str, ...] = KNOWN_PROFILES
    why: str | None = None
    means: str | None = None

    @property
    def area(self) -> str:
        """Return its area."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All clauses, in the order of their file."""

    clauses: tuple[Clause, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of all clauses."""
        return tuple(clause.id for clause in self.clauses)

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses)

    def __len__(self) -> int:
        return len(self.clauses)

    def __contains__(self, clause_id: object) -> bool:
        return any(clause.id == clause_id for clause in self.clauses)

    def __getitem__(self, clause_id: str) -> Clause:
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
        raise KeyError(clause_id)

    @classmethod
    def read(cls, path: Path) -> "Catalogue":
        """Return the catalogue that a file says.

        Raises:
            CatalogueError: everything that is wrong with it.

        """
        tables = Tables(path, "clause", "a clause")
        clauses: dict[str, Clause] = {}
        try:
            items = tables.read()
            if not items:
                raise tables.stop(
                    1, 1, "expected at least one clause, each under a line [[clause]]"
                )
            for at, item in enumerate(items):
                clause = _clause(tables, at, item)
                if clause.id in clauses:
                    tables.wrong(at, "id", f"expected an id of its own, got {clause.id!r} again")
                clauses[clause.id] = clause
        except Unreadable:
            raise CatalogueError(tables.errors) from None
        if tables.errors:
            raise CatalogueError(tables.errors)
        return cls(tuple(clauses.values()))


def _clause(tables: Tables, at: int, item: dict[str, Any]) -> Clause:
    tables.known_keys(at, item, _KEYS)
    tables.required(at, item, _REQUIRED)
    texts = {key: tables.sentence(at, item, key) for key in _KEYS if key != "profiles"}
    _check_id(tables, at, texts["id"])
    tables.one_of(at, "level", texts["level"], "a level", LEVELS)
    return Clause(
        id=texts["id"] or "",
        level=texts["level"] or "",
        text=texts["text"] or "",
        source=texts["source"] or "",
        profiles=tables.words(at, item, "profiles", "profile", KNOWN_PROFILES),
        why=texts["why"],
        means=texts["means"],
    )


def _check_id(tables: Tables, at: int, clause_id: str | None) -> None:
    if not clause_id:
        return
    found = _ID.fullmatch(clause_id)
    if found is None:
        tables.wrong(at, "id", f"expected an id such as TMO-1, got {clause_id!r}")
    elif found[1] not in AREAS:
        message = f"expected an area of {', '.join(AREAS)}, got {found[1]!r}"
        tables.wrong(at, "id", message, did_you_mean(found[1], AREAS))
