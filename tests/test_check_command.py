"""`muster check`: what it says, and with which exit code."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tales import CATALOGUE, Tale, begun

from harness.about import About
from harness.checkers.registry import CHECKERS
from harness.cli import cli
from harness.scenario.catalogue import Catalogue
from harness.stop import StopError
from harness.verdict import Exit


def check(*arguments: Any, given: bytes | None = None) -> Result:
    return CliRunner().invoke(
        cli, ["check", *map(str, arguments)], input=given, standalone_mode=False
    )


def code(result: Result) -> Exit:
    if isinstance(result.exception, StopError):
        return result.exception.code
    assert result.exception is None, result.exception
    return Exit(result.return_value)  # type: ignore[attr-defined]  # click sets it


def message(result: Result) -> str:
    assert isinstance(result.exception, StopError)
    return result.exception.message


def written(folder: Path, tale: Tale, name: str = "tale.jsonl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(tale.history.lines()))
    return path


def a_backup() -> Tale:
    tale = begun()
    tale.history.about = About(profile="2.0", scenario="tale", slack_s=0.0)
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


def claimed_twice() -> Tale:
    tale = a_backup()
    tale.poll("alpha", 1, recordId=1, taskId=1)
    return tale


def test_a_good_history_passes(tmp_path: Path) -> None:
    """Each checker that could not judge says why."""
    result = check(written(tmp_path, a_backup()))

    assert code(result) is Exit.OK
    assert "VACUOUS  append: not seen: the log of a record" in result.output
    assert re.search(r"checkers   \d+ PASS, \d+ VACUOUS", result.output)
    assert result.output.splitlines()[-1].startswith("PASS (exit 0: ")


def test_a_bad_history_fails_with_what_shows_it(tmp_path: Path) -> None:
    """The clause, what was seen, what it usually means, and the operations, and no others."""
    result = check(written(tmp_path, claimed_twice()))

    assert code(result) is Exit.VIOLATION
    lines = result.output.splitlines()
    assert any(line.startswith("   FAIL  claimed once: ") for line in lines)
    assert any(line.startswith("CMD-4 MUST: ") for line in lines)
    assert any("seen  command 1 (run_task) was handed out to alpha" in line for line in lines)
    assert any("usually  " in line for line in lines)
    assert sum(" poll" in line and " s  alpha" in line for line in lines) >= 4


def test_a_history_without_anything_to_judge(tmp_path: Path) -> None:
    """Nothing tested is no success."""
    tale = Tale()
    tale.note("phase: prepare")

    result = check(written(tmp_path, tale))

    assert code(result) is Exit.NOTHING_TESTED


def test_the_report_for_programs(tmp_path: Path) -> None:
    """Every checker is in it, with its verdict, and its violations with their operations."""
    path = tmp_path / "out.json"

    check(written(tmp_path, claimed_twice()), "--json", path)

    (history,) = json.loads(path.read_text())["histories"]
    found = {one["name"]: one for one in history["checkers"]}
    assert len(found) == len(CHECKERS)
    assert found["claimed once"]["verdict"] == "FAIL"
    (shown,) = found["claimed once"]["shown"]
    assert shown["clause"] == "CMD-4"
    assert [one["f"] for one in shown["operations"]] == ["poll"] * 4


def test_only_some_clauses(tmp_path: Path) -> None:
    """Other checkers are not asked."""
    path = written(tmp_path, claimed_twice())

    assert code(check(path, "--clause", "CMD-4")) is Exit.VIOLATION
    assert code(check(path, "--clause", "AUTH-*")) is Exit.OK


def test_a_clause_that_no_checker_speaks_about(tmp_path: Path) -> None:
    """It says so, with what comes near."""
    result = check(written(tmp_path, a_backup()), "--clause", "CMDS-4")

    assert code(result) is Exit.NOTHING_TESTED
    assert "did you mean" in message(result)


def test_the_standard_input(tmp_path: Path) -> None:
    """`-` is a file as any other."""
    given = written(tmp_path, claimed_twice()).read_bytes()

    result = check("-", given=given)

    assert code(result) is Exit.VIOLATION
    assert "(standard input): " in result.output


def test_a_folder_is_judged_file_by_file(tmp_path: Path) -> None:
    """Only what is wrong is told of; the rest is counted."""
    written(tmp_path, a_backup(), "a/good.jsonl")
    written(tmp_path, claimed_twice(), "b/bad.jsonl")

    result = check(tmp_path)

    assert code(result) is Exit.VIOLATION
    assert "bad.jsonl" in result.output
    assert "good.jsonl" not in result.output
    assert "histories  2" in result.output


def test_what_a_run_writes_is_judged(tmp_path: Path) -> None:
    """A folder of `muster run --history` is one of histories."""
    folder = tmp_path / "histories"
    run = CliRunner().invoke(
        cli, ["run", "scenarios/commands", "--history", str(folder)], standalone_mode=False
    )
    assert run.return_value == Exit.OK  # type: ignore[attr-defined]

    result = check(folder)

    assert code(result) is Exit.OK
    assert "histories  " in result.output


def test_a_recorder_that_was_killed(tmp_path: Path) -> None:
    """Half a last line is told, and the rest is judged."""
    path = written(tmp_path, claimed_twice())
    path.write_bytes(path.read_bytes() + b'{"index":99')

    result = check(path)

    assert code(result) is Exit.VIOLATION
    assert "the last line is cut off" in result.stderr


def test_another_release_than_the_recorded_one(tmp_path: Path) -> None:
    """What was recorded as one is not judged as another."""
    result = check(written(tmp_path, a_backup()), "--profile", "2.4")

    assert code(result) is Exit.USAGE
    assert "recorded as profile 2.0, and is to be judged as 2.4" in message(result)


def test_a_profile_that_nobody_knows(tmp_path: Path) -> None:
    """The file says what it is of; that must be something."""
    tale = a_backup()
    tale.history.about = About(profile="1.0", scenario="tale")

    result = check(written(tmp_path, tale))

    assert code(result) is Exit.USAGE
    assert ":1: expected a profile of 2.0, 2.3.4" in message(result)


@pytest.mark.parametrize("name", ["missing.jsonl", "empty"])
def test_a_path_without_histories(tmp_path: Path, name: str) -> None:
    """It is told what was expected."""
    (tmp_path / "empty").mkdir()

    assert code(check(tmp_path / name)) is Exit.USAGE


def test_a_file_that_is_no_history(tmp_path: Path) -> None:
    """Every mistake has its line."""
    path = tmp_path / "h.jsonl"
    path.write_text("hello\nworld\n")

    result = check(path)

    assert code(result) is Exit.USAGE
    assert f"{path}:1: " in message(result)
    assert f"{path}:2: " in message(result)


def gave_up_after_five_seconds() -> Tale:
    tale = begun()
    tale.run(1, 1)
    tale.poll("alpha", 1, recordId=1, taskId=1)
    tale.later(5)
    tale.see(1, "failed")
    return tale


def test_timers_and_slack_are_what_is_said(tmp_path: Path) -> None:
    """An option counts before the file, the file before the seed."""
    tale = gave_up_after_five_seconds()
    path = written(tmp_path, tale)
    tale.history.about = About(scenario="tale", timings={"command_timeout_s": 4.0}, slack_s=0.0)
    short = written(tmp_path, tale, "short.jsonl")

    assert code(check(path)) is Exit.VIOLATION
    assert code(check(path, "--command-timeout", "4s")) is Exit.OK
    assert code(check(path, "--slack", "20m")) is Exit.OK
    assert code(check(short)) is Exit.OK
    assert code(check(short, "--command-timeout", "10m")) is Exit.VIOLATION


def test_a_target_file_says_what_holds(tmp_path: Path) -> None:
    """Profile and timers are its server's."""
    target = tmp_path / "backupx.toml"
    (tmp_path / "key").write_text("bax_0123456789")
    (tmp_path / "key").chmod(0o600)
    target.write_text(
        'url = "http://127.0.0.1:1"\nprofile = "2.0"\n'
        '[api_key]\nkey = { file = "key" }\n[timings]\ncommand_timeout = "4s"\n'
    )

    assert (
        code(check(written(tmp_path, gave_up_after_five_seconds()), "--target", target)) is Exit.OK
    )


def test_a_should_is_a_warning_unless_asked_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SHOULD that does not hold decides nothing by itself."""
    softer = [replace(one, level="SHOULD") if one.id == "CMD-4" else one for one in CATALOGUE]
    monkeypatch.setattr(Catalogue, "read", lambda _: Catalogue(tuple(softer)))
    path = written(tmp_path, claimed_twice())

    result = check(path)

    assert code(result) is Exit.OK
    assert "   WARN  claimed once: " in result.output
    assert code(check(path, "--strict")) is Exit.VIOLATION
