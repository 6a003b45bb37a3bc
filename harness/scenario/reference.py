"""The tables of the language reference, made from the tables of the language.

`harness.pages` writes them into `docs/scenarios.md`.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Final

from harness.scenario.cases import CASE_KEYS
from harness.scenario.declarations import (
    AGENT_KEYS,
    BY_STEPS,
    CHOICE,
    TARGET_KEYS,
    TASK_KEYS,
    WORK_KEYS,
)
from harness.scenario.durations import TIMERS, timer
from harness.scenario.header import KNOWN_PROFILES, REQUIRED, TOP_KEYS
from harness.scenario.verbs import (
    ANSWER_FIELDS,
    CALL_KEYS,
    EXISTS,
    LIST_FIELDS,
    MATCHERS,
    STEP_KEYS,
    SUBJECTS,
    VERBS,
    Kind,
    Verb,
)
from master.config import Timings
from simulated_agents.timing import Timing

PAGE_PATH: Final = Path(__file__).parents[2] / "docs" / "scenarios.md"
BEGIN: Final = "<!-- made by python -m harness.pages: begin -->"
END: Final = "<!-- made by python -m harness.pages: end -->"

_KINDS: Final[dict[Kind, str]] = {
    Kind.AGENT: "an agent's name",
    Kind.TASK: "a task's name or id",
    Kind.TARGET: "a storage target's name or id",
    Kind.COMMAND: "a command: a name given with `as`, or an id",
    Kind.RECORD: "a backup record: a name given with `as`, or an id",
    Kind.RESTORE: "a restore record: a name given with `as`, or an id",
    Kind.ANSWER: "a name given with `as`",
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.FLAG: "`true` or `false`",
    Kind.DURATION: "a duration",
    Kind.JSON: "any value",
    Kind.MAPPING: "fields",
    Kind.MATCHERS: "what it must be",
    Kind.STEPS: "steps",
    Kind.LIST: "a list",
    Kind.FEED: "a name given with `as` to `listen`",
    Kind.MOMENT: "a name given with `as` to `mark`",
    Kind.FILES: "files by their paths",
    Kind.PATH: "a path below `${scratch}`",
}

_BESIDE: Final[dict[str, str]] = {
    "as": "a name for what the call brought, for later steps",
    "expect": "what the answer must be",
    "background": "`true` goes on without the answer; an `answer` step waits for it",
    "times": "make the call so many times at the same moment",
    "token": "send this token in place of the right one",
    "lose": "`request` loses the call before the master hears it, `reply` its answer; nothing is expected then",
    "clauses": "the clauses that the expectation of this step is about; the scenario's when left out",
}


def _table(first: str, second: str, rows: Table[str, str]) -> Iterator[str]:
    yield f"| {first} | {second} |"
    yield "|---|---|"
    for name, text in rows.items():
        yield f"| `{name}` | {text} |"
    yield ""


def _keys(verb: Verb) -> str:
    """Return a verb's keys: the required ones first, each with what it holds."""
    optional = [key for key in verb.keys if key not in verb.required]
    words = [f"`{key}` {_KINDS[verb.keys[key]]}" for key in verb.required]
    words += [f"`{key}` {_KINDS[verb.keys[key]]} (optional)" for key in optional]
    if verb.open:
        words.append("further fields")
    return "; ".join(words)


def _short(name: str, verb: Verb) -> str:
    whole = verb.short is not None and tuple(verb.required) == (verb.short,)
    return f"`{name}: {verb.short}`" if whole else ""


def _verbs(*, call: bool) -> Iterator[str]:
    yield "| verb | what it does | keys | short form |"
    yield "|---|---|---|---|"
    for name, verb in VERBS.items():
        if verb.call is call:
            yield f"| `{name}` | {verb.help} | {_keys(verb)} | {_short(name, verb)} |"
    yield ""


def _behaviours() -> Iterator[str]:
    from simulated_agents.behaviours import OPTIONS  # noqa: PLC0415 - as in the loader

    yield "| behaviour | options |"
    yield "|---|---|"
    for name, what in BY_STEPS.items():
        yield f"| `{name}` | {what} |"
    for name, options in OPTIONS.items():
        words = [f"`{option}` {_option(kind)}" for option, kind in options.items()]
        yield f"| `{name}` | {'; '.join(words)} |"
    yield ""


def _option(kind: str) -> str:
    if kind.startswith(CHOICE):
        return " or ".join(f"`{word}`" for word in kind.removeprefix(CHOICE).split("|"))
    return _KINDS[Kind(kind)]


def _timers() -> Iterator[str]:
    yield from _table(
        "timer",
        "default",
        {name: f"{timer(name, Timings(), Timing()):g} s" for name in TIMERS},
    )


def reference() -> str:
    """Return the tables, as Markdown."""
    top = {
        name: text + (" (required)" if name in REQUIRED else "") for name, text in TOP_KEYS.items()
    }
    assert _BESIDE.keys() == {*CALL_KEYS, *STEP_KEYS}
    profiles = ", ".join(f"`{name}`" for name in KNOWN_PROFILES)
    subjects = {name: _KINDS[kind] for name, kind in SUBJECTS.items()}
    several = {name: "those with these fields" for name in SUBJECTS if name in _SELECTED}
    sections: list[tuple[str, Iterator[str]]] = [
        ("### Top-level keys", _table("key", "what it says", top)),
        ("### Agents", _table("key", "what it says", AGENT_KEYS)),
        ("Keys of `work`:", _table("key", "what it says", WORK_KEYS)),
        ("Behaviours:", _behaviours()),
        ("### Storage targets", _table("key", "what it says", TARGET_KEYS)),
        ("### Tasks", _table("key", "what it says", TASK_KEYS)),
        (
            "### Cases",
            _table(
                "key", "what it says", CASE_KEYS | {"<value>": "what `${case.<value>}` stands for"}
            ),
        ),
        ("### Calls", _verbs(call=True)),
        ("Beside a call:", _table("key", "what it says", _BESIDE)),
        ("### Everything else that happens", _verbs(call=False)),
        ("### What can be looked at", _table("subject", "holds", subjects | several)),
        (
            "Beside `records`, `restores`, `commands`, `answers`, `events`, `calls` and `files`:",
            _table("key", "what it is about", LIST_FIELDS),
        ),
        (
            "Beside the others:",
            _table(
                "key", "what it is about", {EXISTS: "whether it is there", "<field>": "a field"}
            ),
        ),
        ("### What can be said about an answer", _table("key", "what it is about", ANSWER_FIELDS)),
        ("### Matchers", _table("matcher", "what a value must be", MATCHERS)),
        ("### Timers", _timers()),
    ]
    lines = [f"Profiles: {profiles}.", ""]
    for title, rows in sections:
        lines += [title, "", *rows]
    return "\n".join(lines)


_SELECTED: Final = ("records", "restores", "commands", "calls")


def page_text() -> str:
    """Return the reference page with fresh tables."""
    page = PAGE_PATH.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"
