"""The pages of `docs/` that are made from tables of the code, the catalogue and the suite.

`python -m harness.pages` writes them all; a test fails when one of them is no longer what it would
write.
"""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from harness.checkers import page as checkers_page
from harness.commands.options import SCENARIOS
from harness.coverage import Coverage, cover
from harness.faults import reference as faults_reference
from harness.scenario import reference, schema
from harness.scenario.catalogue import AREAS
from harness.scenario.header import KNOWN_PROFILES
from harness.sites import reference as targets_reference
from harness.suite import Suite
from master.protocol.profiles import PROFILES, Profile

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

MADE_BY: Final = "<!-- made by python -m harness.pages: do not edit -->"

_ATTRIBUTE: Final = re.compile(r" {4}(\w+): (.*)")
"""How a field begins in the docstring of `Profile`; further lines of it are indented deeper."""


@cache
def _suite() -> Suite:
    """Return the built-in suite, which several pages are made from."""
    return Suite.read((SCENARIOS,))


def clauses_page() -> str:
    """Return the catalogue as a page, area by area."""
    covered = list(cover(_suite()))
    levels = Counter(one.clause.level for one in covered)
    counts = ", ".join(f"{count} {level}" for level, count in levels.items())
    lines = [
        "# Clauses",
        "",
        MADE_BY,
        "",
        "A clause is one sentence that a master can break.",
        f"There are {len(covered)}: {counts}.",
        "They are kept in [scenarios/clauses.toml](../scenarios/clauses.toml).",
        "`muster explain TMO-4` shows one of them.",
        "",
    ]
    areas = {one.clause.area: None for one in covered}
    lines += [f"- [{area}](#{_anchor(area)}): {AREAS[area]}" for area in areas]
    for area in areas:
        lines += ["", f"## {area}: {AREAS[area]}"]
        for one in covered:
            if one.clause.area == area:
                lines += ["", *_clause(one)]
    return "\n".join(lines) + "\n"


def _anchor(area: str) -> str:
    """Return what a heading's link is called: small letters, hyphens for blanks, no punctuation."""
    heading = f"{area}: {AREAS[area]}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _clause(one: Coverage) -> Iterator[str]:
    clause = one.clause
    yield f"### {clause.id}"
    yield ""
    yield f"{clause.level}: {clause.text}"
    yield ""
    if clause.profiles != KNOWN_PROFILES:
        yield f"- Profiles: {', '.join(clause.profiles)}"
    yield f"- Source: {clause.source}"
    if clause.why:
        yield f"- Why: {clause.why}"
    if clause.means:
        yield f"- A failure usually means: {clause.means}"
    files = dict.fromkeys(scenario.id.partition("[")[0] for scenario in one.scenarios)
    links = [f"[{file}](../scenarios/{file}.yaml)" for file in files]
    yield f"- Scenarios: {', '.join(links) or 'none'}"
    if one.checkers:
        yield f"- Checkers: {', '.join(f'[{it.name}](checkers.md)' for it in one.checkers)}"
    yield f"- Mutants: {', '.join(mutant.name for mutant in one.mutants) or 'none'}"


def profiles_page() -> str:
    """Return the profiles as a page: each field with its values, and how many scenarios apply."""
    lines = [
        "# Profiles",
        "",
        MADE_BY,
        "",
        "A profile is what one release does.",
        "Each difference is one field, decided at one place of the reference master.",
        "The fields are in [master/protocol/profiles.py](../master/protocol/profiles.py).",
        "",
        "| field | what it says | " + " | ".join(KNOWN_PROFILES) + " |",
        "|---|---|" + "---|" * len(KNOWN_PROFILES),
    ]
    said = field_sentences()
    for field in fields(Profile):
        if field.name != "name":
            values = [_value(getattr(profile, field.name)) for profile in PROFILES.values()]
            lines.append(f"| `{field.name}` | {said[field.name]} | {' | '.join(values)} |")
    lines += [
        "",
        "## Scenarios",
        "",
        "How many scenarios apply to each profile, by area.",
        "",
        *_counts(_suite()),
    ]
    return "\n".join(lines) + "\n"


def field_sentences() -> dict[str, str]:
    """Return what the docstring of `Profile` says about each field."""
    said: dict[str, str] = {}
    name = None
    _, _, attributes = (inspect.getdoc(Profile) or "").partition("Attributes:\n")
    for line in attributes.splitlines():
        found = _ATTRIBUTE.fullmatch(line)
        if found:
            name = found[1]
            said[name] = found[2]
        elif name is not None and line.strip():
            said[name] += f" {line.strip()}"
        else:
            name = None
    return said


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "–"
    return str(value)


def _counts(suite: Suite) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {}
    for scenario in suite.scenarios:
        area = scenario.id.partition("/")[0]
        counts.setdefault(area, Counter()).update(scenario.profiles)
    yield "| area | " + " | ".join(KNOWN_PROFILES) + " |"
    yield "|---|" + "---|" * len(KNOWN_PROFILES)
    for area, by_profile in counts.items():
        yield _row(area, [by_profile[profile] for profile in KNOWN_PROFILES])
    yield _row("all", [sum(one[profile] for one in counts.values()) for profile in KNOWN_PROFILES])


def _row(name: str, numbers: Sequence[int]) -> str:
    return f"| {name} | " + " | ".join(str(number) for number in numbers) + " |"


PAGES: Final[dict[Path, Callable[[], str]]] = {
    DOCS / "clauses.md": clauses_page,
    DOCS / "profiles.md": profiles_page,
    checkers_page.PAGE_PATH: checkers_page.page_text,
    reference.PAGE_PATH: reference.page_text,
    faults_reference.PAGE_PATH: faults_reference.page_text,
    schema.SCHEMA_PATH: schema.schema_text,
    targets_reference.PAGE_PATH: targets_reference.page_text,
}
"""Every page that is made, and what makes it."""


if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
