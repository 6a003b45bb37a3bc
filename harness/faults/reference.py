"""The tables of `docs/faults.md`, made from the tables of the code; `harness.pages` writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from harness.faults.action import Action, Kind
from harness.faults.actions import ACTIONS
from harness.faults.keys import SELECTION_KEYS
from harness.faults.values import written
from harness.history import OPERATION_NAMES

PAGE_PATH: Final = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN: Final = "<!-- made by python -m harness.pages: begin -->"
END: Final = "<!-- made by python -m harness.pages: end -->"


def page_text() -> str:
    """Return the page with its tables made anew; what people wrote around them stays."""
    before, _, rest = PAGE_PATH.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{chr(10).join(_tables())}\n{END}{after}"


def _tables() -> Iterator[str]:
    yield "### What can happen"
    yield ""
    for name, action in ACTIONS.items():
        yield f"- `{name}`: {action.says}"
        for key, one in action.keys().items():
            yield f"  - `{key}`: {_key(action, key, one.default, one.metadata)}"
    yield ""
    yield "### To which exchanges"
    yield ""
    yield "| key | holds | what it says |"
    yield "|---|---|---|"
    for key, (kind, says) in SELECTION_KEYS.items():
        yield f"| `{key}` | {kind} | {says} |"
    yield ""
    names = ", ".join(f"`{name}`" for name in OPERATION_NAMES)
    yield f"Operations: {names}."
    yield ""


def _key(action: type[Action], key: str, default: Any, about: Any) -> str:
    kind: Kind = about["kind"]
    shown = written(default, kind)
    extra = f"; `{shown}` when left out" if shown else ""
    bare = "; in the short form it needs no key" if key == action.value else ""
    return f"{about['says']} ({kind}{extra}{bare})"
