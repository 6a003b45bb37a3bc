"""Faults at work on any port: what the sender sees, what the master gets, what the history says."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from harness.clock import VirtualClock
from harness.faults import Faults, Lost, Plan
from harness.faults.short import parse
from harness.history import History, RecordingPort
from harness.redact import Redactor
from master.protocol.exchange import BodyCutError, Request, Response, Whole, collect
from simulated_agents.ports import NoReply
from simulated_agents.ports.direct import DirectPort

POLL = Request("POST", "/api/agent/commands/poll")
BEAT = Request("POST", "/api/agent/heartbeat", body=b'{"hostname":"h"}')
LONG = Request("GET", "/api/agent/restores/1/artifact", streams_answer=True)
CLAIM = b'{"code":"OK","data":{"command":{"id":7}}}'
BODY = b"x" * 1000


class Scene:
    """A master that notes what reached it, some agents, and a plan between them."""

    def __init__(self, *texts: str, seed: int = 0, took_s: float = 0.0) -> None:
        self.clock = VirtualClock()
        self.history = History(Redactor())
        self.seen: list[tuple[float, str, bytes]] = []
        self.answers: list[Whole] = []
        self._took_s = took_s
        plan = Plan(tuple(parse(text) for text in texts))
        elapsed_s = self.clock.monotonic_s
        self.faults = Faults(plan, self.clock, self.history, elapsed_s, seed)

    async def handle(self, request: Request) -> Response:
        body = await collect(request.chunks())
        await self.clock.sleep(self._took_s)
        self.seen.append((self.clock.monotonic_s(), request.path, body))
        if request.streams_answer:
            self.answers.append(Whole(BODY))
            return Response(200, headers=(("Content-Length", "1000"),), stream=self.answers[-1])
        return Response(200, CLAIM)

    def port(self, process: str = "alpha") -> RecordingPort:
        port = self.faults.port(DirectPort(self.handle), process)
        return RecordingPort(port, self.history, process, self.clock.monotonic_s)

    def run(self, main: Callable[[], Awaitable[Any]]) -> Any:
        return trio.run(main, clock=self.clock)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.history.lines()]

    def polls(self, count: int, process: str = "alpha") -> list[str]:
        """Poll so often, a second apart, and return how each poll ended for the agent."""

        async def main() -> list[str]:
            port = self.port(process)
            ends = []
            for _ in range(count):
                ends.append(await ended(port, POLL))
                await self.clock.sleep(1)
            return ends

        return list(self.run(main))


async def ended(port: RecordingPort, request: Request) -> str:
    try:
        response = await port.send(request)
    except NoReply as error:
        return "refused" if error.definite else "lost"
    return "ok" if response.body == CLAIM else f"{response.status} {response.body[:12]!r}"


def test_without_a_fault_that_selects_it_an_exchange_is_as_ever() -> None:
    """The faulty port passes everything on, and says nothing."""
    scene = Scene("drop_reply poll beta")

    assert scene.polls(2) == ["ok", "ok"]
    assert [line["type"] for line in scene.lines()] == ["invoke", "ok", "invoke", "ok"]


def test_a_lost_reply_is_told_from_a_lost_request() -> None:
    """The sender sees the same of both; the history says what the master did."""
    scene = Scene("drop_reply poll#1", "drop_request poll#2")

    assert scene.polls(3) == ["lost", "lost", "ok"]

    assert len(scene.seen) == 2
    begin, fault, end = scene.lines()[:3]
    assert (begin["type"], end["type"], end["invoke"]) == ("invoke", "info", 0)
    assert fault == {
        "index": 1,
        "time": 0.0,
        "type": "info",
        "process": "alpha",
        "f": "poll",
        "fault": "drop_reply poll#1",
        "action": "drop_reply",
        "note": "the reply was lost",
        "of": 0,
        "reached": True,
        "status": 200,
        "body": {"code": "OK", "data": {"command": {"id": 7}}},
    }
    lost = scene.lines()[4]
    assert (lost["action"], lost["of"], lost["reached"]) == ("drop_request", 3, False)
    assert "status" not in lost


def test_only_the_addressed_exchange_is_lost() -> None:
    """`poll#2-3 alpha` is the second and the third of alpha's polls, whatever else alpha asks."""
    scene = Scene("drop_request poll#2-3 alpha")

    async def main() -> list[str]:
        alpha, beta = scene.port("alpha"), scene.port("beta")
        asked = [(alpha, POLL), (beta, POLL), (alpha, BEAT), (alpha, POLL), (beta, POLL)]
        return [await ended(*one) for one in [*asked, (alpha, POLL), (alpha, POLL)]]

    assert scene.run(main) == ["ok", "ok", "ok", "lost", "ok", "lost", "ok"]


