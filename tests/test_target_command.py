"""`muster target`: looking at a server, and describing one."""

from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio
from click.testing import CliRunner, Result

from harness.cli import cli
from harness.commands.options import SCENARIOS
from harness.sites.served import Served, serve_master
from harness.stop import StopError
from harness.verdict import Exit
from master.config import Timings
from master.protocol.exchange import Request
from simulated_agents.ports.http import HttpPort

PASSWORD = "correct-horse-battery"
SOME = SCENARIOS / "timeouts"
"""Scenarios of one area: reading all of them takes longer than a look."""


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)


async def muster(*arguments: object) -> Result:
    """Run a command that runs trio itself."""
    words = [str(one) for one in arguments]
    invoke = partial(CliRunner().invoke, cli, words, standalone_mode=False)
    result = await trio.to_thread.run_sync(invoke)
    assert PASSWORD not in result.output + repr(result.exception)
    return result


async def said(*arguments: object) -> str:
    """Return what a command says that succeeds."""
    result = await muster(*arguments)
    assert result.exception is None, result.exception
    assert result.return_value is Exit.OK
    return result.output


def written(folder: Path, served: Served, *more: str) -> Path:
    path = folder / "backupx.toml"
    lines = [
        f'url = "{served.url}"',
        'profile = "2.4"',
        *more,
        "[setup]",
        'username = "admin"',
        'password = { env = "ADMIN_PASSWORD" }',
    ]
    path.write_text("\n".join(lines), "utf-8")
    return path


async def fresh(url: str) -> bool:
    port = HttpPort(url)
    response = await port.send(Request("GET", "/api/auth/setup/status"))
    await port.aclose()
    return msgspec.json.decode(response.body)["data"] == {"initialized": False}


async def test_a_look_at_a_fresh_server_sets_nothing_up(tmp_path: Path) -> None:
    """It says what a run would do, and what can be judged."""
    async with serve_master(Timings(), "2.4", set_up=False) as served:
        path = written(tmp_path, served, f'database = "{served.database}"')

        text = await said("target", "check", SOME, "--target", path)

        assert await fresh(served.url)
    assert "  version   v2.4.0, profile 2.4, judged as 2.4\n" in text
    assert "  we are    nobody yet: the server is fresh" in text
    assert f"  database  {served.database}: writable\n" in text
    assert "real clock: " in text
    assert "The server is fresh: --set-up makes its first administrator" in text


async def test_a_look_at_a_server_says_what_is_there(tmp_path: Path) -> None:
    """Who we are, what others keep there, and what an earlier run left."""
    async with serve_master(Timings(), "2.4", set_up=False) as served:
        path = written(tmp_path, served)
        await said("target", "check", SOME, "--set-up", "--target", path)
        port = HttpPort(served.url)
        login = msgspec.json.encode({"username": "admin", "password": PASSWORD})
        answer = await port.send(Request("POST", "/api/auth/login", {}, login))
        headers = {"authorization": f"Bearer {msgspec.json.decode(answer.body)['data']['token']}"}
        await port.send(Request("POST", "/api/nodes", headers, b'{"name":"muster-7-alpha"}'))
        await port.send(Request("POST", "/api/nodes", headers, b'{"name":"alpha"}'))
        await port.aclose()

        text = await said("target", "check", SOME, "--target", path)

    assert "  we are    admin, role admin, logged in for a day\n" in text
    assert "  there     3 nodes, 0 tasks, 0 storage targets, " in text
    assert "  left      by an earlier run: node muster-7-alpha\n" in text
    assert "  database  none is named" in text
    assert "looks into the master's database, which this target does not show" in text
    assert "CMD-" not in text


async def test_everything_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    """Each clause and each scenario that is skipped, below its reason."""
    async with serve_master(Timings(), "2.4", set_up=False) as served:
        text = await said("target", "check", "--all", SOME, "--target", written(tmp_path, served))

    reason = text.index("scenarios not: looks into the master's database")
    assert "timeouts/" in text[reason:]
    assert "       TMO-1    " in text


async def test_what_keeps_a_run_from_being_ends_a_look(tmp_path: Path) -> None:
    """After what was found; with the exit code of a target that cannot be used."""
    async with serve_master(Timings(), "2.4", set_up=False) as served:
        path = written(tmp_path, served, 'database = "gone.db"')

        result = await muster("target", "check", SOME, "--target", path)

    assert isinstance(result.exception, StopError)
    assert result.exception.code is Exit.TARGET
    assert result.exception.message == (
        f"{tmp_path}/gone.db: the database cannot be used: there is no such file"
    )
    assert f"  database  {tmp_path}/gone.db: absent: there is no such file\n" in result.output
