"""One agent's process: when it calls, what ends it, and what comes after."""

import pytest
import trio
from test_agents_fakes import (
    DIRECT,
    EPOCH_NS,
    HEARTBEAT,
    POLL,
    TOKEN,
    Arm,
    FakeMaster,
    World,
    both,
    ok,
    refusal,
)

from harness.clock import VirtualClock
from harness.determinism import seeded_scheduler
from master.protocol.exchange import Request, Response
from simulated_agents.actor import Agent
from simulated_agents.behaviours import Behaviour, make
from simulated_agents.client import Identity
from simulated_agents.clock import RealClock
from simulated_agents.events import Event, EventKind
from simulated_agents.life import Abandoned, Crashed, Life, Point
from simulated_agents.messages import Command
from simulated_agents.plan import WorkPlan
from simulated_agents.ports import NoReply
from simulated_agents.ports.direct import DirectPort
from simulated_agents.timing import Timing

RUN = {"recordId": 3, "taskId": 7}
RESULT = "/api/agent/commands/1/result"


def moments(world: World, path: str) -> list[float]:
    """Return when requests to a path came, in seconds since the first request of all."""
    master = world.master
    return [
        round(moment - master.times[0], 6)
        for request, moment in zip(master.requests, master.times, strict=True)
        if request.path == path
    ]


def test_an_idle_agent_keeps_its_beat() -> None:
    """A heartbeat at once and every 15 s, a poll every 5 s, the first after 5 s."""

    async def body(world: World) -> None:
        world.start()
        await trio.sleep(31)

        assert moments(world, HEARTBEAT) == [0, 15, 30]
        assert moments(world, POLL) == [5, 10, 15, 20, 25, 30]

    DIRECT.run(body)


@both
def test_an_agent_introduces_itself_before_it_asks(arm: Arm) -> None:
    """The first request is a heartbeat with what it is."""

    async def body(world: World) -> None:
        world.start(identity=Identity(hostname="box", ip_address="10.0.0.1"))
        await world.master.wait_for(POLL, times=2)

        first, second, *_ = world.master.requests

        assert (first.path, second.path) == (HEARTBEAT, POLL)
        assert b'"hostname":"box","ipAddress":"10.0.0.1"' in first.body
        assert second.body == b""

    arm.run(body)


def test_a_busy_agent_beats_and_does_not_poll() -> None:
    """Commands are done one at a time; a tick that passed meanwhile is made up for once."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(work=WorkPlan(duration_s=12))
        await trio.sleep(31)

        assert moments(world, POLL) == [5, 17, 20, 25, 30]
        assert moments(world, HEARTBEAT) == [0, 15, 30]

    DIRECT.run(body)


@both
@pytest.mark.parametrize("kind", ["refused", "unreadable"])
def test_a_process_whose_first_heartbeat_fails_ends(arm: Arm, kind: str) -> None:
    """As the real agent it gives up, and a service manager may start it again."""

    async def body(world: World) -> None:
        bad = refusal(401, "NODE_INVALID_TOKEN") if kind == "refused" else Response(200, b"<html>")
        world.master.answers["POST", HEARTBEAT] = bad
        agent = world.agent(restart_s=10 * world.timing.poll_s)
        world.nursery.start_soon(agent.run)
        await world.wait_event(EventKind.ENDED)
        world.master.answers["POST", HEARTBEAT] = ok({})
        await world.master.wait_for(POLL)

        happened = [kind for kind in world.kinds() if kind not in {"refused", "unanswered"}]

        assert happened == ["started", "ended", "restarted"]
        assert [request.path for request in world.master.requests[:3]] == [
            HEARTBEAT,
            HEARTBEAT,
            POLL,
        ]

    arm.run(body)


def test_a_process_that_ended_stays_away() -> None:
    """Without a service manager that was all."""

    async def body(world: World) -> None:
        world.master.answers["POST", HEARTBEAT] = refusal(401, "NODE_INVALID_TOKEN")
        agent = world.agent()
        await agent.run()

        assert not agent.alive
        assert len(world.master.requests) == 1

    DIRECT.run(body)


class Broken:
    """A port that loses everything after the first few requests."""

    def __init__(self, world: World, good: int) -> None:
        self._port = world.port
        self._good = good
        self.sent = 0

    async def send(self, request: Request) -> Response:
        self.sent += 1
        if self.sent > self._good:
            raise NoReply("reset", definite=False)
        return await self._port.send(request)


def test_failing_calls_are_noted_and_nothing_else() -> None:
    """No retry and no giving up: the next tick is the next try."""

    async def body(world: World) -> None:
        port = Broken(world, good=1)
        agent = world.start(port=port)
        await trio.sleep(16)

        assert port.sent == 1 + 3 + 1
        assert agent.counters.no_reply == 4
        assert agent.alive

    DIRECT.run(body)


@both
def test_work_goes_on_when_reports_are_lost(arm: Arm) -> None:
    """Log lines are best effort; the final update is not, and fails the command."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        port = Broken(world, good=3)
        agent = world.start(port=port)
        await world.wait_event(EventKind.FINISHED)

        assert "failure" in [event.outcome for event in world.events]
        assert [path for _, path, _ in world.master.work] == ["/tasks/7"]
        assert agent.counters.no_reply >= 9

    arm.run(body)


