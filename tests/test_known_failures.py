"""`known-failures.toml`: where it is found, what it excuses in a run, and mistakes in it."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result

from harness.commands.run import run
from harness.verdict import Exit

PASSING = """
scenario: An idle poll is answered at once
clauses: [CMD-5]
agents: {alpha: manual}
steps:
  - poll: alpha
    expect: {command: null}
"""
FAILING = PASSING.replace("command: null", "command: run_task").replace("CMD-5", "CMD-1")
REASON = 'reason = "the queue is a stub"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(PASSING)
    (tmp_path / "bad.yaml").write_text(FAILING)
    return tmp_path


def muster(*arguments: object) -> Result:
    return CliRunner().invoke(run, [str(one) for one in arguments], standalone_mode=False)


def listed(folder: Path, *entries: str) -> Path:
    path = folder / "known-failures.toml"
    path.write_text("".join(f"[[known]]\n{entry}" for entry in entries))
    return path


def test_a_run_with_a_known_failure(folder: Path, tmp_path: Path) -> None:
    """Exit 0, and every report says KNOWN with the reason."""
    listed(folder, 'clause = "CMD-1"\n' + REASON)
    files = {name: tmp_path / name for name in ("out.json", "out.xml")}
    result = muster(folder, "--json", files["out.json"], "--junit", files["out.xml"])
    report = json.loads(files["out.json"].read_text())
    case = Xml.parse(files["out.xml"]).getroot().find(".//testcase[@name='bad']/skipped")  # noqa: S314 - our own

    assert result.return_value == Exit.OK
    assert "1 known failures of " in result.output
    assert "  KNOWN  bad: the queue is a stub" in result.output
    assert "scenarios  1 PASS, 1 KNOWN" in result.output
    assert "seen" not in result.output
    assert report["scenarios"][0]["verdict"] == "KNOWN"
    assert report["scenarios"][0]["known"] == {"CMD-1": "the queue is a stub"}
    assert report["known_failures"][0]["state"] == "fails"
    assert case is not None
    assert case.get("message") == "KNOWN: the queue is a stub"


def test_an_entry_that_passes(folder: Path, tmp_path: Path) -> None:
    """Exit 1, and every report says which entry is to be deleted."""
    path = listed(folder, 'clause = "CMD-1"\n' + REASON, 'scenario = "good"\n' + REASON)
    files = {name: tmp_path / name for name in ("out.json", "out.xml")}
    result = muster(folder, "--json", files["out.json"], "--junit", files["out.xml"])
    said = f"{path}:4:1: good passes on profile 2.0: delete this entry"
    report = json.loads(files["out.json"].read_text())
    suite = Xml.parse(files["out.xml"]).getroot()[0]  # noqa: S314 - our own file
    failures = suite.findall("testcase/failure")

    assert result.return_value == Exit.VIOLATION
    assert said in result.output
    assert "(exit 1: a known failure passes: delete its entry)" in result.output
    assert [one["state"] for one in report["known_failures"]] == ["fails", "passes"]
    assert suite.get("failures") == "1"
    assert (suite.get("tests"), len(suite.findall("testcase"))) == ("3", 3)
    assert [(failures[0].get("message") or "").startswith(said)] == [True]


def test_one_file_says_nothing_about_a_clauses_entry(folder: Path) -> None:
    """Another file may show that the clause is broken; the whole folder is needed."""
    (folder / "clauses.toml").write_text(
        "".join(
            f'[[clause]]\nid = "{one}"\nlevel = "MUST"\ntext = "T."\nsource = "s"\n'
            for one in ("CMD-1", "CMD-5")
        )
    )
    listed(folder, 'clause = "CMD-5"\n' + REASON)

    assert muster(folder / "good.yaml").return_value == Exit.OK
    assert muster(folder).return_value == Exit.VIOLATION


def test_where_the_list_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the scenarios or above them, in the current folder, or where it is said to be."""
    path = listed(folder, 'scenario = "bad"\n' + REASON)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    assert muster(folder / "bad.yaml").return_value == Exit.OK

    path.rename(elsewhere / "known-failures.toml")
    assert muster(folder / "bad.yaml").return_value == Exit.VIOLATION
    monkeypatch.chdir(elsewhere)
    assert muster(folder / "bad.yaml").return_value == Exit.OK

    empty = folder / "none.toml"
    empty.touch()
    assert muster(folder / "bad.yaml", "--known-failures", empty).return_value == Exit.VIOLATION


@pytest.mark.parametrize(
    ("entry", "place", "said"),
    [
        ('clause = "CMD-1"\n', 1, "expected 'reason': why this failure is put up with"),
        (REASON, 1, "expected 'clause' or 'scenario', or both: what is known to fail"),
        (f'clause = "CMD-1"\n{REASON}ticket = 5\n', 4, "got 'ticket'"),
        (f'claus = "CMD-1"\nscenario = "bad"\n{REASON}', 2, "did you mean 'clause'?"),
        (f'clause = "CMD-1111"\n{REASON}', 2, "expected a clause of the catalogue, got 'CMD-1111'"),
        (f'clause = "CMD-4"\n{REASON}', 2, "expected a clause that a scenario is about"),
        (f'scenario = "bda"\n{REASON}', 2, "did you mean 'bad'?"),
        (
            f'clause = "CMD-1"\nscenario = "good"\n{REASON}',
            2,
            "expected a clause that good is about (CMD-5), got 'CMD-1'",
        ),
        (
            'clause = "CMD-1"\nreason = " "\n',
            3,
            "expected 'reason' to be text with something in it",
        ),
        (f'clause = "CMD-1"\nprofiles = ["2.O"]\n{REASON}', 3, "did you mean '2.0'?"),
        (f'clause = "CMD-1"\ntargets = ["reel"]\n{REASON}', 3, "did you mean 'real'?"),
        (f'clause = "CMD-1"\nprofiles = "2.0"\n{REASON}', 3, "expected a list of profiles"),
    ],
)
def test_a_mistake_in_the_list(folder: Path, entry: str, place: int, said: str) -> None:
    """Exit 4 before anything is played, with the line and what was expected."""
    path = listed(folder, entry)
    result = muster(folder)

    assert getattr(result.exception, "code", None) == Exit.USAGE
    assert f"{path}:{place}:" in str(result.exception)
    assert said in str(result.exception)
    assert result.output == ""


def test_an_entry_about_another_profile_of_a_scenario(folder: Path) -> None:
    """A scenario that does not apply there cannot fail there."""
    (folder / "bad.yaml").write_text(FAILING.replace("agents:", "profiles: ['2.0']\nagents:"))
    listed(folder, f'scenario = "bad"\nprofiles = ["2.4"]\n{REASON}')

    assert "expected a profile that bad applies to (2.0), got 2.4" in str(muster(folder).exception)


def test_all_mistakes_of_the_list_come_at_once(folder: Path) -> None:
    """One reading shows everything; and a list that is no TOML says where."""
    listed(folder, "x = 1\n", 'scenario = "bda"\n' + REASON)
    assert str(muster(folder).exception).endswith("4 errors in 1 file")

    listed(folder, "x = \n")
    assert "known-failures.toml:2:5: error: TOML: Invalid value" in str(muster(folder).exception)
