"""The command `muster proxy`: between a server process and clients, over TCP, until it is ended."""

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import trio
from certificates import Authority
from test_front import Answers, front_of

from harness.cli import cli
from harness.front import Front
from master.protocol.exchange import Request, Response

LISTENING = re.compile(rb"listening on (\S+), recording to \S+\n")
PROXY = [sys.executable, "-m", "harness", "proxy"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@asynccontextmanager
async def proxy(*arguments: object) -> AsyncIterator[tuple[str, trio.Process]]:
    """Run the command, and yield where it listens."""
    command = [*PROXY, *map(str, arguments)]
    process = await trio.lowlevel.open_process(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        said = b""
        while not (found := LISTENING.search(said)):
            part = await process.stdout.receive_some()
            assert part, said
            said += part
        yield found[1].decode(), process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        assert process.stdout is not None
        await process.stdout.aclose()


@asynccontextmanager
async def tls(context: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve `hello` over TLS, once a connection."""

    async def hello(stream: trio.SSLStream[trio.SocketStream]) -> None:
        async with stream:
            with suppress(trio.BrokenResourceError):
                await stream.receive_some()
                await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            partial(trio.serve_ssl_over_tcp, hello, 0, context, host="127.0.0.1")
        )
        yield f"https://127.0.0.1:{listener.transport_listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def healthy(request: Request) -> Response:
    """Answer as a master of a release does."""
    if request.path != "/api/health":
        return Response(200, b'{"code":"OK"}')
    health = {"status": "live", "version": "v2.3.5", "uptime": 1, "timestamp": ""}
    return Response(200, json.dumps(health).encode())


async def rest(process: trio.Process) -> str:
    assert process.stdout is not None
    said = b""
    while part := await process.stdout.receive_some():
        said += part
    await process.wait()
    return said.decode()


async def test_it_passes_on_records_and_ends_well(tmp_path: Path) -> None:
    """A client gets the master's answer, the file both sides; SIGTERM ends it with a summary."""
    record = tmp_path / "a.jsonl"
    async with front_of(Answers(healthy)) as master, httpx.AsyncClient() as client:
        faults = ("--fault", "answer 503 GET /broken", "--fault", "drop_reply result")
        async with proxy("--target", master.url, "--record", record, *faults) as (url, process):
            assert (await client.get(f"{url}/api/x?a=1")).json() == {"code": "OK"}
            assert (await client.get(f"{url}/broken")).status_code == 503
            process.send_signal(signal.SIGTERM)
            said = await rest(process)

    assert process.returncode == 0
    assert "stopped: 2 exchanges, 1 faults" in said
    assert "answer 503 operation='GET /broken': 1 times" in said
    assert "drop_reply result: never" in said
    header, *ops = lines(record)
    assert (header["target"], header["profile"]) == (master.url, "2.3.5")
    assert [op["type"] for op in ops] == ["invoke", "ok", "invoke", "info", "info"]
    assert ops[0]["request"] == "GET /api/x?a=1"


async def test_a_kill_loses_nothing_that_was_seen(tmp_path: Path) -> None:
    """And the recording can be gone on with: the next operation has the next index."""
    record = tmp_path / "a.jsonl"
    async with front_of(Answers()) as master, httpx.AsyncClient() as client:
        order = ("--target", master.url, "--record", record)
        async with proxy(*order) as (url, process):
            await client.get(f"{url}/one")
            process.kill()
            await process.wait()
        assert [op.get("index") for op in lines(record)] == [None, 0, 1]
        async with proxy(*order, "--append") as (url, process):
            await client.get(f"{url}/two")
            process.send_signal(signal.SIGINT)
            await rest(process)

    ops = lines(record)[1:]
    assert [op["index"] for op in ops] == [0, 1, 2, 3]
    assert ops[2]["time"] > ops[1]["time"] > 0


async def test_a_master_behind_a_private_authority_is_reached(tmp_path: Path) -> None:
    """With its certificates; without them there is one line and exit 6."""
    authority = Authority("muster test")
    ca = authority.write(tmp_path / "ca.pem")
    async with tls(authority.context(tmp_path)) as url, httpx.AsyncClient() as client:
        order = ("--target", url, "--record", tmp_path / "a.jsonl")
        async with proxy(*order, "--ca", ca) as (proxied, _):
            assert (await client.get(f"{proxied}/api/x")).text == "hello"
        refused = await trio.run_process(
            [*PROXY, *map(str, order[:2]), "--record", str(tmp_path / "b.jsonl")],
            capture_stderr=True,
            check=False,
        )

    assert refused.returncode == 6
    assert b"its TLS certificate is not trusted by this machine's CAs" in refused.stderr
    assert b"with --ca" in refused.stderr
    assert not (tmp_path / "b.jsonl").exists()


async def test_it_waits_for_a_master_that_is_told_to_come(tmp_path: Path) -> None:
    """With --wait; nothing is recorded before."""
    front = Front(Answers())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        front.number = taken.getsockname()[1]
    record = tmp_path / "a.jsonl"

    async with trio.open_nursery() as nursery:

        async def come() -> None:
            await trio.sleep(0.2)
            await nursery.start(front.serve)

        nursery.start_soon(come)
        async with proxy("--target", front.url, "--record", record, "--wait") as (_, process):
            process.send_signal(signal.SIGINT)
            assert "stopped: nothing" in await rest(process)
        nursery.cancel_scope.cancel()

    assert len(lines(record)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--target", "http://127.0.0.1:1"], 6, "http://127.0.0.1:1: nothing listens there"),
        (["--target", "http://u:hush@h"], 4, "no query, fragment or credentials"),
        (["--target", "http://h/?token=hush"], 4, "no query, fragment or credentials"),
        (["--target", "ftp://h"], 4, "expected http://host:port"),
        (["--target", "http://h", "--listen", "8080"], 4, "expected an address and a port"),
        (["--target", "http://h", "--fault", "drop_replay"], 4, "did you mean 'drop_reply'?"),
        (
            ["--target", "http://h", "--faults", "none.yaml"],
            4,
            "none.yaml:1:1: error: expected a file",
        ),
        (["--target", "http://h", "--record", "there"], 4, "there is there already"),
        (["--target", "http://h", "--record", "no/such/a"], 4, "no/such/a cannot be written"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    """With its exit code, and without a secret that stood in it; nothing is recorded."""
    monkeypatch.chdir(tmp_path)
    Path("there").touch()

    with pytest.raises(click.ClickException) as caught:
        cli.main(["proxy", "--record", "a", *arguments], standalone_mode=False)

    assert getattr(caught.value, "code", 4) == code
    said = caught.value.format_message()
    assert told in said
    assert "hush" not in said
    assert not Path("a").exists()
    assert Path("there").read_bytes() == b""
