"""What a task leaves out: the real agent's patterns.

They are the shell's without `**`: a star stays within one name. A pattern that is none matches
nothing. No pattern of the standard library's is the same: a star of `fnmatch` passes over slashes.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from posixpath import basename


def excluded(name: str, patterns: Iterable[str], *, is_dir: bool) -> bool:
    """Return whether a name in an archive is left out.

    Args:
        name: the whole name, with slashes.
        patterns: match the whole name or its last part; for a directory also the latter with a
            slash behind it.
        is_dir: whether it is a directory's.

    """
    last = basename(name)
    return any(
        _matches(pattern, name)
        or _matches(pattern, last)
        or (is_dir and pattern.removesuffix("/") == last)
        for pattern in patterns
    )


def _matches(pattern: str, name: str) -> bool:
    expression = _expression(pattern)
    return expression is not None and expression.fullmatch(name) is not None


_TOKEN = re.compile(
    r"(?P<star>\*+)|(?P<any>\?)|\\(?P<escaped>.)"
    r"|\[(?P<negated>\^?)(?P<set>(?:\\.|[^\]\\])+)\]|(?P<plain>[^\[\\])",
    re.DOTALL,
)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str] | None:
    """Return what a pattern matches; `None` when it is none."""
    parts, place = [], 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            return None
        place = token.end()
        if token["star"]:
            parts.append("[^/]*")
        elif token["any"]:
            parts.append("[^/]")
        elif token["set"]:
            parts.append(f"(?!/)[{token['negated']}{_set(token['set'])}]")
        else:
            parts.append(re.escape(token["escaped"] or token["plain"]))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def _set(text: str) -> str:
    """Return the inside of a set, with what only regular expressions mean made harmless."""
    return re.sub(r"\\(.)|([\[&~|^])", lambda found: re.escape(found[1] or found[2]), text)