def test_every_third_of_all_processes_is_counted_together() -> None:
    """Counting is a fault's own, not each agent's."""
    scene = Scene("drop_reply every 3 of poll")

    async def main() -> list[str]:
        ports = [scene.port(name) for name in ("a", "b", "c")]
        return [await ended(port, POLL) for port in (*ports, *ports)]

    assert scene.run(main) == ["ok", "ok", "lost", "ok", "ok", "lost"]


def test_a_partition_lasts_from_its_beginning_to_its_end() -> None:
    """From is inside, until is not; the master hears nothing meanwhile."""
    scene = Scene("partition to_master from 2s until 4s")

    assert scene.polls(6) == ["ok", "ok", "lost", "lost", "ok", "ok"]
    assert [at for at, _, _ in scene.seen] == [0, 1, 4, 5]


def test_a_one_way_partition_from_the_master_lets_requests_through() -> None:
    """The master does what it is asked, and nobody hears of it."""
    scene = Scene("partition from_master until 2s")

    assert scene.polls(3) == ["lost", "lost", "ok"]
    assert len(scene.seen) == 3


def test_a_sender_may_wait_for_what_is_lost() -> None:
    """`after` is how long the connection stays silent before it breaks."""
    scene = Scene("drop_reply poll#1 after=30s")

    scene.polls(1)

    assert [line["time"] for line in scene.lines()] == [0, 0, 30]


@pytest.mark.parametrize(
    ("text", "heard_s", "answered_s"),
    [("delay 3s", 3.0, 3.0), ("delay 3s half=reply", 0.0, 3.0)],
)
def test_a_delay_holds_one_half(text: str, heard_s: float, answered_s: float) -> None:
    """The request reaches the master late, or the reply its sender."""
    scene = Scene(text)

    assert scene.polls(1) == ["ok"]
    assert scene.seen[0][0] == heard_s
    assert scene.lines()[-1]["time"] == answered_s


def test_a_random_delay_is_within_its_limits_and_the_same_for_a_seed() -> None:
    """It is drawn from the fault's own stream."""

    def times(seed: int) -> list[float]:
        scene = Scene("delay 1s up_to=5s", seed=seed)
        scene.polls(20)
        return [line["time"] for line in scene.lines()]

    waits = [end - begin for begin, end in zip(times(1)[::3], times(1)[2::3], strict=True)]
    assert all(1 <= wait <= 5 for wait in waits)
    assert max(waits) - min(waits) > 1
    assert times(1) == times(1) != times(2)


def test_a_share_is_met_and_moves_nobody_elses_draws() -> None:
    """5% are about 5%; which ones does not depend on other agents or other faults."""

    def lost(*texts: str, others: int = 0) -> list[int]:
        scene = Scene(*texts, seed=4)

        async def main() -> list[int]:
            alpha = scene.port("alpha")
            found = []
            for number in range(1000):
                for other in range(others):
                    await ended(scene.port(f"other-{other}"), POLL)
                if await ended(alpha, POLL) == "lost":
                    found.append(number)
            return found

        return list(scene.run(main))

    alone = lost("drop_request 5% of poll")
    assert 30 <= len(alone) <= 70
    assert lost("drop_request 5% of poll", others=2) == alone
    assert lost("delay 1s 50%", "drop_request 5% of poll") == alone


