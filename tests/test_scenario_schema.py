"""The published schema and reference page: fresh, and of one mind with the loader."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from harness.scenario import reference, schema
from harness.scenario.loader import load
from harness.scenario.schema import json_schema
from harness.scenario.verbs import ANSWER_FIELDS, MATCHERS, SUBJECTS, VERBS

ROOT = Path(__file__).parents[1]
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.yaml"))
CLAUSES = ("TMO-1", "TMO-2", "TMO-3")

Errors = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def errors() -> Errors:
    """Return what the schema has against a text, as the ways to it."""
    validator = Draft202012Validator(json_schema())

    def check(text: str) -> list[str]:
        data = YAML(typ="safe", pure=True).load(text)
        return [error.json_path for error in validator.iter_errors(data)]

    return check


def whole(text: str) -> str:
    """Return a file with some steps in it."""
    steps = "".join(f"  {line}\n" for line in text.splitlines())
    return (
        "scenario: S.\nclauses: [TMO-1]\nagents: {alpha: manual}\n"
        "tasks: {nightly: {agent: alpha}}\nsteps:\n"
        "  - {run: nightly, as: backup, expect: {code: OK}}\n"
        "  - {poll: alpha, as: command}\n" + steps
    )


def fenced() -> list[str]:
    """Return the YAML of the reference page: whole files, and steps."""
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)


def test_schema_is_one() -> None:
    """The schema itself is valid."""
    Draft202012Validator.check_schema(json_schema())


def test_published_schema_is_fresh() -> None:
    """`python -m harness.pages` has been run since the language changed."""
    published = json.loads(schema.SCHEMA_PATH.read_text(encoding="utf-8"))

    assert published == json_schema()
    assert schema.SCHEMA_PATH.read_text(encoding="utf-8") == schema.schema_text()


@pytest.mark.parametrize("name", [*VERBS, *MATCHERS, *SUBJECTS, *ANSWER_FIELDS])
def test_reference_names_everything(name: str) -> None:
    """Every word of the language has its line in a table."""
    assert f"\n| `{name}` |" in reference.reference()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_is_valid(path: Path, errors: Errors) -> None:
    """Every scenario that ships is valid for editors too."""
    assert errors(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", fenced())
def test_example_of_the_page_is_good(tmp_path: Path, text: str, errors: Errors) -> None:
    """What the page shows is accepted by the schema and by the loader."""
    if text.startswith("steps:"):
        body = text.removeprefix("steps:\n").replace("as: command", "as: other")
        text = whole("").replace("  - {poll: alpha, as: command}\n", body)
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")

    assert load(path, tmp_path, CLAUSES)[0].steps
    assert errors(text) == []


GOOD = [
    "- heartbeat: {agent: alpha, hostname: h, token: t, headers: {a: b}}",
    "- {poll: alpha, as: x, background: true}",
    "- {self: '${alpha.name}', times: 2, token: '', clauses: [TMO-2]}",
    "- {result: {agent: alpha, command: 5, anything: [1]}, expect: {status: {one_of: [1, 2]}}}",
    "- together: [poll: alpha, {wait: 1s}]",
    "- together: {steps: [poll: alpha]}",
    "- for_each: {in: [1], do: [{poll: alpha}]}",
    "- wait: command_timeout + 1m30s",
    "- expect: {record: backup, status: x, durationSeconds: {takes: [0s, 5s]}, fileSize: {between: [1, 2]}}",
    "- expect: {record: 5, exists: false}",
    "- expect: {records: {task: nightly}, where: {status: x}, count: {not: {at_least: 3}}}",
    "- expect: {answers: command, all: {status: 200}}",
    "- until: {within: 1m, expect: {agent: alpha, status: online}}",
    "- tamper: {update: nodes, set: {name: a}, where: {id: 1}}",
    "- delete: {target: disk}",
    "- list_dir: {agent: alpha}",
    "- expect: {record: backup, logContent: {length: 1, other: 2}}",
]


@pytest.mark.parametrize("step", GOOD)
def test_good_step_is_valid_for_both(tmp_path: Path, step: str, errors: Errors) -> None:
    """What the loader accepts, the schema accepts."""
    path = tmp_path / "good.yaml"
    path.write_text(whole(step), encoding="utf-8")

    assert load(path, tmp_path, CLAUSES)[0].steps
    assert errors(whole(step)) == []


@pytest.mark.parametrize(
    "step",
    [
        "- pol: alpha",
        "- {poll: alpha, wait: 1s}",
        "- {poll: alpha, expct: {status: 1}}",
        "- {wait: 1s, as: x}",
        "- poll: 5",
        "- poll: Alpha",
        "- get_task: {agent: alpha}",
        "- list_dir: {agent: alpha, pth: /}",
        "- {heartbeat: {agent: alpha, expect: {status: 1}}}",
        "- {poll: alpha, expect: {staus: 200}}",
        "- {poll: alpha, expect: {}}",
        "- {poll: alpha, times: 0}",
        "- {poll: alpha, clauses: [tmo]}",
        "- wait: 10",
        "- wait: 5x",
        "- expect: {status: x}",
        "- expect: {record: backup}",
        "- expect: {record: backup, agent: alpha}",
        "- expect: {records: {}, cout: 1}",
        "- expect: {record: backup, a: {at_least: x}}",
        "- expect: {record: backup, a: [{all: {takes: [1s]}}]}",
        "- expect: {record: backup, a: {not: {length: -1}}}",
        "- delete: {}",
        "- delete: {agent: alpha, task: nightly}",
        "- together: []",
        "- for_each: {in: [1]}",
    ],
)
def test_bad_step_is_invalid(step: str, errors: Errors) -> None:
    """What only its shape makes wrong, the schema refuses, at the step."""
    assert errors(whole(step)) == ["$.steps[2]"]


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("scenario: S.", "scenario: 5", "$.scenario"),
        ("scenario: S.\n", "", "$"),
        ("clauses: [TMO-1]", "clauses: []", "$.clauses"),
        ("clauses: [TMO-1]", "clauses: [TMO-1]\nprofils: []", "$"),
        ("clauses: [TMO-1]", "clauses: [TMO-1]\nprofiles: [2.0]", "$.profiles[0]"),
        ("clauses: [TMO-1]", "clauses: [TMO-1]\nclocks: [real]", "$"),
        ("clauses: [TMO-1]", "clauses: [TMO-1]\nbecause: so", "$"),
        (
            "clauses: [TMO-1]",
            "clauses: [TMO-1]\ntiming: {command_scan: 5}",
            "$.timing.command_scan",
        ),
        ("clauses: [TMO-1]", "clauses: [TMO-1]\ntiming: {scan: 5s}", "$.timing"),
        ("alpha: manual", "alpha: manul", "$.agents.alpha"),
        ("alpha: manual", "alpha: {behaviour: prompt, count: 0}", "$.agents.alpha"),
        ("alpha: manual", "alpha: {behaviour: prompt, duration: 5s}", "$.agents.alpha"),
        ("alpha: manual", "alpha: {behaviour: slow, duration: 5}", "$.agents.alpha"),
        ("alpha: manual", "alpha: {behaviour: crashing, at: never}", "$.agents.alpha"),
        ("{agent: alpha}}", "{type: file}}", "$.tasks.nightly"),
        ("tasks:", "targets: {s: {config: {}}}\ntasks:", "$.targets.s"),
    ],
)
def test_bad_head_is_invalid(old: str, new: str, way: str, errors: Errors) -> None:
    """Mistakes in the head are refused where they are."""
    text: Any = whole("")

    assert errors(text) == []
    assert errors(text.replace(old, new, 1)) == [way]


def test_schema_knows_the_behaviours_it_is_given() -> None:
    """Another registry makes another schema."""
    validator = Draft202012Validator(json_schema({"odd": {"much": "number"}}))
    text = whole("").replace("alpha: manual", "alpha: {behaviour: odd, much: 5}")

    assert validator.is_valid(YAML(typ="safe", pure=True).load(text))
    assert not validator.is_valid(YAML(typ="safe", pure=True).load(text.replace("5", "x")))
