"""`muster agent-test`, against small agents that do one thing wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from harness.stop import StopError
from harness.suite import Suite
from harness.trial import child, contact
from harness.trial.trial import Trial
from simulated_agents.timing import Timing

ROOT = Path(__file__).resolve().parent.parent
AGENTS = ROOT / "scenarios" / "agents"
ODD = (sys.executable, str(ROOT / "tests" / "odd_agent.py"))
MUSTER = (sys.executable, "-m", "harness", "agent-test", "--heartbeat", "150ms")


def _scenario(name: str) -> tuple[str, str]:
    return ("--scenarios", str(AGENTS / f"{name}.yaml"))


def judge(
    tmp_path: Path,
    scenario: str,
    *command: str,
    options: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> tuple[int, str, dict[str, str]]:
    """Return the exit code, what was written, and the verdicts of all clauses that are not passed."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [*MUSTER, *_scenario(scenario), "--json", str(report), *options, "--", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    verdicts: dict[str, str] = {}
    if report.exists() and (content := report.read_bytes()):
        for clause in msgspec.json.decode(content)["clauses"]:
            if clause["verdict"] not in {"PASS", "SKIP"}:
                verdicts[clause["id"]] = clause["verdict"]
    return done.returncode, done.stdout + done.stderr, verdicts


def test_right_agent_passes(tmp_path: Path) -> None:
    """An agent that is no relative of ours passes, and its output is kept beside the report."""
    others = ("intervals", "one-command-at-a-time", "asked-to-end", "refused-at-the-start")
    options = tuple(word for name in others for word in _scenario(name))

    code, _, wrong = judge(tmp_path, "heartbeat-first", *ODD, "right", options=options)

    assert (code, wrong) == (0, {})
    assert len(list((tmp_path / "report-output").rglob("alpha.log"))) == 1 + len(others)


@pytest.mark.parametrize(
    ("wrong", "scenario", "clause"),
    [
        ("headlong", "heartbeat-first", "AGT-1"),
        ("nameless", "heartbeat-first", "AGT-2"),
        ("no-token", "heartbeat-first", "AGT-3"),
        ("token-in-url", "heartbeat-first", "AGT-4"),
        ("rare", "intervals", "AGT-6"),
        ("flood", "intervals", "AGT-7"),
        ("deaf", "intervals", "AGT-7"),
        ("hoard", "one-command-at-a-time", "AGT-9"),
        ("twice", "one-command-at-a-time", "AGT-10"),
        ("silent", "what-it-does-not-know", "AGT-11"),
        ("cheerful", "refused-at-the-start", "AGT-43"),
        ("fragile", "master-is-gone-for-a-while", "AGT-52"),
        ("stubborn", "asked-to-end", "AGT-53"),
        ("leaky", "nothing-secret-in-the-output", "AGT-55"),
    ],
)
def test_wrong_agent_fails_by_its_clause(
    tmp_path: Path, wrong: str, scenario: str, clause: str
) -> None:
    """Whatever an agent does wrong, the clause about that is the one that fails."""
    code, _, verdicts = judge(tmp_path, scenario, *ODD, wrong)

    failed = {name for name, verdict in verdicts.items() if verdict == "FAIL"}
    assert code == 1
    assert clause in failed
    assert failed <= {clause, "AGT-12"}  # one story tells of unknown types and unreadable payloads


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("/no/such/program",), "/no/such/program cannot be started: No such file or directory"),
        ((str(ROOT / "README.md"),), "README.md cannot be started: Permission denied"),
        (
            (*ODD, "ends"),
            "ended with exit code 7 before it called the master; it wrote: nothing to do",
        ),
    ],
)
def test_program_that_is_no_agent(tmp_path: Path, command: tuple[str, ...], line: str) -> None:
    """It is said in a line why nothing can be judged, and nothing is."""
    code, written, _ = judge(tmp_path, "intervals", *command)

    assert code == 6
    assert line in written
    assert "Traceback" not in written


