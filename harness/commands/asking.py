"""The questions of `muster target init`: each answer is tried while the next is asked."""

import os
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import trio

from harness.sites.database import look_into
from harness.sites.door import TIMEOUT_S, Health, ask_health, is_fresh, open_door
from harness.sites.file import ANY_VERSION, ApiKey, Login, SetUp, TargetFile
from harness.sites.keys import TABLES
from harness.sites.kinds import Names, certificates_fault
from harness.sites.ports import port_maker
from harness.sites.secrets import Secret, SecretFile, SecretVariable
from harness.sites.versions import profile_of
from harness.sites.writing import literal, secret_literal
from harness.stop import StopError
from harness.verdict import Exit
from master.protocol.profiles import PROFILES
from simulated_agents.ports import Port
from simulated_agents.ports.http import base_parts

T = TypeVar("T")

_URL: Final = "http://127.0.0.1:8340"
_NEWEST: Final = "2.4"
_BUSY_S: Final = 1.0
"""How long a lock is waited for while somebody is being asked."""


@dataclass(frozen=True, slots=True)
class Given:
    """What options say already; `None` is asked for.

    Attributes:
        url: where the server is.
        profile: the release it is judged as.
        ca: certificates of a private CA.
        door: `setup`, `login` or `api_key`.
        username: an administrator's name.
        secret: where the password or the key is kept: `file` or `env`, and which.
        database: the server's database file.
        scratch: a folder that the server may write in.
        command: what starts the server, as a shell reads it.
        speed: how many times as fast as a release's its timers are.

    """

    url: str | None = None
    profile: str | None = None
    ca: Path | None = None
    door: str | None = None
    username: str | None = None
    secret: tuple[str, str] | None = None
    database: Path | None = None
    scratch: Path | None = None
    command: str | None = None
    speed: float | None = None


