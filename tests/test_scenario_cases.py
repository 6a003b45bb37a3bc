"""Scenarios with a table of cases: what they become, and mistakes in them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from scenes import CATALOGUE
from stories import BEHAVIOURS, CLAUSES, check_mistake

from harness.commands.run import run
from harness.runner import select
from harness.scenario.loader import load, load_all
from harness.scenario.model import Scenario
from harness.scenario.schema import json_schema

STORY = """\
scenario: A ${case.what} is answered ${case.status}.
clauses: ["${case.clause}"]
profiles: ["2.0", strict]
timing: {command_timeout: "${case.timeout}"}
agents: {alpha: manual}
cases:
  - {name: one, what: poll, status: 200, clause: TMO-1, timeout: 1m, path: /p, field: a, steps: [{wait: 1s}]}
  - {name: two, profiles: [strict], what: call, status: 404, clause: TMO-2, timeout: 2m, path: /c, field: b, steps: []}
steps:
  - admin: {method: GET, path: "/api${case.path}", json: {"${case.field}": "${case.steps}"}}
    expect: {status: "${case.status}"}
"""


def read_all(folder: Path, text: str) -> list[Scenario]:
    path = folder / "story.yaml"
    path.write_text(text, "utf-8")
    return load(path, folder, CLAUSES, BEHAVIOURS)


def test_each_case_is_a_scenario(tmp_path: Path) -> None:
    """Its values are in every part of the story, as what they are."""
    one, two = read_all(tmp_path, STORY)

    assert (one.id, two.id) == ("story[one]", "story[two]")
    assert (one.case, two.case) == ("one", "two")
    assert two.shows == "A call is answered 404."
    assert (one.clauses, two.clauses) == (("TMO-1",), ("TMO-2",))
    assert (one.profiles, two.profiles) == (("2.0", "strict"), ("strict",))
    assert (one.timing, two.timing) == ({"command_timeout": 60}, {"command_timeout": 120})
    assert one.steps[0].args["path"] == "/api/p"
    assert one.steps[0].args["json"] == {"a": [{"wait": "1s"}]}
    assert two.steps[0].args["json"] == {"b": []}
    assert two.steps[0].expect == {"status": 404}


def test_a_step_shows_what_is_written(tmp_path: Path) -> None:
    """The place and the text of a step are those of the story, whichever case is played."""
    one, two = read_all(tmp_path, STORY)

    assert one.steps[0].place == two.steps[0].place
    assert one.steps[0].place.line == 10
    assert "${case.path}" in one.steps[0].source


def test_a_case_is_named_after_its_values(tmp_path: Path) -> None:
    """Where it has no name of its own."""
    text = STORY.replace("name: one, ", "").replace("name: two, ", "")
    one, _ = read_all(tmp_path, text)

    assert one.id == "story[poll-200-TMO-1-1m-p-a]"


TABLE = """\
scenario: It holds.
clauses: [TMO-1]
agents: {alpha: manual}
cases:
  - {name: one, a: 1, b: 200}
  - {name: two, a: 2, b: 404}
steps:
  - admin: {method: GET, path: "/${case.a}"}
    expect: {status: "${case.b}"}
"""


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            '"/${case.a}"',
            '«"/${case.c}/${case.a}"',
            "expected a value of the case (a, b), got 'c'",
            None,
        ),
        ("b: 200}", "b: 200, «c: 1}", "expected a value that ${case.c} stands for somewhere, got one that nothing uses", None),
        ("name: two", "name: «one", "expected a case with a name of its own, got 'one', that of line 5", None),
        ("name: two", 'name: «"a b"', "expected a case whose name is letters, digits, '.', '_' and '-', 60 at most, got 'a b'", None),
        ("{name: two, a: 2, b: 404}", "«{name: two}", "expected a case with values, got none", None),
        ("- {name: two, a: 2, b: 404}", "- «two", "expected a case, a mapping, got 'two'", None),
        (
            "a: 2",
            "a: «[1]",
            "expected ${case.a} to be one value inside a text, got a list (in case two)",
            None,
        ),
        (
            "b: 404",
            'b: «"${case.a}"',
            "expected ${case.…} in the story of a file with 'cases' only (in case two)",
            None,
        ),
        (
            "name: two",
            "name: two, profiles: [«nine]",
            "expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict), got 'nine' (in case two)",
            None,
        ),
        ('"${case.b}"}', '"${case.b}"}\n  - poll: «alhpa', "expected the name of a declared agent (alpha), got 'alhpa'", "did you mean 'alpha'?"),
    ],
)  # fmt: skip
def test_mistake_in_a_table(
    tmp_path: Path, old: str, new: str, message: str, hint: str | None
) -> None:
    """It is told once, at its own place, with the cases that have it unless all do."""
    check_mistake(tmp_path, TABLE.replace(old, new), message, hint)


def test_a_case_has_no_place_outside_a_table(tmp_path: Path) -> None:
    """In a file without cases it is a mistake, also in the sentence."""
    text = TABLE.replace('"${case.b}"', "200").replace("/${case.a}", "/")
    lines = [line for line in text.splitlines() if "name:" not in line and line != "cases:"]
    plain = "\n".join(lines)
    message = "expected ${case.…} in the story of a file with 'cases' only"

    check_mistake(tmp_path, plain.replace("It holds", "«It ${case.a}"), message, None)


def test_cases_are_selected_and_listed(tmp_path: Path) -> None:
    """A glob of names selects; the list shows each with its own sentence."""
    path = tmp_path / "story.yaml"
    path.write_text(STORY.replace('"${case.clause}"', "CMD-1").replace("clause: TMO-1, ", "").replace("clause: TMO-2, ", ""))  # fmt: skip
    scenarios = load_all([path], CATALOGUE)
    assert [one.case for one in select(scenarios, None, "t*")] == ["two"]

    listed = CliRunner().invoke(run, [str(path), "--list", "--case", "two"], standalone_mode=False)
    assert listed.output == "story[two]  [CMD-1]  A call is answered 404.\n"


def test_a_case_is_played_and_replayed_alone(tmp_path: Path) -> None:
    """What fails names its case, and how to play just that."""
    path = tmp_path / "story.yaml"
    path.write_text(TABLE.replace("TMO-1", "CMD-1"), "utf-8")
    result = CliRunner().invoke(run, [str(path)], standalone_mode=False)

    assert "story[one]" in result.output
    assert "--case one --clock virtual" in result.output
    assert "1 PASS, 1 FAIL" in result.output


def test_the_schema_knows_tables() -> None:
    """It lets a story with cases be, and checks the table."""
    validator = Draft202012Validator(json_schema())
    assert validator.is_valid(YAML(typ="safe", pure=True).load(STORY))
    assert not validator.is_valid(
        YAML(typ="safe", pure=True).load(STORY.replace("cases:", "cses:"))
    )
    wrong = STORY.replace("name: one", "name: ''")
    assert not validator.is_valid(YAML(typ="safe", pure=True).load(wrong))
