"""`muster run --target`: playing on a server that runs already, or that a command starts."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import trio

from harness.sites.served import serve_master
from harness.target import ADMIN
from harness.verdict import Exit
from master.config import Timings

PATIENCE_S: Final = 60.0
"""How long a process may take before a test fails; none takes ten seconds."""

PASSING = """
scenario: A backup is run, restored and deleted
clauses: [CMD-1]
profiles: ["2.4"]
agents: {alpha: manual, beta: {behaviour: prompt}}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
    as: command
    expect: {command: run_task}
  - update_record: {agent: alpha, record: backup, status: success}
  - restore: backup
  - admin: {method: POST, path: /api/api-keys, json: {name: "${alpha.name} key", role: viewer}}
  - admin: {method: POST, path: /api/users, json: {username: "${prefix}lina", password: password-1, displayName: L, role: viewer}}
  - admin: {method: POST, path: "/api/nodes/${alpha.id}/install-tokens", json: {agentVersion: v2.4.0}}
  - run: nightly
    as: again
"""
FAILING = PASSING.replace("run_task", "list_dir")
KILLING = """
scenario: What was there is there after a crash
clauses: [DUR-1]
agents: {alpha: manual}
steps:
  - heartbeat: alpha
  - restart_master: {}
  - expect: {agent: alpha, status: online}
"""
WAITING = """
scenario: Somebody waits
clauses: [CMD-5]
agents: {alpha: manual}
steps:
  - heartbeat: alpha
  - wait: 10m
  - poll: alpha
    expect: {command: null}
