"""The generated pages are fresh, and say what they are made from."""

import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from harness import pages
from master.protocol.profiles import PROFILES, Profile


@pytest.mark.parametrize("path", pages.PAGES, ids=lambda path: path.name)
def test_a_page_is_fresh(path: Path) -> None:
    """`python -m harness.pages` has been run since what it is made from changed."""
    assert path.read_text(encoding="utf-8") == pages.PAGES[path](), "run: python -m harness.pages"


def test_the_module_writes_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as a program, it writes what the repository has."""
    written: dict[Path, str] = {}
    monkeypatch.setattr(Path, "write_text", lambda path, text, **_: written.update({path: text}))

    runpy.run_path(str(pages.__file__), run_name="__main__")

    assert written == {path: path.read_text(encoding="utf-8") for path in pages.PAGES}


def test_the_page_of_clauses() -> None:
    """Each clause with its level, its source, its scenarios by a link that leads somewhere."""
    page = pages.clauses_page()
    _, _, clause = page.partition("### TMO-4\n")
    lines = clause.partition("\n### ")[0].splitlines()
    links = [part.partition(")")[0] for part in page.split("](../")[1:]]

    assert lines[1].startswith("MUST: When a restore's command times out")
    assert "- Source: failLinkedRecord" in lines
    assert any("timeouts/restore-is-failed.yaml" in line for line in lines)
    assert any(line.startswith("- Mutants: restore-stays-running") for line in lines)
    assert "- [TMO](#tmo-timeouts): timeouts" in page
    assert [link for link in links if not (pages.DOCS.parent / link).is_file()] == []


def test_every_field_of_a_profile_has_a_sentence() -> None:
    """The docstring names each field, and no other."""
    assert list(pages.field_sentences()) == [field.name for field in fields(Profile)]


def test_the_page_of_profiles() -> None:
    """A value for each release, and a column of scenarios for each."""
    page = pages.profiles_page()
    (row,) = [line for line in page.splitlines() if line.startswith("| `lease` ")]
    total = next(line for line in page.splitlines() if line.startswith("| all "))

    assert row.endswith("| none | node or record | node or record | node or record | record |")
    assert all(int(count) > 100 for count in total.split("|")[2:-1])
    assert len(total.split("|")) == len(PROFILES) + 3
