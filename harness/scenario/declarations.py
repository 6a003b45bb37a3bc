"""The agents, storage targets and tasks that a scenario declares."""

from collections.abc import Iterator
from typing import Any, Final

from harness.scenario.kinds import read_json, read_kind
from harness.scenario.model import AgentDecl, Place, TargetDecl, TaskDecl
from harness.scenario.reading import Reading
from harness.scenario.references import SCRATCH_REFERENCE
from harness.scenario.source import Mapping, Node, Scalar, describe, scalars
from harness.scenario.suggest import did_you_mean
from harness.scenario.verbs import Kind
from simulated_agents.releases import RELEASES

MANUAL: Final = "manual"
"""The behaviour of an agent that does what the steps say and nothing else."""

TESTED: Final = "tested"
"""The behaviour of the agent that is judged: that of the program under test."""

BY_STEPS: Final[dict[str, str]] = {
    MANUAL: "does what the steps say and nothing else",
    TESTED: "is the program under test; a simulated agent on the virtual clock",
}
"""The behaviours that are not in the registry of `simulated_agents`."""

AGENT_KEYS: Final[dict[str, str]] = {
    "behaviour": "what it does by itself; `manual` does only what the steps say",
    "count": "so many of them, named with `-1`, `-2` and so on",
    "start": "`later` waits for a `start` step",
    "labels": "the labels of its node, where the release has some",
    "work": "how its pretend work goes",
    "release": "the profile of the release it is of; that of the master when left out",
}
WORK_KEYS: Final[dict[str, str]] = {
    "duration": "how long a backup or a restore takes",
    "size": "bytes of the backup",
    "outcome": "`success` or `failure`",
    "logs": "its log lines",
}
OUTCOMES: Final = ("success", "failure")
TASK_KEYS: Final[dict[str, str]] = {
    "agent": "the agent that does it",
    "pool": "in place of `agent`: the label of the agents that may do it",
    "type": "`file` when left out",
    "targets": "the names of its storage targets; `[disk]` when left out",
}
TARGET_KEYS: Final[dict[str, str]] = {
    "type": "`local_disk` and so on, as on the wire",
    "config": "its settings, as on the wire; `${scratch}` is a folder that the master may write in",
}

CHOICE: Final = "choice:"
"""Begins the kind of an option that is one of some words: `choice:a|b`."""

COUNT_MAX: Final = 10_000
"""Agents of one group: as many as the load figures speak of."""

SIZE_MAX: Final = 2**63 - 1
"""Bytes of one backup: what the wire's integer holds."""

DISK: Final = "disk"
_DISK_TYPE: Final = "local_disk"


def _entries(reading: Reading, node: Node | None, what: str) -> Iterator[tuple[str, Scalar, Node]]:
    mapping = None if node is None else reading.mapping(node, f"{what}s by name")
    for key, value in mapping.entries if mapping else ():
        yield reading.new_name(key, f"the name of {what}"), key, value


# --- agents ---------------------------------------------------------------------------------


def read_agents(reading: Reading, node: Node | None) -> tuple[AgentDecl, ...]:
    """Return the declared agents; all names are known before the first is read."""
    entries = list(_entries(reading, node, "an agent"))
    for name, _, value in entries:
        count = value.get("count") if isinstance(value, Mapping) else None
        number = count.value if isinstance(count, Scalar) else None
        reading.names.agents[name] = number if type(number) is int else None
    for name, key, _ in entries:
        group = reading.names.group_of(name)
        if group is not None:
            reading.wrong(key, f"expected a free name, got {name!r}, one of the group {group!r}")
    return tuple(_agent(reading, name, key, value) for name, key, value in entries)


def _behaviours(reading: Reading) -> list[str]:
    return list(dict.fromkeys((*BY_STEPS, *reading.behaviours)))


def _agent(reading: Reading, name: str, key: Scalar, node: Node) -> AgentDecl:
    known = _behaviours(reading)
    if not isinstance(node, Mapping):
        behaviour = reading.word(node, "a behaviour, or a mapping with one", known)
        return AgentDecl(name, behaviour or MANUAL, key.place)
    reading.required(node, "an agent", ("behaviour",))
    said = node.get("behaviour")
    behaviour = None if said is None else reading.word(said, "a behaviour", known)
    count, start, work = node.get("count"), node.get("start"), node.get("work")
    labels = node.get("labels")
    release = node.get("release")
    later = None if start is None else reading.word(start, "the word 'later'", ("later",))
    return AgentDecl(
        name,
        behaviour or MANUAL,
        key.place,
        options={} if behaviour is None else _options(reading, behaviour, node),
        work={} if work is None else _work(reading, work),
        count=None if count is None else reading.whole(count, "a number of agents", 1, COUNT_MAX),
        start=later is None,
        labels=() if labels is None else _labels(reading, labels),
        release=None if release is None else reading.word(release, "a profile", list(RELEASES)),
    )


def _labels(reading: Reading, node: Node) -> tuple[str, ...]:
    words = [_plain(reading, Kind.TEXT, item) for item in reading.sequence(node, "labels")]
    return tuple(str(word) for word in words)


def _options(reading: Reading, behaviour: str, node: Mapping) -> dict[str, Any]:
    kinds = reading.behaviours.get(behaviour, {})
    options = {}
    for key, value in node.entries:
        if key.text in AGENT_KEYS:
            continue
        if key.text in kinds:
            options[key.text] = _option(reading, kinds[key.text], value)
        else:
            reading.unknown_key(key, f"an option of a {behaviour} agent", [*kinds, *AGENT_KEYS])
    return options


