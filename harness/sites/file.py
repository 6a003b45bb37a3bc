"""A target file (`backupx.toml`): which server, how to get in, what it may be done to.

Relative paths count from the file's folder. All mistakes are shown at once, each with its place;
secrets are never in the file, only where they are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from harness.scenario.errors import ScenarioErrors
from harness.scenario.suggest import did_you_mean
from harness.scenario.toml import Unreadable
from harness.sites.keys import KEYS, shown
from harness.sites.kinds import Names, TargetPage, describe
from harness.sites.secrets import Secret
from harness.stop import StopError
from harness.verdict import Exit
from master.config import Timings

FILE_NAME: Final = "backupx.toml"
"""What a target file is called unless it is said otherwise."""

ANY_VERSION: Final = "any"
"""The version of a target that need not be its profile's."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A fresh server: its first administrator is made; one that is there already logs in."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Login:
    """An administrator's name and password."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of role admin."""

    key: Secret


_DOORS: Final[dict[str, type[SetUp | Login | ApiKey]]] = {
    "setup": SetUp,
    "login": Login,
    "api_key": ApiKey,
}


@dataclass(frozen=True, slots=True)
class Command:
    """What starts the server.

    Attributes:
        argv: the program and its arguments.
        folder: where it is started.
        environment: variables beside muster's own: text, or secrets.
        ready_s: how long it may take until it answers.
        stop_s: how long it may take to stop when it is asked to.

    """

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str | Secret] = field(default_factory=dict)
    ready_s: float = 30.0
    stop_s: float = 15.0


@dataclass(frozen=True, slots=True)
class TargetFile:
    """A server that scenarios are played on, as its file describes it.

    Attributes:
        path: the file.
        url: the server's base URL, without a slash at its end.
        door: how to get in.
        profile: the release it is judged as.
        version: what it must say its version is; `None` for one of the profile, `any` for whatever.
        ca: the certificates that alone are trusted, `None` for this machine's.
        speed: how much faster than written literal durations of scenarios pass there.
        timings: the server's timers, as they are there.
        slack_s: how late something may be noticed there.
        database: the server's SQLite file, where muster can reach it.
        database_access: `read` or `write`.
        encryption_key: the key of stored credentials, where it is not in the database.
        command: what starts the server, `None` for one that runs already.
        scratch: a folder that the server may write in.
        crowd: how many scenarios make calls at once.

    """

    path: Path
    url: str
    door: SetUp | Login | ApiKey
    profile: str
    version: str | None = None
    ca: Path | None = None
    speed: float = 1.0
    timings: Timings = field(default_factory=Timings)
    slack_s: float = 1.0
    database: Path | None = None
    database_access: str = "write"
    encryption_key: Secret | None = None
    command: Command | None = None
    scratch: Path | None = None
    crowd: int = 8

    @property
    def warnings(self) -> list[str]:
        """Return what is unwise about how its secrets are kept."""
        secrets: list[Any] = [self.encryption_key]
        secrets += [self.door.key] if isinstance(self.door, ApiKey) else [self.door.password]
        if self.command is not None:
            secrets += [one for one in self.command.environment.values() if type(one) is not str]
        found = [secret.warning for secret in secrets if secret is not None]
        return list(dict.fromkeys(warning for warning in found if warning is not None))


def read_target(path: Path) -> TargetFile:
    """Return what a target file says.

    Raises:
        StopError: something is wrong with it; all mistakes are shown at once (exit 4).

    """
    page = TargetPage(path, shown)
    target = None
    try:
        page.read()
        target = _target(page)
    except Unreadable:
        pass  # what is wrong is in the page's errors
    if target is None or page.errors:
        raise StopError(Exit.USAGE, str(ScenarioErrors(_in_order(page))))
    return target


def _in_order(page: TargetPage) -> list[Any]:
    return sorted(page.errors, key=lambda error: (error.place.line, error.place.column))


