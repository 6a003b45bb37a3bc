"""`muster serve` as a process: how it starts, what it says, how it ends, and what survives it."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import pytest

from harness.cli import main
from harness.commands.serve import serve
from harness.verdict import Exit

GOLDEN = Path(__file__).parent / "golden" / "v2.0.0"
REAL: Final[dict[str, Any]] = json.loads((GOLDEN / "real.json").read_text("utf-8"))

SERVE: Final = (sys.executable, "-m", "harness", "serve", "--port=0")
IMPATIENT: Final = """
import master.serve, master.store.database
master.store.database.BUSY_TIMEOUT_S = 0.05
master.serve.GRACEFUL_S = 0.2
from harness.cli import main
main()
"""
HURRIED: Final = (sys.executable, "-c", IMPATIENT, "serve", "--port=0")
"""The same command, which waits for nobody for long."""

PATIENCE_S: Final = 30.0
"""How long a test waits for a process before it fails; nothing here takes a second."""

Refused = Callable[..., tuple[Any, str]]

PASSWORD: Final = "correct-horse-battery"
KEY: Final = "an-encryption-key-of-nobody"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return kept | more


class Server:
    """A running `muster serve`."""

    def __init__(self, folder: Path, *options: str, command: tuple[str, ...] = SERVE) -> None:
        self.folder = folder
        self.database = folder / "master.db"
        self.log_path = folder / "serve.log"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, f"--database={self.database}", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(MUSTER_ENCRYPTION_KEY=KEY),
                text=True,
            )
        self.guard = threading.Timer(PATIENCE_S, self.process.kill)
        self.guard.start()
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        where = urlsplit(self.first_line.removeprefix("listening on ").strip())
        assert where.hostname is not None, self.log_path.read_text()
        self.address = (where.hostname, where.port or 0)
        self.admin = ""

    def link(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE_S)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        link: http.client.HTTPConnection | None = None,
    ) -> Any:
        """Send a request and return the data of its answer."""
        own = link or self.link()
        headers = {"X-Agent-Token": token} if token else {"Authorization": f"Bearer {self.admin}"}
        own.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = own.getresponse()
        content = answer.read()
        if link is None:
            own.close()
        assert answer.status == 200, content
        return json.loads(content).get("data")

    def set_up(self) -> str:
        """Make an administrator and a node that is online; return the node's token."""
        admin = {"username": "admin", "password": PASSWORD, "displayName": "A"}
        self.admin = self.send("POST", "/api/auth/setup", admin)["token"]
        token = str(self.send("POST", "/api/nodes", {"name": "alpha"})["token"])
        self.send("POST", "/api/agent/heartbeat", {}, token=token)
        return token

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    @property
    def rest(self) -> str:
        """What it said after its first line."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        self.guard.cancel()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def serving(folder: Path, *options: str, command: tuple[str, ...] = SERVE) -> Iterator[Server]:
    server = Server(folder, *options, command=command)
    try:
        yield server
    finally:
        server.close()


def closed_properly(database: Path) -> bool:
    """Whether a file is alone, and in the mode that the real master keeps it in."""
    beside = list(database.parent.glob(f"{database.name}-*"))
    return not beside and database.read_bytes()[18:20] == b"\x01\x01"


def test_a_new_server_says_where_it_is_and_what_to_do(tmp_path: Path) -> None:
    """It prints its URL, then the command that makes the first administrator."""
    with serving(tmp_path) as server:
        server.stop()

        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", server.first_line)
        assert f"curl -X POST http://127.0.0.1:{server.address[1]}/api/auth/setup -d" in server.rest


def open_rpc(server: Server) -> http.client.HTTPConnection:
    """Ask an agent for a directory, and do not wait for the answer."""
    link = server.link()
    headers = {"Authorization": f"Bearer {server.admin}"}
    link.request("GET", "/api/nodes/2/fs/list?path=/", headers=headers)
    token = str(server.rows("SELECT token FROM nodes WHERE id = 2")[0][0])
    while server.send("POST", "/api/agent/commands/poll", token=token)["command"] is None:
        pass  # until the question has arrived
    return link


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """Open connections and a call that waits do not keep it, and the database is closed."""
    with serving(tmp_path, command=HURRIED) as server:
        token = server.set_up()
        idle = [server.link() for _ in range(3)]
        for link in idle:
            server.send("GET", "/api/v1/agent/self", token=token, link=link)
        silent = socket.create_connection(server.address)
        waiting = open_rpc(server)

        code = server.stop(number)

        for link in (*idle, waiting):
            link.close()
        silent.close()
        assert code == Exit.OK
        assert closed_properly(server.database)
        assert server.rows("SELECT status FROM agent_commands") == [("dispatched",)]
        assert [line["message"] for line in server.log()] == [
            f"{number.name} received, stopping",
            "stopped",
        ]


def test_a_running_request_may_end_after_the_signal(tmp_path: Path) -> None:
    """Within the grace a caller still gets the answer that they were waiting for."""
    with serving(tmp_path, "--list-dir-timeout=0.3s") as server:
        server.set_up()
        waiting = open_rpc(server)

        server.process.send_signal(signal.SIGTERM)
        answer = waiting.getresponse()

        assert json.loads(answer.read())["code"] == "AGENT_COMMAND_TIMEOUT"
        waiting.close()
        assert server.process.wait(PATIENCE_S) == Exit.OK
        assert closed_properly(server.database)


def test_connections_are_kept_alive(tmp_path: Path) -> None:
    """An agent's requests, bodies and all, go over one connection."""
    with serving(tmp_path) as server:
        token = server.set_up()
        link = server.link()
        server.send("GET", "/api/v1/agent/self", token=token, link=link)
        first = link.sock
        for _ in range(20):
            server.send("POST", "/api/agent/heartbeat", {"os": "linux"}, token=token, link=link)

        assert link.sock is first
        link.close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """After kill -9 the next server has every command and result that was answered."""
    with serving(tmp_path) as server:
        token = server.set_up()
        target = {"name": "t", "type": "local_disk", "config": {"basePath": str(tmp_path)}}
        server.send("POST", "/api/storage-targets", target)
        task = {
            "name": "documents",
            "type": "file",
            "sourcePath": "/x",
            "storageTargetIds": [1],
            "nodeId": 2,
        }
        server.send("POST", "/api/backup/tasks", task)
        for _ in range(3):
            server.send("POST", "/api/backup/tasks/1/run")
        command = server.send("POST", "/api/agent/commands/poll", token=token)["command"]
        server.send("POST", "/api/agent/records/1", {"status": "success"}, token=token)
        path = f"/api/agent/commands/{command['id']}/result"
        server.send("POST", path, {"success": True}, token=token)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        assert not closed_properly(server.database)

    with serving(tmp_path) as again:
        again.admin = server.admin  # a log-in outlives the process
        found = again.send("GET", "/api/backup/records")
        left = [
            again.send("POST", "/api/agent/commands/poll", token=token)["command"]["id"]
            for _ in range(2)
        ]
        again.stop()

        assert [record["status"] for record in found] == ["running", "running", "success"]
        assert left == [command["id"] + 1, command["id"] + 2]
        assert again.rows("SELECT status FROM agent_commands ORDER BY id")[0] == ("succeeded",)
        assert closed_properly(again.database)


