"""From expectations to verdicts of clauses, to the exit code of a run."""

from pathlib import Path

import pytest
from scenes import scene

from harness.scenario.catalogue import Catalogue
from harness.verdict import Exit, Failure, Outcome, Report, Verdict, judge_clauses

CATALOGUE_TEXT = """
[[clause]]
id = "TMO-1"
level = "MUST"
text = "First."
source = "x"

[[clause]]
id = "TMO-2"
level = "MUST"
text = "Second."
source = "x"

[[clause]]
id = "HTTP-1"
level = "SHOULD"
text = "Third."
source = "x"
"""

STORY = """
scenario: Something is shown
clauses: [TMO-1]
agents: {alpha: manual}
steps: [{heartbeat: alpha, expect: {status: 200}}]
"""

FAILURE = Failure("x.yaml:1:1", "step", "a", "b", 0.0, [])


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    path = tmp_path / "clauses.toml"
    path.write_text(CATALOGUE_TEXT)
    return Catalogue.read(path)


def report(catalogue: Catalogue, *outcomes: Outcome, interrupted: bool = False) -> Report:
    return Report(
        "2.0", "virtual", 0, 0.0, interrupted, outcomes, judge_clauses(outcomes, catalogue)
    )


def outcome(verdict: Verdict = Verdict.PASS, **fields: object) -> Outcome:
    made = Outcome(scene(STORY), verdict)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_all_pass(catalogue: Catalogue) -> None:
    """A tested clause passes, and the run exits 0."""
    made = report(catalogue, outcome(tested={"TMO-1": 2}))

    assert [(one.id, one.verdict) for one in made.clauses] == [("TMO-1", Verdict.PASS)]
    assert (made.verdict, made.exit_code) == (Verdict.PASS, Exit.OK)


def test_a_violation_outweighs_everything(catalogue: Catalogue) -> None:
    """One broken MUST clause makes exit 1, whatever else there is."""
    broken = outcome(Verdict.FAIL, broken=("TMO-1",), failure=FAILURE)
    made = report(catalogue, outcome(tested={"TMO-1": 1}), broken, outcome(Verdict.UNKNOWN))

    assert made.clauses[0].verdict is Verdict.FAIL
    assert made.exit_code is Exit.VIOLATION


def test_a_broken_should_is_a_warning(catalogue: Catalogue) -> None:
    """It is told, and the run passes."""
    warned = outcome(Verdict.FAIL, tested={"TMO-1": 1}, broken=("HTTP-1",), failure=FAILURE)
    made = report(catalogue, warned)

    assert {one.id: one.verdict for one in made.clauses} == {
        "TMO-1": Verdict.PASS,
        "HTTP-1": Verdict.WARN,
    }
    assert made.exit_code is Exit.OK


def test_a_clause_that_was_never_reached_is_vacuous(catalogue: Catalogue) -> None:
    """A scenario without a reached expectation shows nothing, and the run does not exit 0."""
    made = report(catalogue, outcome(tested={"TMO-2": 1}))

    assert {one.id: one.verdict for one in made.clauses} == {
        "TMO-1": Verdict.VACUOUS,
        "TMO-2": Verdict.PASS,
    }
    assert made.exit_code is Exit.NOTHING_TESTED


def test_a_run_of_nothing_is_no_success(catalogue: Catalogue) -> None:
    """Neither no scenario nor only skipped ones exit 0."""
    skipped = report(catalogue, outcome(Verdict.SKIP, reason="not here"))

    assert report(catalogue).exit_code is Exit.NOTHING_TESTED
    assert skipped.exit_code is Exit.NOTHING_TESTED
    assert (skipped.clauses[0].verdict, skipped.clauses[0].reason) == (Verdict.SKIP, "not here")


def test_the_unknown_and_the_interrupted_exit_2(catalogue: Catalogue) -> None:
    """What could not be told is not passed."""
    unknown = report(catalogue, outcome(Verdict.UNKNOWN, reason="late"))
    interrupted = report(catalogue, outcome(tested={"TMO-1": 1}), interrupted=True)

    assert unknown.clauses[0].verdict is Verdict.UNKNOWN
    assert (unknown.exit_code, interrupted.exit_code) == (Exit.UNKNOWN, Exit.UNKNOWN)
