"""A TOML file that is being read: its text, its values, and the place of each mistake in it.

`tomllib` says where a file is no TOML, and nothing of where a value stands. So the lines are looked
at again: a key is where its own line begins with it, below the header of its table. A key inside an
inline table has the place of the key that holds it.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from harness.scenario.errors import ScenarioError
from harness.scenario.model import Place

SIZE_MAX: Final = 4_194_304
"""Bytes of a file: a catalogue of a thousand clauses takes a quarter of it."""

_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED: Final = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_KEY: Final = re.compile(rf"\s*{_DOTTED}\s*=")
_HEADER: Final = re.compile(rf"\s*\[\[?\s*{_DOTTED}\s*\]\]?\s*(?:#.*)?")
_TOML_PLACE: Final = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)")


class Unreadable(Exception):  # noqa: N818 - the mistake itself is in `TomlPage.errors`
    """The file cannot be read any further."""


class TomlPage:
    """A file that is being read, and what is wrong with it so far.

    Args:
        path: the file.
        shown: makes of a line what may be shown of it, where a line may hold a secret.

    Attributes:
        path: the file.
        lines: its text.
        errors: every mistake so far.

    """

    def __init__(self, path: Path, shown: Callable[[str], str] = str) -> None:
        self.path = path
        self._shown = shown
        self.lines: list[str] = []
        self.errors: list[ScenarioError] = []

    def load(self) -> dict[str, Any]:
        """Return what the file says.

        Raises:
            Unreadable: it is no TOML; `errors` says why.

        """
        text = self._text()
        self.lines = text.splitlines()
        try:
            return tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            found = _TOML_PLACE.fullmatch(str(error))
            line = int(found[2]) if found and found[2] else max(len(self.lines), 1)
            column = int(found[3]) if found and found[3] else 1
            raise self.stop(line, column, f"TOML: {found[1] if found else error}") from None

    def places(self) -> dict[tuple[str, ...], Place]:
        """Return where each key and each table's header stands, by the names that lead to it."""
        found: dict[tuple[str, ...], Place] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(self.lines, 1):
            header = _HEADER.fullmatch(line)
            if header is not None:
                table = _names(header[1])
                found.setdefault(table, Place(self.path, number, header.start(1) + 1))
                continue
            key = _KEY.match(line)
            if key is None:
                continue
            names = table + _names(key[1])
            for depth in range(len(table) + 1, len(names) + 1):
                found.setdefault(names[:depth], Place(self.path, number, key.start(1) + 1))
        return found

    def note(self, place: Place, message: str, hint: str | None = None) -> None:
        """Note a mistake."""
        text = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        self.errors.append(ScenarioError(place, message, self._shown(text), hint))

    def stop(self, line: int, column: int, message: str) -> Unreadable:
        """Note a mistake behind which nothing can be read, and return what to raise."""
        self.note(Place(self.path, line, column), message)
        return Unreadable()

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                raw = file.read(SIZE_MAX + 1)
        except OSError as error:
            message = f"expected a file that can be read: {error.strerror}"
            raise self.stop(1, 1, message) from None
        if len(raw) > SIZE_MAX:
            raise self.stop(1, 1, f"expected a file of at most {SIZE_MAX} bytes")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            message = f"expected UTF-8, got 0x{raw[error.start]:02x}"
            raise self.stop(line, 1, message) from None


def _names(dotted: str) -> tuple[str, ...]:
    """Return the parts of a dotted key, without the quotes around them."""
    return tuple(part.strip("\"'") for part in re.findall(_NAME, dotted))
