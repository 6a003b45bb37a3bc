"""A call that waits for an agent ends with the agent's answer, or at its deadline, to the moment."""

import json
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import pytest
import trio
from msgspec.structs import replace

from harness.clock import VirtualClock
from harness.target import ADMIN, SeededEntropy
from master.admin import rpc
from master.config import Config, Timings
from master.core import Master
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Request, Response
from master.protocol.states import CommandStatus, CommandType
from master.store import commands
from master.store.database import Database
from master.store.rows import Command, Node
from master.waiters import Waiters

ENTRIES: Final = '{"entries":[{"name":"etc","path":"/etc","isDir":true,"size":0}]}'


class Stage:
    """A master on virtual time, its administrator, and one agent that is online."""

    def __init__(self, master: Master, clock: VirtualClock) -> None:
        self.master = master
        self.clock = clock
        self.admin = ""
        self.agent = ""
        self.node_id = 0

    async def send(
        self, method: str, path: str, body: object = None, *, token: str = "", query: str = ""
    ) -> Response:
        headers = {"x-agent-token": token} if token else {"authorization": f"Bearer {self.admin}"}
        raw = b"" if body is None else msgspec.json.encode(body)
        return await self.master.handle(Request(method, path, headers, raw, query))

    async def set_up(self) -> None:
        answer = await self.send("POST", "/api/auth/setup", ADMIN)
        self.admin = json.loads(answer.body)["data"]["token"]
        answer = await self.send("POST", "/api/nodes", {"name": "alpha"})
        self.agent = json.loads(answer.body)["data"]["token"]
        answer = await self.send("POST", "/api/agent/heartbeat", {}, token=self.agent)
        self.node_id = json.loads(answer.body)["data"]["nodeId"]

    async def ask(self, seen: list[tuple[float, int, str]]) -> None:
        """List a directory of the agent's, and note when the answer came, its status and code."""
        answer = await self.send("GET", f"/api/nodes/{self.node_id}/fs/list", query="path=/")
        code = json.loads(answer.body)["code"]
        seen.append((self.clock.monotonic_s(), answer.status, code))

    async def poll(self) -> int | None:
        answer = await self.send("POST", "/api/agent/commands/poll", token=self.agent)
        command = json.loads(answer.body)["data"]["command"]
        return None if command is None else int(command["id"])

    async def report(self, command_id: int, *, success: bool = True) -> int:
        body = {"success": success, "result": msgspec.Raw(ENTRIES.encode())}
        path = f"/api/agent/commands/{command_id}/result"
        return (await self.send("POST", path, body, token=self.agent)).status

    def finish_silently(self, command_id: int) -> None:
        """End a command as another process would: in the database, and waking nobody."""
        now = Now.of(self.clock)
        database = self.master.state.database
        command = database.get(Command, command_id)
        assert command is not None
        ended = replace(command, status=CommandStatus.SUCCEEDED, result=ENTRIES)
        commands.finish(database, ended, now, only_dispatched=False)

    def status(self, command_id: int) -> str:
        command = self.master.state.database.get(Command, command_id)
        assert command is not None
        return command.status

    @property
    def waiting(self) -> dict[int, list[trio.Event]]:
        return self.master.state.waiters._events


def play(story: Callable[[Stage], Awaitable[None]], timings: Timings | None = None) -> None:
    """Play a story on virtual time."""
    clock = VirtualClock()

    async def main() -> None:
        config = Config(timings=timings or Timings(), bcrypt_cost=4)
        entropy = SeededEntropy(random.Random(1))
        with Master(Database(), clock, entropy, config) as master:
            stage = Stage(master, clock)
            await stage.set_up()
            await story(stage)

    trio.run(main, clock=clock)


def test_the_result_wakes_the_caller_at_once() -> None:
    """The answer comes at the very moment of the result, however odd."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(3.25)
            command_id = await stage.poll()
            assert command_id is not None
            await stage.clock.sleep_until(7.125)
            await stage.report(command_id)

        assert seen == [(7.125, 200, "OK")]
        assert stage.waiting == {}

    play(story)


def test_a_failure_wakes_the_caller_too() -> None:
    """An agent that cannot answer says so, and the caller hears it then and not at the deadline."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(1.0)
            await stage.report(1, success=False)

        assert seen == [(1.0, 400, "NODE_FS_READ_ERROR")]

    play(story)


@pytest.mark.parametrize("fetched", [False, True])
def test_nobody_waits_longer_than_the_deadline(fetched: bool) -> None:
    """After exactly 15 s the caller is told so; the command stays where it is and may still end."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(14.0)
            if fetched:
                await stage.poll()

        assert seen == [(15.0, 504, "AGENT_COMMAND_TIMEOUT")]
        assert stage.waiting == {}
        assert stage.status(1) == ("dispatched" if fetched else "pending")
        assert await stage.poll() == (None if fetched else 1)
        assert await stage.report(1) == 200
        assert stage.status(1) == "succeeded"

    play(story)


@pytest.mark.parametrize(("timeout_s", "waits_s"), [(15.0, 15.0), (0.001, 0.001), (90.0, 90.0)])
def test_the_deadline_is_the_configured_one(timeout_s: float, waits_s: float) -> None:
    """A listing waits as long as the master's timings say."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        await stage.ask(seen)

        assert seen == [(waits_s, 504, "AGENT_COMMAND_TIMEOUT")]

    play(story, Timings(list_dir_timeout_s=timeout_s))