def test_the_log_is_json_and_holds_no_secret(tmp_path: Path) -> None:
    """Each line is one object; tokens, passwords and keys are in none, whatever went wrong."""
    with serving(tmp_path, "--log-level=debug", "--list-dir-timeout=0.05s") as server:
        token = server.set_up()
        secrets = {token, PASSWORD, KEY, server.admin, "hunter2", "swordfish"}
        target = {"name": "t", "type": "s3", "config": {"secretAccessKey": "hunter2"}}
        statuses = []
        for method, path, body in (
            ("POST", "/api/auth/login", {"username": "admin", "password": PASSWORD}),
            ("POST", "/api/auth/login", {"username": "admin", "password": "swordfish"}),
            ("POST", "/api/storage-targets", target),
            ("GET", f"/api/nodes/2/fs/list?path=/swordfish&token={token}", None),
            ("POST", "/api/agent/commands/x/result?key=swordfish", {"errorMessage": "hunter2"}),
            ("POST", "/api/nodes/2/rotate-token", None),
        ):
            link = server.link()
            headers = {"Authorization": f"Bearer {server.admin}", "X-Agent-Token": token}
            link.request(method, path, json.dumps(body), headers)
            answer = link.getresponse()
            statuses.append(answer.status)
            content = answer.read().decode()
            link.close()
        secrets.add(json.loads(content)["data"]["newToken"])
        stored = [value for (value,) in server.rows("SELECT value FROM system_configs")]
        server.stop()
        lines, text = server.log(), server.log_path.read_text("utf-8")

    assert 504 in statuses
    assert 500 in statuses
    assert len(stored) == 2
    assert len(lines) >= 4
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert [secret for secret in secrets | set(stored) if secret in text] == []