def test_a_duplicate_arrives_twice_and_is_answered_once() -> None:
    """The second answer is nobody's; the history keeps it."""
    scene = Scene("duplicate heartbeat")

    async def count(request: Request) -> Response:
        await scene.handle(request)
        return Response(200, str(len(scene.seen)).encode())

    async def main() -> bytes:
        port = scene.faults.port(DirectPort(count), "alpha")
        recorded = RecordingPort(port, scene.history, "alpha", scene.clock.monotonic_s)
        return (await recorded.send(BEAT)).body

    assert scene.run(main) == b"1"
    assert scene.lines()[1]["body"] == 2
    assert [body for _, _, body in scene.seen] == [BEAT.body, BEAT.body]
    assert [line.get("action") for line in scene.lines()] == [None, "duplicate", None]


def test_a_streamed_request_is_not_duplicated() -> None:
    """It can be sent once; the history says why it was not."""
    scene = Scene("duplicate")

    async def main() -> None:
        await scene.port().send(Request("PUT", "/a", stream=Whole(b"abc")))

    scene.run(main)
    assert len(scene.seen) == 1
    assert "streamed" in scene.lines()[1]["note"]


@pytest.mark.parametrize(
    ("half", "order", "answered"),
    [
        ("request", ["heartbeat", "poll"], ["beat", "poll"]),
        ("reply", ["poll", "heartbeat"], ["beat", "poll"]),
    ],
)
def test_a_later_exchange_overtakes_one_half(
    half: str, order: list[str], answered: list[str]
) -> None:
    """The poll is held until the heartbeat that began after it is over."""
    scene = Scene(f"reorder half={half} poll")
    ends: list[str] = []

    async def send(name: str, request: Request, after_s: float) -> None:
        await scene.clock.sleep(after_s)
        await scene.port().send(request)
        ends.append(name)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, "poll", POLL, 0.0)
            nursery.start_soon(send, "beat", BEAT, 1.0)

    scene.run(main)
    assert [path.rpartition("/")[2] for _, path, _ in scene.seen] == order
    assert ends == answered
    assert scene.clock.monotonic_s() == 1.0


def test_an_exchange_that_began_before_overtakes_nothing() -> None:
    """What was under way when the poll was held does not let it go."""
    scene = Scene("reorder poll within=9s", took_s=2.0)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.port().send, BEAT)
            await scene.clock.sleep(1)
            nursery.start_soon(scene.port().send, POLL)

    scene.run(main)
    assert "nothing overtook it" in next(line["note"] for line in scene.lines() if "fault" in line)
    assert scene.clock.monotonic_s() == 12.0


def test_what_was_overtaken_once_waits_for_the_next() -> None:
    """An exchange lets go what was held before it began, and nothing that was held later."""
    scene = Scene("reorder poll within=9s", took_s=2.0)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.port().send, POLL)
            await scene.clock.sleep(1)
            nursery.start_soon(scene.port().send, BEAT)  # lets the first poll go at 3 s
            await scene.clock.sleep(1)
            nursery.start_soon(scene.port().send, POLL)

    scene.run(main)
    notes = [(line["time"], line["note"]) for line in scene.lines() if "fault" in line]
    assert notes == [
        (3.0, "the request was overtaken by a later exchange"),
        (11.0, "the request was held, and nothing overtook it"),
    ]


def test_a_reset_in_a_reply_is_a_broken_stream_or_no_reply() -> None:
    """Whoever takes the answer piece by piece gets half of it first."""
    scene = Scene("reset")

    async def main() -> int:
        assert await ended(scene.port(), POLL) == "lost"
        response = await scene.port().send(LONG)
        size = 0
        try:
            async for part in response.chunks():
                size += len(part)
        except BodyCutError:
            return size
        finally:
            await response.chunks().aclose()
        return -1

    assert scene.run(main) == 500
    assert len(scene.seen) == 2
    assert [line["type"] for line in scene.lines() if "invoke" in line] == ["info", "info"]


