"""Scenario files written inside tests, and how a mistake in one is checked."""

from pathlib import Path

import pytest

from harness.scenario.errors import ScenarioError, ScenarioErrors
from harness.scenario.loader import load
from harness.scenario.model import Scenario

CLAUSES = ("TMO-1", "TMO-2", "CMD-10")
BEHAVIOURS = {
    "prompt": {},
    "crashing": {
        "at": "choice:claimed|worked",
        "restart_after": "duration",
        "times": "number",
        "with": "agent",
        "note": "text",
    },
}

HEAD = """\
scenario: It holds.
clauses: [TMO-1]
agents: {alpha: manual, swarm: {behaviour: prompt, count: 2}}
tasks: {nightly: {agent: alpha}}
steps:
  - run: nightly
    as: backup
  - poll: alpha
    as: command
    expect: {status: 200}
"""

MARK = "«"
"""Stands in a text where the error must point to."""

TAIL = "steps: [{admin: {method: GET, path: /}, expect: {code: OK}}]\n"
START = "scenario: S.\nclauses: [TMO-1]\n"
ALPHA = START + "agents: {alpha: manual}\n"
LETTERS = "of small letters, digits and hyphens that begins with a letter"
UNIT = "expected a duration with a unit, such as 10m31s or command_timeout + 1s"


def read(folder: Path, text: str | bytes, name: str = "story.yaml") -> Scenario:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (scenario,) = load(path, folder, CLAUSES, BEHAVIOURS)
    return scenario


def mistakes(folder: Path, text: str | bytes, name: str = "story.yaml") -> list[ScenarioError]:
    with pytest.raises(ScenarioErrors) as caught:
        read(folder, text, name)
    return caught.value.errors


def check_mistake(folder: Path, marked: str, message: str, hint: str | None) -> None:
    """Check that a text has one mistake: where the mark is, with this message and this hint."""
    before, mark, _ = marked.partition(MARK)
    assert mark
    lines = before.split("\n")
    (error,) = mistakes(folder, marked.replace(MARK, ""))

    assert error.message == message
    assert error.hint == hint
    assert (error.place.line, error.place.column) == (len(lines), len(lines[-1]) + 1)
    assert error.line_text == marked.split("\n")[len(lines) - 1].replace(MARK, "")
