"""Trying mutants: what counts as a kill, what does not, and what a mutant cannot do to muster."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from scenes import CATALOGUE, play_text, scene

from harness.commands.selfcheck import selfcheck
from harness.selfcheck.check import ControlError, Fate, Suite, check, clauses_of
from harness.selfcheck.check import Result as Found
from harness.selfcheck.mutant import Mutant, mutant
from harness.selfcheck.report import document, exit_code
from harness.verdict import Exit

EMPTY = """
scenario: An empty queue
clauses: [CMD-5]
agents: {alpha: manual}
steps:
  - heartbeat: alpha
  - poll: alpha
    expect: {command: null}
"""

UNKNOWN = """
scenario: A result for nothing
clauses: [RES-5, CMD-2]
agents: {alpha: manual}
steps:
  - result: {agent: alpha, command: 7}
    expect: {status: 404, code: AGENT_COMMAND_NOT_FOUND}
    clauses: [RES-5]
  - poll: alpha
    expect: {command: null}
"""

LISTED = """
scenario: A node is listed
clauses: [NODE-1]
agents: {alpha: manual}
steps:
  - expect: {agent: alpha, status: offline}
"""

_NOTHING = "        return PollAnswer(command=None)\n"
_ENDLESS = mutant(
    "endless", "CMD-5", "It thinks for ever.", (_NOTHING, "        while True:\n            pass\n")
)
_RESTLESS = mutant(
    "restless",
    "CMD-5",
    "Its monitors look again at once.",
    (
        "        await state.clock.sleep_until(tick_s)\n",
        "        await state.clock.sleep_until(0)\n",
    ),
)
_RUDE = mutant(
    "rude", "CMD-5", "It gives 404.", (_NOTHING, '        raise ApiError("NOT_FOUND")\n')
)


def suite(*texts: str) -> Suite:
    scenes = [replace(scene(text), id=f"scene-{at}") for at, text in enumerate(texts)]
    return Suite(scenes, CATALOGUE)


def fate(one: Mutant, *texts: str, hang_s: float = 5.0) -> Found:
    """Return what becomes of one mutant in a small suite."""
    (found,) = check([one], suite(*texts), processes=1, hang_s=hang_s)
    return found


def test_a_mutant_is_killed_by_its_clause() -> None:
    """The failed expectation is about it; the result says where, and what was seen."""
    found = fate(_RUDE, LISTED, EMPTY)

    assert found.fate is Fate.KILLED
    assert (found.scenario, found.blamed, found.profile) == ("scene-1", ("CMD-5",), "2.0")
    assert "expected data.command: null" in found.why or "404" in found.why


def test_the_kill_that_blames_least_counts() -> None:
    """A scenario that also says it is about others comes later, or is played on from."""
    wide = EMPTY.replace("[CMD-5]", "[CMD-5, CMD-1]")

    assert fate(_RUDE, wide, EMPTY).blamed == ("CMD-5",)
    assert fate(_RUDE, wide).blamed == ("CMD-5", "CMD-1")


def test_a_failure_about_another_clause_is_no_kill() -> None:
    """Neither in a scenario that also speaks about the right clause, nor in the rest of the suite."""
    elsewhere = replace(_RUDE, clause="NODE-1")

    inside = fate(replace(_RUDE, clause="RES-5"), UNKNOWN)
    outside = fate(elsewhere, EMPTY, LISTED)

    assert (outside.fate, outside.scenario, outside.blamed) == (Fate.WRONG, "scene-0", ("CMD-5",))
    assert inside.fate is Fate.KILLED  # the step names no clauses, so that both are blamed
    assert inside.blamed == ("RES-5", "CMD-2")


def test_what_nobody_notices_survives() -> None:
    """All scenarios pass, those about the clause and the others."""
    found = fate(_RUDE, LISTED)

    assert (found.fate, found.scenario) == (Fate.SURVIVED, None)


@pytest.mark.parametrize("one", [_ENDLESS, _RESTLESS], ids=lambda one: one.name)
def test_a_mutant_that_hangs_is_stopped(one: Mutant) -> None:
    """Whether it spins itself or lets trio spin on virtual time; the result says so."""
    patient = EMPTY.replace("  - poll:", "  - wait: 1m\n  - poll:")
    found = fate(one, patient, hang_s=0.5)

    assert (found.fate, found.scenario, found.why) == (Fate.KILLED, "scene-0", "it never ended")


def test_hanging_where_nobody_speaks_of_the_clause_is_the_wrong_reason() -> None:
    """The scenario that does not end is about something else."""
    found = fate(replace(_ENDLESS, clause="NODE-1"), LISTED, EMPTY, hang_s=0.5)

    assert (found.fate, found.scenario) == (Fate.WRONG, "scene-1")


def test_a_mutant_that_breaks_muster_is_a_fault() -> None:
    """It is no kill, whether it cannot be imported or ends its process."""
    at_import = mutant(
        "m", "CMD-5", "It is no module.", ("_NOT_FOUND = refuse(", "_NOT_FOUND = nothing(")
    )
    dying = mutant("m", "CMD-5", "It dies.", (_NOTHING, "        import os; os._exit(3)\n"))

    assert fate(at_import, EMPTY).fate is Fate.FAULT
    assert "nothing" in fate(at_import, EMPTY).why
    assert fate(dying, EMPTY).why == "in scene-0: its process ended with 3"


@pytest.mark.parametrize(
    "edit",
    [
        (_NOTHING, "        return missing\n"),
        (
            "def silence_quiet_nodes(state: State, now: Now) -> int:\n",
            "def silence_quiet_nodes(state: State) -> int:\n",
        ),
    ],
    ids=["in a request", "in a loop"],
)
def test_a_mutant_whose_own_code_breaks_is_a_fault(edit: tuple[str, str]) -> None:
    """The suite would notice, but it would not be what the mutant says that it noticed."""
    found = fate(mutant("m", "CMD-5", "It slips.", edit), EMPTY + "  - wait: 1m\n")

    assert found.fate is Fate.FAULT
    assert "SlipError" in found.why


def test_a_scenario_that_cannot_be_set_up_kills_nothing() -> None:
    """Nobody can tell what is wrong with such a master."""
    found = fate(
        mutant(
            "m",
            "CMD-5",
            "No nodes.",
            (
                "    token = new_token(state)\n    nodes",
                '    raise ApiError("NODE_INVALID")\n    nodes',
            ),
        ),
        EMPTY,
    )

    assert found.fate is Fate.WRONG
    assert found.why.startswith("UNKNOWN: the scenario cannot be set up")


def test_a_mutant_stays_in_its_process() -> None:
    """A constant that others have imported changes for the mutant, and not here."""
    bearer = mutant(
        "m",
        "CMD-5",
        "No bearer.",
        ('_BEARER: Final = "Bearer "\n\n\ndef token_of', "_BEARER: Final = 'X '\n\n\ndef token_of"),
    )
    asked = EMPTY.replace(
        "  - poll: alpha\n    expect: {command: null}",
        "  - request: {method: POST, path: /api/agent/commands/poll, "
        'headers: {authorization: "Bearer ${alpha.token}"}}\n    expect: {status: 200}',
    )

    assert fate(bearer, asked).fate is Fate.KILLED
    assert play_text(asked)[0].verdict == "PASS"


def test_the_reference_must_pass_first() -> None:
    """Of a suite that fails without a mutant nothing can be said."""
    with pytest.raises(ControlError, match=r"scene-0 is FAIL: .*expected data.command"):
        fate(_RUDE, EMPTY.replace("command: null", "command: run_task"))


def test_survivors_are_named_when_the_rest_cannot_be_played() -> None:
    """Their clauses' own scenarios have spoken already."""
    wrong = EMPTY.replace("command: null", "command: run_task")

    with pytest.raises(ControlError, match=r"scene-1 is FAIL[^$]*did not kill: rude\."):
        fate(replace(_RUDE, clause="NODE-1"), LISTED, wrong)


