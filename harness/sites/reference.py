"""The table of a target file's keys, made from the keys; `harness.pages` writes it into its page."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from harness.scenario.reference import BEGIN, END
from harness.sites.keys import KEYS, TABLES

PAGE_PATH: Final = Path(__file__).parents[2] / "docs" / "targets.md"


def page_text() -> str:
    """Return the page with a fresh table."""
    page = PAGE_PATH.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(_lines())
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _lines() -> Iterator[str]:
    yield "| key | what it says | such as | left out |"
    yield "|---|---|---|---|"
    for table, keys in groupby(KEYS, key=lambda key: ".".join(key.names[:-1])):
        if table:
            yield f"| **`[{table}]`** | {TABLES[table]} | | |"
        if table == "timings":  # they differ in their names alone
            names = ", ".join(f"`{key.names[-1]}`" for key in keys)
            yield f'| {names} | That timer of the server. | `"30s"` | the release\'s, divided by `speed` |'
            continue
        for key in keys:
            left_out = "must be there" if key.required else key.default
            yield f"| `{key.names[-1]}` | {key.says} | `{key.example}` | {left_out} |"
