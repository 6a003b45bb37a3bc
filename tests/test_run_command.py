"""`muster run` and `muster validate`, as a user meets them: what they print, write and exit with."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner, Result
from pages import Page

from harness.commands.run import run
from harness.commands.validate import schema, validate
from harness.scenario.schema import json_schema
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(PASSING)
    (tmp_path / "bad.yaml").write_text(FAILING)
    return tmp_path


def muster(*arguments: object) -> Result:
    """Run `muster run` in this process; its return value is the exit code."""
    return CliRunner().invoke(run, [str(one) for one in arguments], standalone_mode=False)


def test_a_passing_run_is_quiet(folder: Path) -> None:
    """Its seed first, then the verdict, and exit 0."""
    result = muster(folder / "good.yaml", "--seed", 5)

    assert result.return_value == Exit.OK
    assert result.output.startswith(
        "muster: 1 scenarios, profile 2.0, virtual clock, seed 5\n\nscenarios  1 PASS\n"
    )
    assert "exit 0" in result.output


def test_a_failing_run_explains_itself(folder: Path) -> None:
    """The clause, the place, both sides, the history before it, and the line to replay it."""
    result = muster(folder, "--seed", 3)
    output = " ".join(result.output.split())

    assert result.return_value == Exit.VIOLATION
    assert "CMD-1 MUST: A poll hands out the oldest pending command of the node." in output
    assert f"at {folder}/bad.yaml:6:5" in output
    assert "expected data.command: a mapping with type" in output
    assert "seen null" in output
    assert "alpha invoke poll" in output
    assert f"replay muster run {folder}/bad.yaml --clock virtual --profile 2.0 --seed 3" in output


def test_the_json_report(folder: Path, tmp_path: Path) -> None:
    """Its keys are an interface."""
    file = tmp_path / "out" / "report.json"
    file.parent.mkdir()
    muster(folder, "--json", file)
    report = json.loads(file.read_text())
    by_id = {one["id"]: one for one in report["scenarios"]}
    failure = by_id["bad"]["failure"]

    assert {
        key: report[key] for key in ("schema", "verdict", "exit_code", "profile", "clock", "seed")
    } == {
        "schema": "muster-report/1",
        "verdict": "FAIL",
        "exit_code": 1,
        "profile": "2.0",
        "clock": "virtual",
        "seed": 0,
    }
    assert [
        (one["id"], one["level"], one["verdict"], one["scenarios"]) for one in report["clauses"]
    ] == [
        ("CMD-1", "MUST", "FAIL", ["bad"]),
        ("CMD-5", "MUST", "PASS", ["good"]),
    ]
    assert by_id["good"]["verdict"] == "PASS"
    assert by_id["good"]["clauses"] == ["CMD-5"]
    assert by_id["good"]["path"] == str(folder / "good.yaml")
    assert by_id["good"]["duration_s"] >= 0
    assert failure["expectation"].startswith("data.command")
    assert failure["seen"].startswith("null")
    assert failure["operations"][-1]["f"] == "poll"
    assert failure["replay"].startswith("muster run ")


def test_the_junit_report(folder: Path, tmp_path: Path) -> None:
    """A test case a scenario, with one failure that holds all there is to know."""
    file = tmp_path / "junit.xml"
    muster(folder, "--junit", file)
    suite = Xml.parse(file).getroot()[0]  # noqa: S314 - our own file
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failures = list(cases["bad"])

    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert len(cases["good"]) == 0
    assert [one.tag for one in failures] == ["failure"]
    assert failures[0].get("type") == "CMD-1"
    assert "replay  muster run" in (failures[0].text or "")


def test_the_histories(folder: Path, tmp_path: Path) -> None:
    """One file a scenario, the same again for the same seed."""
    for name in ("one", "two"):
        muster(folder, "--history", tmp_path / name, "--seed", 9)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.jsonl")}
        for name in ("one", "two")
    )

    assert sorted(first) == ["bad.jsonl", "good.jsonl"]
    assert first == second
    about, *lines = map(json.loads, first["good.jsonl"].splitlines())
    assert (about["muster"], about["scenario"]) == ("history", "good")
    assert all(line["index"] >= 0 for line in lines)


ONLY_2_0 = PASSING.replace("agents:", "profiles: ['2.0']\nagents:")


def test_every_profile_one_after_the_other(folder: Path, tmp_path: Path) -> None:
    """Each with a summary of its own, all in one file a report, and the worst exit code."""
    (folder / "old.yaml").write_text(ONLY_2_0)
    files = {name: tmp_path / name for name in ("all.json", "all.xml")}
    written = ["--json", files["all.json"], "--junit", files["all.xml"], "--history", tmp_path]
    result = muster(folder / "good.yaml", folder / "old.yaml", "--profile", "all", *written)
    report = json.loads(files["all.json"].read_text())
    suites = Xml.parse(files["all.xml"]).getroot()  # noqa: S314 - our own file
    names = [(case.get("classname"), case.get("name")) for case in suites.iter("testcase")]

    assert result.return_value == Exit.OK
    assert result.output.count("(exit 0: all applicable MUST clauses pass)") == 10
    assert "profile 2.0      PASS     2 PASS (exit 0" in result.output
    assert "profile strict   PASS     1 PASS, 1 SKIP (exit 0" in result.output
    assert result.output.endswith("the worst of 5 profiles: exit 0\n")
    assert (report["schema"], report["exit_code"]) == ("muster-reports/1", 0)
    assert [one["profile"] for one in report["reports"]] == [
        "2.0",
        "2.3.4",
        "2.3.5",
        "2.4",
        "strict",
    ]
    assert [suite.get("name") for suite in suites][:2] == ["muster 2.0", "muster 2.3.4"]
    assert (suites.get("tests"), suites.get("skipped")) == ("10", "4")
    assert len(set(names)) == len(names) == 10
    assert (tmp_path / "2.3.4" / "good.jsonl").is_file()
    assert not (tmp_path / "2.3.4" / "old.jsonl").exists()


def test_several_profiles_end_as_the_worst_of_them(folder: Path) -> None:
    """One with nothing to test among good ones exits 3, one with a violation 1."""
    (folder / "old.yaml").write_text(ONLY_2_0)

    assert muster(folder / "old.yaml", "--profile", "all").return_value == Exit.NOTHING_TESTED
    assert muster(folder, "--profile", "all").return_value == Exit.VIOLATION


def test_a_run_with_everything_skipped_is_no_success(folder: Path) -> None:
    """Exit 3, and the reason is told once, however many scenarios have it."""
    for name in ("good", "bad"):
        (folder / f"{name}.yaml").unlink()
    for number in range(5):
        (folder / f"old-{number}.yaml").write_text(ONLY_2_0)
    result = muster(folder, "--profile", "2.4")

    assert result.return_value == Exit.NOTHING_TESTED
    assert "SKIP  old-0, old-1, old-2 and 2 more: applies to profile 2.0" in result.output


def test_a_run_that_cannot_be_set_up_exits_6(folder: Path) -> None:
    """Nothing was tested, because the master refused what every scenario needs; it says so."""
    (folder / "bad.yaml").unlink()
    refused = PASSING.replace("agents:", "tasks: {t: {agent: alpha, type: nonsense}}\nagents:")
    (folder / "good.yaml").write_text(refused)
    result = muster(folder)

    assert result.return_value == Exit.TARGET
    assert "UNKNOWN  good: " in result.output
    assert "(exit 6: no scenario could be set up)" in result.output


def test_a_broken_should(folder: Path) -> None:
    """It is explained, warned of and passed; `--strict` makes it a violation."""
    (folder / "clauses.toml").write_text(
        '[[clause]]\nid = "CMD-1"\nlevel = "SHOULD"\ntext = "It should."\nsource = "s"\n'
        'means = "Nobody wrote it."\n'
    )
    (folder / "good.yaml").unlink()
    warned = muster(folder)
    counted = muster(folder, "--strict")

    assert warned.return_value == Exit.OK
    assert "CMD-1 SHOULD: It should." in warned.output
    assert "usually  Nobody wrote it." in warned.output
    assert "scenarios  1 WARN\nclauses    1 WARN\nPASS" in warned.output
    assert counted.return_value == Exit.VIOLATION
    assert "(exit 1: a MUST or SHOULD clause is broken)" in counted.output


def test_scenarios_are_chosen_by_clause(folder: Path) -> None:
    """A glob over clause ids; nothing found is not success."""
    listed = muster(folder, "--list", "--clause", "CMD-[5]")
    nothing = muster(folder, "--clause", "RPC-*")

    assert listed.output == "good  [CMD-5]  An idle poll is answered at once\n"
    assert nothing.return_value == Exit.NOTHING_TESTED
    assert "nothing was tested" in nothing.output
    assert "none of 2 scenarios matches --clause 'RPC-*'" in nothing.output
    assert "by area: CMD (2)" in nothing.output
    assert "did you mean 'CMD'?" in muster(folder, "--clause", "CDM-*").output


def test_mistakes_in_files_are_told_all_at_once(folder: Path) -> None:
    """Exit 4, every mistake with its place, and nothing is played."""
    (folder / "wrong.yaml").write_text(PASSING.replace("poll:", "pol:").replace("CMD-5", "CMD-500"))
    result = CliRunner().invoke(validate, [str(folder)], standalone_mode=False)

    assert getattr(result.exception, "code", None) == Exit.USAGE
    assert "wrong.yaml:3:11: error:" in str(result.exception)
    assert "wrong.yaml:6:5: error:" in str(result.exception)


def test_validate_counts(folder: Path) -> None:
    """Good files are counted."""
    result = CliRunner().invoke(validate, [str(folder)], standalone_mode=False)

    assert (result.return_value, result.output) == (Exit.OK, "2 scenarios, no mistakes\n")


def test_the_schema_is_printed() -> None:
    """Editors take it from here."""
    result = CliRunner().invoke(schema, [], standalone_mode=False)

    assert json.loads(result.output) == json_schema()


def test_a_report_that_cannot_be_written_is_told_before_the_run(folder: Path) -> None:
    """A run of an hour is not lost at its end."""
    result = muster(folder, "--json", folder / "nowhere" / "x.json")

    assert getattr(result.exception, "code", None) == Exit.USAGE
    assert "cannot be written" in str(result.exception)
    assert "scenarios" not in result.output


SECRETS = """
scenario: A failing run with many secrets
clauses: [SPEC-1]
agents: {alpha: manual}
targets:
  bucket: {type: s3, config: {bucket: b, region: r, accessKeyId: ACCESS-KEY-01, secretAccessKey: SECRET-KEY-02}}
