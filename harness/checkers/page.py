"""The reference part of `docs/checkers.md`, made from the registry; `harness.pages` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.checkers.registry import CHECKERS
from harness.commands.options import SCENARIOS
from harness.scenario.catalogue import CATALOGUE_NAME, Catalogue

PAGE_PATH: Final = Path(__file__).parents[2] / "docs" / "checkers.md"
BEGIN: Final = "<!-- made by python -m harness.pages: begin -->"
END: Final = "<!-- made by python -m harness.pages: end -->"


def page_text() -> str:
    """Return the page with its reference made anew; what people wrote around it stays."""
    before, _, rest = PAGE_PATH.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{chr(10).join(_checkers())}\n{END}{after}"


def _checkers() -> Iterator[str]:
    """Yield what each checker says, about which clauses, and what it needs."""
    catalogue = Catalogue.read(SCENARIOS / CATALOGUE_NAME)
    yield f"There are {len(CHECKERS)}, told in this order."
    yield ""
    for checker in CHECKERS:
        yield f"### {checker.name}"
        yield ""
        yield checker.says
        yield ""
        yield f"- Needs: {checker.needs}"
        for clause in checker.clauses:
            if clause in catalogue:
                yield f"- [{clause}](clauses.md#{clause.lower()}): {catalogue[clause].text}"
        if checker.about != "master":
            yield f"- It is about {checker.about}, not about the master."
        yield ""