class Interview:
    """Asks for what no option says.

    Args:
        path: the target file to be.
        given: what options say.
        asks: whether anybody is there to be asked; what is left out then is left out.

    """

    def __init__(self, path: Path, given: Given, *, asks: bool) -> None:
        self._path = path
        self._given = given
        self._asks = asks
        self._url = ""
        self._ca: Path | None = None
        self._profile = _NEWEST
        self._fault = ""

    def values(self) -> dict[Names, str]:
        """Return what the target file is to say, each value as TOML writes it.

        Raises:
            StopError: something is neither given nor can be asked for (exit 4).

        """
        health = self._reach()
        values = {("url",): literal(self._url), **self._release(health)}
        if self._ca is not None:
            values["ca",] = literal(self._beside(self._ca))
        if self._given.speed is not None:
            values["speed",] = f"{self._given.speed:g}"
        values |= self._door(health)
        values |= self._database()
        scratch = self._given.scratch or self._path_of("A folder that the server may write in")
        if scratch is not None:
            values["scratch",] = literal(self._beside(scratch))
        return values | self._command()

    # --- the server -------------------------------------------------------------------------

    def _reach(self) -> Health | None:
        """Ask where the server is, until one is there or the address is to be kept all the same."""
        url = self._given.url and _base_url(self._given.url)
        self._ca = self._given.ca
        if self._ca is not None:
            _certificates(str(self._ca))
        while True:
            self._url = url or self._ask("Where is the server?", _URL, _base_url, option="--url")
            health = self._tried(lambda port: ask_health(self._target(), port))
            if health is not None:
                click.echo(f"  {health.version} is there")
            if health is not None or not self._asks:
                return health
            url = None
            if "certificate is not trusted" in self._fault:
                self._ca = self._path_of("A file with the certificates of its CA", _certificates)
                url = self._url if self._ca is not None else None
            elif click.confirm("Keep this address all the same?", default=False):
                return None

    def _release(self, health: Health | None) -> dict[Names, str]:
        there = profile_of(health.version) if health is not None else None
        choice = click.Choice(list(PROFILES))
        self._profile = self._given.profile or self._ask(
            "Which release is it to be judged as?", there or _NEWEST, choice
        )
        said: dict[Names, str] = {("profile",): literal(self._profile)}
        if there is not None and self._profile not in {there, "strict"}:
            said["version",] = literal(ANY_VERSION)
        return said

    def _target(self, door: SetUp | Login | ApiKey | None = None) -> TargetFile:
        """Return the target as far as it is known."""
        door = door or ApiKey(SecretVariable("", ""))
        return TargetFile(
            self._path, self._url, door, self._profile, version=ANY_VERSION, ca=self._ca
        )

    # --- getting in -------------------------------------------------------------------------

    def _door(self, health: Health | None) -> dict[Names, str]:
        fresh = health and self._tried(lambda port: is_fresh(self._target(), port))
        if fresh:
            click.echo("  it is fresh: nobody has set it up")
        kinds = [name for name in TABLES if name in {"setup", "login", "api_key"}]
        kind = self._given.door or self._ask(
            "How does muster get in?", "setup" if fresh else "login", click.Choice(kinds)
        )
        said: dict[Names, str] = {}
        secret_name, what = ("key", "API key") if kind == "api_key" else ("password", "password")
        username = ""
        if kind != "api_key":
            username = self._given.username or self._ask("The administrator's name", "admin")
            said[kind, "username"] = literal(username)
        place, name = self._secret(what)
        said[kind, secret_name] = secret_literal(
            place, self._beside(Path(name)) if place == "file" else name
        )
        if health is not None and not (fresh and kind == "setup"):
            self._try_door(kind, username, place, name, what)
        return said

    def _secret(self, what: str) -> tuple[str, str]:
        """Return where a secret is kept; a file that is not there yet can be written."""
        if self._given.secret is not None:
            return self._given.secret
        default = f"BACKUPX_{what.upper().replace(' ', '_')}"
        place = self._ask(f"Where is the {what} kept?", "env", click.Choice(["env", "file"]))
        if place == "env":
            return place, self._ask("In which variable?", default)
        name = self._ask(
            "In which file?", str(self._path.parent / f"backupx.{what.rsplit(maxsplit=1)[-1]}")
        )
        if self._asks and not Path(name).exists():
            secret = click.prompt(
                f"The {what} (not shown)", hide_input=True, confirmation_prompt=True
            )
            write_private(Path(name), f"{secret}\n")
            click.echo(f"  {name} is written, for you alone")
        return place, name

    def _try_door(self, kind: str, username: str, place: str, name: str, what: str) -> None:
        made: dict[str, Callable[[str, str], Secret]] = {
            "file": lambda path, what: SecretFile(Path(path), what),
            "env": SecretVariable,
        }
        secret = made[place](name, f"the {what}")
        if kind == "api_key":
            door: SetUp | Login | ApiKey = ApiKey(secret)
        else:
            door = (SetUp if kind == "setup" else Login)(username, secret)
        target = self._target(door)
        way = self._tried(lambda port: open_door(target, port))
        if way is not None:
            click.echo("  it lets us in")

    # --- what else there is -----------------------------------------------------------------

    def _database(self) -> dict[Names, str]:
        path = self._given.database or self._path_of("Its database file, if it can be reached")
        if path is None:
            return {}
        looked = look_into(path, (), None, _BUSY_S)
        click.echo(f"  {path}: {looked.state}{f': {looked.fault}' if looked.fault else ''}")
        return {("database",): literal(self._beside(path))}

    def _command(self) -> dict[Names, str]:
        text = self._given.command
        if text is None:
            text = self._ask("What starts it? (empty: it runs already)", "")
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise StopError(Exit.USAGE, f"{text!r} is no command: {error}") from None
        return {("command", "argv"): literal(tuple(words))} if words else {}

    # --- how it is asked --------------------------------------------------------------------

    def _ask(
        self,
        question: str,
        default: str,
        kind: click.Choice[str] | Callable[[str], str] = str,
        option: str | None = None,
    ) -> str:
        """Return an answer, the default where nobody is asked.

        Raises:
            StopError: nobody is asked, and there must be an answer.

        """
        if self._asks:
            answer = click.prompt(
                question,
                default=default,
                type=kind if isinstance(kind, click.Choice) else None,
                value_proc=None if isinstance(kind, click.Choice) else kind,
                show_default=bool(default),
            )
            return str(answer)
        if option is not None:
            raise StopError(Exit.USAGE, f"expected {option}, since nobody can be asked")
        return default

    def _path_of(self, question: str, kind: Callable[[str], str] = str) -> Path | None:
        text = self._ask(f"{question} (empty: none)", "", kind) if self._asks else ""
        return Path(text).expanduser() if text.strip() else None

    def _tried(self, call: Callable[[Port], Awaitable[T]]) -> T | None:
        """Return what comes of a call to the server; what does not is said, and `None`."""

        async def made() -> T:
            port = port_maker(self._target(), TIMEOUT_S)()
            try:
                return await call(port)
            finally:
                with trio.CancelScope(shield=True):
                    await port.aclose()

        try:
            return trio.run(made)
        except StopError as error:
            self._fault = error.message
            click.echo(f"  {error.message}", err=True)
            return None

    def _beside(self, path: Path) -> str:
        """Return a path as the target file says it: from its folder, where it is below that."""
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
        folder = Path(os.path.abspath(self._path)).parent  # noqa: PTH100
        return str(whole.relative_to(folder)) if whole.is_relative_to(folder) else str(whole)


def _base_url(text: str) -> str:
    try:
        base_parts(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def _certificates(text: str) -> str:
    fault = certificates_fault(Path(text).expanduser()) if text.strip() else None
    if fault is not None:
        raise click.BadParameter(f"no certificates can be read from {text}: {fault}")
    return text


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read.

    Raises:
        StopError: it cannot be written, or is there (exit 4).

    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StopError(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None


def known_secret(options: Mapping[str, Any]) -> tuple[str | None, tuple[str, str] | None]:
    """Return the door that options about secrets mean, and where the secret is kept.

    Raises:
        StopError: they say two things (exit 4).

    """
    given = [(name, value) for name, value in options.items() if value is not None]
    if len(given) > 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name, _ in given)
        raise StopError(Exit.USAGE, f"expected one place of one secret, got {names}")
    if not given:
        return None, None
    ((name, value),) = given
    door, _, place = name.rpartition("_")
    return ("api_key" if door == "api_key" else None), (place, str(value))
