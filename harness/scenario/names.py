"""What has a name at one point of a scenario: what is declared, and what `as` has named so far."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from harness.scenario.model import Place

_MEMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Given:
    """A name given with `as`.

    Attributes:
        place: where.
        loops: the loops around it, the outermost first.
        call: whether it names a call's answer.
        background: whether that call is in the background.
        feed: whether it names an event stream.
        moment: whether it names a moment.

    """

    place: Place
    loops: tuple[int, ...]
    call: bool
    background: bool
    feed: bool = False
    moment: bool = False


@dataclass(slots=True)
class Names:
    """The names of one scenario.

    Attributes:
        agents: each with how many it stands for, `None` for a single one.
        targets: declared storage targets.
        tasks: declared tasks.
        known: what `as` has named and can be used here.
        given: all that `as` has named so far, also in loops that are over.

    """

    agents: dict[str, int | None] = field(default_factory=dict)
    targets: dict[str, Place] = field(default_factory=dict)
    tasks: dict[str, Place] = field(default_factory=dict)
    known: dict[str, Given] = field(default_factory=dict)
    given: list[tuple[str, Given]] = field(default_factory=list)
    _loops: tuple[int, ...] = ()
    _loop_count: int = 0

    @property
    def in_loop(self) -> bool:
        """Whether `${each}` means something here."""
        return bool(self._loops)

    def declared(self) -> list[str]:
        """Return all names that are declared, members of groups left out."""
        return [*self.agents, *self.targets, *self.tasks]

    def is_agent(self, name: str) -> bool:
        """Return whether a name is one agent's: its own, or a group's with a number."""
        if name in self.agents:
            return self.agents[name] is None
        return self.group_of(name) is not None

    def group_of(self, name: str) -> str | None:
        """Return the group that a name is a member of."""
        group, _, number = name.rpartition("-")
        count = self.agents.get(group)
        member = count is not None and _MEMBER.fullmatch(number) and int(number) <= count
        return group if member else None

    def is_declared(self, name: str) -> bool:
        """Return whether a name is an agent's, a target's or a task's."""
        return (
            self.is_agent(name) or name in self.agents or name in self.targets or name in self.tasks
        )

    def earlier(self, name: str) -> Given | None:
        """Return where a name was given that would hide, or be hidden, if it were given here."""
        for other, given in self.given:
            depth = min(len(given.loops), len(self._loops))
            if other == name and given.loops[:depth] == self._loops[:depth]:
                return given
        return None

    def give(
        self,
        name: str,
        place: Place,
        *,
        call: bool = False,
        background: bool = False,
        feed: bool = False,
        moment: bool = False,
    ) -> None:
        """Know a name from here on."""
        given = Given(place, self._loops, call, background, feed, moment)
        self.given.append((name, given))
        self.known[name] = given

    @contextmanager
    def loop(self) -> Iterator[None]:
        """Read the body of a loop: the names given there are known there only."""
        before, outer = dict(self.known), self._loops
        self._loop_count += 1
        self._loops = (*outer, self._loop_count)
        yield
        self.known, self._loops = before, outer

    @contextmanager
    def at_once(self) -> Iterator["AtOnce"]:
        """Read steps that happen at the same moment: none knows what another names."""
        moment = AtOnce(self, dict(self.known))
        yield moment
        self.known = moment.after


class AtOnce:
    """Steps of one moment."""

    def __init__(self, names: Names, before: dict[str, Given]) -> None:
        self._names = names
        self._before = before
        self.after = dict(before)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Read one of the steps."""
        self._names.known = dict(self._before)
        yield
        self.after.update(self._names.known)
