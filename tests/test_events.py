"""The event stream: who may listen, what comes, and what a slow listener misses."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from cluster import EVERY, cluster
from running import HOUR_S, Rig, play

from harness.clock import VirtualClock
from master.events import ROOM, Events, EventStream
from master.now import Now
from master.protocol.exchange import Request
from simulated_agents.ports.direct import DirectPort


class Hearing:
    """What a listener has heard so far."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.parts: list[tuple[float, str]] = []

    def events(self) -> list[dict[str, Any]]:
        return [
            json.loads(part.split("\ndata: ")[1])
            for _, part in self.parts
            if part.startswith("event: ")
        ]


@asynccontextmanager
async def listening(rig: Rig) -> AsyncIterator[Hearing]:
    headers = {"authorization": f"Bearer {rig.token}"}
    request = Request("GET", "/api/events/stream", headers, streams_answer=True)
    answer = await DirectPort(rig.master.handle).send(request)
    assert answer.status == 200
    stream = answer.stream
    assert stream is not None
    hearing = Hearing(rig)

    async def hear() -> None:
        async for part in stream:
            hearing.parts.append((rig.clock.monotonic_s(), part.decode()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear)
        try:
            yield hearing
        finally:
            await stream.aclose()
            nursery.cancel_scope.cancel()


def test_a_listener_is_greeted_and_given_signs_of_life() -> None:
    """At once, and then every 25 s, as comments with the Unix time."""

    async def story(rig: Rig) -> None:
        begun_s, begun = rig.clock.monotonic_s(), rig.clock.now_ns() // 10**9
        async with listening(rig) as hearing:
            await rig.clock.sleep(60)

        assert [(at - begun_s, part) for at, part in hearing.parts] == [
            (0.0, f": connected {begun}\n\n"),
            (25.0, f": heartbeat {begun + 25}\n\n"),
            (50.0, f": heartbeat {begun + 50}\n\n"),
        ]

    play(story)


def test_whoever_leaves_is_forgotten() -> None:
    """Also while they wait."""

    async def story(rig: Rig) -> None:
        events = rig.master.state.events
        async with listening(rig), listening(rig):
            await rig.clock.sleep(1)
            assert events.count() == 2

        assert events.count() == 0

    play(story)


def test_only_who_is_known_may_listen() -> None:
    """By a header: the query is not looked at; any role will do."""
    with cluster("2.0") as made:
        key = made.key("viewer")

        assert made.refusal("GET", f"/api/events/stream?token={key}", key=" ") == (
            401,
            "AUTH_REQUIRED",
        )
        answer = trio.run(
            made.master.handle, Request("GET", "/api/events/stream", {"x-api-key": key})
        )

        assert answer.status == 200
        assert dict(answer.headers)["Content-Type"] == "text/event-stream"
        assert answer.stream is not None
        trio.run(answer.stream.aclose)
        assert made.state.events.count() == 0


@pytest.mark.parametrize("profile", EVERY)
def test_an_outdated_agent_is_told_of(profile: str) -> None:
    """At the next scan, to the letter; the master's own scan at its start is heard by nobody."""

    async def story(rig: Rig) -> None:
        await rig.clock.sleep(1)
        rig.version = "v1.9.9"
        async with listening(rig) as hearing:
            await rig.clock.sleep(HOUR_S / 2)

        ((_, part),) = [one for one in hearing.parts if "heartbeat" not in one[1]][1:]
        event, data = part.split("\n", 1)
        release = rig.master.state.config.profile.release
        assert event == "event: agent_outdated"
        assert data == (
            'data: {"type":"agent_outdated","title":"BackupX Agent 版本落后",'
            f'"body":"节点：alpha\\nAgent 版本：v1.9.9\\nMaster 版本：{release}\\n'
            '建议升级 Agent 以获得完整兼容性。","fields":{"agentVersion":"v1.9.9",'
            f'"eventType":"agent_outdated","masterVersion":"{release}","nodeId":2,'
            '"nodeName":"alpha","timestamp":"2026-01-02T00:30:00Z"},'
            f'"timestamp":"{hearing.events()[0]["timestamp"]}"}}\n\n'
        )
        assert hearing.events()[0]["timestamp"].endswith("T00:30:00Z")

    play(story, profile)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("v1.9", True),
        ("1.99.99-rc1", True),
        ("v2.0.0", False),
        ("v2.0", False),
        ("v3.0.0", False),
        ("dev", False),
        ("", False),
        ("v1", False),
        ("v1.x", False),
    ],
)
def test_two_numbers_are_compared(version: str, told: bool) -> None:
    """What has none, or no two, is not outdated."""

    async def story(rig: Rig) -> None:
        rig.version = version
        async with listening(rig) as hearing:
            await rig.clock.sleep(HOUR_S)

        assert len(hearing.events()) == told

    play(story)


def test_a_node_is_told_of_once_a_day() -> None:
    """Again after 24 hours, and at once when it was up to date in between; not for a blank report."""

    async def story(rig: Rig) -> None:
        rig.version = "v1.0.0"
        async with listening(rig) as hearing:
            await rig.clock.sleep(24 * HOUR_S)
            assert len(hearing.events()) == 1
            await rig.clock.sleep(HOUR_S)
            assert len(hearing.events()) == 2

            for between, count in (("", 2), ("v2.0.0", 3)):
                rig.version = between
                await rig.clock.sleep(HOUR_S)
                rig.version = "v1.0.0"
                await rig.clock.sleep(HOUR_S)
                assert len(hearing.events()) == count

    play(story)


async def test_a_slow_listener_misses_what_it_has_no_room_for() -> None:
    """Others miss nothing, nor does it miss what comes later."""
    clock = VirtualClock()
    events = Events()
    slow, quick = (EventStream(events, clock, 25.0) for _ in range(2))

    async def hear(stream: EventStream) -> int:
        part = await anext(aiter(stream))
        return int(json.loads(part.split(b"data: ")[1])["title"])

    for stream in (slow, quick):
        assert (await anext(aiter(stream))).startswith(b": connected")
    for number in range(ROOM + 5):
        events.publish(Now.of(clock), type_="t", title=str(number), body="", fields={})
        assert await hear(quick) == number
    heard = [await hear(slow) for _ in range(ROOM)]
    events.publish(Now.of(clock), type_="t", title="99", body="", fields={})

    assert heard == list(range(ROOM))
    assert await hear(slow) == 99


def test_signs_of_life_that_were_missed_are_one() -> None:
    """And the next comes when it would have come."""
    clock = VirtualClock()
    heard: list[tuple[float, bytes]] = []

    async def main() -> None:
        stream = EventStream(Events(), clock, 25.0)
        await anext(stream)
        await clock.sleep(80)
        for _ in range(2):
            part = await anext(stream)
            heard.append((clock.monotonic_s(), part[:11]))

    trio.run(main, clock=clock)

    assert heard == [(80.0, b": heartbeat"), (100.0, b": heartbeat")]
