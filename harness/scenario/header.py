"""The head of a scenario: what it shows, about which clauses, where it applies, with which timers."""

import re
from typing import Final

from harness.faults.keys import FaultError
from harness.faults.short import parse
from harness.faults.values import Fault
from harness.scenario.durations import MASTER_TIMERS, DurationError, literal_seconds
from harness.scenario.reading import Reading
from harness.scenario.source import Mapping, Node, Scalar
from harness.scenario.suggest import did_you_mean
from master.protocol.profiles import PROFILES

_ZONE: Final = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])", re.ASCII)

CLOCKS: Final = ("virtual", "real", "warp")

KNOWN_PROFILES: Final = tuple(PROFILES)
"""The names of all profiles."""

TOP_KEYS: Final[dict[str, str]] = {
    "scenario": "what the scenario shows, in one sentence",
    "clauses": "the ids of the clauses it is about",
    "profiles": "the profiles it applies to; all when left out",
    "clocks": "the clocks it can run on: `virtual`, `real`, `warp`; all three when left out",
    "because": "why it cannot run on the other clocks; required when one is left out",
    "alone": "why it needs a master that nobody else uses meanwhile, where it does",
    "empty": "why it needs a master with nothing of anybody else's in it, where it does",
    "exact": "why a second more or less decides: it plays only where time passes as written",
    "zone": 'the time zone of the master\'s machine, east of UTC: `"+02:00"`; virtual clock only',
    "timing": "timers of the master that differ from the defaults, each with a duration",
    "faults": "what happens to the calls of agents on their way, a line each: `drop_reply poll#2 alpha`",
    "agents": "the agents, by name",
    "targets": "the storage targets, by name; a task that names none gets one called `disk`",
    "tasks": "the backup tasks, by name",
    "cases": "tells the story once for each of these mappings, whose values are `${case.x}` in it",
    "steps": "what happens and what must be, in order",
}
REQUIRED: Final = ("scenario", "clauses", "steps")

SENTENCE_MAX: Final = 300
"""Characters of what a scenario shows: it becomes a line of every report."""


def read_shows(reading: Reading, node: Node) -> str:
    """Return a sentence."""
    text = reading.text(node, "a sentence")
    if text is None:
        return ""
    text = text.strip()
    if len(text) > SENTENCE_MAX or len(text.splitlines()) > 1:
        message = f"expected one sentence in one line of at most {SENTENCE_MAX} characters"
        reading.wrong(node, f"{message}, got {len(text)} characters")
    if "${" in text:
        reading.check_references(node, text)
    return text


def read_profiles(reading: Reading, node: Node | None) -> tuple[str, ...]:
    """Return the profiles that a scenario applies to."""
    return KNOWN_PROFILES if node is None else reading.words(node, "profile", KNOWN_PROFILES)


def read_clocks(reading: Reading, root: Mapping) -> tuple[tuple[str, ...], str | None]:
    """Return the clocks that a scenario can run on, and why not on the others."""
    node, reason = root.get("clocks"), root.get("because")
    clocks = CLOCKS if node is None else reading.words(node, "clock", CLOCKS)
    because = None if reason is None else read_shows(reading, reason)
    if node is not None and clocks and set(clocks) != set(CLOCKS) and reason is None:
        others = " and the ".join(clock for clock in CLOCKS if clock not in clocks)
        reading.wrong(
            root.key("clocks"), f"expected 'because' beside it: why not on the {others} clock"
        )
    if reason is not None and set(clocks) == set(CLOCKS):
        reading.wrong(root.key("because"), "expected 'because' only where 'clocks' leaves one out")
    return clocks, because


def read_reason(reading: Reading, root: Mapping, key: str) -> str | None:
    """Return why a scenario is special in a way that a key stands for, `None` where it is not."""
    node = root.get(key)
    return None if node is None else read_shows(reading, node) or None


def read_zone(reading: Reading, node: Node | None, clocks: tuple[str, ...]) -> int:
    """Return the zone of the master's machine, in seconds east of UTC."""
    if node is None:
        return 0
    text = reading.text(node, "a time zone")
    found = _ZONE.fullmatch(text or "")
    if text is not None and found is None:
        reading.wrong(node, f'expected a time zone such as "+02:00", got {text!r}')
    elif clocks != ("virtual",):
        reading.wrong(
            node, "expected 'clocks: [virtual]' beside a zone: a real machine has its own"
        )
    if found is None:
        return 0
    seconds = int(found[2]) * 3_600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds


def read_faults(reading: Reading, node: Node | None) -> tuple[Fault, ...]:
    """Return what happens to the calls of agents, which are declared by now."""
    found = []
    for item in reading.sequence(node, "faults, a line each") if node else ():
        text = reading.text(item, "a fault")
        if text is None:
            continue
        try:
            fault = parse(text)
        except FaultError as error:
            reading.wrong(item, str(error), error.hint)
            continue
        found.append(fault)
        process = fault.which.process
        known = list(reading.names.agents)
        if process is not None and "*" not in process and not reading.names.is_agent(process):
            message = f"expected a fault about a declared agent ({', '.join(known)})"
            reading.wrong(item, f"{message}, got {process!r}", did_you_mean(process, known))
    return tuple(found)


def read_timing(reading: Reading, node: Node | None) -> None:
    """Read the timers that a scenario sets."""
    mapping = None if node is None else reading.mapping(node, "timers with their durations")
    for key, value in mapping.entries if mapping else ():
        if key.text not in MASTER_TIMERS:
            reading.unknown_key(key, "a timer of the master", MASTER_TIMERS)
        elif isinstance(value, Scalar) and isinstance(value.value, str):
            try:
                reading.timing[key.text] = literal_seconds(value.value)
            except DurationError as error:
                reading.wrong(value, str(error), error.hint)
        else:
            reading.duration(value)