def test_a_mutant_is_played_as_its_profile() -> None:
    """Its own, or the first of its clause's; scenarios of other profiles are not asked."""
    strict = EMPTY.replace("agents:", "profiles: [strict]\nagents:")

    assert fate(_RUDE, strict).fate is Fate.SURVIVED
    assert fate(replace(_RUDE, profile="strict"), strict).profile == "strict"
    assert fate(replace(_RUDE, profile="strict"), strict).fate is Fate.KILLED


def test_results_do_not_depend_on_how_many_work() -> None:
    """The same document, in the mutants' order, from one process and from three."""
    mutants = [
        replace(_RUDE, name=f"m{at}", clause=clause)
        for at, clause in enumerate(["CMD-5", "NODE-1", "RES-5", "CMD-5"])
    ]
    tried = suite(EMPTY, UNKNOWN, LISTED)
    documents = [document((), check(mutants, tried, processes=jobs)) for jobs in (1, 3)]

    assert documents[0] == documents[1]
    assert [one["name"] for one in documents[0]["mutants"]] == ["m0", "m1", "m2", "m3"]


def test_scenarios_speak_about_the_clauses_of_their_steps() -> None:
    """Those inside loops included."""
    text = (
        EMPTY
        + "  - for_each: {in: [1], do: [{poll: alpha, expect: {command: null}, clauses: [CMD-2]}]}\n"
    )

    assert clauses_of(scene(text)) == {"CMD-5", "CMD-2"}


