"""The warp clock: what is skipped, what passes, and who is woken meanwhile."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from harness.history import History
from harness.redact import Redactor
from harness.sites.rows import Ages, WarpError
from harness.sites.spans import Wait, Watch
from harness.sites.traffic import Traffic
from harness.sites.warp import Warp
from harness.waiting import Warped
from master.config import Timings
from master.protocol.exchange import Request, Response
from master.protocol.times import NS
from simulated_agents.ports import NoReply

WATCH = Watch(Timings(), 1.0)
NOTHING = Ages((), (), scheduled=False)


class FakeRows:
    """Rows of which only the ages are known; a node's and a command's as of second 0."""

    def __init__(self) -> None:
        self.silent = False
        self.dispatched = False
        self.scheduled = False
        self.moved: list[float] = []
        self.error: str | None = None
        self.warp: Warp

    def check(self) -> None:
        """Say nothing."""

    def ages(self, _: int) -> Ages:
        age = self.warp.clock.monotonic_s()
        return Ages((age,) * self.silent, (age,) * self.dispatched, scheduled=self.scheduled)

    def move(self, by_ns: int) -> int:
        if self.error is not None:
            raise WarpError(self.error)
        self.moved.append(by_ns / NS)
        return 3


async def here(work: Callable[..., Any], *args: Any) -> Any:
    return work(*args)


def play(story: Callable[[Warp, FakeRows], Awaitable[None]]) -> Warp:
    """Run a story on real time that jumps when nobody does anything."""
    rows = FakeRows()
    made: list[Warp] = []

    async def main() -> None:
        warp = Warp(rows, WATCH, History(Redactor()), in_thread=here)
        rows.warp = warp
        made.append(warp)
        await story(warp, rows)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return made[0]


def test_only_the_look_of_the_monitors_passes() -> None:
    """Of ten minutes the last 31 seconds are real; the scenario's clock shows all ten."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        await warp.wait(600.0, Wait.LOOK)
        assert warp.clock.monotonic_s() == 600.0
        assert trio.current_time() == 31.0
        assert rows.moved == [569.0]
        assert warp.warped == Warped(1, 569.0, 3)
        assert warp.passed_s() == 31.0

    play(story)


def test_what_is_skipped_is_told() -> None:
    """The history has a note of it at the time when it happened."""
    histories: list[History] = []

    async def story(warp: Warp, _: FakeRows) -> None:
        histories.append(warp.history)
        await trio.sleep(5.0)
        await warp.wait(605.0, Wait.LOOK)

    play(story)
    (op,) = histories[0].ops
    assert (op.time_s, op.subject) == (5.0, "warp 569 s: 3 rows moved back")


@pytest.mark.parametrize("wait_s", [0.1, 20.0, 31.0])
def test_a_wait_shorter_than_a_look_passes(wait_s: float) -> None:
    """There is nothing to gain."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        await warp.wait(wait_s, Wait.LOOK)
        assert trio.current_time() == wait_s
        assert rows.moved == []

    play(story)


def test_short_waits_in_a_row_are_skipped_where_nobody_looks() -> None:
    """Twenty times half a minute, until the command that they are about grows stale."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        rows.dispatched = True
        for number in range(1, 23):
            await warp.wait(number * 30.0, Wait.ON)
        assert trio.current_time() == pytest.approx(31.0)
        assert warp.clock.monotonic_s() == pytest.approx(660.0)

    play(story)


def test_a_call_under_way_is_never_jumped_over() -> None:
    """Time passes until it is answered, and is skipped from then on."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call, warp, 15.0)
            await trio.testing.wait_all_tasks_blocked()
            await warp.wait(600.0, Wait.LOOK)
            assert rows.moved == [554.0]
            assert trio.current_time() == 46.0

    play(story)


def test_a_call_that_outlasts_the_wait_leaves_it_as_it_is() -> None:
    """A stream of events counts as one for as long as it is open."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call, warp, 700.0)
            await trio.testing.wait_all_tasks_blocked()
            await warp.wait(600.0, Wait.LOOK)
            assert (trio.current_time(), rows.moved) == (600.0, [])
            await warp.look_again(700.0, 1.0)
            assert trio.current_time() == 601.0

    play(story)


async def call(warp: Warp, seconds: float) -> None:
    class Slow:
        async def send(self, _: Request) -> Response:
            await trio.sleep(seconds)
            raise NoReply("lost", definite=False)

    with pytest.raises(NoReply):
        await warp.traffic.counted(Slow()).send(Request("GET", "/", {}))


