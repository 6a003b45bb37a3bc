"""A table of cases: one story told several times, each time with other values.

`${case.x}` is replaced in the nodes of the file, before anything is read: so it can stand wherever a
value can, for a value of any shape, and whatever is wrong with one keeps its own line and column.
Each case becomes a scenario; nothing behind this module knows of tables.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from harness.scenario.errors import ScenarioError
from harness.scenario.model import Place
from harness.scenario.reading import Reading
from harness.scenario.references import BadReferenceError, references
from harness.scenario.source import Mapping, Node, Page, Scalar, Sequence, describe
from harness.scenario.suggest import did_you_mean

CASES: Final = "cases"
CASE_KEYS: Final[dict[str, str]] = {
    "name": "what it is called in the id, `area/story[name]`; made of its values when left out",
    "profiles": "those of the scenario's profiles that it applies to; all when left out",
}
CASES_MAX: Final = 1_000
"""Cases of one table: more than somebody reads, fewer than a run takes minutes for."""

CASE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._]+")
_REFERENCE: Final = re.compile(r"\$\{\s*case\b[^}]*\}")


@dataclass(slots=True)
class Case:
    """One row of the table.

    Attributes:
        name: what it is called in the id.
        place: where it begins: at its name, where it says one.
        profiles: where it says them, the profiles it applies to.
        values: what `${case.x}` stands for.

    """

    name: str
    place: Place
    profiles: Node | None
    values: Mapping


class Cases:
    """The table of a file, and its story.

    Args:
        reading: the file.
        root: all of it.

    Attributes:
        cases: the rows, in order.

    """

    def __init__(self, reading: Reading, root: Mapping) -> None:
        self._reading = reading
        self._used: set[str] = set()
        entries = tuple(one for one in root.entries if one[0].text != CASES)
        self._story = replace(root, entries=entries)
        table = root.get(CASES)
        assert table is not None
        rows = reading.sequence(table, "a list of cases")
        if len(rows) > CASES_MAX:
            reading.wrong(rows[CASES_MAX], f"expected at most {CASES_MAX} cases, got {len(rows)}")
        cases: dict[str, Case] = {}
        for row in rows[:CASES_MAX]:
            case = _case(reading, row)
            if case is not None and case.name in cases:
                message = f"expected a case with a name of its own, got {case.name!r}"
                line = cases[case.name].place.line
                reading.page.wrong(case.place, f"{message}, that of line {line}")
            elif case is not None:
                cases[case.name] = case
        self.cases = tuple(cases.values())

    def story(self, case: Case, page: Page) -> Mapping:
        """Return the file's root as it is for one case; what is wrong is noted in its page."""
        filled = _Filling(case, page, self._used).filled(self._story)
        assert isinstance(filled, Mapping)
        if case.profiles is None:
            return filled
        whole = filled.get("profiles")
        if isinstance(whole, Sequence):
            known = [item.text for item in whole.items if isinstance(item, Scalar)]
            self._reading.words(case.profiles, "profile of the scenario", known)
        others = [(key, value) for key, value in filled.entries if key.text != "profiles"]
        key = Scalar(case.profiles.place, case.values.end, "profiles", "profiles", plain=True)
        return replace(filled, entries=(*others, (key, case.profiles)))

    def check_used(self) -> None:
        """Note the values that no `${case.x}` of the story asks for: a slip, or left over."""
        told: set[str] = set()
        for case in self.cases:
            for key, _ in case.values.entries:
                if key.text not in self._used | told:
                    told.add(key.text)
                    message = f"expected a value that ${{case.{key.text}}} stands for somewhere"
                    hint = did_you_mean(key.text, sorted(self._used | {*CASE_KEYS}))
                    self._reading.wrong(key, f"{message}, got one that nothing uses", hint)


