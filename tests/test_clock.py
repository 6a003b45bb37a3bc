"""Virtual time jumps from timer to timer, wakes who waits, and touches nothing real."""

import math
import socket
import threading
import time

import pytest
import trio
import trio.testing
from scenes import play_text

from harness.clock import EPOCH_NS, IDLE_ROUNDS_MAX, StuckError, VirtualClock


def test_an_hour_passes_at_once() -> None:
    """Sleeping costs no real time, and the wall time moves with it."""
    clock = VirtualClock()
    began_s = time.perf_counter()

    trio.run(clock.sleep, 3_600.0, clock=clock)

    assert clock.monotonic_s() == 3_600.0
    assert clock.now_ns() == EPOCH_NS + 3_600 * 10**9
    assert time.perf_counter() - began_s < 60


def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    """Whoever sleeps shorter wakes first, whatever the order they went to sleep in."""
    clock = VirtualClock()
    woken: list[tuple[float, float]] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic_s()))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for seconds in (3.0, 1.0, 2.5, 1.25):
                nursery.start_soon(sleeper, seconds)

    trio.run(main, clock=clock)

    assert woken == [(1.0, 1.0), (1.25, 1.25), (2.5, 2.5), (3.0, 3.0)]


def test_trio_deadlines_and_own_timers_share_the_clock() -> None:
    """A cancel scope's deadline between two timers is met at its own time."""
    clock = VirtualClock()
    seen: list[float] = []

    async def main() -> None:
        with trio.move_on_after(1.5):
            await clock.sleep(2)
        seen.append(clock.monotonic_s())
        await trio.sleep(0.25)
        seen.append(clock.monotonic_s())
        await clock.sleep(1)
        seen.append(clock.monotonic_s())

    trio.run(main, clock=clock)

    assert seen == [1.5, 1.75, 2.75]


def test_a_cancelled_sleeper_leaves_no_timer() -> None:
    """Time does not jump to the deadline of a sleep that was given up."""
    clock = VirtualClock()

    async def main() -> None:
        with trio.move_on_after(1):
            await clock.sleep(1_000)
        await clock.sleep(1)

    trio.run(main, clock=clock)

    assert clock.monotonic_s() == 2.0
    assert clock.wakeups == 1


def test_sleeping_until_the_past_is_a_checkpoint() -> None:
    """It returns at once, and lets others run."""
    clock = VirtualClock()
    order: list[str] = []

    async def other() -> None:
        order.append("other")
        await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await clock.sleep_until(-1)
            await trio.testing.wait_all_tasks_blocked()
            order.append("main")

    trio.run(main, clock=clock)

    assert order == ["other", "main"]
    assert clock.monotonic_s() == 0


def test_a_run_that_waits_for_nothing_is_an_error() -> None:
    """No task is ready and no timer is set: that is said after a while, instead of hanging."""
    clock = VirtualClock()

    asked = [clock.deadline_to_sleep_time(math.inf) for _ in range(IDLE_ROUNDS_MAX)]

    assert all(0 < pause_s < 1 for pause_s in asked)
    with pytest.raises(StuckError, match="no timer is set"):
        clock.deadline_to_sleep_time(math.inf)


def test_a_simulation_uses_no_thread_and_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole scenario is played while threads and connections are forbidden."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a simulation reached outside")

    monkeypatch.setattr(threading.Thread, "start", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket.socket, "bind", forbidden)
    monkeypatch.setattr(socket.socket, "listen", forbidden)

    outcome, _ = play_text(
        """
        scenario: A prompt agent does its work
        clauses: [ADM-1]
        agents: {alpha: prompt}
        tasks: {nightly: {agent: alpha}}
        steps:
          - until: {expect: {agent: alpha, status: online}, within: 1m}
          - run: nightly
            as: backup
          - until: {expect: {record: backup, status: success}, within: 2m}
        """
    )

    assert outcome.verdict == "PASS"
