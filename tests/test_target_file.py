"""Target files: what they say, and how their mistakes are shown."""

from pathlib import Path

import pytest
from certificates import Authority

from harness.sites.file import ApiKey, Login, SetUp, TargetFile, read_target
from harness.sites.secrets import SecretFile, SecretVariable
from harness.stop import StopError
from harness.verdict import Exit
from master.config import Timings

LOGIN = '[login]\nusername = "admin"\npassword = { file = "admin.password" }\n'
SHORTEST = f'url = "http://127.0.0.1:8340"\nprofile = "2.4"\n{LOGIN}'
SECRET = "hunter2-hunter2"


def written(folder: Path, text: str) -> Path:
    path = folder / "backupx.toml"
    path.write_text(text, "utf-8")
    return path


def mistakes(folder: Path, text: str) -> str:
    """Return what is said of a wrong file, with the file called F."""
    path = written(folder, text)
    with pytest.raises(StopError) as caught:
        read_target(path)
    assert caught.value.code is Exit.USAGE
    return caught.value.message.replace(str(path), "F")


def test_the_shortest_file_leaves_the_rest_to_the_release(tmp_path: Path) -> None:
    """Address, profile and a door are enough; timers are the release's."""
    path = written(tmp_path, SHORTEST)

    target = read_target(path)

    password = SecretFile(tmp_path / "admin.password", "the secret login.password")
    assert target == TargetFile(path, "http://127.0.0.1:8340", Login("admin", password), "2.4")
    assert target.timings == Timings()


def test_every_key_is_read(tmp_path: Path) -> None:
    """Paths count from the file's folder, timers are divided by the speed or as they are given."""
    authority = Authority("muster").write(tmp_path / "ca.pem")
    (tmp_path / "run").mkdir()
    text = """
url = "https://backup.example.com/backupx/"
profile = "2.3.5"
version = "any"
ca = "ca.pem"
speed = 20
slack = "2500ms"
crowd = 7
database = "data/backupx.db"
encryption_key = { env = "BACKUPX_KEY" }
scratch = "/srv/muster"
[setup]
username = "admin"
password = { env = "ADMIN_PASSWORD" }
[timings]
command_timeout = "1m"
[command]
argv = ["./backupx", "--config", "c.yaml"]
folder = "run"
ready = "5s"
stop = "2s"
[command.environment]
TZ = "UTC"
BACKUPX_SECURITY_JWT_SECRET = { file = "jwt" }
"""

    target = read_target(written(tmp_path, text))

    assert (target.url, target.version, target.ca) == (
        ("https://backup.example.com/backupx", "any", authority)
    )
    assert (target.slack_s, target.crowd, target.speed) == (2.5, 7, 20.0)
    assert (target.database, target.scratch) == (
        (tmp_path / "data" / "backupx.db", Path("/srv/muster"))
    )
    assert target.timings.command_timeout_s == 60.0
    assert target.timings.command_scan_s == Timings().command_scan_s / 20
    assert target.door == SetUp(
        "admin", SecretVariable("ADMIN_PASSWORD", "the secret setup.password")
    )
    command = target.command
    assert command is not None
    assert command.argv == (str(tmp_path / "backupx"), "--config", "c.yaml")
    assert (command.folder, command.ready_s, command.stop_s) == (tmp_path / "run", 5.0, 2.0)
    assert command.environment["TZ"] == "UTC"
    assert isinstance(command.environment["BACKUPX_SECURITY_JWT_SECRET"], SecretFile)