def _case(reading: Reading, row: Node) -> Case | None:
    mapping = reading.mapping(row, "a case")
    if mapping is None:
        return None
    said = mapping.get("name")
    values = tuple(one for one in mapping.entries if one[0].text not in CASE_KEYS)
    if not values:
        reading.wrong(row, "expected a case with values, got none")
        return None
    name = _made_name(values) if said is None else reading.text(said, "the name of a case")
    if name is not None and not CASE_NAME.fullmatch(name):
        what = "letters, digits, '.', '_' and '-', 60 at most"
        hint = None if said is not None else "give it one: its values make none"
        reading.wrong(said or row, f"expected a case whose name is {what}, got {name!r}", hint)
        name = None
    profiles = mapping.get("profiles")
    if name is None:
        return None
    place = row.place if said is None else said.place
    return Case(name, place, profiles, Mapping(row.place, mapping.end, values))


def _made_name(values: tuple[tuple[Scalar, Node], ...]) -> str:
    texts = [value.text for _, value in values if isinstance(value, Scalar)]
    return _NO_NAME.sub("-", "-".join(texts)).strip("-._")


# --- replacing --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Filling:
    """Puts the values of one case into a story.

    Attributes:
        case: which.
        page: takes what is wrong.
        used: the values that were asked for.

    """

    case: Case
    page: Page
    used: set[str]

    def filled(self, node: Node) -> Node:
        """Return a node with the values of the case in it."""
        match node:
            case Mapping():
                entries = [(self._text(key), self.filled(value)) for key, value in node.entries]
                self._check_keys(entries)
                return replace(node, entries=tuple(entries))
            case Sequence():
                return replace(node, items=tuple(self.filled(item) for item in node.items))
            case Scalar(value=str(text)) if _REFERENCE.fullmatch(text):
                found = self._look_up(node, text)
                return node if found is None else found
            case _:
                return self._text(node)

    def _text(self, scalar: Scalar) -> Scalar:
        """Return a scalar with the values of the case in its text."""
        if not isinstance(scalar.value, str) or not _REFERENCE.search(scalar.value):
            return scalar

        def written(match: re.Match[str]) -> str:
            found = self._look_up(scalar, match[0])
            if isinstance(found, Scalar):
                return found.text
            if found is not None:
                message = (
                    f"expected {match[0]} to be one value inside a text, got {describe(found)}"
                )
                self.page.wrong(found.place, message)
            return match[0]

        text = _REFERENCE.sub(written, scalar.value)
        return replace(scalar, text=text, value=text)

    def _look_up(self, scalar: Scalar, text: str) -> Node | None:
        """Return what a reference stands for, or nothing, which is noted."""
        try:
            (reference,) = references(text)
        except BadReferenceError:
            return None  # whoever reads the text says so
        if not reference.path:
            message = f"expected ${{case.value}} with the name of a value, got {text!r}"
            self.page.wrong(scalar.place, message)
            return None
        if reference.path == ("name",):
            return replace(scalar, text=self.case.name, value=self.case.name)
        self.used.add(reference.path[0])
        found: Node | None = self.case.values
        for part in reference.path:
            known = [key.text for key, _ in found.entries] if isinstance(found, Mapping) else []
            found = found.get(part) if isinstance(found, Mapping) else None
            if found is None:
                listed = f" ({', '.join(known)})" if known else ""
                message = f"expected a value of the case{listed}, got {part!r}"
                self.page.wrong(scalar.place, message, did_you_mean(part, known))
                return None
        return found

    def _check_keys(self, entries: list[tuple[Scalar, Node]]) -> None:
        """Note a key that is there again now that it is filled in."""
        seen: set[str] = set()
        for key, _ in entries:
            if key.text in seen:
                self.page.wrong(key.place, f"expected each key once, got {key.text!r} again")
            seen.add(key.text)


# --- what is wrong with some cases ------------------------------------------------------------


def merged(errors: dict[str, list[ScenarioError]]) -> list[ScenarioError]:
    """Return the mistakes of all cases, each once; what is wrong with some of them names these."""
    about: dict[tuple[Place, str], tuple[ScenarioError, list[str]]] = {}
    for name, found in errors.items():
        for error in found:
            _, names = about.setdefault((error.place, error.message), (error, []))
            if name not in names:
                names.append(name)
    return [
        error
        if len(names) == len(errors)
        else replace(error, message=f"{error.message} (in case {', '.join(names)})")
        for error, names in about.values()
    ]
