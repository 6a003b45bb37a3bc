"""The nearest valid name for one that is not valid."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

_NEAR: Final = 0.6
"""How alike two names must be for one to be a slip of the other; what `difflib` takes, too."""


def nearest(word: str, names: Iterable[str], near: float = _NEAR) -> str | None:
    """Return the valid name that is most like a word, or `None` when none is like it."""
    known = list(names)
    for name in known:
        if name.lower() == word.lower():
            return name
    likeness = {name: SequenceMatcher(None, name, word).ratio() for name in known}
    best = max(known, key=likeness.__getitem__, default=None)
    return best if best is not None and likeness[best] >= near else None


def did_you_mean(word: str, names: Iterable[str]) -> str | None:
    """Return the question about the nearest valid name, or `None`."""
    name = nearest(word, names)
    return None if name is None else f"did you mean {name!r}?"
