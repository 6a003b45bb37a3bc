"""What the keys of a target file take: one function a kind of value.

Each returns what a value means, or notes what is wrong with it and returns `None`.
"""

import os
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from harness.scenario.durations import DurationError, literal_seconds
from harness.scenario.model import Place
from harness.scenario.suggest import did_you_mean
from harness.scenario.toml import TomlPage
from harness.sites.secrets import Secret, SecretFile, SecretVariable
from master.protocol.profiles import PROFILES
from simulated_agents.ports.http import base_parts

Names = tuple[str, ...]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME: Final = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
_SPEED_MAX: Final = 1000.0
_CROWD_MAX: Final = 64


class TargetPage(TomlPage):
    """A target file that is being read.

    Args:
        path: the file.
        shown: makes of a line what may be shown of it.

    """

    def __init__(self, path: Path, shown: Callable[[str], str]) -> None:
        super().__init__(path, shown)
        self.data: dict[str, Any] = {}
        self._places: dict[Names, Place] = {}

    def read(self) -> None:
        """Read the file's values.

        Raises:
            Unreadable: it is no TOML.

        """
        self.data = self.load()
        self._places = self.places()

    def get(self, names: Names) -> Any:
        """Return what a key says, `None` when it is left out."""
        value: Any = self.data
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def wrong(self, names: Names, message: str, hint: str | None = None) -> None:
        """Note a mistake at a key, or at the nearest of those that hold it."""
        if names and names not in self._places:
            message = f"{names[-1]}: {message}"
        while names and names not in self._places:
            names = names[:-1]
        self.note(self._places[names] if names else Place(self.path, 1, 1), message, hint)

    def whole_path(self, text: str) -> Path:
        """Return a path that counts from the file's folder."""
        folder = Path(os.path.abspath(self.path)).parent  # noqa: PTH100 - links stay as they are
        return Path(os.path.normpath(folder / Path(text).expanduser()))


Kind = Callable[[TargetPage, Names, Any], Any]
"""Returns what a value means, or `None` after it noted a mistake."""


def read_text(page: TargetPage, names: Names, value: Any) -> str | None:
    """Return some text."""
    if isinstance(value, str) and value.strip():
        return value
    page.wrong(names, f"expected text with something in it, got {describe(value)}")
    return None


def read_url(page: TargetPage, names: Names, value: Any) -> str | None:
    """Return a server's URL, without a slash at its end."""
    text = read_text(page, names, value)
    if text is None:
        return None
    try:
        base_parts(text)
    except ValueError as error:
        page.wrong(names, str(error))
        return None
    return text.rstrip("/")


def read_profile(page: TargetPage, names: Names, value: Any) -> str | None:
    """Return the name of a profile."""
    if isinstance(value, str) and value in PROFILES:
        return value
    hint = did_you_mean(str(value), PROFILES)
    if isinstance(value, int | float) and str(value) in PROFILES:
        hint = f'write "{value}"'
    page.wrong(names, f"expected a profile ({', '.join(PROFILES)}), got {describe(value)}", hint)
    return None


def read_path(page: TargetPage, names: Names, value: Any) -> Path | None:
    """Return a whole path."""
    text = read_text(page, names, value)
    return None if text is None else page.whole_path(text)


def read_folder(page: TargetPage, names: Names, value: Any) -> Path | None:
    """Return a folder that is there."""
    path = read_path(page, names, value)
    if path is not None and not path.is_dir():
        page.wrong(names, f"expected a folder that is there, got {path}")
        return None
    return path


def read_certificates(page: TargetPage, names: Names, value: Any) -> Path | None:
    """Return a file of certificates that can be read."""
    path = read_path(page, names, value)
    if path is None:
        return None
    fault = certificates_fault(path)
    if fault is not None:
        page.wrong(names, f"expected a file of certificates (PEM), got {path}: {fault}")
        return None
    return path


