"""What each behaviour makes of an agent."""

import json
from typing import Any

import pytest
import trio
from test_agents_fakes import (
    DIRECT,
    HEARTBEAT,
    POLL,
    TOKEN,
    Arm,
    World,
    both,
)

from simulated_agents.behaviours import BEHAVIOURS, OPTIONS, Behaviour, make
from simulated_agents.events import EventKind
from simulated_agents.life import Point
from simulated_agents.plan import WorkPlan

RUN = {"recordId": 3, "taskId": 7}
RESULT = "/api/agent/commands/1/result"
RECORD = "/api/agent/records/3"
LINES = WorkPlan(duration_s=10, log_lines=("half", "whole"))


def statuses(world: World) -> list[str]:
    """Return the statuses that record 3 was given."""
    bodies = [json.loads(request.body) for request in world.master.sent(RECORD)]
    return [body["status"] for body in bodies if "status" in body]


def results(world: World) -> list[Any]:
    """Return what was reported about command 1."""
    return [json.loads(request.body) for request in world.master.sent(RESULT)]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_made_by_its_name(name: str) -> None:
    """With no options; and a new instance each time, for they remember."""
    made = make(name)

    assert type(made) is BEHAVIOURS[name]
    assert BEHAVIOURS[name].__doc__


SAMPLES = {"duration": 3.5, "text": "word", "number": 2, "flag": True, "agent": "beta"}


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, options in OPTIONS.items() for option in options]
)
def test_every_option_can_be_set(name: str, option: str) -> None:
    """The registry's options and the constructors' arguments are the same."""
    kind = OPTIONS[name][option]
    values = kind.removeprefix("choice:").split("|") if "choice:" in kind else [SAMPLES[kind]]

    for value in values:
        assert isinstance(make(name, {option: value}), Behaviour)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("prmopt", {}, "no behaviour 'prmopt'; there are prompt, slow"),
        ("slow", {"speed": 1}, "behaviour 'slow' has no option 'speed'; its options: duration"),
        ("prompt", {"at": "x"}, "its options: none"),
        ("crashing", {"at": "reported"}, "at must be one of claimed, .*, not 'reported'"),
        ("crashing", {"at": "nowhere"}, "at must be one of claimed, .*, not 'nowhere'"),
        ("unauthorised", {"token": "stolen"}, "token must be wrong, empty or stale"),
    ],
)
def test_a_wrong_name_or_option_is_explained(name: str, options: dict[str, Any], said: str) -> None:
    """The message has what was given and what there is."""
    with pytest.raises(ValueError, match=said):
        make(name, options)


@both
def test_prompt(arm: Arm) -> None:
    """Does the command and reports it once."""

    async def body(world: World) -> None:
        await world.do("run_task", RUN, behaviour=make("prompt"))

        assert (statuses(world), len(results(world))) == (["success"], 1)

    arm.run(body)


def test_slow() -> None:
    """Works for as long as it is told, eleven minutes by default."""

    async def body(world: World) -> None:
        await world.do("run_task", RUN, behaviour=make("slow"), work=LINES)

        assert round(trio.current_time() - world.master.times[0]) == 5 + 660

    DIRECT.run(body)


@both
def test_failing(arm: Arm) -> None:
    """Reports the failure to the record and to the command."""

    async def body(world: World) -> None:
        await world.do("run_task", RUN, behaviour=make("failing", {"error": "no tape"}))

        assert statuses(world) == ["failed"]
        assert results(world) == [{"errorMessage": "no tape", "success": False}]

    arm.run(body)


CRASHES = {
    "claimed": ([], []),
    "spec_fetched": (["GET /tasks/7"], []),
    "started": (["GET /tasks/7", "POST /records/3"], []),
    "working": (["GET /tasks/7", *["POST /records/3"] * 2], []),
    "worked": (["GET /tasks/7", *["POST /records/3"] * 6], []),
    "recorded": (["GET /tasks/7", *["POST /records/3"] * 7], ["success"]),
}


