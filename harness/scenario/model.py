"""What a scenario file says, as frozen values; what it means is the runner's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.faults.values import Fault


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; lines and columns count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as a sum of literals and timers of the master.

    Attributes:
        text: as written: `10m31s`, `command_timeout - 1s`.
        terms: each with its sign: a number of seconds, or the name of a timer.

    """

    text: str
    terms: tuple[tuple[int, float | str], ...]


@dataclass(frozen=True, slots=True)
class AgentDecl:
    """A declared agent, or a group of `count` of them named `name-1` to `name-<count>`.

    Attributes:
        behaviour: `manual` is driven by steps alone; all others are in the registry of
            `simulated_agents.behaviours`.
        options: the behaviour's own keys (`at`, `for`, `restart_after` …); durations are
            `Duration`s.
        work: pretend work, where given: `duration` (a `Duration`), `size` in bytes, `outcome`
            (`success`, `failure`), `logs` (its log lines).
        start: `False` waits for a `start` step.
        labels: those of its node.
        release: the profile whose release it is of; the master's own when `None`.

    """

    name: str
    behaviour: str
    place: Place
    options: dict[str, Any] = field(default_factory=dict)
    work: dict[str, Any] = field(default_factory=dict)
    count: int | None = None
    start: bool = True
    labels: tuple[str, ...] = ()
    release: str | None = None


@dataclass(frozen=True, slots=True)
class TargetDecl:
    """A declared storage target."""

    name: str
    type: str
    config: dict[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class TaskDecl:
    """A declared backup task; `fields` go into the create request as they are.

    It is one agent's, or for any of a pool: those whose labels have that word.
    """

    name: str
    agent: str | None
    pool: str | None
    type: str
    targets: tuple[str, ...]
    fields: dict[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        verb: a key of `VERBS`.
        args: the verb's keys with their values; durations are `Duration`s, nested steps `Step`s.
        source: the step as it is written, moved to the margin.
        name: what `as` calls the answer.
        expect: what the answer must be, or `None`.
        token: replaces the token the call would use.
        background: do not wait for the answer.
        lose: what gets lost on the way: `request` or `reply`.
        times: how many of this call are made at the same moment.
        clauses: the clauses that an expectation here is about; the scenario's when empty.

    """

    verb: str
    args: dict[str, Any]
    place: Place
    source: str
    name: str | None = None
    expect: dict[str, Any] | None = None
    token: str | None = None
    background: bool = False
    lose: str | None = None
    times: int = 1
    clauses: tuple[str, ...] = ()

    @property
    def expects(self) -> bool:
        """Whether it says what must be; else it only leads to where something must be."""
        return self.expect is not None or bool(self.args.get("expect"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file.

    Attributes:
        id: the path below the scenario folder, without the ending: `timeouts/record-failed`; with
            the name of its case, where it has one: `http/bodies[no-json]`.
        shows: what it shows, one sentence.
        clauses: the ids of the clauses it is about.
        profiles: the profiles it applies to.
        clocks: the clocks it can run on, and `because` why not on the others.
        alone: why it needs a master that nobody else uses meanwhile.
        empty: why it needs a master with nothing of anybody else's in it.
        exact: why a second more or less decides.
        zone_s: the zone of the master's machine, in seconds east of UTC.
        timing: timers that differ from the defaults, in seconds.
        case: the name of its case, where the file has a table of them.
        faults: what happens to the calls of agents on their way.

    """

    id: str
    path: Path
    shows: str
    clauses: tuple[str, ...]
    profiles: tuple[str, ...]
    clocks: tuple[str, ...]
    because: str | None
    zone_s: int
    timing: dict[str, float]
    agents: tuple[AgentDecl, ...]
    targets: tuple[TargetDecl, ...]
    tasks: tuple[TaskDecl, ...]
    steps: tuple[Step, ...]
    case: str | None = None
    faults: tuple[Fault, ...] = ()
    alone: str | None = None
    empty: str | None = None
    exact: str | None = None

    @property
    def speaks_about(self) -> tuple[str, ...]:
        """Return the ids of all clauses that it, or a step of it, is about."""
        steps = (clause for step in all_steps(self.steps) for clause in step.clauses)
        return tuple(dict.fromkeys((*self.clauses, *steps)))

    @property
    def needs_tables(self) -> bool:
        """Whether a step looks into the master's database, or changes it."""
        return any(_needs_tables(step) for step in all_steps(self.steps))

    @property
    def tests_agent(self) -> bool:
        """Whether it judges an agent, the program under test, and not the master."""
        return any(agent.behaviour == "tested" for agent in self.agents)

    @property
    def changes_tables(self) -> bool:
        """Whether a step changes the master's database behind its back."""
        return any(step.verb == "tamper" for step in all_steps(self.steps))

    @property
    def uses_disk(self) -> bool:
        """Whether the master has to store a backup on its own disk, or to hand one out."""
        return any(step.verb in {"put_artifact", "get_artifact"} for step in all_steps(self.steps))

    @property
    def kills_master(self) -> bool:
        """Whether a step ends the master's process: nobody else may depend on it."""
        return any(step.verb == "restart_master" for step in all_steps(self.steps))

    @property
    def needs_own_master(self) -> bool:
        """Whether nobody else can use the master meanwhile."""
        return self.kills_master or self.alone is not None or self.empty is not None


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with the steps inside them, in the order of the file."""
    for step in steps:
        yield step
        yield from all_steps((*step.args.get("steps", ()), *step.args.get("do", ())))


def _needs_tables(step: Step) -> bool:
    looks = step.verb in {"expect", "until"}
    subjects = {"command", "commands"} & set(step.args.get("expect") or {})
    return step.verb in {"tamper", "enqueue"} or (looks and bool(subjects))