def test_all_mistakes_are_shown_at_once_with_their_places(tmp_path: Path) -> None:
    """Each has file, line and column, what was expected, and what was meant."""
    said = mistakes(
        tmp_path,
        'url = "localhost:8340"\nprofile = 2.4\nspedd = 3\n[timings]\ncomand_scan = "5s"\n'
        'command_timeout = 600\n[login]\nusername = "admin"\n',
    )

    assert "F:1:1: error: expected http://host:port or https://host:port" in said
    assert "F:2:1: error: expected a profile (2.0, 2.3.4, 2.3.5, 2.4, strict)" in said
    assert 'write "2.4"' in said
    assert "F:3:1" in said
    assert "did you mean 'speed'?" in said
    assert "F:5:1" in said
    assert "did you mean 'command_scan'?" in said
    assert "F:6:1: error: expected a duration such as 10m31s, got the number 600" in said
    assert "F:7:2: error: expected login.password, which is missing" in said
    assert said.endswith("6 errors in 1 file")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("", "expected one of [setup], [login], [api_key], how to get in, got none of them"),
        (f"{LOGIN}[api_key]\nkey = {{ env = 'K' }}\n", "got [login] and [api_key]"),
        (f"ca = 'gone.pem'\n{LOGIN}", "got {folder}/gone.pem: No such file or directory"),
        (f"ca = 'backupx.toml'\n{LOGIN}", "there is no certificate in it"),
        (f"{LOGIN}[command]\nargv = 'backupx -v'\n", 'write ["backupx", "-v"]'),
        (f"{LOGIN}[command]\nargv = ['x']\nfolder = 'gone'\n", "expected a folder that is there"),
        (f"{LOGIN}[command]\nready = '5s'\n", "expected command.argv, which is missing"),
        (f"password = 'x'\n{LOGIN}", "it is one of [setup]"),
        (f"crowd = 0\n{LOGIN}", "expected a whole number from 1 to 64, got the number 0"),
        (f"speed = true\n{LOGIN}", "expected a number above 0, up to 1000, got true"),
        (f"slack = ''\n{LOGIN}", "expected a duration"),
        (f"database = []\n{LOGIN}", "expected text with something in it, got a list"),
        ("[login\n", "F:3:7: error: TOML"),
    ],
)
def test_a_mistake_says_what_was_expected(tmp_path: Path, change: str, expected: str) -> None:
    """And what came instead."""
    said = mistakes(tmp_path, f'url = "https://127.0.0.1:1"\nprofile = "2.0"\n{change}')

    assert expected.format(folder=tmp_path) in said


@pytest.mark.parametrize(
    "text",
    [
        f'{SHORTEST}[api_key]\nkey = "{SECRET}"\n',
        SHORTEST.replace('{ file = "admin.password" }', f'"{SECRET}"'),
        SHORTEST.replace('{ file = "admin.password" }', f"{SECRET}"),
        SHORTEST.replace("http://", f"http://admin:{SECRET}@"),
        f'pasword = "{SECRET}"\n{SHORTEST}',
        f'encryption_key = {{ value = "{SECRET}" }}\n{SHORTEST}',
        f'{SHORTEST}[command]\nargv = ["x"]\n[command.environment]\nJWT_SECRET = "{SECRET}"\n',
    ],
)
def test_a_secret_in_clear_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    """Whatever it was written as, and wherever."""
    said = mistakes(tmp_path, text)

    assert "error: " in said
    assert SECRET not in said


def test_a_secret_is_read_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the target file is, and no text of the target shows it."""
    target = read_target(written(tmp_path, SHORTEST))
    assert isinstance(target.door, Login)
    (tmp_path / "admin.password").write_text(f"{SECRET}\n")
    monkeypatch.setenv("KEY", SECRET)
    variable = SecretVariable("KEY", "the key")

    assert target.door.password.read() == SECRET
    assert variable.read() == SECRET
    assert SECRET not in repr(target) + repr(variable)


def test_a_secret_that_is_not_there_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where it was looked for."""
    monkeypatch.delenv("KEY", raising=False)
    two = tmp_path / "two"
    two.write_text("one\ntwo\n")
    said = []
    for secret in (
        SecretVariable("KEY", "the key"),
        SecretFile(tmp_path / "gone", "the key"),
        SecretFile(two, "the key"),
    ):
        with pytest.raises(StopError) as caught:
            secret.read()
        assert caught.value.code is Exit.USAGE
        said.append(caught.value.message)

    assert said == [
        "$KEY is not set: expected the key in it, as the target file says",
        f"{tmp_path}/gone: the key cannot be read: No such file or directory",
        f"{two}: the key should be its one line, and it has 2",
    ]


def test_a_secret_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    """It is not refused: what a container is given as a secret is mounted so."""
    target = read_target(written(tmp_path, SHORTEST))
    password = tmp_path / "admin.password"
    password.write_text(SECRET)
    password.chmod(0o644)
    before = target.warnings
    password.chmod(0o600)

    assert before == [
        (
            f"{password}: everybody on this machine can read the secret login.password:"
            f" chmod 600 {password}"
        )
    ]
    assert target.warnings == []


def test_an_api_key_is_a_door(tmp_path: Path) -> None:
    """It has no name."""
    text = 'url = "http://h:1"\nprofile = "strict"\n[api_key]\nkey = { env = "K" }\n'

    target = read_target(written(tmp_path, text))

    assert target.door == ApiKey(SecretVariable("K", "the secret api_key.key"))


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """As one that cannot be read."""
    with pytest.raises(StopError, match="expected a file that can be read: No such file"):
        read_target(tmp_path / "gone.toml")
