"""The monitors tick as Go's tickers do, and nothing that fails in one tick ends them."""

import random
import sqlite3
from collections.abc import Callable
from typing import Final

import pytest
import trio

from harness.clock import VirtualClock
from harness.target import SeededEntropy
from master import monitors
from master.config import Clock, Config, Timings
from master.core import Master
from master.now import Now
from master.protocol.states import CommandType
from master.state import State
from master.store import commands
from master.store.database import Database
from master.store.rows import Command, Node

INTERVAL_S: Final = 30.0


def made(clock: Clock, timings: Timings | None = None) -> Master:
    config = Config(timings=timings or Timings(), bcrypt_cost=4)
    return Master(Database(), clock, SeededEntropy(random.Random(1)), config)


def ticks(act: Callable[[VirtualClock, int], None], until_s: float) -> list[float]:
    """Return when a monitor acted; `act` is told which time this is."""
    clock = VirtualClock()
    seen: list[float] = []

    def noted(_: State, now: Now) -> None:
        seen.append(clock.monotonic_s())
        assert now.ns == clock.now_ns()
        act(clock, len(seen))

    async def main() -> None:
        with made(clock) as master:
            await clock.sleep_until(4.0)  # a monitor's time begins when it does
            async with trio.open_nursery() as nursery:
                nursery.start_soon(monitors.every, master.state, INTERVAL_S, noted)
                await clock.sleep_until(until_s)
                nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)
    return seen


def test_the_first_tick_comes_after_one_interval() -> None:
    """Nothing happens at the start, then at fixed distances from it."""
    assert ticks(lambda *_: None, 130.0) == [34.0, 64.0, 94.0, 124.0]


@pytest.mark.parametrize(
    ("busy_s", "expected"),
    [
        (10.0, [34.0, 64.0, 94.0, 124.0]),
        (45.0, [34.0, 79.0, 94.0, 124.0]),
        (100.0, [34.0, 134.0, 154.0, 184.0]),
    ],
)
def test_a_long_tick_does_not_move_the_next_ones(busy_s: float, expected: list[float]) -> None:
    """A tick that was missed is made up for at once, and only once; the rhythm stays."""

    def act(clock: VirtualClock, turn: int) -> None:
        if turn == 1:
            clock._now_s += busy_s  # the act itself took so long

    assert ticks(act, expected[-1] + 1) == expected


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database is locked"), sqlite3.DatabaseError("malformed")]
)
def test_a_fault_of_the_database_does_not_end_the_loop(
    error: sqlite3.Error, caplog: pytest.LogCaptureFixture
) -> None:
    """The tick that failed is logged, and the next one comes when it would have come."""

    def act(_: VirtualClock, turn: int) -> None:
        if turn == 2:
            raise error

    assert ticks(act, 100.0) == [34.0, 64.0, 94.0]
    assert caplog.messages == [f"monitor noted: {error}"]


def test_a_fault_of_our_own_is_told_and_ends_no_loop(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever one tick meets, the log has its traceback and the next tick comes."""

    def act(_: VirtualClock, turn: int) -> None:
        if turn == 1:
            raise KeyError(turn)

    assert len(ticks(act, 100.0)) == 3
    assert "KeyError" in caplog.text
    assert "Traceback" in caplog.text


def test_both_monitors_keep_their_own_time() -> None:
    """Commands and nodes are looked after at the intervals, and by the ages, of the timings."""
    clock = VirtualClock()
    timings = Timings(
        command_timeout_s=10.0, command_scan_s=7.0, offline_after_s=3.0, offline_scan_s=2.0
    )
    changes: list[tuple[float, str]] = []

    async def main() -> None:
        with made(clock, timings) as master:
            database = master.state.database
            now = Now.of(clock)
            node_id = database.insert(
                Node, name="a", token="a", status="online", is_local=0, last_seen=now.utc
            )
            commands.insert(database, node_id, CommandType.LIST_DIR, "{}", now)
            commands.claim(database, node_id, now)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(master.run_monitors)
                before = ("online", "dispatched")
                await clock.sleep(0.25)  # look between the ticks, never at one
                while clock.monotonic_s() < 20.0:
                    await clock.sleep(0.5)
                    node, command = database.get(Node, node_id), database.get(Command, 1)
                    assert node is not None
                    assert command is not None
                    after = (node.status, command.status)
                    changes.extend(
                        (clock.monotonic_s(), status) for status in after if status not in before
                    )
                    before = after
                nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)

    assert changes == [(4.25, "offline"), (14.25, "timeout")]
