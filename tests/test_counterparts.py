"""The page that says what shows the facts of BackupX's own tests leads where it says."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")

LINKS = LINK.findall((DOCS / "counterparts.md").read_text("utf-8"))


@pytest.mark.parametrize(("name", "target"), sorted(set(LINKS)))
def test_a_counterpart_is_there_and_is_called_so(name: str, target: str) -> None:
    """Each link leads to a file, whose path ends as the link is called."""
    path = (DOCS / target).resolve()

    assert path.is_file()
    assert path.with_suffix("").as_posix().endswith(f"/{name}")


def test_every_fact_is_shown_or_it_is_said_why_not() -> None:
    """Each row of the tables ends in a link, or in "none"."""
    page = (DOCS / "counterparts.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    shown = [row.rsplit(" | ", 1)[1] for row in rows if not row.startswith("| test |")]

    assert len(shown) > len(set(LINKS)) / 2
    assert [cell for cell in shown if not LINK.search(cell) and not cell.startswith("none")] == []
