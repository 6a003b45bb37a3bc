"""`muster agent`, as a service manager meets it: a real agent's place, and the mistakes on the way."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import trio
from test_agents_command import closed_port  # noqa: F401 - a fixture

from harness.sites.served import Served, serve_master
from harness.verdict import Exit
from master.config import Timings


def environment(**variables: str) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MUSTER_", "BACKUPX_"))
    }
    return {**kept, **variables}


COMMAND = [sys.executable, "-m", "harness", "agent"]


def agent(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `muster agent` to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
    )


class Admin:
    """The admin API of a server, as an administrator."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, method: str, path: str, body: object = None) -> "dict[str, object]":
        """Return the data of an answer."""
        answer = (await self._client.request(method, path, json=body)).json()
        assert answer["code"] == "OK", answer
        data: dict[str, object] = answer["data"]
        return data

    async def until(self, path: str, key: str, *values: object) -> "dict[str, object]":
        """Return an answer as soon as it says one of these."""
        with trio.fail_after(30):
            while (data := await self.ask("GET", path))[key] not in values:  # noqa: ASYNC110
                await trio.sleep(0.05)
        return data


def administrator(served: Served) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {served.admin_token}"}
    return httpx.AsyncClient(base_url=served.url, headers=headers)


async def task_for(admin: Admin, source: Path, base: Path) -> "tuple[str, object]":
    """Make a node, a target and a task; return the node's token and the task's id."""
    token = (await admin.ask("POST", "/api/nodes", {"name": "alpha"}))["token"]
    target = await admin.ask(
        "POST",
        "/api/storage-targets",
        {"name": "disk", "type": "local_disk", "config": {"basePath": str(base)}},
    )
    task = {
        "name": "photos",
        "type": "file",
        "sourcePaths": [str(source)],
        "storageTargetIds": [target["id"]],
        "nodeId": 2,
        "retentionDays": 1,
        "maxBackups": 1,
    }
    return str(token), (await admin.ask("POST", "/api/backup/tasks", task))["id"]


async def test_it_stands_in_a_real_agents_place(tmp_path: Path) -> None:
    """The real one's environment is all it needs; it backs up, and a signal ends it well."""
    source, base = tmp_path / "source", tmp_path / "base"
    source.mkdir()
    (source / "a").write_text("a")
    async with serve_master(Timings(), "2.4") as served, administrator(served) as client:
        admin = Admin(client)
        token, task = await task_for(admin, source, base)
        process = await trio.lowlevel.open_process(
            COMMAND,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(
                BACKUPX_AGENT_MASTER=served.url,
                BACKUPX_AGENT_TOKEN=token,
                BACKUPX_AGENT_HEARTBEAT="200ms",
                BACKUPX_AGENT_POLL="50ms",
                BACKUPX_AGENT_TEMP_DIR=str(tmp_path / "tmp"),
                MUSTER_PROFILE="2.4",
            ),
        )
        await admin.until("/api/nodes/2", "status", "online")
        run = await admin.ask("POST", f"/api/backup/tasks/{task}/run")
        record = await admin.until(f"/api/backup/records/{run['id']}", "status", "success")
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        said = b"".join([chunk async for chunk in process.stdout]).decode()
        await process.wait()

    assert process.returncode == Exit.OK, said
    assert (base / str(record["storagePath"])).stat().st_size == record["fileSize"]
    assert "received command 1 (run_task)" in said
    assert "finished command 1 (run_task): success" in said
    assert token not in said


async def test_a_token_that_is_refused(tmp_path: Path) -> None:
    """One line says so, without the token, and the exit code is the real agent's."""
    token = "no-node-has-this-token"
    (tmp_path / "token").write_text(token + "\n")
    async with serve_master(Timings(), "2.0") as served:
        run = trio.to_thread.run_sync
        done = await run(lambda: agent("--url", served.url, "--token-file", tmp_path / "token"))

    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert "v2.0.0 starts" in first
    assert "initial heartbeat failed: POST /api/agent/heartbeat: http 401" in last
    assert token not in done.stderr


def test_a_master_that_is_not_there(closed_port: int) -> None:  # noqa: F811 - the fixture
    """The exit code is the real agent's."""
    done = agent("--url", f"http://127.0.0.1:{closed_port}", MUSTER_TOKEN="0123abcd")

    assert done.returncode == 1
    assert "initial heartbeat failed: ConnectError" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_file_counts_before_the_environment(tmp_path: Path) -> None:
    """The environment may name it, too."""
    (tmp_path / "token").write_text("token-of-the-file")
    named = str(tmp_path / "token")
    async with serve_master(Timings(), "2.4") as served:
        run = trio.to_thread.run_sync
        done = await run(
            lambda: agent(
                "--url",
                served.url,
                MUSTER_TOKEN_FILE=named,
                MUSTER_TOKEN="token-of-the-environment",
            )
        )
        with closing(sqlite3.connect(served.database)) as database, database:
            database.execute(
                "INSERT INTO nodes (name, token, prev_token) VALUES ('a', 'token-of-the-file', '')"
            )
        process = await trio.lowlevel.open_process(
            [*COMMAND, "--url", served.url],
            stderr=subprocess.DEVNULL,
            env=environment(MUSTER_TOKEN_FILE=named, MUSTER_TOKEN="token-of-the-environment"),
        )
        async with administrator(served) as client:
            await Admin(client).until("/api/nodes/2", "status", "online")
        process.terminate()
        await process.wait()

    assert done.returncode == 1
    assert process.returncode == Exit.OK


MISTAKES = {
    "no URL": ([], {}, "--url"),
    "no token": (["--url", "http://h"], {}, "expected the node's token in $MUSTER_TOKEN"),
    "a token that is none": (["--url", "http://h"], {"MUSTER_TOKEN": "ü"}, "printable ASCII"),
    "a token's file that is not there": (
        ["--url", "http://h", "--token-file", "/nowhere"],
        {},
        "/nowhere: no token can be read",
    ),
    "a URL that is none": (["--url", "ftp://h"], {"MUSTER_TOKEN": "t"}, "expected http://host"),
    "an interval that is none": (
        ["--url", "http://h"],
        {"MUSTER_TOKEN": "t", "BACKUPX_AGENT_POLL": "often"},
        "often",
    ),
    "an interval of nothing": (["--url", "http://h", "--poll", "0s"], {}, "more than 0 seconds"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_exit_4(name: str) -> None:
    """Before anything is sent to anybody."""
    arguments, variables, told = MISTAKES[name]
    done = agent(*arguments, **variables)

    assert done.returncode == Exit.USAGE
    assert told in done.stderr
    assert "Traceback" not in done.stderr