@both
def test_what_really_happened_is_told(arm: Arm) -> None:
    """Observers see each step with the agent's name, the process, the command and the time."""

    async def body(world: World) -> None:
        world.master.answers["POST", "/api/agent/records/3"] = refusal(404, "GONE")
        await world.do("run_task", RUN, work=WorkPlan(duration_s=0, log_lines=()))

        seen = [
            (str(event.kind), event.command_id, event.command_type, event.outcome)
            for event in world.events
        ]

        gone = ("refused", None, None, None)
        assert seen == [
            ("started", None, None, None),
            ("claimed", 1, "run_task", None),
            ("executing", 1, "run_task", None),
            *(gone,) * 5,
            ("finished", 1, "run_task", "failure"),
        ]
        assert {(event.agent, event.process) for event in world.events} == {("alpha", 1)}
        assert (world.events[3].status, world.events[3].code) == (404, "GONE")
        assert world.events[0].at_ns < world.events[-1].at_ns

    arm.run(body)


class Watching(Behaviour):
    """Writes down the points it is shown, and raises at one of them."""

    def __init__(self, at: Point | None = None, error: Exception | None = None) -> None:
        self.points: list[Point] = []
        self._at = at
        self._error = error

    async def at(self, point: Point, command: Command, life: Life) -> None:  # noqa: ARG002
        self.points.append(point)
        if point is self._at and self._error is not None:
            raise self._error


@pytest.mark.parametrize(
    ("kind", "payload", "points"),
    [
        ("run_task", RUN, list(Point)),
        ("restore_record", {"restoreRecordId": 4}, list(Point)),
        (
            "list_dir",
            {"path": "/"},
            [point for point in Point if point not in {Point.SPEC_FETCHED, Point.RECORDED}],
        ),
        ("unknown", {}, [Point.CLAIMED, Point.REPORTED]),
    ],
)
def test_behaviours_live_through_every_point(
    kind: str, payload: object, points: list[Point]
) -> None:
    """In order, and only those that the type of command has."""

    async def body(world: World) -> None:
        behaviour = Watching()
        await world.do(kind, payload, behaviour=behaviour)
        await trio.sleep(1)

        assert behaviour.points == points

    DIRECT.run(body)


def test_an_abandoned_command_is_dropped() -> None:
    """Nothing more about it is sent, and the next one is asked for."""

    async def body(world: World) -> None:
        world.master.enqueue("list_dir", {"path": "/"}, 1)
        world.master.enqueue("list_dir", {"path": "/"}, 2)
        world.start(behaviour=Watching(Point.STARTED, Abandoned()))
        await trio.sleep(21)

        assert world.master.work == []
        assert len(moments(world, POLL)) == 4

    DIRECT.run(body)


