"""Scenario files as tests of pytest, in a project of its own."""

import json
import os
import socket
import subprocess
import sys
import tomllib
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from harness import runner

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = any(one.name == "muster" for one in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "harness.pytest_plugin")
EMBEDDED = ("--muster-target", "embedded")

CATALOGUE = """
[[clause]]
id = "CMD-1"
level = "MUST"
text = "An idle poll is answered with no command."
source = "our contract, page 3"

[[clause]]
id = "CMD-11"
level = "MUST"
text = "An idle poll is answered at once."
source = "our contract, page 4"

[[clause]]
id = "HTTP-1"
level = "SHOULD"
text = "It is polite."
source = "our contract, page 5"
"""
PASSING = """
scenario: An idle poll is answered at once
clauses: [CMD-1]
agents: {alpha: manual}
steps:
  - poll: alpha
    expect: {command: null}
    clauses: [CMD-11]
"""
FAILING = """
scenario: An idle poll brings a command
clauses: [CMD-1]
agents: {alpha: manual}
steps:
  - poll: alpha
    expect: {command: run_task}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Another project: a catalogue and a scenario of its own, and a test in Python beside them."""
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"
    )
    pytester.makepyfile(test_own="def test_own(): pass\n")
    folder = pytester.mkdir("contract")
    (folder / "clauses.toml").write_text(CATALOGUE)
    (folder / "good.yaml").write_text(PASSING)
    pytester.path.joinpath("other.yaml").write_text("no: scenario\n")
    return pytester


def write(project: pytest.Pytester, name: str, text: str) -> None:
    project.path.joinpath("contract", name).write_text(text)


def pytest_run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *arguments)


def test_scenarios_are_tests(project: pytest.Pytester) -> None:
    """Those in the folder of the catalogue, beside the project's own; no other YAML file."""
    result = pytest_run(project, *EMBEDDED, "-v")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["contract/good.yaml::good PASSED*", "test_own.py::test_own PASSED*"]
    )


