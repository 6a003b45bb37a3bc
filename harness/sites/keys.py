"""The keys of a target file: what each is called, what it takes, what it says.

The reader checks against this table, and the page about target files is made from it.
"""

import re
from dataclasses import dataclass, fields
from typing import Any, Final

from harness.sites.kinds import (
    Kind,
    Names,
    read_access,
    read_certificates,
    read_crowd,
    read_duration,
    read_environment,
    read_folder,
    read_path,
    read_profile,
    read_secret,
    read_speed,
    read_text,
    read_url,
    read_words,
)
from master.config import Timings


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a target file.

    Attributes:
        names: the tables it is in, and its own name.
        kind: reads its value.
        says: what it says, one sentence.
        example: a value, as it is written; that of a timer is what the release has.
        required: whether its table needs it.
        default: what counts when it is left out, in words.

    """

    names: Names
    kind: Kind
    says: str
    example: str
    required: bool = False
    default: str = ""

    @property
    def hidden(self) -> bool:
        """Return whether a line with it may hold a secret, if it was written wrong."""
        return self.kind in {read_secret, read_environment}


TABLES: Final[dict[str, str]] = {
    "": "The server.",
    "setup": "A fresh server: makes its first administrator, or logs in as them.",
    "login": "A server with an administrator: logs in.",
    "api_key": "A server with an API key: takes it as it is.",
    "timings": "The server's timers as they are there, where they are not the release's.",
    "command": "A server that muster starts, kills and stops.",
}
"""What each table is for; there is exactly one of `setup`, `login` and `api_key`."""


def _door(name: str, who: str) -> tuple[Key, ...]:
    kept = '{ env = "BACKUPX_PASSWORD" }'
    return (
        Key((name, "username"), read_text, f"{who} name.", '"admin"', required=True),
        Key((name, "password"), read_secret, f"{who} password.", kept, required=True),
    )


def _timer(name: str, seconds: Any) -> Key:
    example = f'"{seconds:g}s"'
    default = "the release's, divided by `speed`"
    return Key(
        ("timings", name), read_duration, f"The server's `{name}`.", example, default=default
    )


KEYS: Final[tuple[Key, ...]] = (
    Key(
        ("url",),
        read_url,
        "Where the server is, with the path before `/api` behind a proxy.",
        '"http://127.0.0.1:8340"',
        required=True,
    ),
    Key(("profile",), read_profile, "The release it is judged as.", '"2.4"', required=True),
    Key(
        ("version",),
        read_text,
        'What the server must say its version is; `"any"` only notes it.',
        '"v2.4.0"',
        default="a version of the profile",
    ),
    Key(
        ("ca",),
        read_certificates,
        "Certificates (PEM) that alone are trusted, for a private CA.",
        '"ca.pem"',
        default="this machine's",
    ),
    Key(
        ("speed",),
        read_speed,
        "How many times as fast as the release's its timers are.",
        "20",
        default="1",
    ),
    Key(("slack",), read_duration, "How late something may be noticed.", '"1s"', default="1s"),
    Key(("crowd",), read_crowd, "How many scenarios make calls at once.", "8", default="8"),
    Key(
        ("database",),
        read_path,
        "Its SQLite file, where muster can reach it.",
        '"data/backupx.db"',
        default="out of reach",
    ),
    Key(
        ("database_access",),
        read_access,
        "`write`, or `read` where muster must change nothing in it.",
        '"read"',
        default="write",
    ),
    Key(
        ("encryption_key",),
        read_secret,
        "Its key of stored credentials.",
        '{ file = "encryption.key" }',
        default="that in the database",
    ),
    Key(
        ("scratch",),
        read_path,
        "A folder that the server may write in.",
        '"/srv/muster"',
        default="none",
    ),
    *_door("setup", "The first administrator's"),
    *_door("login", "An administrator's"),
    Key(
        ("api_key", "key"),
        read_secret,
        "An API key of role admin.",
        '{ env = "BACKUPX_API_KEY" }',
        required=True,
    ),
    *(_timer(timer.name.removesuffix("_s"), timer.default) for timer in fields(Timings)),
    Key(
        ("command", "argv"),
        read_words,
        "The program and its arguments; no shell reads them.",
        '["./backupx", "--config", "config.yaml"]',
        required=True,
    ),
    Key(
        ("command", "folder"),
        read_folder,
        "The folder it is started in.",
        '"."',
        default="the target file's",
    ),
    Key(
        ("command", "environment"),
        read_environment,
        "Variables for it beside muster's own: text, or a secret.",
        '{ TZ = "UTC" }',
        default="none",
    ),
    Key(
        ("command", "ready"),
        read_duration,
        "How long it may take until it answers.",
        '"30s"',
        default="30s",
    ),
    Key(
        ("command", "stop"),
        read_duration,
        "How long it may take to stop when asked; then it is killed.",
        '"15s"',
        default="15s",
    ),
)
"""Every key, in the order of the page about them."""

_SHOWN_KEYS: Final = frozenset(key.names[-1] for key in KEYS if not key.hidden)
_LINE_KEY: Final = re.compile(r"\s*(?:[\w.-]+\.)?([\w-]+)\s*=")
_USER_INFO: Final = re.compile(r"//[^/\s\"']*@")


def shown(line: str) -> str:
    """Return what may be shown of a line: all of it where nothing in it can be a secret."""
    found = _LINE_KEY.match(line)
    if found is not None and found[1] in _SHOWN_KEYS:
        return _USER_INFO.sub("//…@", line)
    begin, equals, _ = line.partition("=")
    return f"{begin}{equals} …" if equals else ("" if found is None and "[" not in line else line)
