"""A scenario that is being read: the file, what it may refer to, and the checks all parts share."""

from collections.abc import Collection, Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Final

from harness.scenario.durations import TIMERS, DurationError, parse, resolve, timings_of
from harness.scenario.model import Duration
from harness.scenario.names import Names
from harness.scenario.references import (
    CASE,
    EACH,
    NAME,
    NET,
    PREFIX,
    RESERVED,
    SCRATCH,
    TIMING,
    BadReferenceError,
    Reference,
    references,
)
from harness.scenario.source import Mapping, Node, Page, Scalar, Sequence, describe
from harness.scenario.suggest import did_you_mean, nearest

_LISTED_MAX: Final = 12
"""How many valid names an error lists; of more, the nearest is named."""


@dataclass(slots=True)
class Reading:
    """One file on its way to a `Scenario`.

    Attributes:
        page: the file.
        clauses: the ids of all clauses.
        behaviours: what agents can be, each with its options.
        names: what has a name so far.
        timing: the timers that the scenario sets.
        clocks: the clocks that it can run on.
        tested: whether an agent of it is the program under test.
        expectations: how many have been read, or may have been meant.

    """

    page: Page
    clauses: Collection[str]
    behaviours: Table[str, Table[str, str]]
    names: Names = field(default_factory=Names)
    timing: dict[str, float] = field(default_factory=dict)
    clocks: tuple[str, ...] = ()
    tested: bool = False
    expectations: int = 0

    def wrong(self, node: Node, message: str, hint: str | None = None) -> None:
        """Note a mistake."""
        self.page.wrong(node.place, message, hint)

    # --- shapes -------------------------------------------------------------------------------

    def mapping(self, node: Node, what: str) -> Mapping | None:
        """Return a node that must be a mapping."""
        if isinstance(node, Mapping):
            return node
        self.wrong(node, f"expected {what}, a mapping, got {describe(node)}")
        return None

    def sequence(self, node: Node, what: str, *, empty: bool = False) -> tuple[Node, ...]:
        """Return the items of a node that must be a list."""
        if not isinstance(node, Sequence):
            self.wrong(node, f"expected {what}, a list, got {describe(node)}")
            return ()
        if not node.items and not empty:
            self.wrong(node, f"expected {what}, got an empty list")
        return node.items

    def text(self, node: Node, what: str) -> str | None:
        """Return a node that must be text with something in it."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value.strip():
                return node.value
            self.wrong(node, f"expected {what}, got an empty text")
            return None
        hint = None
        if isinstance(node, Scalar) and not node.missing:
            hint = f'write "{node.text}" if text is meant'
        self.wrong(node, f"expected {what}, got {describe(node)}", hint)
        return None

    def word(self, node: Node, what: str, known: Iterable[str]) -> str | None:
        """Return a node that must be one of some words."""
        known = list(known)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value in known:
                return node.value
            hint = did_you_mean(node.value, known)
        else:
            hint = None
            if isinstance(node, Scalar) and node.text in known:
                hint = f'write "{node.text}"'
        listed = f" ({', '.join(known)})" if 0 < len(known) <= _LISTED_MAX else ""
        self.wrong(node, f"expected {what}{listed}, got {describe(node)}", hint)
        return None

    def words(self, node: Node, what: str, known: Iterable[str]) -> tuple[str, ...]:
        """Return a node that must be a list of some words, each once."""
        known = list(known)
        found: list[str] = []
        for item in self.sequence(node, f"a list of {what}s"):
            word = self.word(item, f"a {what}", known)
            if word is not None and word in found:
                self.wrong(item, f"expected each {what} once, got {word!r} again")
            elif word is not None:
                found.append(word)
        return tuple(found)

    def whole(self, node: Node, what: str, low: int, high: int) -> int | None:
        """Return a node that must be a whole number within limits."""
        if isinstance(node, Scalar) and type(node.value) is int and low <= node.value <= high:
            return node.value
        self.wrong(node, f"expected {what} from {low} to {high}, got {describe(node)}")
        return None

    def unknown_key(self, key: Scalar, what: str, known: Iterable[str]) -> None:
        """Note a key that does not belong here."""
        known = list(known)
        listed = f" ({', '.join(known)})" if 0 < len(known) <= _LISTED_MAX else ""
        expected = f"expected {what}{listed}" if known else f"expected no key of {what}"
        self.wrong(key, f"{expected}, got {key.text!r}", did_you_mean(key.text, known))

    def required(self, mapping: Mapping, what: str, keys: Iterable[str]) -> None:
        """Note the keys that a mapping lacks."""
        there = [key.text for key, _ in mapping.entries]
        for key in keys:
            if key not in there:
                near = nearest(key, there)
                hint = None if near is None else f"did you mean {key!r} with {near!r}?"
                self.wrong(mapping, f"expected {what} to have {key!r}, which is missing", hint)

    # --- names --------------------------------------------------------------------------------

    def new_name(self, node: Scalar, what: str) -> str:
        """Return a name that is being given; note it when it cannot be."""
        name = node.text
        if not NAME.fullmatch(name):
            message = (
                f"expected {what} of small letters, digits and hyphens that begins with a letter"
            )
            self.wrong(node, f"{message}, got {name!r}")
        elif name in RESERVED:
            self.wrong(node, f"expected {what}, got {name!r}, which has a meaning of its own")
        elif self.names.is_declared(name):
            self.wrong(
                node, f"expected {what} that is free, got {name!r}, which is declared already"
            )
        return name

    def check_references(self, node: Node, text: str) -> None:
        """Note the references of a text that lead nowhere."""
        try:
            found = references(text)
        except BadReferenceError as error:
            self.wrong(node, str(error))
            return
        for reference in found:
            self._check_reference(node, reference)

    def _check_reference(self, node: Node, reference: Reference) -> None:
        head = reference.head
        if head == EACH:
            if not self.names.in_loop:
                self.wrong(node, "expected ${each} inside a for_each only")
        elif head == TIMING:
            self._check_timer(node, reference)
        elif head in {SCRATCH, PREFIX, NET}:
            if reference.path:
                self.wrong(node, f"expected ${{{head}}}, which is text and has no fields")
        elif head == CASE:
            self.wrong(node, "expected ${case.…} in the story of a file with 'cases' only")
        elif head in self.names.agents and not self.names.is_agent(head):
            self.wrong(node, *self.group_message(head))
        elif not self.names.is_declared(head) and head not in self.names.known:
            self.unknown_name(node, head, "a reference to a name that is known here")

    def _check_timer(self, node: Node, reference: Reference) -> None:
        timer = ".".join(reference.path)
        if timer not in TIMERS:
            message = f"expected ${{timing.<timer>}} with a timer of {', '.join(TIMERS)}"
            self.wrong(node, f"{message}, got {timer!r}", did_you_mean(timer, TIMERS))

    def group_message(self, name: str) -> tuple[str, str]:
        """Return what is wrong with a group's name where one agent is meant, and a hint."""
        count = self.names.agents[name]
        return (
            f"expected one agent, got the group {name!r}",
            f"name one: {name}-1 to {name}-{count}",
        )

    def unknown_name(self, node: Node, name: str, what: str) -> None:
        """Note a name that nothing has here, maybe because it is over or not yet given."""
        over = next((given for other, given in self.names.given if other == name), None)
        if over is not None:
            hint: str | None = (
                f"{name!r} is given in line {over.place.line}, which is known only in its own loop,"
                " or happens at this same moment"
            )
        else:
            hint = did_you_mean(name, [*self.names.known, *self.names.declared()])
        self.wrong(node, f"expected {what}, got {name!r}", hint)

    # --- durations ----------------------------------------------------------------------------

    def duration(self, node: Node, *, zero: bool = False) -> Duration | None:
        """Return a node that must be a length of time."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._no_duration(node)
            return None
        try:
            duration = parse(node.value, zero=zero)
        except DurationError as error:
            self.wrong(node, str(error), error.hint)
            return None
        seconds = self.seconds(duration)
        if seconds < 0 or (seconds == 0 and not zero):
            message = f"expected a duration of more than 0 seconds, got {duration.text!r}"
            self.wrong(node, f"{message}, which is {seconds:g} s with these timers")
            return None
        return duration

    def seconds(self, duration: Duration) -> float:
        """Return what a duration comes to with the timers of this scenario."""
        return resolve(duration, timings_of(self.timing))

    def _no_duration(self, node: Node) -> None:
        hint = None
        if (
            isinstance(node, Scalar)
            and isinstance(node.value, int | float)
            and node.value is not True
        ):
            hint = f"write {node.text}ms, {node.text}s, {node.text}m, {node.text}h or {node.text}d"
        message = "expected a duration with a unit, such as 10m31s or command_timeout + 1s"
        self.wrong(node, f"{message}, got {describe(node)}", hint)
