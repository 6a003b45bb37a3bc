"""The nearest valid name for one that is not valid."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_NEAR: Final = 0.6
"""How alike two names must be for one to be a slip of the other; difflib's own figure."""


def nearest(word: str, names: Iterable[str], near: float = _NEAR) -> str | None:
    """Return the valid name that is most like a word, or `None` when none is like it."""
    known = list(names)
    for name in known:
        if name.lower() == word.lower():
            return name
    found = get_close_matches(word, known, n=1, cutoff=near)
    return found[0] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str | None:
    """Return the question about the nearest valid name, or `None`."""
    name = nearest(word, names)
    return None if name is None else f"did you mean {name!r}?"