"""

TABLES = (
    *("nodes", "backup_tasks", "storage_targets", "backup_records", "restore_records"),
    *("agent_commands", "api_keys", "users", "agent_install_tokens", "backup_task_storage_targets"),
)


@dataclass
class Ground:
    """A folder with scenarios and a target file."""

    folder: Path
    stories: Mapping[str, str]
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scenarios = self.folder / "scenarios"
        scenarios.mkdir()
        for name, story in self.stories.items():
            (scenarios / f"{name}.yaml").write_text(story)
        self.environment = {**os.environ, "TARGET_PASSWORD": ADMIN["password"]}

    def aim(self, url: str, text: str = "") -> None:
        """Write the target file."""
        (self.folder / "target.toml").write_text(
            f'url = "{url}"\nprofile = "2.4"\n{text}\n'
            f'[setup]\nusername = "{ADMIN["username"]}"\npassword = {{ env = "TARGET_PASSWORD" }}\n'
        )

    def aim_at_command(self, text: str = "", *options: str) -> int:
        """Write a target file whose server is started by a command; return its port."""
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        argv = [
            *(sys.executable, "-P", "-m", "harness", "serve", f"--port={port}"),
            *("--database=master.db", "--profile=2.4", *options),
        ]
        self.aim(f"http://127.0.0.1:{port}", f'database = "master.db"\n{text}')
        with (self.folder / "target.toml").open("a") as file:
            file.write(f"[command]\nargv = {json.dumps(argv)}\n")
        return port

    def words(self, *options: object) -> list[str]:
        """Return the command that plays the scenarios."""
        paths = [str(self.folder / "scenarios"), "--target", str(self.folder / "target.toml")]
        report = ["--json", str(self.folder / "report.json")]
        return [sys.executable, "-m", "harness", "run", *paths, *report, *map(str, options)]

    async def sweep(self) -> str:
        """Clean the server up; return what was written."""
        words = ["target", "clean", "--target", str(self.folder / "target.toml")]
        done = await trio.run_process(
            [sys.executable, "-m", "harness", *words], env=self.environment, capture_stdout=True
        )
        return done.stdout.decode()

    async def run(self, *options: object) -> tuple[int, str, dict[str, Any]]:
        """Play the scenarios; return the exit code, what was written, and the report."""
        with trio.fail_after(PATIENCE_S):
            done = await trio.run_process(
                self.words(*options),
                env=self.environment,
                cwd=self.folder,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
        text = (done.stdout + done.stderr).decode()
        file = self.folder / "report.json"
        return done.returncode, text, json.loads(file.read_bytes()) if file.stat().st_size else {}


def counts(database: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in TABLES
        }


@pytest.mark.parametrize("story", [PASSING, FAILING], ids=["passed", "failed"])
async def test_nothing_is_left_where_the_database_can_be_written(
    tmp_path: Path, story: str
) -> None:
    """Neither by a scenario that passes nor by one that fails; what was there before stays."""
    ground = Ground(tmp_path, {"story": story})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim(served.url, f'database = "{served.database}"')
        before = counts(served.database)
        code, text, report = await ground.run()
        after = counts(served.database)

    assert code == (Exit.OK if story is PASSING else Exit.VIOLATION), text
    assert after == before
    assert (report["target"]["left"], report["target"]["missed"]) == ({}, {})
    assert report["target"]["removed"]["nodes"] == 2
    assert ADMIN["password"] not in text + json.dumps(report)
    if story is FAILING:
        assert f"--target {tmp_path}/target.toml --profile 2.4" in text


async def test_what_no_call_removes_is_counted(tmp_path: Path) -> None:
    """Without a database, restore records stay, and one target for all runs; nothing of a second run."""
    ground = Ground(tmp_path, {"story": PASSING})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim(served.url)
        runs = [await ground.run() for _ in range(2)]
        left = counts(served.database)

    for code, text, report in runs:
        assert code == Exit.OK, text
        assert report["target"]["left"] == {"restore records": 1}
        assert "left behind, for there is no call that removes them: 1 restore records" in text
    assert (left["nodes"], left["backup_tasks"], left["backup_records"]) == (1, 0, 0)
    assert (left["storage_targets"], left["restore_records"], left["users"]) == (1, 2, 1)
    assert left["api_keys"] == 0


async def test_everything_is_kept_when_asked_for(tmp_path: Path) -> None:
    """With names that say whose they are."""
    ground = Ground(tmp_path, {"story": PASSING})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim(served.url, f'database = "{served.database}"')
        code, text, _ = await ground.run("--keep")
        with closing(sqlite3.connect(served.database)) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM nodes WHERE id > 1")]

    assert code == Exit.OK, text
    assert len(names) == 2
    assert all(name.startswith("muster-") and "-s0-" in name for name in names)
    assert "is kept, as asked for" in text


@pytest.mark.parametrize("how", ["runs", "command"])
async def test_what_was_kept_is_swept(tmp_path: Path, how: str) -> None:
    """All of it at once; a server that has a command is started for it."""
    ground = Ground(tmp_path, {"story": PASSING})
    if how == "command":
        ground.aim_at_command()
        await ground.run("--keep")
        swept = await ground.sweep()
        after = counts(tmp_path / "master.db")
    else:
        async with serve_master(Timings(), "2.4") as served:
            ground.aim(served.url, f'database = "{served.database}"')
            await ground.run("--keep")
            swept = await ground.sweep()
            after = counts(served.database)

    assert "2 nodes" in swept
    assert "1 restore records" in swept
    assert "left behind" not in swept
    assert after == {table: int(table in {"nodes", "users"}) for table in TABLES}
    assert ADMIN["password"] not in swept


async def test_a_command_is_started_killed_and_stopped(tmp_path: Path) -> None:
    """Its log is beside the report, and nobody listens afterwards."""
    ground = Ground(tmp_path, {"story": PASSING, "killing": KILLING})
    port = ground.aim_at_command()
    code, text, report = await ground.run()

    assert code == Exit.OK, text
    assert [one["verdict"] for one in report["scenarios"]] == ["PASS", "PASS"]
    assert report["target"]["log"] == str(tmp_path / "target.server.log")
    assert (tmp_path / "target.server.log").read_text().count("listening on") == 2
    with pytest.raises(ConnectionRefusedError), closing(socket.socket()) as link:
        link.connect(("127.0.0.1", port))


async def test_a_server_that_muster_did_not_start_is_not_killed(tmp_path: Path) -> None:
    """What would kill it is skipped, and it says so."""
    ground = Ground(tmp_path, {"killing": KILLING})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim(served.url)
        code, text, _ = await ground.run()
        assert served.pid > 0

    assert code == Exit.NOTHING_TESTED
    assert "kills the master's process, which muster did not start" in text


async def test_a_server_that_dies(tmp_path: Path) -> None:
    """What is in the air is unknown, the rest is not played, and it is the target's fault."""
    ground = Ground(tmp_path, {"waiting": WAITING, "zero": KILLING})
    async with serve_master(Timings(), "2.4") as served, trio.open_nursery() as nursery:
        ground.aim(served.url)

        async def kill() -> None:
            await trio.to_thread.run_sync(wait_for_a_node, served.database)
            await served.process.stop()

        nursery.start_soon(kill)
        code, text, report = await ground.run()

    by_id = {one["id"]: one for one in report["scenarios"]}
    assert code == Exit.TARGET, text
    assert by_id["waiting"]["verdict"] == "UNKNOWN"
    assert by_id["waiting"]["reason"].startswith(served.url)
    assert "(exit 6: the server ended in the middle)" in text
    assert list(report["target"]["missed"].values()) == ["the server was gone"] * 2


