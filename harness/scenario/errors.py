"""What is wrong with a file, and how it is shown: the place, the line itself, and a way out."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.scenario.model import Place

_LINE_LENGTH_MAX: Final = 120
"""How much of a long line is shown: about what a terminal holds."""

_SHOWN_MAX: Final = 100
"""How many errors are shown: more than one cause has, fewer than a scrollback loses."""


@dataclass(frozen=True, slots=True)
class ScenarioError:
    """One mistake.

    Attributes:
        place: where it stands.
        message: what was expected, and what came.
        line_text: the line it stands in; empty when there is none to show.
        hint: what may have been meant.

    """

    place: Place
    message: str
    line_text: str = ""
    hint: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.place}: error: {self.message}"]
        if self.line_text.strip():
            number = str(self.place.line)
            text, before = _window(self.line_text, self.place.column - 1)
            lines += [f"  {number} | {text}", f"  {' ' * len(number)} | {' ' * _width(before)}^"]
        if self.hint is not None:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class ScenarioErrors(Exception):  # noqa: N818 - it is all of them
    """Every mistake of every file that was read."""

    def __init__(self, errors: Iterable[ScenarioError]) -> None:
        self.errors = list(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        shown = [str(error) for error in self.errors[:_SHOWN_MAX]]
        files = len({error.place.path for error in self.errors})
        counts = f"{_several(len(self.errors), 'error')} in {_several(files, 'file')}"
        further = len(self.errors) - len(shown)
        return "\n".join([*shown, f"{counts}, {further} of them not shown" if further else counts])


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _window(line: str, at: int) -> tuple[str, str]:
    """Return the part of a line around a column as it can be shown, and what is before it."""
    clean = "".join(one if one.isprintable() else " " for one in line.rstrip())
    start = 0
    if len(clean) > _LINE_LENGTH_MAX:
        start = max(0, min(at - _LINE_LENGTH_MAX // 2, len(clean) - _LINE_LENGTH_MAX))
    return clean[start : start + _LINE_LENGTH_MAX], clean[start:at].ljust(at - start)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    marks = sum(bool(unicodedata.combining(one)) for one in text)
    return len(text) + wide - marks