tasks:
  nightly: {agent: alpha, type: mysql, targets: [bucket], dbHost: h, dbPort: 1, dbUser: u, dbPassword: DB-PASSWORD-03, dbName: d, extraConfig: {password: EXTRA-PASSWORD-04}}
steps:
  - heartbeat: alpha
  - discover: {agent: alpha, password: DISCOVER-PASSWORD-05}
    as: discovery
    background: true
  - wait: 1s
  - poll: alpha
    as: cmd
  - admin: {method: POST, path: /api/api-keys, json: {name: k, role: viewer}}
    as: made
  - admin: {method: GET, path: "/api/nodes?k=${made.plainKey}"}
  - request: {method: POST, path: /api/auth/login, body: '{"password":"BROKEN-JSON-06"'}
    expect: {status: 400}
  - get_task: {agent: alpha, task: nightly}
    expect: {body: LITERAL}
"""


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    """Not in the terminal, not in a report, not in a history, also when everything is shown."""
    (tmp_path / "secrets.yaml").write_text(SECRETS)
    written = ["--json", tmp_path / "a.json", "--junit", tmp_path / "a.xml", "--history", tmp_path]
    result = muster(tmp_path / "secrets.yaml", *written, "--html", tmp_path / "a.html")
    page = Page((tmp_path / "a.html").read_text())
    (tmp_path / "unpacked").write_text(str([page.packed("t-"), page.packed("x-")]))
    files = [path.read_text() for path in tmp_path.iterdir() if path.suffix != ".yaml"]
    everything = "\n".join([result.output, *files])

    assert result.return_value == Exit.VIOLATION
    assert len(files) == 5
    assert "/api/agent/tasks/" in (tmp_path / "unpacked").read_text()
    assert "LITERAL" in everything
    assert re.findall(r"[A-Z]+-[A-Z]+-0\d", everything) == []
    assert re.search(r"bax_[0-9a-f]{48}", everything) is None


# --- as a process --------------------------------------------------------------------------------


def test_a_question_that_nobody_answers_is_told_from_an_interrupt(tmp_path: Path) -> None:
    """Standard input has ended: the options that say the same are named."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "target", "init", str(tmp_path / "x.toml")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == Exit.USAGE
    assert "there is nobody to answer; say it by options (--help)" in done.stderr
    assert not (tmp_path / "x.toml").exists()