def _option(reading: Reading, kind: str, node: Node) -> Any:
    if kind.startswith(CHOICE):
        return reading.word(node, "one of these", kind.removeprefix(CHOICE).split("|"))
    return _plain(reading, Kind(kind), node)


def _plain(reading: Reading, kind: Kind, node: Node) -> Any:
    """Return a value that is used before anything has an id: references have no place in it."""
    value = read_kind(reading, kind, node)
    if "${" in str(value):
        reading.wrong(node, "expected no references here: nothing exists yet that they could name")
    return value


def _work(reading: Reading, node: Node) -> dict[str, Any]:
    mapping = reading.mapping(node, "how pretend work goes")
    work: dict[str, Any] = {}
    for key, value in mapping.entries if mapping else ():
        match key.text:
            case "duration":
                work["duration"] = reading.duration(value)
            case "size":
                work["size"] = reading.whole(value, "a number of bytes", 0, SIZE_MAX)
            case "outcome":
                work["outcome"] = reading.word(value, "an outcome", OUTCOMES)
            case "logs":
                lines = reading.sequence(value, "log lines", empty=True)
                work["logs"] = [_plain(reading, Kind.TEXT, line) for line in lines]
            case _:
                reading.unknown_key(key, "a key of work", WORK_KEYS)
    return work


# --- targets and tasks ----------------------------------------------------------------------


def read_targets(reading: Reading, node: Node | None) -> list[TargetDecl]:
    """Return the declared storage targets."""
    targets = []
    for name, key, value in _entries(reading, node, "a storage target"):
        reading.names.targets[name] = key.place
        mapping = reading.mapping(value, "a storage target")
        if mapping is None:
            continue
        reading.required(mapping, "a storage target", ("type",))
        for inner, _ in mapping.entries:
            if inner.text not in TARGET_KEYS:
                reading.unknown_key(inner, "a key of a storage target", TARGET_KEYS)
        kind, config = mapping.get("type"), mapping.get("config")
        type_ = "" if kind is None else reading.text(kind, "a type of storage") or ""
        settings = {} if config is None else _settings(reading, config)
        if type_ == _DISK_TYPE:
            settings.setdefault("basePath", _disk_path(name))
        targets.append(TargetDecl(name, type_, settings, key.place))
    return targets


def _settings(reading: Reading, node: Node) -> dict[str, Any]:
    """Return a target's settings, in which nothing but the scratch folder can be named."""
    for scalar in scalars(node):
        if "${" in scalar.text.replace(SCRATCH_REFERENCE, ""):
            message = "expected no reference here but ${scratch}: nothing exists yet"
            reading.wrong(scalar, f"{message} that it could name")
            return {}
    return dict(read_kind(reading, Kind.MAPPING, node) or {})


def _disk_path(name: str) -> str:
    return f"{SCRATCH_REFERENCE}/{name}"


def imply_disk(reading: Reading, tasks: Node | None) -> list[TargetDecl]:
    """Return the storage target of tasks that name none, if there are any and it is not declared."""
    if not isinstance(tasks, Mapping) or DISK in reading.names.targets:
        return []
    for key, value in tasks.entries:
        if isinstance(value, Mapping) and value.get("targets") is None:
            if reading.names.is_declared(DISK):
                message = f"expected 'targets', as {DISK!r} names something else here"
                reading.wrong(key, message)
            return [_disk(reading, key.place)]
    return []


def _disk(reading: Reading, place: Place) -> TargetDecl:
    reading.names.targets[DISK] = place
    return TargetDecl(DISK, _DISK_TYPE, {"basePath": _disk_path(DISK)}, place)


def read_tasks(reading: Reading, node: Node | None) -> tuple[TaskDecl, ...]:
    """Return the declared tasks."""
    tasks = []
    for name, key, value in _entries(reading, node, "a task"):
        mapping = reading.mapping(value, "a task")
        if mapping is not None:
            tasks.append(_task(reading, name, key.place, mapping))
        reading.names.tasks[name] = key.place
    return tuple(tasks)


def _task(reading: Reading, name: str, place: Place, mapping: Mapping) -> TaskDecl:
    agent, pool = mapping.get("agent"), mapping.get("pool")
    if agent is None and pool is None:
        reading.required(mapping, "a task", ("agent",))
    elif agent is not None and pool is not None:
        reading.wrong(mapping.key("pool"), "expected 'agent' or 'pool', got both")
    kind, targets = mapping.get("type"), mapping.get("targets")
    fields = {
        key.text: read_json(reading, value)
        for key, value in mapping.entries
        if key.text not in TASK_KEYS
    }
    return TaskDecl(
        name,
        agent=None if agent is None else _task_agent(reading, agent),
        pool=None if pool is None else _plain(reading, Kind.TEXT, pool),
        type="file" if kind is None else reading.text(kind, "a type of task") or "",
        targets=(DISK,) if targets is None else _task_targets(reading, targets),
        fields=fields,
        place=place,
    )


def _task_agent(reading: Reading, node: Node) -> str:
    if isinstance(node, Scalar) and node.text.startswith("${"):
        reading.wrong(node, f"expected the name of a declared agent, got {describe(node)}")
        return ""
    return str(read_kind(reading, Kind.AGENT, node))


def _task_targets(reading: Reading, node: Node) -> tuple[str, ...]:
    known = list(reading.names.targets)
    found = []
    for item in reading.sequence(node, "names of storage targets"):
        text = reading.text(item, "the name of a storage target")
        if text is not None and text not in known:
            listed = ", ".join(known) or "none is declared"
            message = f"expected the name of a storage target ({listed}), got {text!r}"
            reading.wrong(item, message, did_you_mean(text, known))
        elif text is not None:
            found.append(text)
    return tuple(found)