def test_an_agent_wakes_at_each_of_its_moments() -> None:
    """From one to the next is a jump, and its calls are made in between; nothing is late."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        beats: list[float] = []

        async def beat() -> None:
            while True:
                await warp.clock.sleep(15.0)
                beats.append(warp.clock.monotonic_s())
                with trio.move_on_after(1.0):
                    await call(warp, 0.25)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(beat)
            await trio.testing.wait_all_tasks_blocked()
            await warp.wait(600.0, Wait.LOOK)
            nursery.cancel_scope.cancel()
        assert beats == [pytest.approx(15.25 * number - 0.25) for number in range(1, 40)]
        assert trio.current_time() == pytest.approx(31.0 + 38 * 0.25, abs=0.5)
        assert all(moved <= 15.0 for moved in rows.moved)

    play(story)


def test_who_wakes_by_itself_waits_until_the_rows_stand_still() -> None:
    """An agent whose time comes during the transaction makes its call after it."""

    async def story(warp: Warp, _: FakeRows) -> None:
        order: list[str] = []

        async def slowly(work: Callable[..., Any], *args: Any) -> Any:
            order.append("begins")
            await trio.sleep(2.0)
            order.append("ends")
            return work(*args)

        async def agent() -> None:
            await warp.clock.sleep(1.0)
            order.append("agent")

        warp.in_thread = slowly
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent)
            await trio.testing.wait_all_tasks_blocked()
            await warp.wait(600.0, Wait.ON)
        assert order[:3] == ["begins", "ends", "agent"]

    play(story)


def test_an_until_looks_again_when_an_agent_has_acted() -> None:
    """And where nobody acts, when the monitors have time to."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        rows.silent = True
        looks = []
        while warp.clock.monotonic_s() < 50.0:
            await warp.look_again(640.0, 1.0)
            looks.append(warp.clock.monotonic_s())
        assert looks == [45.0, 46.0, 47.0, 48.0, 49.0, 50.0]

    play(story)


def test_schedules_run_in_real_time() -> None:
    """Where a task has one, nothing is skipped: no stored time makes it run."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        rows.scheduled = True
        await warp.wait(600.0, Wait.LOOK)
        assert (trio.current_time(), rows.moved) == (600.0, [])

    play(story)


def test_two_waits_at_once_both_end_in_time() -> None:
    """One of them skips, and the other is woken when its time has come."""

    async def story(warp: Warp, _: FakeRows) -> None:
        ends: dict[float, float] = {}

        async def wait(seconds: float) -> None:
            await warp.wait(seconds, Wait.LOOK)
            ends[seconds] = warp.clock.monotonic_s()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, 600.0)
            nursery.start_soon(wait, 300.0)
        assert ends == {600.0: pytest.approx(600.0), 300.0: pytest.approx(300.0)}
        assert trio.current_time() == 62.0  # a look for each

    play(story)


def test_what_a_scenario_remembers_moves_too() -> None:
    """A time that it got from an answer still equals the one that the master stores."""

    async def story(warp: Warp, _: FakeRows) -> None:
        record = {"startedAt": "2026-03-04T12:00:00.123456789Z", "id": 7, "name": "2026"}
        known = [
            {"backup": record},
            {"backup": [{"data": record, "at": ["2026-03-04T00:00:00+02:00"]}]},
        ]
        await warp.wait(3_631.0, Wait.LOOK, known)
        assert record == {"startedAt": "2026-03-04T11:00:00.123456789Z", "id": 7, "name": "2026"}
        assert known[1]["backup"][0]["at"] == ["2026-03-03T23:00:00+02:00"]  # type: ignore[index]

    play(story)


def test_a_database_that_cannot_be_changed_ends_the_wait() -> None:
    """The error goes to who waits, and the clock goes on."""

    async def story(warp: Warp, rows: FakeRows) -> None:
        rows.error = "locked"
        with pytest.raises(WarpError, match="locked"):
            await warp.wait(600.0, Wait.LOOK)
        assert warp.clock.skipped_s == 0.0
        await warp.clock.sleep(1.0)
        assert warp.clock.monotonic_s() == 1.0

    play(story)


def test_nobody_sleeps_where_nobody_does() -> None:
    """The next to wake is then never due."""

    async def story(warp: Warp, _: FakeRows) -> None:
        assert warp.clock.next_wake_s == math.inf

    play(story)


async def test_calls_are_counted_until_their_streams_are_closed() -> None:
    """And once, however often they are."""

    class Body:
        def __aiter__(self) -> "Body":
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            """Do nothing."""

    class Streaming:
        async def send(self, _: Request) -> Response:
            return Response(200, b"", headers=(), stream=Body())

    traffic = Traffic()
    response = await traffic.counted(Streaming()).send(Request("GET", "/", {}))
    assert response.stream is not None
    assert not traffic.quiet
    await response.stream.aclose()
    await response.stream.aclose()
    assert traffic.quiet
