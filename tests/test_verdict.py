"""From expectations to verdicts of clauses, to the exit code of a run."""

from pathlib import Path

import pytest
from scenes import scene

from harness.scenario.catalogue import Catalogue
from harness.scenario.known import Known, KnownFailures
from harness.scenario.model import Place
from harness.verdict import (
    SERIOUSNESS,
    Exit,
    Failure,
    KnownState,
    Outcome,
    Report,
    Rules,
    Verdict,
    judge_clauses,
    judge_known,
    worst,
)

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


def report(
    catalogue: Catalogue,
    *outcomes: Outcome,
    interrupted: bool = False,
    known: KnownFailures | None = None,
    strict: bool = False,
) -> Report:
    rules = Rules(catalogue, "2.0", "embedded", known or KnownFailures(), strict)
    for one in outcomes:
        rules.settle(one)
    clauses, states = judge_clauses(outcomes, rules), judge_known(outcomes, rules)
    return Report("2.0", "virtual", 0, 0.0, interrupted, outcomes, clauses, states, strict)


def known(*entries: Known, whole: bool = True) -> KnownFailures:
    return KnownFailures(Path("known.toml"), entries, (scene(STORY),), whole)


def entry(
    clause: str | None = "TMO-1",
    scenario: str | None = None,
    profiles: tuple[str, ...] = ("2.0",),
    targets: tuple[str, ...] = ("embedded",),
) -> Known:
    return Known(Place(Path("known.toml"), 1, 1), clause, scenario, profiles, targets, "as ever")


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
    assert (warned.verdict, made.exit_code) == (Verdict.WARN, Exit.OK)


