"""Many agents: one seed decides them all, and none moves another."""

import subprocess
import sys
from typing import Any

import pytest
import trio
from test_agents_fakes import (
    DIRECT,
    HEARTBEAT,
    POLL,
    Arm,
    FakeMaster,
    TrioClock,
    World,
    both,
    refusal,
)
from trio.testing import MockClock

from harness.determinism import seeded_scheduler
from simulated_agents.behaviours import BEHAVIOURS, make
from simulated_agents.fleet import AGENTS_MAX, Fleet, Member, members_of, parse_mix
from simulated_agents.plan import Outcome, WorkPlan, WorkRange
from simulated_agents.ports import Port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.rng import fork


def members(count: int, **changes: Any) -> list[Member]:
    return [Member(f"a{number}", f"token-{number}", **changes) for number in range(count)]


def fleet_in(world: World, who: list[Member], **setting: Any) -> Fleet:
    fleet = Fleet(
        who,
        lambda _: world.port,
        world.clock,
        seed=setting.pop("seed", 1),
        timing=world.timing,
        on_event=world.observe,
        **setting,
    )
    world.nursery.start_soon(fleet.run)
    return fleet


def test_agents_do_not_march_in_step() -> None:
    """First heartbeats are spread over one poll interval."""

    async def body(world: World) -> None:
        begin = trio.current_time()
        fleet_in(world, members(50))
        await trio.sleep(4.999)

        starts = [moment - begin for moment in world.master.times]

        assert len(set(starts)) == len(starts) == 50
        assert min(starts) < 1
        assert max(starts) > 4

    DIRECT.run(body)


@both
def test_the_counters_follow_the_calls(arm: Arm) -> None:
    """Progress is what was sent, done and refused so far."""

    async def body(world: World) -> None:
        world.master.enqueue("list_dir", {"path": "/"})
        world.master.answers["POST", "/api/agent/commands/1/result"] = refusal(404, "N")
        fleet = fleet_in(world, members(3))
        await world.master.wait_for(HEARTBEAT, times=7)
        fleet.stop()
        counters = fleet.counters

        assert (counters.started, counters.claimed, counters.finished) == (3, 1, 1)
        assert (counters.refused, counters.no_reply, counters.crashed) == (1, 0, 0)
        assert counters.heartbeats - len(world.master.sent(HEARTBEAT)) in range(4)
        assert counters.polls - len(world.master.sent(POLL)) in range(4)

    arm.run(body)


class Closing:
    """A port that knows when it is closed."""

    def __init__(self, port: Port) -> None:
        self.send = port.send
        self.closed = False

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.closed = True


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_a_stopped_fleet_leaves_nothing_open(how: str) -> None:
    """`run` returns, nothing is sent any more, and every port is closed."""

    async def body(world: World) -> None:
        ports = [Closing(world.port) for _ in range(3)]
        left = list(ports)
        fleet = Fleet(members(3), lambda _: left.pop(), world.clock, seed=1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fleet.run)
            await trio.sleep(7)
            if how == "stop":
                fleet.stop()
            else:
                nursery.cancel_scope.cancel()
        sent = len(world.master.requests)
        await trio.sleep(60)

        assert [port.closed for port in ports] == [True] * 3
        assert len(world.master.requests) == sent

    DIRECT.run(body)


def test_a_fleet_ends_with_its_last_agent() -> None:
    """Nobody is left: `run` returns by itself."""

    async def body(world: World) -> None:
        world.master.answers["POST", HEARTBEAT] = refusal(401, "NODE_INVALID_TOKEN")
        fleet = Fleet(members(3), lambda _: world.port, world.clock, seed=1)
        await fleet.run()

        assert fleet.counters.ended == 3

    DIRECT.run(body)


MIX = [name for name in BEHAVIOURS for _ in range(2)]


def story(seed: int) -> list[tuple[float, str, str, bytes]]:
    """Return every request of a mixed fleet's first minutes, in order."""
    master = FakeMaster()

    async def main() -> None:
        for number in range(1, 60):
            kind, payload = (
                ("run_task", {"recordId": number, "taskId": 7})
                if number % 2
                else ("list_dir", {"path": "/data"})
            )
            master.enqueue(kind, payload, number)
        fleet = Fleet(
            [Member(f"a{n}", f"t{n}", make(name)) for n, name in enumerate(MIX)],
            lambda _: DirectPort(master.handle),
            TrioClock(),
            seed=seed,
        )
        with trio.move_on_after(200):
            await fleet.run()

    with seeded_scheduler(seed):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    start = master.times[0]
    return [
        (round(moment - start, 6), request.headers["x-agent-token"], request.path, request.body)
        for moment, request in zip(master.times, master.requests, strict=True)
    ]