def test_no_option_takes_a_secret() -> None:
    """What is on the command line is in the process list: secrets come by file or environment."""
    named = [
        option
        for parameter in serve.params
        for option in parameter.opts
        if re.search("key|secret|password|token", option)
    ]

    assert named == ["--encryption-key-file", "--token-grace"]
    (key,) = [one for one in serve.params if one.name == "encryption_key_file"]
    assert isinstance(key.type, click.Path)


# --- what cannot be served ------------------------------------------------------------------


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run `muster serve` where it cannot start; return its exit code and what it said."""
    monkeypatch.delenv("MUSTER_ENCRYPTION_KEY", raising=False)
    monkeypatch.setattr("logging.basicConfig", nothing)  # the log of the tests stays theirs
    monkeypatch.setattr("trio.run", None)  # whoever would serve, fails

    def run(folder: Path, *options: str) -> tuple[Any, str]:
        arguments = ["muster", "serve", "--port=0", f"--database={folder / 'master.db'}"]
        monkeypatch.setattr(sys, "argv", [*arguments, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        said, complaint = capsys.readouterr()
        assert said == ""
        return ended.value.code, complaint

    return run


def not_a_database(folder: Path) -> None:
    Path(folder, "master.db").write_text("a letter\n" * 100)


def no_folder(folder: Path) -> None:
    folder.rmdir()


def of_the_real_master(folder: Path) -> None:
    shutil.copy(GOLDEN / "real.db", folder / "master.db")


def an_empty_key(folder: Path) -> None:
    Path(folder, "key").write_text(" \n")


def an_unreadable_key(folder: Path) -> None:
    Path(folder, "key").write_bytes(b"\xff\xfe\xff")


def a_wrong_key(folder: Path) -> None:
    of_the_real_master(folder)
    Path(folder, "key").write_text("a wrong key\n")


def a_folder_for_a_key(folder: Path) -> None:
    Path(folder, "key").mkdir()


def nothing(*_: object, **__: object) -> None:
    pass


def tables(folder: Path) -> list[str]:
    """Return what is in a folder's database, or in a file that is none."""
    path = folder / "master.db"
    if not path.exists():
        return []
    if not path.read_bytes().startswith(b"SQLite format 3"):
        return [path.read_text()]
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


Prepare = Callable[[Path], None]