def test_program_that_never_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for for ever, and muster says how it could have known the master."""
    monkeypatch.setattr(child, "CONTACT_S", 0.5)
    monkeypatch.setattr(contact, "CONTACT_S", 0.5)
    trial = Trial((*ODD, "sleeps"), Timing(1.0, 1.0))

    with pytest.raises(StopError) as stopped:
        trio.run(contact.make_contact, trial, "2.0", 0)

    assert stopped.value.code == 6
    assert "has not called the master within 0.5 s; it wrote nothing" in str(stopped.value)
    assert "$BACKUPX_AGENT_MASTER" in str(stopped.value)


def test_known_failures_of_a_real_agent_are_about_something() -> None:
    """The list that comes with muster names scenarios and clauses that there are."""
    known = Suite.read((AGENTS,)).known_failures(ROOT / "docs" / "known" / "agent-v2.0.0.toml")

    assert [entry.clause for entry in known.on("2.0", "agent")] == ["AGT-24"] * 3 + ["AGT-25"]


def test_calls_that_are_none_of_an_agents_are_named(tmp_path: Path) -> None:
    """What an agent of something else asks for is said before it fails."""
    code, written, verdicts = judge(tmp_path, "heartbeat-first", *ODD, "elsewhere")

    assert "its first call is POST /v2/hello, which is none of an agent's" in written
    assert (code, verdicts["AGT-1"]) == (1, "FAIL")


def test_token_in_the_arguments_is_warned_of_and_kept_nowhere(tmp_path: Path) -> None:
    """The placeholder works, muster says what it means, and no report has the token in it."""
    code, written, _ = judge(tmp_path, "asked-to-end", *ODD, "leaky", "{token}", "{name}")

    assert code == 0
    assert "warning: {token} is in the arguments" in written
    (log,) = (tmp_path / "report-output").rglob("alpha.log")
    assert "calling with {'X-Agent-Token': '[redacted]'}" in log.read_text()


def test_faults_of_the_caller_are_in_the_way(tmp_path: Path) -> None:
    """A plan acts beside the scenario: an agent that gives up at an error is found out by it."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("faults:\n  - answer 503 poll#3\n", encoding="utf-8")

    code, _, verdicts = judge(
        tmp_path, "intervals", *ODD, "fragile", options=("--faults", str(plan))
    )

    assert (code, verdicts) != (0, {})


@pytest.mark.parametrize(("ended_by", "code"), [(signal.SIGINT, 2), (signal.SIGKILL, -9)])
def test_nothing_is_left_behind(tmp_path: Path, ended_by: int, code: int) -> None:
    """However a run ends, what it started ends too, even when nobody is left to end it."""
    mark = f"mark-{os.getpid()}-{tmp_path.name}"
    with subprocess.Popen(
        [*MUSTER, *_scenario("intervals"), "--heartbeat", "10s", "--", *ODD, "right", mark],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert "muster: 1 scenarios" in run.stdout.readline()
        while not _processes(mark):
            time.sleep(0.05)
        run.send_signal(ended_by)
        run.stdout.read()

    assert run.returncode == code
    for _ in range(100):
        if not _processes(mark):
            return
        time.sleep(0.05)
    pytest.fail("the program still runs")


def test_what_left_the_session_is_ended_too(tmp_path: Path) -> None:
    """A program may start others in sessions of their own; none of them outlives the run."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    code, _, _ = judge(tmp_path, "heartbeat-first", *ODD, "parent", environment=environment)

    assert code == 0
    left = [
        one
        for one in Path("/proc").glob("[0-9]*")
        if str(tmp_path).encode() in _read(one / "environ")
    ]
    assert left == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _processes(mark: str) -> list[Any]:
    """Return the processes, muster's own aside, whose arguments have a mark in them."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes().decode().split("\0")
        except OSError:
            continue
        if mark in words and "harness" not in words:
            found.append(words)
    return found