def test_one_seed_is_one_story() -> None:
    """The same requests in the same order, byte for byte; another seed is another story."""
    first = story(1)

    assert len(first) > 1000
    assert first == story(1)
    assert first != story(2)


def test_one_agents_draws_do_not_move_anothers() -> None:
    """A stream is forked by name, so more agents change nothing for those that were there."""
    work = WorkRange()

    small = [work.draw(fork(5, f"agent/a{number}")) for number in range(2)]
    large = [work.draw(fork(5, f"agent/a{number}")) for number in range(9)]

    assert large[:2] == small
    assert len(set(large)) == 9


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_streams_do_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    """A fork is the same in every process."""
    code = "from simulated_agents.rng import fork; print(fork(7, 'x').random())"

    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert float(shown) == fork(7, "x").random()


def test_work_is_drawn_from_its_ranges() -> None:
    """Durations and sizes between their ends, failures as often as said."""
    source = WorkRange((2, 3), (10, 20), failure_probability=0.25)
    rng = fork(1, "work")

    plans = [source.draw(rng) for _ in range(400)]

    assert all(2 <= plan.duration_s <= 3 and 10 <= plan.size_bytes <= 20 for plan in plans)
    assert 60 < sum(plan.outcome is Outcome.FAILURE for plan in plans) < 140


def test_a_member_may_bring_its_own_work() -> None:
    """Instead of the fleet's."""

    async def body(world: World) -> None:
        world.master.enqueue("run_task", {"recordId": 3, "taskId": 7})
        fleet_in(world, members(1, work=WorkPlan(duration_s=0, size_bytes=77)))
        await world.master.wait_for("/api/agent/commands/1/result")

        assert world.master.work[-2][2]["fileSize"] == 77

    DIRECT.run(body)


def test_members_have_names_of_their_own() -> None:
    """A name is also the name of a random stream."""
    with pytest.raises(ValueError, match="two agents are called 'x'"):
        Fleet([Member("x", "1"), Member("x", "2")], DirectPort, TrioClockless(), seed=1)


def test_a_fleet_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused before anything is made."""
    monkeypatch.setattr("simulated_agents.fleet.AGENTS_MAX", 2)

    with pytest.raises(ValueError, match="at most 2 agents, not 3"):
        Fleet(members(3), DirectPort, TrioClockless(), seed=1)


def test_a_fleet_that_does_not_run_can_be_stopped() -> None:
    """Nothing happens."""
    fleet = Fleet(members(1), DirectPort, TrioClockless(), seed=1)

    fleet.stop()

    assert fleet.counters.ended == 0


class TrioClockless(TrioClock):
    """A clock that nobody asks."""

    def __init__(self) -> None:
        pass


def test_a_mix() -> None:
    """Behaviours with counts, in the order given; spaces do not matter."""
    mix = parse_mix("prompt=40, crashing = 10")

    assert mix == [("prompt", 40), ("crashing", 10)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected <behaviour>=<count>, as in 'prompt=40', not ''"),
        ("prompt", "not 'prompt'"),
        ("prompt=", "not 'prompt='"),
        ("prompt=-1", "not 'prompt=-1'"),
        ("prompt=1.5", "not 'prompt=1.5'"),
        ("prompt=1,,slow=1", "not ''"),
        ("prompt=1,quick=2", "no behaviour 'quick'; there are prompt, slow"),
        ("prompt=1,prompt=2", "'prompt' is there twice"),
        ("prompt=0", "prompt needs a count from 1 to 100000, not 0"),
        (f"slow={AGENTS_MAX + 1}", "not 100001"),
        ("prompt=٣", "not 'prompt=٣'"),
    ],
)
def test_what_is_no_mix(text: str, said: str) -> None:
    """The message has the entry, and what was expected."""
    with pytest.raises(ValueError, match=said):
        parse_mix(text)


def test_a_mix_meets_its_tokens() -> None:
    """One token an agent, in order; each gets a behaviour of its own."""
    made = members_of([("slow", 1), ("prompt", 2)], [("a", "1"), ("b", "2"), ("c", "3")])

    assert [(member.name, type(member.behaviour)) for member in made] == [
        ("a", BEHAVIOURS["slow"]),
        ("b", BEHAVIOURS["prompt"]),
        ("c", BEHAVIOURS["prompt"]),
    ]
    assert made[1].behaviour is not made[2].behaviour
    assert "token" not in repr(made)


def test_a_mix_needs_as_many_tokens_as_agents() -> None:
    """Neither too few nor too many."""
    with pytest.raises(ValueError, match="the mix has 2 agents, and there are 1 tokens"):
        members_of([("prompt", 2)], [("a", "1")])
