"""What can be done at a site. What cannot is why scenarios are not played there."""

from dataclasses import dataclass

from master.config import Timings


@dataclass(frozen=True, slots=True)
class Able:
    """What can be done with a master.

    Attributes:
        reads_tables: its database can be looked into.
        writes_tables: its database can be changed.
        kills: its process can be killed and started again.
        disk: a folder that it may write in is known.
        others: what there is of others, in words, which no scenario may count on; "" is nothing.
        timings: its timers on its own clock, which cannot be set; `None` where each scenario sets
            those that it wants.
        speed: how much faster than written the literal durations of scenarios pass.
        senseless: the ids of scenarios that make no sense with these timers.
        longest_s: for how long, in real seconds, a scenario may wait; `None` is for ever.
        no_turn: the ids of scenarios that need the master alone, whose turn would come too late.
        agent: there is a program to judge as an agent, and nothing else is judged.

    """

    reads_tables: bool = True
    writes_tables: bool = True
    kills: bool = True
    disk: bool = True
    others: str = ""
    timings: Timings | None = None
    speed: float = 1.0
    senseless: frozenset[str] = frozenset()
    longest_s: float | None = None
    no_turn: frozenset[str] = frozenset()
    agent: bool = False


EVERYTHING = Able()
"""A master that muster makes itself, as each scenario wants it."""
