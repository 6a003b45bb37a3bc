"""`${…}` in the texts of a scenario: what may be written there."""

import re
from dataclasses import dataclass
from typing import Final

NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
"""What agents, targets, tasks and answers may be called."""

EACH: Final = "each"
TIMING: Final = "timing"
CASE: Final = "case"
SCRATCH: Final = "scratch"
SCRATCH_REFERENCE: Final = "${scratch}"
PREFIX: Final = "prefix"
NET: Final = "net"
RESERVED: Final = frozenset({EACH, TIMING, CASE, SCRATCH, PREFIX, NET})
"""The heads of references that stand for something everywhere."""

_OPEN: Final = "${"
_PATH: Final = re.compile(r"([A-Za-z0-9_-]+)((?:\.[A-Za-z0-9_-]+)*)")


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: the name it begins with, and the way from there."""

    head: str
    path: tuple[str, ...]


class BadReferenceError(ValueError):
    """A text with a `${` that begins no reference."""


def references(text: str) -> list[Reference]:
    """Return the references of a text, in order.

    Raises:
        BadReferenceError: one is not complete.

    """
    found = []
    at = text.find(_OPEN)
    while at >= 0:
        end = text.find("}", at)
        inner = text[at + len(_OPEN) : end] if end >= 0 else ""
        match = _PATH.fullmatch(inner.strip())
        if match is None:
            got = text[at : end + 1] if end >= 0 else text[at:]
            raise BadReferenceError(f"expected a reference such as ${{name.field}}, got {got!r}")
        found.append(Reference(match[1], tuple(match[2].split(".")[1:])))
        at = text.find(_OPEN, end)
    return found


def is_reference(text: str) -> bool:
    """Return whether a text is one reference and nothing else."""
    return text.startswith(_OPEN) and text.find("}") == len(text) - 1
