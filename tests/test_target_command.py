"""`muster target`: looking at a server, and describing one."""

import json
import sys
from functools import partial
from pathlib import Path

import click
import msgspec
import pytest
import trio
from certificates import Authority
from click.testing import CliRunner, Result
from test_target_door import answering, behind_tls

from harness.cli import cli
from harness.commands.options import SCENARIOS
from harness.sites.file import ApiKey, Login, SetUp, read_target
from harness.sites.secrets import SecretFile
from harness.sites.served import Served, serve_master
from harness.stop import StopError
from harness.verdict import Exit
from master.config import Timings
from master.protocol.exchange import Request
from simulated_agents.ports import NoReply
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


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


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


# --- writing a target file ----------------------------------------------------------------------


async def answered(answers: list[str], *arguments: object) -> Result:
    """Run a command that asks."""
    words = [str(one) for one in arguments]
    lines = "".join(f"{answer}\n" for answer in answers)
    invoke = partial(CliRunner().invoke, cli, words, input=lines, standalone_mode=False)
    result = await trio.to_thread.run_sync(invoke)
    assert PASSWORD not in result.output + repr(result.exception)
    return result


async def test_a_target_file_is_written_by_asking(tmp_path: Path) -> None:
    """What is there is tried meanwhile: the version, whether it is fresh, the database."""
    path = tmp_path / "backupx.toml"
    async with serve_master(Timings(), "2.3.5", set_up=False) as served:
        answers = [served.url, "", "", "", "", "ADMIN_PASSWORD", str(served.database), "", ""]

        result = await answered(answers, "target", "init", path)

        assert result.exception is None, result.output
        assert await fresh(served.url)
        target = read_target(path)
        assert await said("target", "check", SOME, "--target", path)
    assert "  v2.3.5 is there\n" in result.output
    assert "  it is fresh: nobody has set it up\n" in result.output
    assert f"  {served.database}: writable\n" in result.output
    assert (target.url, target.profile, target.database) == (served.url, "2.3.5", served.database)
    assert isinstance(target.door, SetUp)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["backupx.toml"]


async def test_a_target_file_is_written_by_options(tmp_path: Path) -> None:
    """For scripts, whether the server is there yet or not; paths count from the file."""
    path = tmp_path / "backupx.toml"
    result = await muster(
        *("target", "init", path, "--no-input", "--url", "http://127.0.0.1:9", "--profile", "2.0"),
        *("--username", "root", "--password-file", tmp_path / "pw", "--speed", "20", "--set-up"),
        *("--database", tmp_path / "data" / "b.db", "--command", "./backupx --config 'c d.yaml'"),
    )

    assert result.exception is None, result.output
    assert "connection refused" in result.stderr
    target = read_target(path)
    assert target.door == SetUp("root", SecretFile(tmp_path / "pw", "the secret setup.password"))
    assert 'file = "pw"' in path.read_text("utf-8")
    assert (target.database, target.speed) == (tmp_path / "data" / "b.db", 20.0)
    assert target.command is not None
    assert target.command.argv == (str(tmp_path / "backupx"), "--config", "c d.yaml")


async def test_the_door_is_tried_while_it_is_asked_for(tmp_path: Path) -> None:
    """A wrong password is told at once, and the file is written all the same."""
    async with serve_master(Timings(), "2.4") as served:
        result = await muster(
            *("target", "init", tmp_path / "b.toml", "--no-input", "--url", served.url),
            *("--password-env", "ADMIN_PASSWORD"),
        )

    assert result.exception is None, result.output
    assert "wrong password, or no such user" in result.stderr
    assert isinstance(read_target(tmp_path / "b.toml").door, Login)


async def test_a_secret_that_is_typed_goes_to_a_file_of_its_own(tmp_path: Path) -> None:
    """Which only its owner can read; the target file says where it is."""
    path, secret = tmp_path / "backupx.toml", tmp_path / "key"
    answers = ["y", "", "api_key", "file", str(secret), PASSWORD, PASSWORD, "", "", ""]

    result = await answered(answers, "target", "init", path, "--url", "http://127.0.0.1:9")

    assert result.exception is None, result.output
    assert secret.read_text("utf-8").strip() == PASSWORD
    assert secret.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in path.read_text("utf-8")
    door = read_target(path).door
    assert isinstance(door, ApiKey)
    assert door.key.read() == PASSWORD