def test_nothing_is_sent_after_a_crash() -> None:
    """Not even the heartbeat that is due at the very moment."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", RUN)
        world.start(
            timing=Timing(heartbeat_s=5, poll_s=5),
            work=WorkPlan(duration_s=10, log_lines=()),
            behaviour=Watching(Point.WORKING, Crashed()),
        )
        await trio.sleep(9)
        before = len(world.master.requests)
        await trio.sleep(60)
        after = [request.path for request in world.master.requests[before:]]

        # work begins at 5 and is half done at 10, where a heartbeat is due as well
        assert after in ([], [HEARTBEAT])
        assert world.kinds()[-1] == "crashed"

    for _ in range(20):  # trio wakes what is due together in any order
        DIRECT.run(body)


@pytest.mark.parametrize("seed", range(8))
def test_a_process_killed_as_its_work_wakes_up_sends_nothing(seed: int) -> None:
    """The log line that is due at the very moment stays unsent, if the crash comes first."""
    master, events = FakeMaster(), list[Event]()
    clock = VirtualClock()

    async def main() -> None:
        master.enqueue("run_task", RUN)
        agent = Agent(
            "alpha",
            DirectPort(master.handle),
            TOKEN,
            clock,
            work=WorkPlan(duration_s=10, log_lines=("a", "b", "c")),
            on_event=events.append,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent.run)
            await clock.sleep(10)
            agent.crash()
            before = len(master.requests)
            await clock.sleep(60)
            assert len(master.requests) == before
        assert not agent.alive

    with seeded_scheduler(seed):
        trio.run(main, clock=clock)

    assert events[-1].kind is EventKind.CRASHED


@both
def test_a_crashed_agent_may_be_started_again(arm: Arm) -> None:
    """As a new process, with a heartbeat of its own first."""

    async def body(world: World) -> None:
        agent = world.start()
        await world.master.wait_for(POLL)
        agent.crash()
        world.nursery.start_soon(agent.run)
        await world.wait_event(EventKind.STARTED, times=2)

        assert world.kinds() == ["started", "crashed", "started"]
        assert [event.process for event in world.events] == [1, 1, 2]

    arm.run(body)


def test_a_stopped_agent_does_not_come_back() -> None:
    """Neither while it runs nor while it waits to be started again."""

    async def body(world: World) -> None:
        first, second = world.agent(restart_s=10), world.agent(restart_s=10)
        world.nursery.start_soon(first.run)
        await trio.sleep(1)
        first.stop()
        world.master.answers["POST", HEARTBEAT] = refusal(401, "NODE_INVALID_TOKEN")
        world.nursery.start_soon(second.run)
        await trio.sleep(1)
        second.stop()
        await trio.sleep(100)

        assert world.kinds() == ["started", "ended", "started", "refused", "ended"]

    DIRECT.run(body)


@both
def test_a_new_token_reaches_a_running_process(arm: Arm) -> None:
    """From the next call on."""

    async def body(world: World) -> None:
        agent = world.start()
        await world.master.wait_for(POLL)
        agent.use_token("new")
        await world.master.wait_until(
            lambda: world.master.requests[-1].headers["x-agent-token"] == "new"
        )

        assert agent.token == "new"
        assert world.master.requests[0].headers["x-agent-token"] == TOKEN

    arm.run(body)


@pytest.mark.parametrize("timing", [(0, 5), (15, -1), (float("nan"), 5)])
def test_intervals_are_positive(timing: tuple[float, float]) -> None:
    """An agent that never waits would wait for nothing."""
    with pytest.raises(ValueError, match="more than 0"):
        Timing(*timing)


def test_a_faster_timing_keeps_its_proportions() -> None:
    """All intervals shrink alike."""
    assert Timing().faster(100) == Timing(0.15, 0.05)


def test_the_registry_makes_an_agent_of_its_own() -> None:
    """Two agents with one behaviour do not share its memory."""
    assert make("offline") is not make("offline")


def test_the_real_clock_is_trios() -> None:
    """It waits as long as it is told, and tells the time of day."""

    async def main() -> float:
        clock = RealClock()
        begin_s, begin_ns = clock.monotonic_s(), clock.now_ns()
        await clock.sleep(0.01)
        await clock.sleep_until(begin_s + 0.02)
        assert clock.now_ns() > begin_ns > EPOCH_NS
        return clock.monotonic_s() - begin_s

    assert trio.run(main) >= 0.02