def test_without_a_target_nothing_changes(project: pytest.Pytester) -> None:
    """A run that does not ask for scenarios has none, and imports neither trio nor muster for it."""
    project.makepyfile(
        test_own="""
        import sys

        def test_own():
            heavy = [one for one in ("harness.runner", "master.core", "msgspec") if one in sys.modules]
            assert not heavy
        """
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:trio", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=project.path, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_ini_file_may_name_the_target(project: pytest.Pytester) -> None:
    """An option overrides it; then a run of Python tests alone is no mistake."""
    project.makeini("[pytest]\nmuster_target = embedded\nmuster_profile = 2.4\n")
    write(project, "old.yaml", PASSING.replace("agents:", "profiles: ['2.0']\nagents:"))

    pytest_run(project).assert_outcomes(passed=2, skipped=1)
    pytest_run(project, "--muster-profile", "2.0").assert_outcomes(passed=3)
    pytest_run(project, "test_own.py").assert_outcomes(passed=1)


def test_a_failure_is_explained_as_on_the_terminal(project: pytest.Pytester) -> None:
    """Clause, place with line, both sides, the history before, and how to play it again."""
    write(project, "bad.yaml", FAILING)
    result = pytest_run(project, *EMBEDDED, "--muster-seed", "7")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ bad _*",
            "CMD-1 MUST: An idle poll is answered with no command.",
            "  scenario  An idle poll brings a command",
            "        at  contract/bad.yaml:6:5, 0.000 s after it began",
            "  expected  data.command: *",
            "      seen  null*",
            "    before",
            "*alpha    invoke poll",
            "    replay  muster run contract/bad.yaml --clock virtual --profile 2.0 --seed 7",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_files.py*")


def test_clauses_are_markers(project: pytest.Pytester) -> None:
    """`-m` selects by an id exactly, also a step's; `-k` by a part of it; both allow `--strict-markers`."""
    write(project, "other.yaml", PASSING.replace("[CMD-1]", "[HTTP-1]").replace("CMD-11", "HTTP-1"))

    pytest_run(project, *EMBEDDED, "-m", "CMD-1").assert_outcomes(passed=1, deselected=2)
    pytest_run(project, *EMBEDDED, "-m", "CMD-11").assert_outcomes(passed=1, deselected=2)
    pytest_run(project, *EMBEDDED, "-m", "CMD-1 or HTTP-1").assert_outcomes(passed=2, deselected=1)
    pytest_run(project, *EMBEDDED, "-k", "HTTP").assert_outcomes(passed=1, deselected=2)


def test_what_does_not_apply_is_skipped(project: pytest.Pytester) -> None:
    """With the reason."""
    write(project, "good.yaml", PASSING.replace("agents:", "profiles: ['2.0']\nagents:"))
    result = pytest_run(project, *EMBEDDED, "--muster-profile", "strict", "-rs")

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*contract/good.yaml:1: applies to profile 2.0"])


def test_a_known_failure_is_an_expected_one(project: pytest.Pytester) -> None:
    """`xfail` with its reason; one that passes fails, and says which entry to delete."""
    write(project, "bad.yaml", FAILING)
    write(project, "known-failures.toml", '[[known]]\nscenario = "bad"\nreason = "not yet"\n')
    result = pytest_run(project, *EMBEDDED, "-rx")
    result.assert_outcomes(passed=2, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL contract/bad.yaml::bad*not yet"])
    pytest_run(project, *EMBEDDED, "--runxfail").assert_outcomes(passed=2, failed=1)

    write(project, "known-failures.toml", '[[known]]\nscenario = "good"\nreason = "not yet"\n')
    result = pytest_run(project, *EMBEDDED, "--deselect", "contract/bad.yaml")
    result.assert_outcomes(passed=1, failed=1, deselected=1)
    result.stdout.fnmatch_lines(["contract/known-failures.toml:1:1: good passes on profile 2.0: *"])


def test_a_broken_should_warns(project: pytest.Pytester) -> None:
    """It passes with a warning; `--muster-strict` makes it a failure."""
    project.makeini("[pytest]\nfilterwarnings = always\n")
    write(project, "odd.yaml", FAILING.replace("CMD-1", "HTTP-1"))
    result = pytest_run(project, *EMBEDDED)
    result.assert_outcomes(passed=3, warnings=1)
    result.stdout.fnmatch_lines(["*MusterWarning: WARN", "*HTTP-1 SHOULD: It is polite."])

    pytest_run(project, *EMBEDDED, "--muster-strict").assert_outcomes(passed=2, failed=1)


def test_what_could_not_be_told_is_no_success(project: pytest.Pytester) -> None:
    """A scenario that cannot be set up is UNKNOWN, and one that looks at nothing is VACUOUS."""
    write(
        project,
        "good.yaml",
        PASSING.replace("agents:", "tasks: {t: {agent: alpha, type: nonsense}}\nagents:"),
    )
    result = pytest_run(project, *EMBEDDED)

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["UNKNOWN: *"])


def test_an_interrupt_ends_the_session(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scenario that it meets is no success, and pytest stops as it always does."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "play_embedded", interrupted)
    result = project.runpytest_inprocess(*PLUGIN, *EMBEDDED, no_reraise_ctrlc=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.no_fnmatch_line("*passed*")


def test_mistakes_are_errors_of_the_collection(project: pytest.Pytester) -> None:
    """All of a file at once, each with its place; nothing is played."""
    write(project, "bad.yaml", PASSING.replace("poll:", "pol:").replace("[CMD-1]", "[CMD-2]"))
    result = pytest_run(project, *EMBEDDED)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting contract/bad.yaml*",
            "contract/bad.yaml:3:11: error: *'CMD-2'",
            "contract/bad.yaml:6:5: error: expected a verb, got 'pol'",
            "2 errors in 1 file",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_mistake_in_the_catalogue(project: pytest.Pytester) -> None:
    """It is told by each file that needs it."""
    write(project, "clauses.toml", CATALOGUE.replace("SHOULD", "SHUOLD"))
    result = pytest_run(project, *EMBEDDED)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["contract/clauses.toml:16:1: error: expected a level *"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--muster-target", "embeded"], "got 'embeded'; did you mean 'embedded'?"),
        (["--muster-target", "http://127.0.0.1:1"], "or a target file that is there"),
        (["--muster-target", "none.toml"], "or a target file that is there, got 'none.toml'"),
        (["--muster-target", "wrong.toml"], "wrong.toml:1:1: error: expected*"),
        ([*EMBEDDED, "--muster-profile", "2.O"], "did you mean '2.0'?"),
        ([*EMBEDDED, "--muster-seed", "x"], "expected a whole number from 0, got 'x'"),
        ([*EMBEDDED, "--muster-speed", "0"], "expected a number from 1 to 100, got '0'"),
        ([*EMBEDDED, "--muster-known-failures", "none"], "expected a file, got 'none'"),
        ([*EMBEDDED, "test_own.py"], "no scenario file was collected"),
    ],
)
def test_mistakes_in_options(project: pytest.Pytester, arguments: list[str], said: str) -> None:
    """A line that says what was expected; pytest exits 4."""
    (project.path / "wrong.toml").write_text("ulr = 'http://127.0.0.1:1'\n")
    result = pytest_run(project, *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{said}*"])


def test_a_file_may_be_named_and_a_folder_set(project: pytest.Pytester) -> None:
    """With the built-in catalogue, where there is no other above."""
    folder = project.mkdir("more")
    (folder / "story.yaml").write_text(PASSING.replace("CMD-11", "CMD-5"))

    pytest_run(project, *EMBEDDED, "more/story.yaml").assert_outcomes(passed=1)
    project.makeini("[pytest]\nmuster_scenarios = more\n")
    pytest_run(project, *EMBEDDED, "more").assert_outcomes(passed=1)


def test_a_target_file(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server is played on, started and stopped for each scenario where it has a command."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["-m", "harness", "serve", f"--port={port}", "--database=m.db", "--profile=2.4"]
    (project.path / "target.toml").write_text(
        f'url = "http://127.0.0.1:{port}"\nprofile = "2.4"\ndatabase = "m.db"\n'
        '[setup]\nusername = "admin"\npassword = { env = "PASSWORD_OF_TARGET" }\n'
        f"[command]\nargv = {json.dumps([sys.executable, '-P', *serve])}\n"
    )
    monkeypatch.setenv("PASSWORD_OF_TARGET", "correct-horse")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = pytest_run(project, "--muster-target", "target.toml")
    refused = pytest_run(project, "--muster-target", "target.toml", "--muster-speed", "5")

    result.assert_outcomes(passed=2)
    assert (project.path / "target.server.log").read_text().count("stopped") == 1
    refused.stderr.fnmatch_lines(
        ["ERROR: --muster-speed: how fast the target is, target.toml says"]
    )


def test_cases_are_tests(project: pytest.Pytester) -> None:
    """Each with its name behind the file's."""
    story = PASSING.replace(
        "agents:", "cases: [{name: one, x: null}, {name: two, x: null}]\nagents:"
    )
    write(project, "good.yaml", story.replace("command: null", 'command: "${case.x}"'))
    result = pytest_run(project, *EMBEDDED, "-v")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["contract/good.yaml::good?two? PASSED*"])


def test_beside_pytest_trio(project: pytest.Pytester) -> None:
    """A project whose tests are async in trio has both."""
    project.makeini("[pytest]\ntrio_mode = true\n")
    project.makepyfile(test_own="import trio\n\nasync def test_own(): await trio.sleep(0)\n")

    pytest_run(project, *EMBEDDED).assert_outcomes(passed=2)


def test_under_xdist(project: pytest.Pytester) -> None:
    """Workers collect the same, also when the target comes from an option."""
    write(project, "bad.yaml", FAILING)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-n", "2", *EMBEDDED]
    done = subprocess.run(
        command, cwd=project.path, env=env, capture_output=True, text=True, check=False
    )

    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "at  contract/bad.yaml:6:5" in done.stdout


def test_against_a_server(project: pytest.Pytester) -> None:
    """The target `real` is a server process over TCP."""
    pytest_run(project, "--muster-target", "real", "contract").assert_outcomes(passed=1)


def test_the_installed_package_brings_the_plugin(project: pytest.Pytester) -> None:
    """Pytest finds it by its entry point, with nothing on the command line."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    info = project.mkdir("site") / "backupx_muster-0.0.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: backupx-muster\nVersion: 0.0.0\n"
    )
    lines = [f"{name} = {value}" for name, value in declared["pytest11"].items()]
    info.joinpath("entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(info.parent), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", *EMBEDDED, "contract"]
    done = subprocess.run(
        command, cwd=project.path, env=env, capture_output=True, text=True, check=False
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr
