"""`muster agents`, as a user meets it: a fleet on any master, and the mistakes on the way."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from harness.sites.served import Served, serve_master
from harness.target import ADMIN
from harness.verdict import Exit
from master.config import Timings


async def run_beside(served: Served, *arguments: object, **variables: str) -> trio.Process:
    """Start `muster agents` on a running server."""
    return await trio.lowlevel.open_process(
        command(served.url, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(**variables),
    )


def command(url: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "harness", "agents", "--url", url, *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MUSTER_")}
    return {**kept, **variables}


def agents(url: str, *arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `muster agents` to its end."""
    return subprocess.run(
        command(url, *arguments),
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
    )


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, for as long as the tests run."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


async def test_a_fleet_registers_polls_and_stops() -> None:
    """Every agent has a node that is online; the signal ends the fleet with a summary."""
    async with serve_master(Timings(), "2.0") as served:
        process = await run_beside(
            served,
            *("--count", 6, "--behaviour", "crashing=2,silent=1", "--poll", "200ms"),
            *("--heartbeat", "500ms", "--username", ADMIN["username"]),
            MUSTER_PASSWORD=ADMIN["password"],
        )
        online = "SELECT count(*) FROM nodes WHERE is_local = 0 AND status = 'online'"
        with trio.fail_after(30):
            while rows(served.database, online) != [(6,)]:  # noqa: ASYNC110 - another process
                await trio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = b"".join([chunk async for chunk in process.stdout])
        await process.wait()

    assert process.returncode == Exit.OK, said
    assert b"6 nodes are registered: muster-1 to muster-6" in said
    assert b"stopped: started 6" in said
    assert ADMIN["password"].encode() not in said


async def test_tokens_from_a_file_need_no_administrator(tmp_path: Path) -> None:
    """Existing agents come from a file; nothing is registered."""
    async with serve_master(Timings(), "2.0") as served:
        with closing(sqlite3.connect(served.database)) as connection, connection:
            connection.execute(
                "INSERT INTO nodes (name, token, prev_token) VALUES ('a', 'token-of-a', '')"
            )
        (tmp_path / "tokens").write_text("a token-of-a  # the only one\n")
        arguments = ("--tokens", tmp_path / "tokens", "--for", "500ms", "--poll", "100ms")
        process = await run_beside(served, *arguments)
        said = b"".join([chunk async for chunk in process.stdout])
        await process.wait()
        found = rows(served.database, "SELECT name, status FROM nodes WHERE is_local = 0")

    assert process.returncode == Exit.OK, said
    assert found == [("a", "online")]


async def test_a_wrong_password_is_one_line() -> None:
    """Exit 6, with what the master said, and without the password."""
    async with serve_master(Timings(), "2.0") as served:
        process = await run_beside(served, "--count", 1, MUSTER_PASSWORD="wrong-password")
        said = b"".join([chunk async for chunk in process.stdout]).decode()
        await process.wait()

    assert process.returncode == Exit.TARGET
    assert "AUTH_INVALID_CREDENTIALS" in said
    assert "wrong-password" not in said
    assert "Traceback" not in said


def test_an_unreachable_master_is_one_line(closed_port: int) -> None:
    """Exit 6, and where it was looked for."""
    url = f"http://127.0.0.1:{closed_port}"
    done = agents(url, "--count", 1, MUSTER_PASSWORD="password")

    assert done.returncode == Exit.TARGET
    assert url in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "expected --count of at least 1"),
        (["--behaviour", "lazy=1"], "no behaviour 'lazy'"),
        (["--behaviour", "prompt"], "expected <behaviour>=<count>"),
        (["--count", "1", "--behaviour", "slow=2"], "names 2 agents"),
        (["--count", "1"], "MUSTER_PASSWORD"),
        (["--count", "0"], "--count"),
        (["--count", "1", "--poll", "5"], "unit"),
        (["--tokens", "/nowhere"], "does not exist"),
    ],
)
def test_mistakes_exit_4(arguments: list[str], told: str) -> None:
    """One clear message, before anything is asked of the master."""
    done = agents("http://127.0.0.1:9", *arguments)

    assert done.returncode == Exit.USAGE
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_url_without_a_scheme_is_refused() -> None:
    """The message says what a URL begins with."""
    done = agents("127.0.0.1:8340", "--count", 1)

    assert done.returncode == Exit.USAGE
    assert "http://" in done.stderr
