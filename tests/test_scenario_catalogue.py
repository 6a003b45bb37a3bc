"""The catalogue of clauses, and mistakes in it."""

from pathlib import Path

import pytest
from scenes import CATALOGUE
from stories import (
    BEHAVIOURS,
    HEAD,
    read,
)

from harness.commands.options import SCENARIOS
from harness.scenario.catalogue import Catalogue, CatalogueError
from harness.scenario.loader import load, load_all

CLAUSE = '[[clause]]\nid = "TMO-1"\nlevel = "MUST"\ntext = "It ends."\nsource = "2.5"\n'


def read_catalogue(folder: Path, text: str | bytes) -> Catalogue:
    path = folder / "clauses.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Catalogue.read(path)


def test_catalogue_is_read(tmp_path: Path) -> None:
    """Clauses keep their order; profiles are all when left out."""
    text = (
        CLAUSE
        + CLAUSE.replace("TMO-1", "CMD-2")
        + 'profiles = ["2.0"]\nwhy = "So."\nmeans = "Look."\n'
    )

    catalogue = read_catalogue(tmp_path, text)
    first, second = catalogue

    assert catalogue.ids == ("TMO-1", "CMD-2")
    assert (first.level, first.text, first.source, first.why) == ("MUST", "It ends.", "2.5", None)
    assert first.profiles == ("2.0", "2.3.4", "2.3.5", "2.4", "strict")
    assert (second.profiles, second.why, second.means) == (("2.0",), "So.", "Look.")
    assert second.area == "CMD"
    assert len(catalogue) == 2
    assert catalogue["CMD-2"] is second
    assert "CMD-2" in catalogue
    assert "CMD-3" not in catalogue
    with pytest.raises(KeyError):
        catalogue["CMD-3"]


def test_catalogue_serves_the_loader(tmp_path: Path) -> None:
    """The loader takes a catalogue as it takes ids."""
    read(tmp_path, HEAD)

    assert load(tmp_path / "story.yaml", tmp_path, read_catalogue(tmp_path, CLAUSE), BEHAVIOURS)


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (CLAUSE + CLAUSE, 7, "expected an id of its own, got 'TMO-1' again", None),
        (CLAUSE.replace("TMO-1", "tmo1"), 2, "expected an id such as TMO-1, got 'tmo1'", None),
        (
            CLAUSE.replace("TMO-1", "TMQ-1"),
            2,
            (
                "expected an area of HTTP, AUTH, ROT, NODE, OFF, CMD, RES, TMO, SPEC, REC, RST, LOG,"
                " RPC, ART, ADM, DUR, SEC, AGT, got 'TMQ'"
            ),
            "did you mean 'TMO'?",
        ),
        (
            CLAUSE.replace("MUST", "MUTS"),
            3,
            "expected a level (MUST, SHOULD, MAY), got 'MUTS'",
            "did you mean 'MUST'?",
        ),
        (
            CLAUSE.replace('"It ends."', "5"),
            4,
            "expected 'text' to be text with something in it, got 5",
            None,
        ),
        (
            CLAUSE.replace("2.5", " "),
            5,
            "expected 'source' to be text with something in it, got ' '",
            None,
        ),
        (
            CLAUSE.replace("source", "sorce"),
            5,
            "expected a key of a clause (id, level, text, source, profiles, why, means), got 'sorce'",
            "did you mean 'source'?",
        ),
        (
            CLAUSE.replace('id = "TMO-1"\n', ""),
            1,
            "expected a clause to have 'id', which is missing",
            None,
        ),
        (CLAUSE + "profiles = []\n", 6, "expected a list of profiles, got []", None),
        (
            CLAUSE + 'profiles = ["2.O"]\n',
            6,
            "expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict), got '2.O'",
            "did you mean '2.0'?",
        ),
        ("\n[[clause]\n", 2, "TOML: Expected ']]' at the end of an array declaration", None),
        ("x = ", 1, "TOML: Invalid value", None),
        (CLAUSE + "[other]\n", 1, "expected [[clause]] tables only, got 'other'", None),
        ("", 1, "expected at least one clause, each under a line [[clause]]", None),
        ("clause = [{}]\n", 1, "expected tables, each under a line [[clause]]", None),
        (b"# a\n# \xff\n", 2, "expected UTF-8, got 0xff", None),
        ("#" * 4_194_305, 1, "expected a file of at most 4194304 bytes", None),
    ],
)
def test_mistake_in_the_catalogue(
    tmp_path: Path, text: str | bytes, line: int, message: str, hint: str | None
) -> None:
    """Each mistake is shown with its line."""
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(tmp_path, text)
    error = caught.value.errors[0]

    assert error.message == message
    assert (error.place.line, error.hint) == (line, hint)


def test_all_mistakes_of_the_catalogue_come_at_once(tmp_path: Path) -> None:
    """One reading shows everything; a missing file says so."""
    text = CLAUSE.replace("MUST", "MUTS") + CLAUSE.replace("TMO-1", "TMO")

    with pytest.raises(CatalogueError) as caught:
        read_catalogue(tmp_path, text)
    assert [error.place.line for error in caught.value.errors] == [3, 7]
    with pytest.raises(CatalogueError, match="No such file"):
        Catalogue.read(tmp_path / "none.toml")


def test_catalogue_of_this_repository_is_good() -> None:
    """The catalogue that ships is read without an error."""
    catalogue = Catalogue.read(Path(__file__).parents[1] / "scenarios" / "clauses.toml")

    assert "TMO-1" in catalogue


def test_a_scenario_speaks_about_clauses_of_its_profiles() -> None:
    """What must hold on every profile that it applies to is no clause of some of them alone."""
    wrong = [
        (scenario.id, clause, sorted(set(scenario.profiles) - set(CATALOGUE[clause].profiles)))
        for scenario in load_all([SCENARIOS], CATALOGUE)
        for clause in scenario.speaks_about
        if not set(scenario.profiles) <= set(CATALOGUE[clause].profiles)
    ]

    assert wrong == []
