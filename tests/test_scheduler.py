"""Tasks run by themselves: when, where, and when not."""

import json
import random
from typing import Any

import msgspec
import pytest
import trio
from cluster import EVERY, profiles
from running import HOUR_S, EastClock, Rig, play

from harness.clock import VirtualClock
from harness.target import SeededEntropy
from master import scheduler
from master.config import Config
from master.core import Master
from master.protocol.exchange import Request
from master.store.database import Database
from master.store.rows import Task


@pytest.mark.parametrize("profile", EVERY)
def test_a_task_runs_at_its_times(profile: str) -> None:
    """To the nanosecond; each run is a record and a command, and a row of the audit log."""

    async def story(rig: Rig) -> None:
        task = await rig.task("*/20 * * * *")
        for _ in range(3):
            await rig.clock.sleep(20 * 60)
            await rig.clock.sleep(1)
            await rig.finish()

        assert rig.runs() == [(task, "00:20:00"), (task, "00:40:00"), (task, "01:00:00")]
        ((started,), *_) = rig.master.state.database.query("SELECT started_at FROM backup_records")
        assert started.endswith("00:20:00+00:00")
        commands = rig.master.state.database.query("SELECT type FROM agent_commands")
        assert commands == [("run_task",)] * 3
        assert (
            await rig.audit("scheduled_run")
            == ["定时调度触发备份任务: nightly (cron: */20 * * * *)"] * 3
        )

    play(story, profile)


@pytest.mark.parametrize("profile", EVERY)
def test_an_expression_is_in_the_zone_of_the_release(profile: str) -> None:
    """UTC in v2.0.0, the master's own since v2.3.1."""
    local = profile in profiles("cron_in_local_time")

    async def story(rig: Rig) -> None:
        task = await rig.task("0 5 * * *")
        await rig.clock.sleep(6 * HOUR_S)

        assert rig.runs() == [(task, "03:00:00" if local else "05:00:00")]

    play(story, profile, EastClock())


@pytest.mark.parametrize("profile", EVERY)
def test_an_offline_node_is_passed_over(profile: str) -> None:
    """No record, no command, and a row that says why; it runs again when the node is back."""

    async def story(rig: Rig) -> None:
        task = await rig.task("0 * * * *")
        rig.beats = False
        await rig.clock.sleep(HOUR_S + 1)

        assert rig.runs() == []
        assert await rig.audit("scheduled_skip") == [
            "跳过调度触发：节点 alpha 离线 (task: nightly, cron: 0 * * * *)"
        ]
        assert await rig.audit("scheduled_run") == []

        rig.beats = True
        await rig.clock.sleep(HOUR_S)
        assert rig.runs() == [(task, "02:00:00")]

    play(story, profile)


@pytest.mark.parametrize("profile", EVERY)
def test_a_silent_node_is_passed_over_before_the_monitor_saw_it(profile: str) -> None:
    """Since v2.4.0 its last heartbeat counts; before, what its row says."""
    looks = profile in profiles("effective_status")

    async def story(rig: Rig) -> None:
        await rig.task("50 0 * * * *")  # the monitor looks at 45 s and at 60 s
        rig.beats = False
        await rig.clock.sleep(51)

        assert len(rig.runs()) == (0 if looks else 1)
        assert len(await rig.audit("scheduled_skip")) == (1 if looks else 0)

    play(story, profile)


def test_the_schedule_looks_at_windows_in_its_own_zone() -> None:
    """A window in UTC is closed two hours further east, where the schedule stands."""

    async def story(rig: Rig) -> None:
        await rig.task("30 2 * * *", maintenanceWindows="time=00:00-01:00")
        await rig.clock.sleep(HOUR_S)

        assert rig.runs() == []
        assert len(await rig.audit("scheduled_skip")) == 1

    play(story, "2.4", EastClock())


def test_outside_of_its_windows_a_task_does_not_run() -> None:
    """And the audit log says so."""

    async def story(rig: Rig) -> None:
        task = await rig.task("0 * * * *", maintenanceWindows="time=02:00-03:00")
        await rig.clock.sleep(4 * HOUR_S + 1)

        assert rig.runs() == [(task, "02:00:00")]
        window = "跳过调度触发：非维护窗口 (task: nightly, windows: time=02:00-03:00)"
        assert await rig.audit("scheduled_skip") == [window] * 3

    play(story)


@pytest.mark.parametrize("profile", EVERY)
def test_a_task_that_runs_still_is_run_again_or_not(profile: str) -> None:
    """Where a task runs once at a time, the second is tried, and leaves nothing but that word."""

    async def story(rig: Rig) -> None:
        task = await rig.task("0,5 1 * * *")
        await rig.clock.sleep(2 * HOUR_S)

        again = [] if profile in profiles("one_run_a_task") else [(task, "01:05:00")]
        assert rig.runs() == [(task, "01:00:00"), *again]
        assert len(await rig.audit("scheduled_run")) == 2

    play(story, profile)