def test_a_result_found_at_the_deadline_counts() -> None:
    """The database is looked at once more before giving up."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(14.999)
            stage.finish_silently(1)

        assert seen == [(15.0, 200, "OK")]

    play(story)


def test_a_caller_who_hangs_up_leaves_the_command() -> None:
    """Nobody waits any more, and the agent does the work all the same."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(5.0)
            waiting = dict(stage.waiting)
            nursery.cancel_scope.cancel()

        assert list(waiting) == [1]
        assert seen == []
        assert stage.waiting == {}
        assert stage.status(1) == "pending"
        assert await stage.poll() == 1
        assert await stage.report(1) == 200

    play(story)


def test_two_callers_wait_for_two_commands() -> None:
    """Each hears of its own command, in whatever order they end."""

    async def story(stage: Stage) -> None:
        first: list[tuple[float, int, str]] = []
        second: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, first)
            await stage.clock.sleep_until(1.0)
            nursery.start_soon(stage.ask, second)
            await stage.clock.sleep_until(2.0)
            await stage.report(2)
            await stage.clock.sleep_until(3.0)
            assert (first, sorted(stage.waiting)) == ([], [1])
            await stage.report(1, success=False)

        assert (second, first) == ([(2.0, 200, "OK")], [(3.0, 400, "NODE_FS_READ_ERROR")])
        assert stage.waiting == {}

    play(story)


def test_a_second_caller_has_a_deadline_of_their_own() -> None:
    """One caller's giving up does not end another's waiting."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.ask, seen)
            await stage.clock.sleep_until(4.0)
            nursery.start_soon(stage.ask, seen)

        assert seen == [
            (15.0, 504, "AGENT_COMMAND_TIMEOUT"),
            (19.0, 504, "AGENT_COMMAND_TIMEOUT"),
        ]

    play(story)


def test_a_timed_out_command_ends_the_waiting() -> None:
    """When the monitor gives a command up, its caller hears it at that tick."""

    async def story(stage: Stage) -> None:
        seen: list[tuple[float, int, str]] = []
        async with trio.open_nursery() as monitors:
            monitors.start_soon(stage.master.run_monitors)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stage.ask, seen)
                await stage.clock.sleep_until(1.0)
                await stage.poll()
            monitors.cancel_scope.cancel()

        assert seen == [(6.0, 400, "NODE_FS_READ_ERROR")]
        assert stage.status(1) == "timeout"

    play(story, Timings(command_timeout_s=2.0, command_scan_s=3.0))


def test_an_offline_node_is_not_asked() -> None:
    """Nothing is put into the queue of a node that is not there."""

    async def story(stage: Stage) -> None:
        stage.master.state.database.update(Node, stage.node_id, status="offline")
        seen: list[tuple[float, int, str]] = []
        await stage.ask(seen)

        assert seen == [(0.0, 400, "NODE_OFFLINE")]
        assert stage.master.state.database.count(Command, "1") == 0

    play(story)


def test_a_command_that_disappears_ends_the_waiting() -> None:
    """A woken caller finds no command, and is told so."""

    async def story(stage: Stage) -> None:
        now = Now.of(stage.clock)
        state = stage.master.state
        command_id = commands.insert(state.database, stage.node_id, CommandType.LIST_DIR, "{}", now)
        codes: list[str] = []

        async def wait() -> None:
            try:
                await rpc.wait_for(state, command_id, 15.0)
            except ApiError as error:
                codes.append(error.code)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await stage.clock.sleep_until(1.0)
            state.database.delete(Command, command_id)
            state.waiters.notify(command_id)

        assert codes == ["AGENT_COMMAND_NOT_FOUND"]
        assert stage.clock.monotonic_s() == 1.0

    play(story)


# --- waiters by themselves ------------------------------------------------------------------


def waited(story: Callable[[Waiters, VirtualClock], Awaitable[Any]]) -> None:
    clock = VirtualClock()
    waiters = Waiters(clock)
    trio.run(story, waiters, clock, clock=clock)

    assert waiters._events == {}


def test_everybody_who_waits_for_a_command_is_woken() -> None:
    """Five wait for one command, one for another; one call wakes the five."""

    async def story(waiters: Waiters, clock: VirtualClock) -> None:
        woken: list[tuple[int, float]] = []

        async def wait(command_id: int) -> None:
            await waiters.wait_change(command_id, 100.0)
            woken.append((command_id, clock.monotonic_s()))

        async with trio.open_nursery() as nursery:
            for command_id in (7, 7, 7, 7, 7, 8):
                nursery.start_soon(wait, command_id)
            await clock.sleep_until(2.0)
            waiters.notify(7)
            await clock.sleep_until(3.0)

            assert woken == [(7, 2.0)] * 5

        assert woken[5:] == [(8, 100.0)]

    waited(story)


def test_one_who_gives_up_does_not_take_the_others_along() -> None:
    """Of two who wait for one command, the one that is cancelled leaves the other waiting."""

    async def story(waiters: Waiters, clock: VirtualClock) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiters.wait_change, 7, 50.0)
            await clock.sleep_until(1.0)
            with trio.move_on_at(2.0):
                await waiters.wait_change(7, 50.0)
            assert clock.monotonic_s() == 2.0
            assert len(waiters._events[7]) == 1
            waiters.notify(7)

        assert clock.monotonic_s() == 2.0

    waited(story)


def test_nobody_need_be_waiting() -> None:
    """Ending a command that nobody waits for is no fault, and is not remembered."""

    async def story(waiters: Waiters, clock: VirtualClock) -> None:
        waiters.notify(7)
        await waiters.wait_change(7, 1.0)

        assert clock.monotonic_s() == 1.0

    waited(story)
