"""The keys of a target file: what each is called, what it takes, what it says.

The reader checks against this table, and the page about target files is made from it.
"""

import re
from dataclasses import dataclass
from typing import Final

from harness.scenario.durations import TIMERS
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


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a target file.

    Attributes:
        names: the tables it is in, and its own name.
        kind: reads its value.
        takes: what it takes, in words.
        says: what it says, one sentence.
        required: whether its table needs it.
        default: what counts when it is left out, in words.

    """

    names: Names
    kind: Kind
    takes: str
    says: str
    required: bool = False
    default: str = ""

    @property
    def hidden(self) -> bool:
        """Return whether a line with it may hold a secret, if it was written wrong."""
        return self.kind in {read_secret, read_environment}


_WHERE: Final = '{ file = "…" } or { env = "NAME" }'
_PATH: Final = "a path"
_DURATION: Final = "a duration"


def _entry(door: str, who: str) -> tuple[Key, ...]:
    return (
        Key((door, "username"), read_text, "text", f"{who} name.", required=True),
        Key((door, "password"), read_secret, _WHERE, "Where the password is kept.", required=True),
    )


KEYS: Final[tuple[Key, ...]] = (
    Key(
        ("url",),
        read_url,
        "a URL",
        "Where the server is, with the path before `/api` behind a proxy.",
        required=True,
    ),
    Key(("profile",), read_profile, "a profile", "The release it is judged as.", required=True),
    Key(
        ("version",),
        read_text,
        "text",
        "What the server must say its version is; `any` only notes it.",
        default="one of the profile",
    ),
    Key(
        ("ca",),
        read_certificates,
        _PATH,
        "Certificates (PEM) that alone are trusted, for a private CA.",
        default="those of this machine",
    ),
    Key(
        ("speed",),
        read_speed,
        "a number",
        "How much faster than a release's the server's timers are.",
        default="1",
    ),
    Key(
        ("slack",),
        read_duration,
        _DURATION,
        "How late something may be noticed there.",
        default="1s",
    ),
    Key(
        ("crowd",),
        read_crowd,
        "a whole number",
        "How many scenarios make calls at once.",
        default="8",
    ),
    Key(
        ("database",),
        read_path,
        _PATH,
        "The server's SQLite file, where muster can reach it.",
        default="not reached",
    ),
    Key(
        ("database_access",),
        read_access,
        "`read` or `write`",
        "What muster may do with it; `read` also for a file that is read-only.",
        default="`write`",
    ),
    Key(
        ("encryption_key",),
        read_secret,
        _WHERE,
        "Where the key of stored credentials is kept.",
        default="what the database holds",
    ),
    Key(
        ("scratch",),
        read_path,
        _PATH,
        "A folder that the server may write in, as the server sees it.",
        default="none",
    ),
    *_entry("setup", "The first administrator's"),
    *_entry("login", "An administrator's"),
    Key(
        ("api_key", "key"),
        read_secret,
        _WHERE,
        "Where an API key of role admin is kept.",
        required=True,
    ),
    *(
        Key(
            ("timings", name),
            read_duration,
            _DURATION,
            f"The server's `{name}`.",
            default="the release's, divided by `speed`",
        )
        for name in TIMERS
    ),
    Key(
        ("command", "argv"),
        read_words,
        "a list of texts",
        "The program that is the server, and its arguments; no shell reads them.",
        required=True,
    ),
    Key(
        ("command", "folder"),
        read_folder,
        _PATH,
        "The folder it is started in.",
        default="the target file's",
    ),
    Key(
        ("command", "environment"),
        read_environment,
        "a table",
        "Variables for it beside muster's own: text, or where a secret is kept.",
        default="none",
    ),
    Key(
        ("command", "ready"),
        read_duration,
        _DURATION,
        "How long it may take until it answers.",
        default="30s",
    ),
    Key(
        ("command", "stop"),
        read_duration,
        _DURATION,
        "How long it may take to stop when asked; then it is killed.",
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
