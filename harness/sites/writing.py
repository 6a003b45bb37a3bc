"""Writing a target file: the keys that are given, and the others as comments."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from harness.sites.keys import KEYS, TABLES, Key
from harness.sites.kinds import Names

_HEAD: Final = """\
# A target of muster: `muster target check` looks at it, `muster run --target` plays on it.
# Secrets are never in this file: { file = "…" } or { env = "NAME" } says where each is kept.
# Relative paths count from this file's folder.
"""


def literal(value: str | tuple[str, ...]) -> str:
    """Return a text, or a list of texts, as TOML writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(literal(one) for one in value)}]"


def secret_literal(place: str, name: str) -> str:
    """Return where a secret is kept as a target file writes it: `file` or `env`, and which."""
    return f"{{ {place} = {literal(name)} }}"


def target_text(values: Mapping[Names, str]) -> str:
    """Return the text of a target file.

    Args:
        values: what is said, each as TOML writes it, by its names; the rest are comments. The
            tables of other doors are left out.

    """
    lines = [_HEAD]
    for table, keys in groupby(KEYS, key=lambda key: ".".join(key.names[:-1])):
        lines += _table(table, list(keys), values)
    return "\n".join(lines).rstrip() + "\n"


def _table(table: str, keys: list[Key], values: Mapping[Names, str]) -> Iterator[str]:
    given = any(key.names in values for key in keys)
    if table in {"setup", "login", "api_key"} and not given:
        return
    if table:
        yield f"# {TABLES[table]}"
        yield f"[{table}]" if given else f"# [{table}]"
    for key in keys:
        name = key.names[-1]
        default = f" (else: {key.default})" if key.default and key.names not in values else ""
        if table != "timings":
            yield f"# {key.says}{default}"
        if key.names in values:
            yield f"{name} = {values[key.names]}"
        else:
            yield f"# {name} = {key.example}"
    yield ""