def certificates_fault(path: Path) -> str | None:
    """Return why a file cannot be what certificates are checked by, or `None` when it can."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "there is no certificate in it"
    except OSError as error:
        return str(error.strerror)
    return None


def read_duration(page: TargetPage, names: Names, value: Any) -> float | None:
    """Return seconds."""
    if not isinstance(value, str):
        hint = f'write "{value}s"' if isinstance(value, int | float) else None
        page.wrong(names, f"expected a duration such as 10m31s, got {describe(value)}", hint)
        return None
    try:
        return literal_seconds(value)
    except DurationError as error:
        page.wrong(names, str(error), error.hint)
        return None


def read_speed(page: TargetPage, names: Names, value: Any) -> float | None:
    """Return a factor."""
    if isinstance(value, int | float) and type(value) is not bool and 0 < value <= _SPEED_MAX:
        return float(value)
    page.wrong(names, f"expected a number above 0, up to {_SPEED_MAX:g}, got {describe(value)}")
    return None


def read_crowd(page: TargetPage, names: Names, value: Any) -> int | None:
    """Return how many at once."""
    if type(value) is int and 1 <= value <= _CROWD_MAX:
        return value
    page.wrong(names, f"expected a whole number from 1 to {_CROWD_MAX}, got {describe(value)}")
    return None


def read_access(page: TargetPage, names: Names, value: Any) -> str | None:
    """Return what may be done with a database."""
    if value in {"read", "write"}:
        return str(value)
    hint = did_you_mean(str(value), ("read", "write"))
    page.wrong(names, f'expected "read" or "write", got {describe(value)}', hint)
    return None


def read_words(page: TargetPage, names: Names, value: Any) -> tuple[str, ...] | None:
    """Return a program and its arguments."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        if value[0].strip():
            return tuple(value)
        page.wrong(names, "expected a program first, got an empty text")
        return None
    hint = None
    if isinstance(value, str):
        quoted = ", ".join(f'"{word}"' for word in value.split())
        hint = f"no shell reads it: write [{quoted}]"
    page.wrong(names, f"expected a list of texts, the program first, got {describe(value)}", hint)
    return None


def read_secret(page: TargetPage, names: Names, value: Any) -> Secret | None:
    """Return where a secret is kept; one that stands there itself is never shown."""
    what = f"the secret {'.'.join(names)}"
    if isinstance(value, dict) and len(value) == 1:
        ((place, text),) = value.items()
        if place == "file" and isinstance(text, str) and text.strip():
            return SecretFile(page.whole_path(text), what)
        if place == "env" and isinstance(text, str) and _VARIABLE.fullmatch(text):
            return SecretVariable(text, what)
    expected = 'expected { file = "…" } or { env = "NAME" }'
    if isinstance(value, dict):
        page.wrong(names, f"{expected}, got {', '.join(map(repr, value)) or 'neither'}")
        return None
    page.wrong(
        names,
        f"{expected}: a secret never stands in a target file itself",
        "keep it in a file that only you can read, or in a variable; and change it if others saw"
        " this file",
    )
    return None


def read_environment(page: TargetPage, names: Names, value: Any) -> dict[str, str | Secret] | None:
    """Return variables and what they hold."""
    if not isinstance(value, dict):
        page.wrong(names, f"expected a table of variables, got {describe(value, secret=True)}")
        return None
    found: dict[str, str | Secret] = {}
    for name, text in value.items():
        own = (*names, name)
        if not _VARIABLE.fullmatch(name):
            page.wrong(own, f"expected the name of a variable, got {name!r}")
        elif isinstance(text, dict) or (isinstance(text, str) and _SECRET_NAME.search(name)):
            secret = read_secret(page, own, text)
            if secret is not None:
                found[name] = secret
        elif isinstance(text, str):
            found[name] = text
        else:
            page.wrong(own, f"expected text, got {describe(text)}")
    return found


def describe(value: Any, *, secret: bool = False) -> str:
    """Return what a value is, in the words of an error message."""
    match value:
        case None:
            return "nothing"
        case str() if secret:
            return "text"
        case str():
            return repr(value if len(value) <= 60 else f"{value[:59]}…")
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the date {value}"