async def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path: Path) -> None:
    """Nor is it touched when what would be written is wrong."""
    path = tmp_path / "backupx.toml"
    path.write_text("mine")
    options = ("--no-input", "--url", "http://127.0.0.1:9", "--password-env", "P")

    refused = [
        await muster("target", "init", path, *options),
        await answered(["n"], "target", "init", path),
        await muster("target", "init", path, *options, "--force", "--command", "''"),
    ]

    assert [path.read_text("utf-8")] == ["mine"]
    assert all(isinstance(one.exception, StopError) for one in refused)
    assert "expected a program first, got an empty text" in str(refused[2].exception)
    assert names(tmp_path) == ["backupx.toml"]
    result = await muster("target", "init", path, *options, "--force")
    assert result.exception is None
    assert read_target(path).url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--password-env", "P"), "expected --url, since nobody can be asked"),
        (("--url", "http://127.0.0.1:9"), "expected one of --password-env, --password-file"),
        (("--url", "x", "--password-env", "P"), "expected http://host:port"),
        (("--password-env", "P", "--api-key-env", "K"), "expected one place of one secret"),
        (("--set-up", "--api-key-env", "K"), "a fresh server has no keys"),
        (("--ca", "gone.pem", "--url", "https://h", "--password-env", "P"), "no certificates"),
    ],
)
async def test_options_that_are_not_enough_are_told(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """And nothing is written."""
    result = await muster("target", "init", tmp_path / "b.toml", "--no-input", *options)

    assert isinstance(result.exception, click.ClickException)
    assert said in result.exception.message
    assert not names(tmp_path)


async def test_a_private_authority_is_asked_for(tmp_path: Path) -> None:
    """When the server's certificate is not trusted."""
    authority = Authority("muster's own")
    ca = authority.write(tmp_path / "ca.pem")
    async with behind_tls(answering({}), authority, tmp_path) as url:
        answers = [url, str(ca), "", "api_key", "env", "ADMIN_PASSWORD", "", "", ""]
        result = await answered(answers, "target", "init", tmp_path / "b.toml")

    assert result.exception is None, result.output
    assert "  v2.4.0 is there\n" in result.output
    assert read_target(tmp_path / "b.toml").ca == ca


async def test_a_look_at_a_server_that_muster_starts(tmp_path: Path) -> None:
    """It is started for the look, and stopped again; all of it is in reach."""
    async with serve_master(Timings(), "2.4", set_up=False) as other:
        url = other.url  # its port is free once it has ended
    path = written_for(tmp_path, url, url.rpartition(":")[2])

    text = await said("target", "check", SOME, "--set-up", "--target", path)
    again = await muster("target", "check", SOME, "--set-up", "--target", path)

    assert again.exception is None, again.exception
    assert f"  process   started, killed and stopped by muster: {sys.executable}\n" in text
    assert "  we are    admin, role admin, logged in for a day\n" in text
    assert "  database  " in text
    assert "kills the master's process" not in text
    assert await silent(url)


def written_for(folder: Path, url: str, port: str) -> Path:
    serve = [sys.executable, "-m", "harness", "serve", f"--port={port}", "--database=m.db"]
    path = folder / "backupx.toml"
    path.write_text(
        f'url = "{url}"\nprofile = "2.4"\ndatabase = "m.db"\n[setup]\nusername = "admin"\n'
        'password = { env = "ADMIN_PASSWORD" }\n'
        f"[command]\nargv = {json.dumps([*serve, '--profile=2.4'])}\n"
        f'environment = {{ PYTHONPATH = "{Path(__file__).parent.parent}" }}\n',
        "utf-8",
    )
    return path


async def silent(url: str) -> bool:
    """Return whether nobody listens at a URL."""
    port = HttpPort(url)
    try:
        await port.send(Request("GET", "/api/health"))
    except NoReply as error:
        return error.definite
    finally:
        await port.aclose()
    return False
