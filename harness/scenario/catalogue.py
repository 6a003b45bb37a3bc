"""The catalogue of clauses: what a master can break, a sentence each."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.scenario.errors import ScenarioError, ScenarioErrors
from harness.scenario.header import KNOWN_PROFILES
from harness.scenario.model import Place
from harness.scenario.suggest import did_you_mean

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
_HEADER: Final = re.compile(r"\s*\[\[\s*clause\s*\]\]\s*(#.*)?")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_TOML_PLACE: Final = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)")

SIZE_MAX: Final = 4_194_304
"""Bytes of a catalogue: a thousand clauses take a quarter of it."""


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
        return _Catalogue(path).read()


class _Catalogue:
    """A catalogue that is being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []
        self._starts: list[int] = []
        self._errors: list[ScenarioError] = []

    def read(self) -> Catalogue:
        items = self._items()
        clauses: dict[str, Clause] = {}
        for at, item in enumerate(items):
            clause = self._clause(at, item)
            if clause.id in clauses:
                self._wrong(at, "id", f"expected an id of its own, got {clause.id!r} again")
            clauses[clause.id] = clause
        if self._errors:
            raise CatalogueError(self._errors)
        return Catalogue(tuple(clauses.values()))

    def _stop(self, line: int, column: int, message: str) -> CatalogueError:
        self._note(line, column, message)
        return CatalogueError(self._errors)

    def _note(self, line: int, column: int, message: str, hint: str | None = None) -> None:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        self._errors.append(ScenarioError(Place(self._path, line, column), message, text, hint))

    def _wrong(self, at: int, key: str | None, message: str, hint: str | None = None) -> None:
        """Note a mistake in the clause with a number, at the line of one of its keys."""
        begin = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._lines) + 1
        line, column = begin, 1
        for number in range(begin + 1, end):
            found = _KEY.match(self._lines[number - 1])
            if key is not None and found is not None and found[1] == key:
                line, column = number, found.start(1) + 1
                break
        self._note(line, column, message, hint)

    def _items(self) -> list[Any]:
        text = self._text()
        self._lines = text.splitlines()
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            found = _TOML_PLACE.fullmatch(str(error))
            line = int(found[2]) if found and found[2] else max(len(self._lines), 1)
            column = int(found[3]) if found and found[3] else 1
            raise self._stop(line, column, f"TOML: {found[1] if found else error}") from None
        self._starts = [n for n, line in enumerate(self._lines, 1) if _HEADER.fullmatch(line)]
        items = data.pop("clause", None)
        if data:
            key = next(iter(data))
            raise self._stop(1, 1, f"expected [[clause]] tables only, got {key!r}")
        if not isinstance(items, list) or not items or len(items) != len(self._starts):
            raise self._stop(1, 1, "expected at least one clause, each under a line [[clause]]")
        return items

    def _text(self) -> str:
        try:
            with self._path.open("rb") as file:
                raw = file.read(SIZE_MAX + 1)
        except OSError as error:
            message = f"expected a catalogue that can be read: {error.strerror}"
            raise self._stop(1, 1, message) from None
        if len(raw) > SIZE_MAX:
            raise self._stop(1, 1, f"expected a catalogue of at most {SIZE_MAX} bytes")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise self._stop(line, 1, f"expected UTF-8, got 0x{raw[error.start]:02x}") from None

    def _clause(self, at: int, item: dict[str, Any]) -> Clause:
        for key in item:
            if key not in _KEYS:
                message = f"expected a key of a clause ({', '.join(_KEYS)}), got {key!r}"
                self._wrong(at, key, message, did_you_mean(key, _KEYS))
        for key in _REQUIRED:
            if key not in item:
                self._wrong(at, None, f"expected a clause to have {key!r}, which is missing")
        texts = {
            key: self._sentence(at, key, item[key])
            for key in _KEYS
            if key in item and key != "profiles"
        }
        self._check_id(at, texts.get("id"))
        level = texts.get("level")
        if level and level not in LEVELS:
            message = f"expected a level ({', '.join(LEVELS)}), got {level!r}"
            self._wrong(at, "level", message, did_you_mean(level, LEVELS))
        return Clause(
            id=texts.get("id", ""),
            level=level or "",
            text=texts.get("text", ""),
            source=texts.get("source", ""),
            profiles=self._profiles(at, item.get("profiles")),
            why=texts.get("why"),
            means=texts.get("means"),
        )

    def _sentence(self, at: int, key: str, value: Any) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._wrong(at, key, f"expected {key!r} to be text with something in it, got {value!r}")
        return ""

    def _check_id(self, at: int, clause_id: str | None) -> None:
        if not clause_id:
            return
        found = _ID.fullmatch(clause_id)
        if found is None:
            self._wrong(at, "id", f"expected an id such as TMO-1, got {clause_id!r}")
        elif found[1] not in AREAS:
            message = f"expected an area of {', '.join(AREAS)}, got {found[1]!r}"
            self._wrong(at, "id", message, did_you_mean(found[1], AREAS))

    def _profiles(self, at: int, value: Any) -> tuple[str, ...]:
        if value is None:
            return KNOWN_PROFILES
        if not isinstance(value, list) or not value:
            self._wrong(at, "profiles", f"expected a list of profiles, got {value!r}")
            return ()
        for name in value:
            if name not in KNOWN_PROFILES:
                message = f"expected a profile ({', '.join(KNOWN_PROFILES)}), got {name!r}"
                self._wrong(at, "profiles", message, did_you_mean(str(name), KNOWN_PROFILES))
        return tuple(str(name) for name in value)
