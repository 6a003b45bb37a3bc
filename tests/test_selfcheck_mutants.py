"""Mutants as data: every one can be made, and one that cannot says why."""

from collections import Counter
from pathlib import Path

import pytest
from scenes import CATALOGUE

from harness.selfcheck.edited import module_name
from harness.selfcheck.mutant import Mutant, MutantError, mutant, reference
from harness.selfcheck.mutants import MUTANTS

SOURCES = {"master/a.py": "X = 1\nY = 2\n", "master/b.py": "Y = 3\n"}


@pytest.mark.parametrize("one", MUTANTS, ids=lambda one: one.name)
def test_every_mutant_can_be_made(one: Mutant) -> None:
    """Each of its texts stands in the reference once, and what comes of it compiles."""
    changed = one.apply()

    assert changed
    assert all(changed[path] != reference(one.room)[path] for path in changed)


def test_mutants_have_names_of_their_own() -> None:
    """A result is told by its mutant's name."""
    counts = Counter(one.name for one in MUTANTS)

    assert {name: count for name, count in counts.items() if count > 1} == {}


def test_mutants_break_clauses_that_exist() -> None:
    """The catalogue has their clauses, in the profiles that they are played as, and they say what is wrong."""
    strange = [
        one.name
        for one in MUTANTS
        if one.clause not in CATALOGUE
        or (one.profile is not None and one.profile not in CATALOGUE[one.clause].profiles)
        or not one.wrong.endswith(".")
    ]

    assert strange == []


def test_no_two_mutants_are_the_same() -> None:
    """One change under two names would count twice."""
    texts = Counter(
        (one.profile, *sorted((path, text) for path, text in one.apply().items()))
        for one in MUTANTS
    )

    assert max(texts.values()) == 1


def test_an_edit_changes_its_one_place() -> None:
    """It is found in whatever module it stands in, and the others are left out."""
    assert mutant("m", "CMD-1", "Wrong.", ("Y = 2", "Y = 4")).apply(SOURCES) == {
        "master/a.py": "X = 1\nY = 4\n"
    }


def test_a_second_edit_sees_the_first() -> None:
    """Edits of one module add up."""
    both = mutant("m", "CMD-1", "Wrong.", ("X = 1", "X = 5"), ("X = 5\nY = 2", "Y = 6"))

    assert both.apply(SOURCES) == {"master/a.py": "Y = 6\n"}


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (("Z = 1", "Z = 2"), "no more:\nZ = 1\n"),
        (("Y =", "Z ="), "once, found it in master/a.py, master/b.py:\nY =\n"),
        (("X = 1", "X = = 1"), "master/a.py:1 does not compile"),
        (("X = 1", "X = 1"), "changes nothing"),
    ],
)
def test_a_mutant_that_cannot_be_made_says_why(edit: tuple[str, str], complaint: str) -> None:
    """By its name, with the text it looked for, and where that was found."""
    with pytest.raises(MutantError, match=r"^mutant m: ") as caught:
        mutant("m", "CMD-1", "Wrong.", edit).apply(SOURCES)

    assert complaint in str(caught.value)


def test_a_diff_shows_what_changes() -> None:
    """As every tool reads it."""
    text = mutant("m", "CMD-1", "Wrong.", ("Y = 2", "Y = 4")).diff(SOURCES)

    assert text == "--- a/master/a.py\n+++ b/master/a.py\n@@ -1,2 +1,2 @@\n X = 1\n-Y = 2\n+Y = 4\n"


def test_modules_have_names() -> None:
    """A package's own module has the package's name."""
    assert module_name("master/store/rows.py") == "master.store.rows"
    assert module_name("master/store/__init__.py") == "master.store"
    assert {module_name(path) for path in reference("master")} >= {"master", "master.core"}
    assert all(Path(path).suffix == ".py" for path in reference("simulated_agents"))