def process(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "/nowhere"],
        ["run", "--clok"],
        ["rum"],
        ["run", "--profile", "9"],
        ["run", "--seed", "x"],
    ],
)
def test_wrong_usage_exits_4(arguments: list[str]) -> None:
    """One error of a line or two, and no traceback."""
    done = process(*arguments)

    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr


@pytest.mark.parametrize("arguments", [["run"], ["run", "--list"]])
def test_a_reader_who_goes_away_gets_no_verdict(arguments: list[str]) -> None:
    """With the pipe closed, the run ends as unknown, and without a traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as muster_process:
        assert muster_process.stdout is not None
        muster_process.stdout.close()
        assert muster_process.stderr is not None
        said = muster_process.stderr.read()

    assert muster_process.returncode == Exit.UNKNOWN
    assert b"Traceback" not in said


def test_a_fault_of_muster_itself_exits_5(folder: Path) -> None:
    """Not even a bug is mistaken for a verdict; one inside a scenario is that scenario's own."""
    script = (
        "import harness.runner, sys; harness.runner.judge_clauses = lambda *_: 1 / 0\n"
        f"sys.argv = ['muster', 'run', {str(folder)!r}]\nfrom harness.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == Exit.INTERNAL
    assert "fault of muster itself" in done.stderr


REAL = """
scenario: A silent node goes offline, and its command times out
clauses: [OFF-1, TMO-1]
agents: {{alpha: manual, beta: prompt}}
tasks: {{nightly: {{agent: alpha}}, weekly: {{agent: beta}}}}
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
    as: cmd
  - until: {{expect: {{agent: beta, status: online}}, within: 1m}}
  - run: weekly
    as: other
  - until: {{expect: {{record: other, status: success}}, within: 2m}}
  - wait: offline_after + offline_scan + 20s
  - expect: {{agent: alpha, status: offline}}
  - wait: command_timeout - offline_after
  - expect: {{record: backup, status: failed, durationSeconds: {{takes: [{low}, 10m31s]}}}}
  - expect: {{command: cmd, status: timeout}}
"""


def test_the_same_file_plays_on_the_real_clock(tmp_path: Path) -> None:
    """Against a server process over TCP; the server is gone afterwards."""
    (tmp_path / "real.yaml").write_text(REAL.format(low="10m"))
    done = process("run", tmp_path, "--clock", "real", "--speed", 100, "--history", tmp_path)
    written = (tmp_path / "real.jsonl").read_text()

    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert '"f":"heartbeat"' in written
    assert "muster-password" not in written


def test_the_same_file_plays_on_the_warp_clock(tmp_path: Path) -> None:
    """Its long waits move stored times instead of passing, and every report says so."""
    (tmp_path / "real.yaml").write_text(REAL.format(low="10m"))
    report = tmp_path / "report.json"
    done = process(
        *("run", tmp_path, "--clock", "warp", "--speed", 20),
        *("--history", tmp_path, "--json", report, "--junit", tmp_path / "report.xml"),
        *("--html", tmp_path / "report.html"),
    )
    notes = [
        line["note"]
        for line in map(json.loads, (tmp_path / "real.jsonl").read_text().splitlines())
        if line.get("note", "").startswith("warp ")
    ]
    (scenario,) = json.loads(report.read_text())["scenarios"]
    warped = json.loads(report.read_text())["warped"]

    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert scenario["elapsed_s"] > 600 / 20  # the scenario's clock shows all that was waited
    assert warped == scenario["warped"]
    assert warped["times"] == len(notes) > 0
    assert warped["rows_moved"] == sum(int(note.split()[3]) for note in notes) > 0
    assert 20 < warped["skipped_s"] < scenario["elapsed_s"]
    said = f"{warped['times']} times, "
    assert f"warped     {said}" in done.stdout
    assert f'"warped" value="{said}' in (tmp_path / "report.xml").read_text()
    assert f"Warped {said}" in (tmp_path / "report.html").read_text()


POOL = """
scenario: The one node of a pool gets its task
clauses: [CMD-1]
agents: {alpha: {behaviour: manual, labels: [blue]}}
tasks: {nightly: {pool: blue}}
steps:
  - heartbeat: alpha
  - run: nightly
  - expect: {commands: {agent: alpha}, count: 1}
"""


def test_pools_of_two_scenarios_are_not_one(tmp_path: Path) -> None:
    """Scenarios that play side by side have a master each when anybody's agents may do their tasks."""
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.yaml").write_text(POOL)

    done = process("run", tmp_path, "--clock", "real", "--speed", 100, "--profile", "2.4")

    assert done.returncode == Exit.OK, done.stdout + done.stderr


def test_a_terminated_run_leaves_no_server(tmp_path: Path) -> None:
    """Neither an interrupt nor an end nor a kill of muster leaves its server behind.

    It heeds them too where a script started it in the background, with interrupts ignored.
    """
    (tmp_path / "real.yaml").write_text(REAL.format(low="10m"))
    for number, code in (
        (signal.SIGINT, Exit.UNKNOWN),
        (signal.SIGTERM, Exit.UNKNOWN),
        (signal.SIGHUP, Exit.UNKNOWN),
        (signal.SIGKILL, -signal.SIGKILL),
    ):
        with subprocess.Popen(
            [
                *("sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-m", "harness"),
                *("run", str(tmp_path), "--clock", "real", "--speed", "1"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as muster_process:
            try:
                server = wait_child(muster_process.pid)
                muster_process.send_signal(number)
                muster_process.communicate(timeout=30)
            finally:
                muster_process.kill()

            assert muster_process.returncode == code
            wait_gone(server)


def children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # a thread starts the child
    return [int(one) for file in lists for one in file.read_text().split()]


def wait_child(pid: int) -> int:
    """Return the process id of the server, once it listens."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        for child in children(pid):
            with contextlib.suppress(
                FileNotFoundError, ProcessLookupError
            ):  # it was on its way to something else
                if b"serve" in Path(f"/proc/{child}/cmdline").read_bytes() and listening(child):
                    return child
    raise AssertionError("no server was started")


def listening(pid: int) -> bool:
    return any(
        str(link.readlink()).startswith("socket:") for link in Path(f"/proc/{pid}/fd").glob("*")
    )


def wait_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return
        assert time.monotonic() < deadline_s, "the server is still there"


def test_the_examples_of_the_help_are_dedented() -> None:
    """Every command explains itself."""
    for name in ("", "run", "validate", "serve", "agents", "schema"):
        done = process(*name.split(), "--help")

        assert done.returncode == 0
        assert textwrap.dedent(done.stdout).startswith("Usage: ")


def test_an_interrupt_while_loading_ends_it() -> None:
    """Without a traceback: until the command line is there, the system's own handler is."""
    script = (
        "import os, signal, sys, types\n"
        "cli = types.ModuleType('harness.cli')\n"
        "cli.main = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.modules['harness.cli'] = cli\n"
        "from harness.entry import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)

    assert done.returncode == -signal.SIGINT
    assert done.stderr == b""


@pytest.mark.parametrize("option", ["--json", "--html", "--junit"])
def test_a_full_disk_is_one_line(folder: Path, option: str) -> None:
    """It is nobody's fault of muster's, and says which file it was."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", str(folder), option, "/dev/full"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == Exit.USAGE
    assert done.stderr.splitlines()[-1].endswith("cannot be written: No space left on device")
    assert "Traceback" not in done.stderr


def test_a_full_screen_is_one_line(folder: Path) -> None:
    """What cannot be shown has no verdict."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "run", str(folder)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr


def test_a_summary_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    """A step of a workflow without a place for its summary gets a line, too."""
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "nowhere" / "summary")}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", str(folder), "--github"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == Exit.USAGE
    assert "nowhere/summary cannot be written" in done.stderr