def test_a_change_takes_effect_at_once() -> None:
    """New times, other nodes, off, on and gone: the master waits for what is next then."""

    async def story(rig: Rig) -> None:
        task = await rig.task("0 3 * * *")
        path = f"/api/backup/tasks/{task}"
        await rig.clock.sleep(HOUR_S / 2)
        await rig.ask("PUT", path, await rig.body("0 1 * * *"))
        await rig.clock.sleep(HOUR_S)
        assert rig.runs() == [(task, "01:00:00")]

        await rig.ask("PUT", f"{path}/toggle", {"enabled": False})
        await rig.clock.sleep(24 * HOUR_S)
        assert len(rig.runs()) == 1

        await rig.ask("PUT", f"{path}/toggle", {"enabled": True})
        await rig.clock.sleep(24 * HOUR_S)
        assert len(rig.runs()) == 2

        await rig.ask("DELETE", path)
        await rig.clock.sleep(48 * HOUR_S)
        assert len(rig.runs()) == 2
        assert await rig.audit("scheduled_skip") == []

    play(story)


def test_a_task_that_moved_is_looked_at_where_it_is() -> None:
    """Its old node may be offline."""

    async def story(rig: Rig) -> None:
        other = await rig.ask("POST", "/api/nodes/batch", {"names": ["beta"]})
        task = await rig.task("0 1 * * *", nodeId=other[0]["id"])
        await rig.ask("PUT", f"/api/backup/tasks/{task}", await rig.body("0 1 * * *"))
        await rig.clock.sleep(2 * HOUR_S)

        assert rig.runs() == [(task, "01:00:00")]

    play(story)


def test_tasks_due_at_once_run_in_the_order_of_their_making() -> None:
    """Each of them, and none twice."""

    async def story(rig: Rig) -> None:
        made = [await rig.task("0 1 * * *", name=name) for name in ("a", "b", "c")]
        await rig.ask("PUT", f"/api/backup/tasks/{made[0]}", await rig.body("0 1 * * *", name="a"))
        await rig.clock.sleep(2 * HOUR_S)

        assert rig.runs() == [(task, "01:00:00") for task in made]

    play(story)


def test_what_the_database_holds_runs_too(caplog: pytest.LogCaptureFixture) -> None:
    """A master that starts enters every task that is on; one that cannot be read stops nobody."""
    clock = VirtualClock()
    ran: list[tuple[str]] = []

    async def main() -> None:
        config = Config(bcrypt_cost=4)
        with Master(Database(), clock, SeededEntropy(random.Random(1)), config) as master:
            rig = Rig(master, clock)
            await rig.set_up()
            bad = await rig.task("", name="bad")
            await rig.task("* * * * *", name="good")
            await rig.task("* * * * *", name="off")
            database = master.state.database
            database.update(Task, bad, cron_expr="61 * * * *")
            database.execute("UPDATE backup_tasks SET enabled = 0 WHERE name = 'off'")
            for task_id in (1, 2, 3):
                master.state.timetable.remove(task_id)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(master.run_monitors)
                await clock.sleep(30)
                rig.master.state.database.execute("UPDATE nodes SET status = 'online'")
                await clock.sleep(31)
                nursery.cancel_scope.cancel()
            ran.extend(database.query("SELECT target_name FROM audit_logs WHERE username='system'"))

    trio.run(main, clock=clock)

    assert ran == [("good",)]
    assert "task 1 is never run" in caplog.text


def test_one_task_that_fails_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others of that minute run, and it is tried again the next time."""
    tried: list[int] = []
    real = scheduler.run_task

    def broken(state: Any, task_id: int, now: Any) -> Any:
        tried.append(task_id)
        if task_id == 1:
            raise RuntimeError("boom")
        return real(state, task_id, now)

    monkeypatch.setattr(scheduler, "run_task", broken)

    async def story(rig: Rig) -> None:
        await rig.task("0 * * * *", name="a")
        await rig.task("0 * * * *", name="b")
        await rig.clock.sleep(2 * HOUR_S + 1)

    play(story)

    assert tried == [1, 2, 1, 2]
    assert "task 1 cannot be run: boom" in caplog.text


def test_nothing_is_done_between_two_runs() -> None:
    """No more timers go off in a week with one task than without, but for its runs."""

    def wakeups(cron: str) -> int:
        clock = VirtualClock()

        async def story(rig: Rig) -> None:
            await rig.task(cron)
            await rig.clock.sleep(7 * 24 * HOUR_S)

        play(story, clock=clock)
        return clock.wakeups

    assert wakeups("0 12 * * *") - wakeups("") == 7


@pytest.mark.parametrize("speed", [20.0, 7.0])
def test_cron_may_run_faster_than_the_clock(speed: float) -> None:
    """A minute of the expressions takes a twentieth of one, to the nanosecond, and drifts nowhere."""

    async def story(rig: Rig) -> None:
        task = await rig.task("* * * * *")
        await rig.clock.sleep(HOUR_S + 0.5)
        assert len(rig.runs()) == 60 * speed
        assert task == 1

    play(story, speed=speed)


def test_a_schedule_that_cannot_be_read_is_struck_out() -> None:
    """The task is stored all the same, and does not run by its old times either."""

    async def story(rig: Rig) -> None:
        task = await rig.task("0 1 * * *")
        body = msgspec.json.encode(await rig.body("0 1 * * 9"))
        headers = {"authorization": f"Bearer {rig.token}"}
        path = f"/api/backup/tasks/{task}"
        answer = await rig.master.handle(Request("PUT", path, headers, body))
        assert json.loads(answer.body)["code"] == "BACKUP_TASK_SCHEDULE_FAILED"
        await rig.clock.sleep(3 * HOUR_S)

        assert rig.runs() == []

    play(story)
