"""TOML files that are a list of tables, with the place of each mistake in them.

These files are a list of tables of one name, each key on a line of its own, so the lines can be
counted.
"""

import re
from pathlib import Path
from typing import Any, Final

from harness.scenario.errors import ScenarioError
from harness.scenario.model import Place
from harness.scenario.suggest import did_you_mean
from harness.scenario.toml import TomlPage, Unreadable

__all__ = ["Tables", "Unreadable"]

_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


class Tables:
    """A file that is being read, and what is wrong with it so far.

    Args:
        path: the file.
        name: the name of its tables: `clause` for `[[clause]]`.
        noun: what the file is, in the words of an error message.

    """

    def __init__(self, path: Path, name: str, noun: str) -> None:
        self._page = TomlPage(path)
        self._name = name
        self._noun = noun
        self._starts: list[int] = []

    @property
    def errors(self) -> list[ScenarioError]:
        """Return every mistake so far."""
        return self._page.errors

    def read(self) -> list[dict[str, Any]]:
        """Return the tables as they are written; none when the file has none.

        Raises:
            Unreadable: the file is no such list; `errors` says why.

        """
        data = self._page.load()
        lines = self._page.lines
        header = re.compile(rf"\s*\[\[\s*{self._name}\s*\]\]\s*(#.*)?")
        self._starts = [n for n, line in enumerate(lines, 1) if header.fullmatch(line)]
        items = data.pop(self._name, [])
        if data:
            key = next(iter(data))
            raise self.stop(1, 1, f"expected [[{self._name}]] tables only, got {key!r}")
        if not isinstance(items, list) or len(items) != len(self._starts):
            message = f"expected tables, each under a line [[{self._name}]]"
            raise self.stop(1, 1, message)
        return items

    def place(self, at: int, key: str | None = None) -> Place:
        """Return where a key of the table with a number stands; its header's place without one."""
        begin = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._page.lines) + 1
        for number in range(begin + 1, end):
            found = _KEY.match(self._page.lines[number - 1])
            if key is not None and found is not None and found[1] == key:
                return Place(self._page.path, number, found.start(1) + 1)
        return Place(self._page.path, begin, 1)

    def wrong(self, at: int, key: str | None, message: str, hint: str | None = None) -> None:
        """Note a mistake in the table with a number, at one of its keys."""
        self._page.note(self.place(at, key), message, hint)

    def stop(self, line: int, column: int, message: str) -> Unreadable:
        """Note a mistake behind which nothing can be read, and return what to raise."""
        return self._page.stop(line, column, message)

    def known_keys(self, at: int, item: dict[str, Any], keys: tuple[str, ...]) -> None:
        """Note each key that is none of a table's."""
        for key in item:
            if key not in keys:
                message = f"expected a key of {self._noun} ({', '.join(keys)}), got {key!r}"
                self.wrong(at, key, message, did_you_mean(key, keys))

    def required(self, at: int, item: dict[str, Any], keys: tuple[str, ...]) -> None:
        """Note each key that a table lacks."""
        for key in keys:
            if key not in item:
                self.wrong(at, None, f"expected {self._noun} to have {key!r}, which is missing")

    def sentence(self, at: int, item: dict[str, Any], key: str) -> str | None:
        """Return the text that a key holds, or `None` where it is missing or wrong."""
        if key not in item:
            return None
        value = item[key]
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.wrong(at, key, f"expected {key!r} to be text with something in it, got {value!r}")
        return None

    def one_of(
        self, at: int, key: str, value: str | None, noun: str, names: tuple[str, ...]
    ) -> None:
        """Note a word that is none of those that a key takes."""
        if value is not None and value not in names:
            message = f"expected {noun} ({', '.join(names)}), got {value!r}"
            self.wrong(at, key, message, did_you_mean(value, names))

    def words(
        self, at: int, item: dict[str, Any], key: str, noun: str, names: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return a list of words that a key holds; all that there are when it is left out."""
        if key not in item:
            return names
        value = item[key]
        if not isinstance(value, list) or not value:
            self.wrong(at, key, f"expected a list of {noun}s, got {value!r}")
            return ()
        for name in value:
            self.one_of(at, key, str(name), f"a {noun}", names)
        return tuple(str(name) for name in value)
