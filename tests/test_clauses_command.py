"""`muster clauses` and `muster explain`: what they print, and how they end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.commands.clauses import clauses, explain, profiles_text
from harness.scenario.header import KNOWN_PROFILES
from harness.verdict import Exit

CATALOGUE = """
[[clause]]
id = "CMD-1"
level = "MUST"
text = "It is so."
source = "page 3"
profiles = ["2.0"]

[[clause]]
id = "CMD-2"
level = "MAY"
text = "Nobody knows."
source = "page 4"
"""
STORY = """
scenario: An idle poll is answered at once
clauses: [CMD-2]
agents: {alpha: manual}
steps:
  - poll: alpha
    expect: {command: null}
    clauses: [CMD-1]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clauses.toml").write_text(CATALOGUE)
    (tmp_path / "story.yaml").write_text(STORY)
    (tmp_path / "newer.yaml").write_text(
        STORY.replace("clauses: [CMD-2]", "clauses: [CMD-2]\nprofiles: ['2.4']").replace(
            "    clauses: [CMD-1]\n", ""
        )
    )
    return tmp_path


def listed(*arguments: object) -> Result:
    return CliRunner().invoke(clauses, [str(one) for one in arguments], standalone_mode=False)


def explained(*arguments: object) -> Result:
    return CliRunner().invoke(explain, [str(one) for one in arguments], standalone_mode=False)


def test_the_table(folder: Path) -> None:
    """A line a clause with the number of its scenarios, a step's clauses counted."""
    lines = listed("--in", folder).output.splitlines()

    assert lines[2] == "CMD  enqueueing, claiming and the order of commands"
    assert lines[3].split() == ["CMD-1", "MUST", "2.0", "1", "0", "It", "is", "so."]
    assert lines[4].split() == ["CMD-2", "MAY", "all", "2", "0", "Nobody", "knows."]
    assert lines[-1] == "no mutant breaks 1 MUST clauses: CMD-1"


def test_a_profile_of_the_catalogue(folder: Path) -> None:
    """Only its clauses, and only the scenarios that apply to it."""
    report = json.loads(listed("--in", folder, "--profile", "2.3.4", "--json").output)

    assert (report["schema"], report["profile"]) == ("muster-clauses/1", "2.3.4")
    assert [(one["id"], one["scenarios"]) for one in report["clauses"]] == [("CMD-2", ["story"])]


def test_the_built_in_catalogue_has_mutants() -> None:
    """Each with its name; `--area` leaves the other areas out."""
    report = json.loads(listed("--area", "TMO", "--json").output)
    by_id = {one["id"]: one for one in report["clauses"]}

    assert {one["area"] for one in report["clauses"]} == {"TMO"}
    assert "restore-stays-running" in by_id["TMO-4"]["mutants"]
    assert "timeouts/restore-is-failed" in by_id["TMO-4"]["scenarios"]
    assert set(by_id["TMO-4"]) == {
        "id",
        "area",
        "level",
        "text",
        "profiles",
        "source",
        "why",
        "means",
        "scenarios",
        "checkers",
        "mutants",
    }


def test_no_clause_is_no_success(folder: Path) -> None:
    """An area without a clause exits 3, and says where was looked."""
    result = listed("--in", folder, "--area", "SEC")

    assert getattr(result.exception, "code", None) == Exit.NOTHING_TESTED
    assert f"no clause of area SEC is in {folder}/clauses.toml" in str(result.exception)


def test_everything_about_a_clause() -> None:
    """Text, level, profiles, source, reason, meaning, scenarios with their sentence, mutants."""
    output = explained("TMO-4").output

    assert output.startswith("TMO-4 MUST: When a restore's command times out")
    assert "  profiles: 2.0, 2.3.4, 2.3.5, 2.4, strict\n  source: failLinkedRecord\n" in output
    assert "  why: " in output
    assert "  a failure usually means: " in output
    assert "    timeouts/restore-is-failed: When an agent dies with a restore" in output
    assert "    restore-stays-running: A timed out restore leaves" in output


def test_several_clauses_and_globs() -> None:
    """Each once, in the order asked for; small letters will do."""
    output = explained("tmo-4", "ROT-[12]", "TMO-4").output
    heads = [line.split()[0] for line in output.splitlines() if line and line[0] != " "]

    assert heads == ["TMO-4", "ROT-1", "ROT-2"]


@pytest.mark.parametrize("asked", ["TMO-44", "XYZ-*"])
def test_an_unknown_clause(asked: str) -> None:
    """Exit 4 with the nearest id, where one is near; nothing is explained."""
    result = explained("TMO-4", asked)

    assert getattr(result.exception, "code", None) == Exit.USAGE
    assert f"got {asked!r}" in str(result.exception)
    assert ("did you mean 'TMO-4'?" in str(result.exception)) == (asked == "TMO-44")
    assert result.output == ""


def test_profiles_in_few_words() -> None:
    """All, a range, or each by its name."""
    assert profiles_text(KNOWN_PROFILES) == "all"
    assert profiles_text(("2.3.4", "2.3.5", "2.4")) == "2.3.4 to 2.4"
    assert profiles_text(("2.0", "strict")) == "2.0, strict"
