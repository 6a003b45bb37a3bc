"""What GitHub Actions is told: annotations at the right line, and a summary that it takes."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.commands.run import run
from harness.plan import Plan
from harness.reports.github import SUMMARY_MAX, GitHub, summary
from harness.runner import run as run_plan
from harness.suite import Suite
from harness.verdict import Exit, Report

CATALOGUE = "".join(
    f'[[clause]]\nid = "{clause}"\nlevel = "{level}"\ntext = "It is so, 100%0A."\nsource = "s"\n'
    for clause, level in (("CMD-1", "MUST"), ("CMD-5", "MUST"), ("HTTP-1", "SHOULD"))
)
PASSING = """
scenario: An idle poll is answered at once
clauses: [CMD-5]
agents: {alpha: manual}
steps:
  - poll: alpha
    expect: {command: null}
"""
FAILING = PASSING.replace("command: null", "command: run_task").replace("CMD-5", "CMD-1")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with scenarios in a folder of it, as a job of GitHub Actions sees it."""
    folder = tmp_path / "conformance"
    folder.mkdir()
    (folder / "clauses.toml").write_text(CATALOGUE)
    (folder / "good.yaml").write_text(PASSING)
    (folder / "bad, one.yaml").write_text(FAILING)
    (folder / "odd.yaml").write_text(FAILING.replace("CMD-1", "HTTP-1"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path


def muster(*arguments: object) -> Result:
    return CliRunner().invoke(run, [str(one) for one in arguments], standalone_mode=False)


def commands(output: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the workflow commands in an output, read as the runner of GitHub Actions reads them."""
    found = []
    for line in output.splitlines():
        if matched := re.fullmatch(r"::(\w+) (.*?)::(.*)", line):
            properties = dict(part.split("=", 1) for part in matched[2].split(","))
            found.append(
                (
                    matched[1],
                    {name: unescaped(value) for name, value in properties.items()},
                    unescaped(matched[3]),
                )
            )
    return found


def unescaped(text: str) -> str:
    for escape, sign in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, sign)
    return text


def test_annotations(root: Path) -> None:
    """An error where a MUST is broken, a warning for a SHOULD, at the step that said so."""
    result = muster(root / "conformance")
    error, warning = sorted(commands(result.output), key=lambda one: one[0])

    assert result.return_value == Exit.VIOLATION
    assert (error[0], warning[0]) == ("error", "warning")
    assert error[1] == {
        "file": "conformance/bad, one.yaml",
        "line": "6",
        "col": "5",
        "title": "FAIL CMD-1 (bad, one, profile 2.0)",
    }
    assert error[2].startswith("CMD-1 MUST: It is so, 100%0A.\nexpected data.command: ")
    assert "\nseen null" in error[2]
    assert error[2].splitlines()[-1].startswith("replay: muster run ")
    assert (warning[1]["file"], warning[1]["title"]) == (
        "conformance/odd.yaml",
        "WARN HTTP-1 (odd, profile 2.0)",
    )


def test_the_step_summary(root: Path) -> None:
    """Appended to what is there: the verdict, a table of areas, each failure with its replay."""
    file = root / "summary.md"
    file.write_text("# Before\n")
    muster(root / "conformance")
    text = file.read_text()

    assert text.startswith("# Before\n## ❌ muster: FAIL, profile 2.0\n")
    assert "A MUST clause is broken (exit 1)." in text
    assert "| clauses | PASS | FAIL | WARN |\n| --- | ---: | ---: | ---: |\n" in text
    assert "| CMD | 1 | 1 |  |\n| HTTP |  |  | 1 |" in text
    assert "Scenarios: 1 PASS, 1 FAIL, 1 WARN." in text
    assert "### FAIL bad, one\n" in text
    assert re.search(r"```text\nCMD-1 MUST: .*\n    replay  muster run .*\n```", text, re.DOTALL)


def test_all_profiles_are_summed_up(root: Path) -> None:
    """Each run appends its own."""
    muster(root / "conformance", "--profile", "all")

    assert len(re.findall(r"^## ", (root / "summary.md").read_text(), re.MULTILINE)) == 5


def test_only_in_github_actions_or_when_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--no-github` and another CI server leave it out; `--github` asks for it anywhere."""
    assert commands(muster(root / "conformance", "--no-github").output) == []

    monkeypatch.delenv("GITHUB_ACTIONS")
    assert commands(muster(root / "conformance").output) == []
    assert len(commands(muster(root / "conformance", "--github").output)) == 2


def test_a_known_failure_that_passes_is_an_error_at_its_entry(root: Path) -> None:
    """The line to delete is the line that is annotated; what is known is not annotated."""
    (root / "conformance" / "known-failures.toml").write_text(
        "".join(
            f'[[known]]\nscenario = "{name}"\nreason = "r"\n'
            for name in ("bad, one", "odd", "good")
        )
    )
    ((kind, where, message),) = commands(muster(root / "conformance").output)

    assert kind == "error"
    assert (where["file"], where["line"]) == ("conformance/known-failures.toml", "7")
    assert "good passes on profile 2.0: delete this entry" in message


def played(folder: Path) -> Report:
    suite = Suite.read((folder,))
    return run_plan(Plan(suite.scenarios, suite.catalogue, "2.0", "virtual", 0), [])


def test_a_summary_is_cut_where_github_would_drop_it(root: Path) -> None:
    """It ends with a word about it, outside of any block of code."""
    file = root / "summary.md"
    report = played(root / "conformance")
    length = len(summary(report).encode())
    file.write_bytes(b"x" * (SUMMARY_MAX - length + 200))
    env: dict[str, Any] = {"GITHUB_STEP_SUMMARY": str(file)}
    listener = GitHub(env, io.StringIO())
    listener.finished(report)
    text = file.read_text()

    assert text.endswith(
        "```\n\nThe rest is cut: GitHub takes no more. The JSON report has all of it.\n"
    )
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0
    for _ in range(9):
        listener.finished(report)
    assert file.stat().st_size <= 1024 * 1024
    assert file.read_text().count("The rest is cut") == 1


def test_what_a_master_says_cannot_end_a_block(root: Path) -> None:
    """A fence is longer than any in the text, and names are escaped."""
    story = FAILING.replace("An idle", '"A `<b>` idle').replace("at once", 'at once"')
    (root / "conformance" / "bad, one.yaml").write_text(
        story.replace("run_task", '"```` no `run_task` ````"')
    )
    text = summary(played(root / "conformance"))

    assert "\n`````text\n" in text
    assert "A \\`\\<b\\>\\` idle poll" in text