def _target(page: TargetPage) -> TargetFile | None:
    """Return the target, `None` where what it cannot do without is missing or wrong."""
    known = [key.names for key in KEYS]
    _check_names(page, (), page.data, known)
    read = {
        key.names: key.kind(page, key.names, page.get(key.names))
        for key in KEYS
        if page.get(key.names) is not None
    }
    for key in KEYS:
        if key.required and key.names not in read and _opened(page, key.names[:-1]):
            page.wrong(key.names[:-1], f"expected {'.'.join(key.names)}, which is missing")
    if ("database_access",) in read and ("database",) not in read:
        page.wrong(("database_access",), "expected database as well, which this is about")
    if read.get(("ca",)) and str(read.get(("url",))).startswith("http:"):
        page.wrong(("ca",), "expected no certificates: the server's URL is http, not https")
    door = _door(page, read)
    if page.errors or door is None:
        return None
    return _made(page, read, door)


def _opened(page: TargetPage, table: Names) -> bool:
    """Return whether a table is there; the outermost always is."""
    return not table or isinstance(page.get(table), Mapping)


def _check_names(
    page: TargetPage, table: Names, values: Mapping[str, Any], known: list[Names]
) -> None:
    """Note each key that a table does not have, and each table that is none."""
    depth = len(table)
    here = list(dict.fromkeys(names[depth] for names in known if names[:depth] == table))
    for name, value in values.items():
        own = (*table, name)
        if name not in here:
            what = f"a key of [{'.'.join(table)}]" if table else "a key of a target file"
            page.wrong(
                own, f"expected {what} ({', '.join(here)}), got {name!r}", _meant(own, known)
            )
        elif own not in known:
            if isinstance(value, dict):
                _check_names(page, own, value, known)
            else:
                page.wrong(own, f"expected the table [{name}], got {describe(value, secret=True)}")


def _meant(own: Names, known: list[Names]) -> str | None:
    """Return what a key may have been meant as: another name, or one of another table."""
    depth = len(own) - 1
    name = own[-1]
    here = [names[depth] for names in known if names[:depth] == own[:-1]]
    near = did_you_mean(name, here)
    if near is not None:
        return near
    elsewhere = [names for names in known if names[-1] == name]
    return f"it is one of [{'.'.join(elsewhere[0][:-1])}]" if elsewhere else None


def _door(page: TargetPage, read: Mapping[Names, Any]) -> SetUp | Login | ApiKey | None:
    found = [name for name in _DOORS if name in page.data]
    if len(found) != 1:
        got = " and ".join(f"[{name}]" for name in found) or "none of them"
        at = (found[1],) if found else ()
        page.wrong(at, f"expected one of [{'], ['.join(_DOORS)}], how to get in, got {got}")
        return None
    if page.errors:
        return None
    (door,) = found
    values = {names[1]: value for names, value in read.items() if names[0] == door}
    return _DOORS[door](**values)


def _made(page: TargetPage, read: Mapping[Names, Any], door: SetUp | Login | ApiKey) -> TargetFile:
    def get(*names: str) -> Any:
        return read.get(names)

    speed = get("speed") or 1.0
    own = {f"{names[1]}_s": value for names, value in read.items() if names[0] == "timings"}
    given = {
        name: value
        for name, value in (("slack_s", get("slack")), ("crowd", get("crowd")))
        if value is not None
    }
    return TargetFile(
        path=page.path,
        url=get("url"),
        door=door,
        profile=get("profile"),
        version=get("version"),
        ca=get("ca"),
        speed=speed,
        timings=replace(Timings().faster(speed), **own),
        database=get("database"),
        database_access=get("database_access") or "write",
        encryption_key=get("encryption_key"),
        command=_command(page, read),
        scratch=get("scratch"),
        **given,
    )


def _command(page: TargetPage, read: Mapping[Names, Any]) -> Command | None:
    if ("command", "argv") not in read:
        return None
    program, *arguments = read["command", "argv"]
    if "/" in program:
        program = str(page.whole_path(program))
    own = {
        f"{name}_s": read["command", name]
        for name in ("ready", "stop")
        if ("command", name) in read
    }
    return Command(
        argv=(program, *arguments),
        folder=read.get(("command", "folder")) or page.whole_path("."),
        environment=read.get(("command", "environment")) or {},
        **own,
    )
