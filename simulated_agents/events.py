"""What really happened inside the agents: the ground truth that a master cannot see."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What can happen to an agent."""

    STARTED = "started"  # a process begins
    RESTARTED = "restarted"  # a process begins, after one that crashed or ended
    ENDED = "ended"  # a process ends by itself: its first heartbeat failed
    CRASHED = "crashed"  # a process dies
    OFFLINE = "offline"  # the network is cut
    ONLINE = "online"  # the network is back
    CLAIMED = "claimed"  # a poll brought a command
    EXECUTING = "executing"  # the command's effect begins
    FINISHED = "finished"  # the command's effect is over; nothing is said about who knows
    REFUSED = "refused"  # the master answered a call, and not with success
    UNANSWERED = "unanswered"  # a call had no answer, or none that can be read


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: what.
        agent: to whom, by name.
        at_ns: when, on the clock's wall.
        process: which of the agent's processes, counted from 1.
        command_id: the command it is about, if any.
        command_type: that command's type.
        outcome: `success` or `failure`, of a finished command.
        status: the HTTP status of a refusal.
        code: the code of a refusal.
        reason: what is known of a call that failed.

    """

    kind: EventKind
    agent: str
    at_ns: int
    process: int
    command_id: int | None = None
    command_type: str | None = None
    outcome: str | None = None
    status: int | None = None
    code: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class Counters:
    """How often what happened, for live progress; calls are counted as they are sent."""

    started: int = 0
    crashed: int = 0
    ended: int = 0
    heartbeats: int = 0
    polls: int = 0
    claimed: int = 0
    finished: int = 0
    refused: int = 0
    no_reply: int = 0
    unreadable: int = 0
