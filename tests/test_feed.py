"""Event streams in scenarios: read, looked at, closed, and cut by a master that dies."""

from collections.abc import Awaitable
from typing import Self

import trio
from scenes import play_text

from harness.feed import Feed
from harness.verdict import Outcome, Verdict
from master.core import Master
from master.protocol.exchange import Request, Response

HEAD = """
scenario: A story of an event stream
clauses: [CMD-1]
agents: {alpha: manual}
steps:
"""


class Ticks:
    """A greeting, an event, and a sign of life every 25 seconds."""

    def __init__(self) -> None:
        self._parts = [
            b": connected 1\n\n",
            b'event: agent_outdated\ndata: {"type":"agent_outdated","fields":{"node":"a"}}\n\n',
        ]
        self.closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._parts:
            return self._parts.pop(0)
        await trio.sleep(25)
        return b": heartbeat 2\n\n"

    async def aclose(self) -> None:
        self.closed = True


class Telling(Master):
    """Has an event stream, for whoever is logged in."""

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        if request.path != "/api/events/stream":
            return super().answer(request)
        if request.headers["authorization"] == "Bearer wrong":
            return Response(401, b'{"code":"AUTH_INVALID_TOKEN"}')
        return Response(200, headers=(("Content-Type", "text/event-stream"),), stream=Ticks())


def play(steps: str) -> Outcome:
    return play_text(HEAD + steps, make_master=Telling)[0]


def test_what_comes_is_looked_at() -> None:
    """Events with the fields of their data, comments, and that nothing more comes."""
    outcome = play(
        """
  - listen: {as: feed}
  - wait: 1m
  - expect: {events: feed, where: {type: agent_outdated}, count: 1, all: {fields: {node: a}}}
  - expect: {events: feed, where: {comment: {matches: heartbeat}}, count: 2}
  - expect: {events: feed, any: {comment: connected 1}, count: 4}
  - stop_listening: feed
  - wait: 1m
  - expect: {events: feed, count: 4}
"""
    )

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


def test_a_cut_stream_says_so() -> None:
    """The last item tells how it ended."""
    outcome = play(
        """
  - listen: {as: feed}
  - wait: 30s
  - restart_master: {for: 5s}
  - expect: {events: feed, any: {ended: cut}, count: 4}
  - listen: {as: again}
  - wait: 30s
  - expect: {events: again, count: 3}
"""
    )

    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS


def test_a_refusal_fails_the_step() -> None:
    """What was answered in place of a stream is told."""
    outcome = play("  - listen: {as: feed, token: wrong}\n  - expect: {events: feed, count: 0}\n")

    assert outcome.verdict is Verdict.FAIL
    assert outcome.failure is not None
    assert "401" in outcome.failure.seen


def test_an_event_is_read_however_it_is_cut() -> None:
    """Pieces end anywhere; lines may end with a carriage return; data may have several lines."""
    feed = Feed()
    for (
        byte
    ) in b'id: 7\r\nevent: x\r\ndata: {"a":\r\ndata: "\xc3\xa4"}\r\n\r\n\r\ndata: text\n\n:c\n':
        feed.feed(bytes([byte]))

    assert feed.items == [
        {"id": "7", "event": "x", "data": '{"a":\n"ä"}', "a": "ä"},
        {"data": "text"},
        {"comment": "c"},
    ]
