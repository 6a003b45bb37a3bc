"""What an agent asked, as scenarios look at it."""

import msgspec
import pytest

from harness.heard import Heard, far_apart, in_order
from harness.history import History, OpType
from harness.redact import Redactor
from master.protocol.exchange import Request, Response

POLL = Request("POST", "/api/agent/commands/poll")
BEAT = Request("POST", "/api/agent/heartbeat", body=b'{"hostname":"a"}')
RESULT = Request("POST", "/api/agent/commands/7/result")


def given(command: object) -> Response:
    return Response(200, msgspec.json.encode({"data": {"command": command}}))


class Story:
    """A history that is written by hand."""

    def __init__(self) -> None:
        self.history = History(Redactor())

    def call(self, request: Request, answer: Response | str, at_s: float = 0.0) -> None:
        invoke = self.history.invoke(at_s, "alpha", request)
        self.history.end(at_s, invoke, OpType.OK, answer)

    @property
    def calls(self) -> list[dict[str, object]]:
        return Heard(self.history, "alpha").calls


def test_an_agent_is_busy_from_its_command_to_its_result() -> None:
    """Busy is what calls after the poll that brought a command, until the result is over."""
    story = Story()
    for request, answer in (
        (POLL, given(None)),
        (POLL, given({"id": 7})),
        (BEAT, Response(200)),
        (RESULT, Response(200)),
        (POLL, given(None)),
    ):
        story.call(request, answer)

    assert [call["busy"] for call in story.calls] == [False, False, True, True, False]


def test_a_lost_result_is_over_too() -> None:
    """Whoever gets no answer to a result has tried: it is not busy with it any more."""
    story = Story()
    story.call(POLL, given({"id": 7}))
    story.call(RESULT, "no reply: lost")
    story.call(POLL, given(None))

    assert [call["busy"] for call in story.calls] == [False, True, False]


def test_a_result_under_another_id_leaves_it_busy() -> None:
    """The command that it had is still unanswered."""
    story = Story()
    story.call(POLL, given({"id": 8}))
    story.call(RESULT, Response(200))
    story.call(POLL, given(None))

    assert [call["busy"] for call in story.calls] == [False, True, True]


def test_a_new_process_has_nothing_in_its_hands() -> None:
    """What a killed process had is lost."""
    story = Story()
    story.call(POLL, given({"id": 7}))
    story.history.note(1.0, "alpha", "crashed")
    story.call(POLL, given(None))

    assert [call["busy"] for call in story.calls] == [False, False]


def test_open_calls_stand_beside_a_later_one() -> None:
    """A call names those of its agent that had no answer yet, and nobody else's."""
    story = Story()
    history = story.history
    poll = history.invoke(0.0, "alpha", POLL)
    history.invoke(0.0, "beta", BEAT)
    beat = history.invoke(1.0, "alpha", BEAT)
    history.end(2.0, poll, OpType.OK, given(None))
    history.end(2.0, beat, OpType.OK, Response(200))
    story.call(POLL, given(None), 3.0)

    assert [call["beside"] for call in story.calls] == [[], ["poll"], []]


def test_a_call_shows_what_was_sent_and_answered() -> None:
    """Its body as a value and as text, its answer, and no status where none came."""
    story = Story()
    story.call(BEAT, Response(401, b'{"code":"X"}'))
    story.call(POLL, "no reply: refused")

    first, second = story.calls

    assert (first["op"], first["sent"], first["body"]) == (
        "heartbeat",
        {"hostname": "a"},
        '{"hostname":"a"}',
    )
    assert (first["status"], first["answer"]) == (401, {"code": "X"})
    assert second["status"] is None
    assert "sent" not in second


@pytest.mark.parametrize(
    ("times", "seen"),
    [
        ((0, 15, 30, 45), None),
        ((0, 14, 33, 45), None),
        ((0, 18, 36), None),
        ((0, 10, 20, 30), "4 calls, 10.000 s apart on average"),
        ((0, 20, 40), "3 calls, 20.000 s apart on average"),
        ((0, 15), "2 calls"),
    ],
)
def test_calls_are_as_far_apart_as_said(times: tuple[float, ...], seen: str | None) -> None:
    """Their mean distance counts, within a quarter, and two of them show nothing."""
    mismatch = far_apart([{"at": time} for time in times], 15.0, 0.0)

    assert (mismatch and mismatch.seen) == seen


def test_slack_is_spread_over_all_gaps() -> None:
    """A late first or last call moves the mean by its share alone."""
    calls = [{"at": time} for time in (0.0, 1.5, 3.0)]

    assert far_apart(calls, 1.0, 0.6) is None
    assert far_apart(calls, 1.0, 0.4) is not None


def test_things_come_one_behind_the_other() -> None:
    """Others may be between them; one that is not behind the last is named with its number."""
    items = [{"op": one} for one in ("poll", "task_spec", "poll", "result")]

    assert in_order([{"op": "poll"}, {"op": "result"}], items, "calls") is None
    assert in_order([], items, "calls") is None

    mismatch = in_order([{"op": "poll"}, {"op": "result"}, {"op": "task_spec"}], items, "calls")

    assert mismatch is not None
    assert mismatch.expected == 'one like {"op": "task_spec"} behind [3], number 3 in order'