def test_strict_makes_a_should_count(catalogue: Catalogue) -> None:
    """The same failure is a violation, and a SHOULD that was not reached is not passed."""
    broken = outcome(Verdict.FAIL, tested={"TMO-1": 1}, broken=("HTTP-1",), failure=FAILURE)
    made = report(catalogue, broken, strict=True)
    unreached = outcome(tested={"TMO-1": 1})
    unreached.scenario = scene(STORY.replace("[TMO-1]", "[TMO-1, HTTP-1]"))

    assert (broken.verdict, made.clauses[1].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert made.exit_code is Exit.VIOLATION
    assert report(catalogue, unreached).exit_code is Exit.OK
    assert report(catalogue, unreached, strict=True).exit_code is Exit.NOTHING_TESTED


def test_a_should_among_broken_musts_is_no_excuse(catalogue: Catalogue) -> None:
    """A scenario is as bad as the worst of the clauses it broke."""
    broken = outcome(Verdict.FAIL, broken=("HTTP-1", "TMO-1"), failure=FAILURE)

    assert report(catalogue, broken).exit_code is Exit.VIOLATION
    assert broken.verdict is Verdict.FAIL


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


# --- known failures ------------------------------------------------------------------------------


def failed(*broken: str) -> Outcome:
    return outcome(Verdict.FAIL, broken=broken or ("TMO-1",), failure=FAILURE)


@pytest.mark.parametrize("made", [entry(), entry(None, "scene"), entry("TMO-1", "scene")])
def test_a_known_failure_does_not_fail_the_run(catalogue: Catalogue, made: Known) -> None:
    """By its clause, its scenario or both; its reason is told, and a run of it alone exits 0."""
    one = failed()
    shown = report(catalogue, one, known=known(made))

    assert (one.verdict, one.reason) == (Verdict.KNOWN, "as ever")
    assert (shown.clauses[0].verdict, shown.clauses[0].reason) == (Verdict.KNOWN, "as ever")
    assert (shown.known, shown.exit_code) == (((made, KnownState.FAILS),), Exit.OK)


@pytest.mark.parametrize(
    "made",
    [
        entry("TMO-2"),
        entry(None, "another"),
        entry("TMO-1", "another"),
        entry(profiles=("2.4",)),
        entry(targets=("real",)),
    ],
)
def test_an_entry_excuses_nothing_else(catalogue: Catalogue, made: Known) -> None:
    """Another clause, scenario, profile or target is a violation as before."""
    assert report(catalogue, failed(), known=known(made)).exit_code is Exit.VIOLATION


def test_one_known_clause_does_not_excuse_another(catalogue: Catalogue) -> None:
    """An expectation about two clauses, one of them known, is a violation of the other."""
    one = failed("TMO-1", "TMO-2")
    shown = report(catalogue, one, known=known(entry()))

    assert [one.verdict for one in shown.clauses] == [Verdict.KNOWN, Verdict.FAIL]
    assert (one.verdict, shown.exit_code) == (Verdict.FAIL, Exit.VIOLATION)


def test_a_scenarios_entry_covers_all_its_cases() -> None:
    """It names the file; an entry may also name one case."""
    assert entry(None, "area/file").covers("area/file[one]", "TMO-1")
    assert entry(None, "area/file[one]").covers("area/file[one]", "TMO-1")
    assert not entry(None, "area/file[one]").covers("area/file[two]", "TMO-1")
    assert not entry(None, "area/fil").covers("area/file[one]", "TMO-1")


@pytest.mark.parametrize("made", [entry(), entry(None, "scene"), entry("TMO-1", "scene")])
def test_an_entry_that_passes_fails_the_run(catalogue: Catalogue, made: Known) -> None:
    """So that the list stays true."""
    shown = report(catalogue, outcome(tested={"TMO-1": 1}), known=known(made))

    assert shown.clauses[0].verdict is Verdict.PASS
    assert shown.stale == (made,)
    assert (shown.verdict, shown.exit_code) == (Verdict.FAIL, Exit.VIOLATION)


def test_what_was_not_played_does_not_pass(catalogue: Catalogue) -> None:
    """Skipped, unknown, left out, or one scenario of several: an entry cannot be judged by it."""
    passed = outcome(tested={"TMO-1": 1})
    shown = [
        report(catalogue, outcome(Verdict.SKIP, reason="x"), known=known(entry())),
        report(catalogue, outcome(Verdict.UNKNOWN, reason="x"), known=known(entry())),
        report(catalogue, known=known(entry())),
        report(catalogue, passed, known=known(entry(), whole=False)),
        report(catalogue, outcome(tested={"HTTP-1": 1}), known=known(entry())),
    ]

    assert [one.known[0][1] for one in shown] == [KnownState.UNTOLD] * 5


def test_what_lies_behind_a_known_failure_is_known_not_reached(catalogue: Catalogue) -> None:
    """Else an excused failure would make every later clause of its story fail the run."""
    one = failed()
    one.scenario = scene(STORY.replace("[TMO-1]", "[TMO-1, TMO-2]"))
    shown = report(catalogue, one, known=known(entry()))

    assert shown.clauses[1].verdict is Verdict.KNOWN
    assert shown.clauses[1].reason == "not reached behind the known failure of scene"
    assert shown.exit_code is Exit.OK


# --- combinations --------------------------------------------------------------------------------


def made_of(word: str) -> Outcome:
    """Return an outcome with a verdict; each is about a clause of its own where that matters."""
    return {
        "PASS": lambda: outcome(tested={"TMO-1": 1}),
        "FAIL": lambda: failed("TMO-1"),
        "WARN": lambda: outcome(
            Verdict.FAIL, tested={"TMO-1": 1}, broken=("HTTP-1",), failure=FAILURE
        ),
        "KNOWN": lambda: failed("TMO-2"),
        "UNKNOWN": lambda: outcome(Verdict.UNKNOWN, reason="late"),
        "VACUOUS": lambda: outcome(Verdict.VACUOUS, reason="nothing was reached"),
        "SKIP": lambda: outcome(Verdict.SKIP, reason="not here"),
        "FAULT": lambda: outcome(Verdict.UNKNOWN, reason="a fault of muster", fault=True),
        "UNREACHED": lambda: outcome(Verdict.UNKNOWN, reason="refused", set_up=False),
    }[word]()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("PASS", Exit.OK),
        ("PASS SKIP", Exit.OK),
        ("PASS WARN", Exit.OK),
        ("PASS KNOWN", Exit.OK),
        ("WARN", Exit.OK),
        ("KNOWN", Exit.OK),
        ("KNOWN SKIP", Exit.OK),
        ("FAIL", Exit.VIOLATION),
        ("FAIL PASS", Exit.VIOLATION),
        ("FAIL UNKNOWN", Exit.VIOLATION),
        ("FAIL UNREACHED", Exit.VIOLATION),
        ("FAIL VACUOUS", Exit.VIOLATION),
        ("FAIL KNOWN", Exit.VIOLATION),
        ("UNKNOWN", Exit.UNKNOWN),
        ("UNKNOWN PASS", Exit.UNKNOWN),
        ("UNKNOWN KNOWN", Exit.UNKNOWN),
        ("UNKNOWN VACUOUS", Exit.UNKNOWN),
        ("UNKNOWN SKIP", Exit.UNKNOWN),
        ("FAULT", Exit.INTERNAL),
        ("FAULT PASS", Exit.INTERNAL),
        ("FAULT FAIL", Exit.INTERNAL),
        ("FAULT UNREACHED", Exit.INTERNAL),
        ("UNREACHED", Exit.TARGET),
        ("UNREACHED SKIP", Exit.TARGET),
        ("UNREACHED PASS", Exit.UNKNOWN),
        ("SKIP", Exit.NOTHING_TESTED),
        ("VACUOUS", Exit.NOTHING_TESTED),
        ("SKIP VACUOUS", Exit.NOTHING_TESTED),
        ("", Exit.NOTHING_TESTED),
    ],
)
def test_what_a_run_exits_with(catalogue: Catalogue, words: str, code: Exit) -> None:
    """For each verdict, and for verdicts together."""
    outcomes = [made_of(word) for word in words.split()]
    excused = known(entry("TMO-2", "scene"))

    assert report(catalogue, *outcomes, known=excused).exit_code is code


def test_the_worst_of_several_runs() -> None:
    """Codes are no ranks: unknown is worse than nothing tested, a violation worse than both."""
    assert set(SERIOUSNESS) == set(Exit) - {Exit.USAGE}
    assert worst([Exit.OK, Exit.NOTHING_TESTED, Exit.UNKNOWN]) is Exit.UNKNOWN
    assert worst([Exit.TARGET, Exit.VIOLATION, Exit.OK]) is Exit.VIOLATION
    assert worst([Exit.OK, Exit.OK]) is Exit.OK