def test_exit_codes() -> None:
    """A MUST without a killed mutant fails a check, a SHOULD does not; a fault is muster's own."""
    must, should = CATALOGUE["CMD-5"], CATALOGUE["HTTP-11"]
    killed = Found(_RUDE, "2.0", Fate.KILLED)

    assert exit_code([must], [killed]) is Exit.OK
    assert exit_code([must, should], [killed]) is Exit.OK
    assert exit_code([must, CATALOGUE["CMD-1"]], [killed]) is Exit.VIOLATION
    assert exit_code([must], [killed, replace(killed, fate=Fate.WRONG)]) is Exit.VIOLATION
    assert exit_code([], [replace(killed, fate=Fate.SURVIVED)]) is Exit.VIOLATION
    assert exit_code([must], [replace(killed, fate=Fate.FAULT)]) is Exit.INTERNAL


# --- the command ----------------------------------------------------------------------------


def muster(*arguments: object) -> Result:
    return CliRunner().invoke(selfcheck, [str(one) for one in arguments], standalone_mode=False)


def test_the_command_reports(tmp_path: Path) -> None:
    """Clause by clause, with a file for programs."""
    file = tmp_path / "check.json"
    result = muster("--clause", "CMD-5", "--jobs", 1, "--json", file)
    report = json.loads(file.read_text())

    assert result.return_value == Exit.OK, result.output
    assert "CMD  enqueueing, claiming and the order of commands\n  CMD-5    killed" in result.output
    assert result.output.endswith("clauses    1 of 1 covered\nPASS (exit 0)\n")
    assert report["schema"] == "muster-selfcheck/1"
    assert report["exit_code"] == 0
    assert report["uncovered"] == []
    assert {one["fate"] for one in report["mutants"]} == {"killed"}


def test_one_mutant_can_be_tried_and_shown() -> None:
    """Trying one says nothing about other clauses; showing one prints a diff."""
    tried = muster("--mutant", "claims-newest-first", "--jobs", 1)
    shown = muster("--show", "claims-newest-first")

    assert tried.return_value == Exit.OK, tried.output
    assert "uncovered" not in tried.output
    assert shown.output.startswith("--- a/master/")
    assert "DESC" in shown.output


def test_mistakes_of_the_user_are_told() -> None:
    """A name that is none, a glob that matches nothing."""
    unknown, nothing = muster("--mutant", "claims-newest-frist"), muster("--clause", "NIX-*")

    assert "did you mean 'claims-newest-first'" in str(unknown.exception)
    assert getattr(unknown.exception, "code", None) is Exit.USAGE
    assert getattr(nothing.exception, "code", None) is Exit.NOTHING_TESTED