@pytest.mark.parametrize("point", CRASHES)
def test_crashing(point: str) -> None:
    """Has sent what comes before the point, and sends nothing after it."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(behaviour=make("crashing", {"at": point}), work=LINES)
        await trio.sleep(600)

        sent, recorded = CRASHES[point]

        assert [f"{method} {path}" for method, path, _ in world.master.work] == sent
        assert statuses(world) == recorded
        assert world.kinds()[-1] == "crashed"
        assert world.events[-1].command_id == 1

    DIRECT.run(body)


def test_every_crash_point_is_an_option() -> None:
    """All points but the last, after which there is nothing to lose."""
    assert list(CRASHES) == [point for point in Point if point is not Point.REPORTED]


@both
def test_crashing_a_few_times(arm: Arm) -> None:
    """Comes back as a new process, which does better."""

    async def body(world: World) -> None:
        for number in (1, 2, 3):
            world.master.enqueue("list_dir", {"path": "/"}, number)
        options = {"at": "claimed", "restart_after": world.timing.poll_s, "times": 2}
        world.start(behaviour=make("crashing", options))
        await world.master.wait_for("/api/agent/commands/3/result")

        assert [path for _, path, _ in world.master.work] == ["/commands/3/result"]
        assert world.kinds() == [
            *("started", "claimed", "crashed", "restarted", "claimed", "crashed"),
            *("restarted", "claimed", "executing", "finished"),
        ]
        assert world.events[-1].process == 3

    arm.run(body)


def test_offline() -> None:
    """Nothing gets out for a while, work goes on, and then the network is back."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        plan = WorkPlan(duration_s=100, log_lines=tuple("abcdefghijk"))
        agent = world.start(work=plan, behaviour=make("offline", {"after": 12, "for": 50}))
        await trio.sleep(120)

        lines = [json.loads(request.body).get("logAppend") for request in world.master.sent(RECORD)]
        times = [round(moment, 3) for moment in world.master.times]

        assert not [moment for moment in times if 12 < moment < 62]
        assert [line for line in lines if line and len(line) == 2] == [
            f"{letter}\n" for letter in "aghijk"
        ]
        assert (statuses(world), len(results(world))) == (["success"], 1)
        assert [kind for kind in world.kinds() if kind.endswith("line")] == ["offline", "online"]
        assert agent.counters.no_reply == 4 + 5  # heartbeats and log lines

    DIRECT.run(body)


def test_offline_comes_once_in_a_life() -> None:
    """A new process of the same agent keeps its network."""

    async def body(world: World) -> None:
        agent = world.start(behaviour=make("offline", {"after": 6, "for": 2}))
        await trio.sleep(7)
        agent.crash()
        await trio.sleep(1)
        before = len(world.master.requests)
        world.nursery.start_soon(agent.run)
        await trio.sleep(59)

        assert world.kinds() == ["started", "offline", "crashed", "started"]
        assert len(world.master.requests) == before + 4 + 11  # heartbeats and polls
        assert agent.counters.no_reply == 0

    DIRECT.run(body)


@both
def test_silent(arm: Arm) -> None:
    """Beats, and asks for nothing."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(behaviour=make("silent"))
        await world.master.wait_for(HEARTBEAT, times=4)

        assert {request.path for request in world.master.requests} == {HEARTBEAT}

    arm.run(body)


@both
def test_forgetful(arm: Arm) -> None:
    """Its record is finished, its command never is."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(behaviour=make("forgetful"))
        await world.wait_event(EventKind.FINISHED)
        polls = len(world.master.sent(POLL))
        await world.master.wait_for(POLL, times=polls + 2)

        assert (statuses(world), results(world)) == (["success"], [])

    arm.run(body)


@both
def test_duplicating(arm: Arm) -> None:
    """Says the same twice."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(behaviour=make("duplicating"))
        await world.master.wait_for(RESULT, times=2)
        await world.master.wait_for(POLL, times=len(world.master.sent(POLL)) + 1)

        first, second = results(world)

        assert first == second == {"errorMessage": "", "result": RUN, "success": True}

    arm.run(body)


def test_late() -> None:
    """The record is in time, the result is not."""

    async def body(world: World) -> None:
        await world.do("run_task", RUN, behaviour=make("late", {"by": 900}), work=LINES)
        times = dict(zip((r.path for r in world.master.requests), world.master.times, strict=True))

        assert round(times[RECORD], 3) == 15
        assert round(times[RESULT], 3) == 915

    DIRECT.run(body)


@both
def test_cloned(arm: Arm) -> None:
    """Two processes, each with its own heartbeats and polls, one token."""

    async def body(world: World) -> None:
        agent = world.start(behaviour=make("cloned"))
        await world.master.wait_for(POLL, times=2)

        assert [event.process for event in world.events] == [1, 2]
        assert len(world.master.sent(HEARTBEAT)) >= 2
        assert {request.headers["x-agent-token"] for request in world.master.requests} == {TOKEN}
        agent.crash()
        assert world.kinds().count("crashed") == 2

    arm.run(body)


def test_cloned_apart() -> None:
    """The second process may start later."""

    async def body(world: World) -> None:
        world.start(behaviour=make("cloned", {"apart": 2, "processes": 3}))
        await trio.sleep(6)

        assert [round(moment, 3) for moment in world.master.times] == [0, 2, 4, 5]

    DIRECT.run(body)