REFUSALS: dict[str, tuple[Prepare, tuple[str, ...], Exit, str]] = {
    "not a database": (not_a_database, (), Exit.TARGET, "is not an SQLite database"),
    "no folder": (no_folder, (), Exit.TARGET, "cannot be opened for writing"),
    "a host that is none": (nothing, ("--host=ä..b",), Exit.TARGET, "cannot listen on ä..b"),
    "an empty key": (an_empty_key, ("key",), Exit.USAGE, "found an empty file"),
    "an unreadable key": (an_unreadable_key, ("key",), Exit.USAGE, "the key cannot be read"),
    "a folder for a key": (a_folder_for_a_key, ("key",), Exit.USAGE, "is a directory"),
    "no key": (nothing, ("key",), Exit.USAGE, "does not exist"),
    "no unit": (nothing, ("--command-timeout=5",), Exit.USAGE, "--command-timeout"),
    "no time at all": (nothing, ("--offline-scan=0s",), Exit.USAGE, "more than 0 seconds"),
    "no such profile": (nothing, ("--profile=9.9",), Exit.USAGE, "--profile"),
    "no such port": (nothing, ("--port=65536",), Exit.USAGE, "--port"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_mistake_ends_with_one_line(case: str, tmp_path: Path, refused: Refused) -> None:
    """The exit code says whose mistake it is, the last line what; nothing is served or changed."""
    prepare, options, code, message = REFUSALS[case]
    folder = tmp_path / "here"
    folder.mkdir()
    prepare(folder)
    given = [f"--encryption-key-file={folder / 'key'}" if one == "key" else one for one in options]
    before = tables(folder)

    ended, said = refused(folder, *given)

    *usage, last = said.splitlines()
    assert ended == code, said
    assert message in last
    assert all(line.startswith(("Usage:", "Try ")) or not line for line in usage)
    assert tables(folder) == before


def test_a_taken_port_is_somebody_else_s(tmp_path: Path, refused: Refused) -> None:
    """It ends with one line that names the address, and no database is made."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended, said = refused(tmp_path, f"--port={port}")

    assert ended == Exit.TARGET
    assert re.fullmatch(rf"Error: cannot listen on 127\.0\.0\.1:{port}: .+\n", said)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_is_the_user_s(tmp_path: Path, refused: Refused) -> None:
    """It ends with one line that says how to give the right one, and does not repeat the wrong."""
    a_wrong_key(tmp_path)
    before = tables(tmp_path)

    ended, said = refused(tmp_path, f"--encryption-key-file={tmp_path / 'key'}")

    assert ended == Exit.USAGE
    assert re.fullmatch(r"Error: .+ Give the right one by --encryption-key-file .+\n", said)
    assert "a wrong key" not in said
    assert tables(tmp_path) == before


def test_a_locked_database_is_somebody_else_s(tmp_path: Path) -> None:
    """It ends with one line, and leaves the file to whoever holds it."""
    of_the_real_master(tmp_path)
    before = (tmp_path / "master.db").read_bytes()
    with closing(sqlite3.connect(tmp_path / "master.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        ended = subprocess.run(
            [*HURRIED, f"--database={tmp_path / 'master.db'}"],
            capture_output=True,
            env=environment(),
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert (ended.returncode, ended.stdout) == (Exit.TARGET, "")
    assert re.fullmatch(r"Error: .+ is locked by another process: .+\n", ended.stderr)
    assert (tmp_path / "master.db").read_bytes() == before


def test_a_real_database_is_served_with_its_key(tmp_path: Path) -> None:
    """With the key by file a real master's database is served, and closed as it was found."""
    of_the_real_master(tmp_path)
    key = tmp_path / "key"
    key.write_text(REAL["encryption_key"] + "\n")
    with serving(tmp_path, f"--encryption-key-file={key}") as server:
        spec = server.send("GET", "/api/agent/tasks/2", token=REAL["node_tokens"]["beta"])
        server.stop()
        advice = server.rest

    assert advice == ""  # it has an administrator
    assert spec["dbPassword"] == "pässword <&> 密码"
    assert closed_properly(tmp_path / "master.db")