def test_a_reset_in_a_request_gives_the_master_half_a_body() -> None:
    """Which is no request: the sender cannot know, and the history says that it did not arrive."""
    scene = Scene("reset half=request")
    source = Whole(BODY)

    async def main() -> None:
        assert await ended(scene.port(), BEAT) == "lost"
        assert await ended(scene.port(), POLL) == "lost"
        assert await ended(scene.port(), Request("PUT", "/a", stream=source)) == "lost"

    scene.run(main)
    assert scene.seen == []
    assert [line["reached"] for line in scene.lines() if "fault" in line] == [False] * 3


def test_a_garbled_reply_is_no_json_and_says_nothing() -> None:
    """The master's true answer is kept beside it."""
    scene = Scene("garble")

    async def main() -> Response:
        return await scene.port().send(POLL)

    response = scene.run(main)
    assert len(response.body) == len(CLAIM)
    with pytest.raises(ValueError, match="utf-8"):
        json.loads(response.body)
    _, fault, end = scene.lines()
    assert fault["body"]["data"]["command"]["id"] == 7
    assert end["type"] == "info"


def test_a_garbled_request_reaches_the_master_so() -> None:
    """Its length stays, its bytes do not; a streamed one is changed too."""
    scene = Scene("garble half=request")

    async def main() -> None:
        await scene.port().send(BEAT)
        await scene.port().send(Request("PUT", "/a", stream=Whole(BODY)))

    scene.run(main)
    bodies = [body for _, _, body in scene.seen]
    assert [len(body) for body in bodies] == [len(BEAT.body), len(BODY)]
    assert all(body[0] >= 0x80 for body in bodies)
    assert sum(byte >= 0x80 for byte in bodies[1]) == 16


def test_a_proxys_answer_takes_the_place_of_the_masters() -> None:
    """With `reached` the master did it all the same; its answer is in the history."""
    scene = Scene("answer 503 poll#1", "answer 504 reached=yes poll#2 body=late")

    # the second fault counts the first exchange too: it selected it, and was not reached
    assert scene.polls(2) == ["503 b'<html><body>'", "504 b'late'"]
    assert len(scene.seen) == 1
    faults = [line for line in scene.lines() if "fault" in line]
    assert [(one["reached"], one.get("status")) for one in faults] == [(False, None), (True, 200)]
    assert [line["type"] for line in scene.lines() if "invoke" in line] == ["info", "info"]


@pytest.mark.parametrize("status", [200, 404])
def test_a_proxys_answer_says_nothing_about_the_request(status: int) -> None:
    """Whatever its status: it ends the exchange as one of which nobody knows."""
    scene = Scene(f"answer {status}")

    scene.polls(1)

    end = scene.lines()[-1]
    assert (end["type"], end["status"]) == ("info", status)


def test_the_first_of_a_plan_stands_next_to_the_sender() -> None:
    """A delay before a loss is felt by the sender; the request is lost all the same."""
    scene = Scene("delay 2s", "drop_request after=1s")

    assert scene.polls(1) == ["lost"]
    assert [line.get("action") for line in scene.lines()] == [None, "delay", "drop_request", None]
    assert [line["time"] for line in scene.lines()] == [0, 0, 2, 3]


def test_bodies_are_let_go_whatever_happens() -> None:
    """A lost request closes its stream, a lost reply the answer's."""
    source = Whole(BODY)
    lost = Scene("drop_request")

    async def request() -> None:
        with pytest.raises(Lost):
            await lost.port().send(Request("PUT", "/a", stream=source))

    lost.run(request)
    assert source._left == []

    replies = Scene("drop_reply")

    async def reply() -> None:
        with pytest.raises(Lost):
            await replies.port().send(LONG)

    replies.run(reply)
    assert replies.answers[0]._left == []


def test_what_acted_is_counted_by_its_name() -> None:
    """A fault that never acted is missing there, so that a slip in a plan shows."""
    scene = Scene("drop_reply poll", "drop_reply poll", "drop_reply result")

    scene.polls(2)

    assert dict(scene.faults.done) == {"drop_reply poll": 2, "drop_reply poll (2)": 2}