async def test_a_started_server_that_dies(tmp_path: Path) -> None:
    """It is said how it ended and what it wrote last; it is started again, and the rest is played."""
    ground = Ground(tmp_path, {"a-waiting": WAITING, "killing": KILLING})
    ground.aim_at_command("crowd = 1")
    file = tmp_path / "target.toml"
    shell = ["/bin/sh", "-c", "echo $$ > pid; exec " + " ".join(argv_of(file))]
    lines = [line for line in file.read_text().splitlines() if not line.startswith("argv")]
    file.write_text("\n".join([*lines, f"argv = {json.dumps(shell)}"]))

    async def kill() -> None:
        await trio.to_thread.run_sync(wait_for_a_node, tmp_path / "master.db")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGSEGV)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(kill)
        code, text, report = await ground.run()

    assert code == Exit.UNKNOWN, text
    assert [one["verdict"] for one in report["scenarios"]] == ["UNKNOWN", "PASS"]
    (death,) = report["target"]["deaths"]
    assert death.startswith("the server was ended by SIGSEGV; ")
    assert "target.server.log ends with:" in death
    assert report["target"]["gone"] is None
    assert (report["target"]["left"], report["target"]["missed"]) == ({}, {})
    assert counts(tmp_path / "master.db")["nodes"] == 1


def argv_of(file: Path) -> list[str]:
    """Return the command of a target file."""
    (line,) = [line for line in file.read_text().splitlines() if line.startswith("argv")]
    argv: list[str] = json.loads(line.partition("=")[2])
    return argv


async def test_a_port_that_another_server_has(tmp_path: Path) -> None:
    """That one is not taken for ours."""
    ground = Ground(tmp_path, {"story": PASSING})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim_at_command()
        file = tmp_path / "target.toml"
        own = file.read_text().splitlines()[0]
        file.write_text(file.read_text().replace(own, f'url = "{served.url}"'))
        code, text, _ = await ground.run()

    assert code == Exit.TARGET
    assert "answers there already, before muster started" in text
    assert not (tmp_path / "master.db").exists()


async def test_a_command_that_ends_at_once(tmp_path: Path) -> None:
    """It is told how, and what it said last."""
    ground = Ground(tmp_path, {"story": PASSING})
    ground.aim_at_command("", "--command-timeout=never")
    code, text, _ = await ground.run()

    assert code == Exit.TARGET
    assert "ended with exit code 4" in text
    assert "Invalid value for '--command-timeout'" in text


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name
)
def test_the_server_ends_with_muster(tmp_path: Path, number: signal.Signals) -> None:
    """Whatever ends muster; where it can still act, nothing is left on the server either."""
    ground = Ground(tmp_path, {"waiting": WAITING})
    port = ground.aim_at_command()
    process = subprocess.Popen(ground.words(), env=ground.environment, stdout=subprocess.DEVNULL)
    wait_for_a_node(tmp_path / "master.db")
    process.send_signal(number)
    process.wait(PATIENCE_S)

    wait_until(lambda: not listening(port))
    assert process.returncode == (-number if number is signal.SIGKILL else Exit.UNKNOWN)
    assert counts(tmp_path / "master.db")["nodes"] == (2 if number is signal.SIGKILL else 1)


def wait_for_a_node(database: Path) -> None:
    """Wait until somebody has made a node beside the master's own."""
    wait_until(lambda: database.exists() and counts(database)["nodes"] > 1)


def listening(port: int) -> bool:
    with closing(socket.socket()) as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


def wait_until(there: Any) -> None:
    """Wait until another process has done something, which tells nobody when."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            if there():
                return
        except sqlite3.Error:
            pass  # it is just being made
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--speed", "5"), "--speed is for servers that muster makes"),
        (("--clock", "virtual"), "--clock virtual is for the reference in this process"),
        (("--profile", "all"), "--profile all is for the reference"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
async def test_options_that_make_no_sense_together(
    tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    """Nothing is started, and it is said why."""
    ground = Ground(tmp_path, {"story": PASSING})
    ground.aim_at_command()
    done = await trio.run_process(
        ground.words(*options), env=ground.environment, capture_stderr=True, check=False
    )

    assert done.returncode == Exit.USAGE
    assert message in done.stderr.decode()
    assert not (tmp_path / "master.db").exists()


async def test_a_neighbouring_profile(tmp_path: Path) -> None:
    """The profile of the command line counts, whatever the server says it is."""
    ground = Ground(tmp_path, {"story": PASSING.replace('"2.4"', '"2.3.5"')})
    async with serve_master(Timings(), "2.4") as served:
        ground.aim(served.url)
        code, text, report = await ground.run("--profile", "2.3.5")

    assert code == Exit.OK, text
    assert report["profile"] == "2.3.5"
    assert "judged as 2.3.5" in text
