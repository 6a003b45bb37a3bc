"""What the lanes show of a history: rows, spans, breaks, and what the master did by itself."""

from typing import Any

import msgspec
import pytest

from harness.history import History, OpType
from harness.redact import Redactor
from harness.reports.timeline import LABEL_LENGTH, Timeline
from master.protocol.exchange import Request, Response

POLL = Request("POST", "/api/agent/commands/poll")
BEAT = Request("POST", "/api/agent/heartbeat")
RECORD = Request("GET", "/api/backup/records/1")
RECORDS = Request("GET", "/api/backup/records")
NODE = Request("GET", "/api/nodes/2")
UPDATE = Request("POST", "/api/agent/records/1", {}, b'{"status":"failed"}')


def ok(data: Any) -> Response:
    return Response(200, msgspec.json.encode({"code": "OK", "message": "success", "data": data}))


def claims(command: int) -> Response:
    return ok({"command": {"id": command, "type": "run_task", "payload": {}}})


def result_of(command: int) -> Request:
    return Request("POST", f"/api/agent/commands/{command}/result", {}, b'{"success":true}')


@pytest.fixture
def history() -> History:
    return History(Redactor())


def exchange(history: History, time_s: float, who: str, request: Request, answer: Response) -> None:
    history.end(time_s, history.invoke(time_s, who, request), OpType.OK, answer)


def shown(history: History, idle_s: float = 10.0) -> list[tuple[str, str, str, str]]:
    return [(row.lane, row.kind, row.tag, row.label) for row in Timeline(history, idle_s).rows]


def test_an_exchange_at_one_moment_is_one_row(history: History) -> None:
    """It says what was asked and what came of it."""
    exchange(history, 1.0, "alpha", POLL, claims(7))
    exchange(history, 1.0, "alpha", POLL, ok({"command": None}))
    exchange(history, 1.0, "alpha", result_of(7), Response(404, b'{"code":"GONE"}'))

    assert shown(history) == [
        ("alpha", "exchange", "claim", "poll → claims run_task 7"),
        ("alpha", "exchange", "poll", "poll → nothing to do"),
        ("alpha", "exchange", "result", "result of command 7: success → 404 GONE"),
    ]


def test_an_exchange_that_takes_time_is_two_rows(history: History) -> None:
    """They know each other, a span joins them, and the first one holds the answer too."""
    invoke = history.invoke(1.0, "alpha", POLL)
    exchange(history, 2.0, "beta", BEAT, ok({}))
    history.end(3.0, invoke, OpType.INFO, "no reply: cut")
    timeline = Timeline(history, 10.0)
    begin, _, end = timeline.rows

    assert [row.kind for row in timeline.rows] == ["begin", "exchange", "end"]
    assert (begin.mate, end.mate, begin.answer) == (2, 0, end.answer)
    assert timeline.texts[end.answer] == "no reply: cut"
    assert (begin.type, end.type) == ("", "info")
    assert [(one.lane, one.what, one.first, one.last) for one in timeline.spans] == [
        ("alpha", "open", 0, 2)
    ]


def test_an_answer_that_never_came_stays_open(history: History) -> None:
    """To the end of the lanes."""
    history.invoke(1.0, "alpha", POLL)
    exchange(history, 2.0, "beta", BEAT, ok({}))

    assert [(one.what, one.first, one.last) for one in Timeline(history, 10.0).spans] == [
        ("open", 0, 1)
    ]


def test_idle_time_is_a_break(history: History) -> None:
    """From the given length on, with its length; no shorter one."""
    for time_s in (0.0, 9.5, 19.5, 620.5):
        exchange(history, time_s, "alpha", BEAT, ok({}))

    assert [(row.kind, row.label) for row in Timeline(history, 10.0).rows] == [
        ("exchange", "heartbeat → 200"),
        ("exchange", "heartbeat → 200"),
        ("gap", "10"),
        ("exchange", "heartbeat → 200"),
        ("gap", "601"),
        ("exchange", "heartbeat → 200"),
    ]


def test_a_command_is_held_until_its_result(history: History) -> None:
    """By the agent that claimed it, or until that agent dies."""
    exchange(history, 0.0, "alpha", POLL, claims(1))
    exchange(history, 0.0, "beta", POLL, claims(2))
    exchange(history, 1.0, "alpha", result_of(2), ok({}))
    exchange(history, 2.0, "alpha", result_of(1), ok({}))
    history.note(3.0, "beta", "crashed")
    exchange(history, 4.0, "alpha", BEAT, ok({}))

    held = [one for one in Timeline(history, 10.0).spans if one.what == "held"]
    assert [(one.lane, one.first, one.last) for one in held] == [("alpha", 0, 3), ("beta", 1, 4)]


@pytest.mark.parametrize(
    ("down", "up"), [("crashed", "restarted"), ("ended", "started"), ("offline", "online")]
)
def test_a_dead_process_is_shaded(history: History, down: str, up: str) -> None:
    """From the note that it is gone to the one that it is back; for the master as for agents."""
    for who in ("alpha", "master"):
        history.note(0.0, who, "started")
        history.note(1.0, who, down)
        history.note(2.0, who, up)

    assert [(one.lane, one.what, one.first, one.last) for one in Timeline(history, 10.0).spans] == [
        ("alpha", "down", 1, 2),
        ("master", "down", 4, 5),
    ]


def test_a_killed_master_is_shaded_in_its_own_lane(history: History) -> None:
    """Muster notes that it killed and started it; setting its clock is a fault, and no span."""
    exchange(history, 0.0, "alpha", BEAT, ok({}))
    for time_s, text in enumerate(("master killed", "master started", "master's clock set +60 s")):
        history.note(float(time_s), "muster", text)
    timeline = Timeline(history, 10.0)

    assert [(one.lane, one.what, one.first, one.last) for one in timeline.spans] == [
        ("master", "down", 1, 2)
    ]
    assert [(row.lane, row.tag) for row in timeline.rows[1:]] == [
        *(("master", "fault"), ("master", "life"), ("muster", "fault"))
    ]


def test_lanes_stand_in_a_fixed_order(history: History) -> None:
    """muster, admin, strangers, the master, then the agents as people count them."""
    for name in ("alpha-10", "stranger", "alpha-2", "admin", "muster", "beta"):
        history.note(0.0, name, "here")

    assert Timeline(history, 10.0).lanes == [
        *("muster", "admin", "stranger", "master", "alpha-2", "alpha-10", "beta")
    ]


def record(status: str) -> Response:
    return ok({"id": 1, "status": status, "completedAt": "2026-01-01T00:10:30Z"})


def sightings(history: History) -> list[tuple[str, str]]:
    rows = Timeline(history, 1000.0).rows
    return [(row.tag, row.label) for row in rows if row.kind == "sighting"]


def test_what_nobody_asked_for_the_master_did(history: History) -> None:
    """A record seen failed, with only reads, polls and heartbeats since it was seen running."""
    exchange(history, 0.0, "admin", RECORD, record("running"))
    exchange(history, 5.0, "alpha", POLL, ok({"command": None}))
    exchange(history, 5.0, "alpha", BEAT, ok({}))
    exchange(history, 630.0, "admin", RECORD, record("failed"))
    exchange(history, 631.0, "admin", RECORD, record("failed"))

    ((tag, text),) = sightings(history)
    assert tag == "timer"
    assert text == (
        "record 1 seen running → failed: by the master itself, between 0.000 s and 630.000 s"
        " (completedAt 2026-01-01T00:10:30Z)"
    )


def test_what_somebody_may_have_done_is_only_told(history: History) -> None:
    """Also when the request that may have done it is answered late, or the database was changed."""
    exchange(history, 0.0, "admin", RECORD, record("running"))
    exchange(history, 1.0, "alpha", UPDATE, ok({}))
    exchange(history, 2.0, "admin", RECORD, record("failed"))
    late = history.invoke(3.0, "alpha", UPDATE)
    exchange(history, 4.0, "admin", RECORD, record("running"))
    history.end(5.0, late, OpType.INFO, "no reply")
    exchange(history, 6.0, "admin", RECORD, record("failed"))
    history.note(7.0, "muster", "tampered with the database")
    exchange(history, 8.0, "admin", RECORD, record("success"))

    assert [tag for tag, _ in sightings(history)] == ["seen"] * 4
    assert not any("itself" in text for _, text in sightings(history))


def test_a_node_goes_offline_by_the_master_and_online_by_its_heartbeat(history: History) -> None:
    """The one is a timer, the other is not."""
    for time_s, status in ((0.0, "online"), (60.0, "offline"), (61.0, "online")):
        answer = ok({"id": 2, "status": status, "lastSeen": "2026-01-01T00:00:00Z"})
        exchange(history, time_s, "admin", NODE, answer)

    assert [tag for tag, _ in sightings(history)] == ["timer", "seen"]


def test_a_list_tells_only_of_what_is_known(history: History) -> None:
    """On a shared server it may show what belongs to others."""
    items = [{"id": 1, "status": "running"}, {"id": 2, "status": "running"}]
    exchange(history, 0.0, "admin", RECORD, record("running"))
    exchange(history, 1.0, "admin", RECORDS, ok(items))
    exchange(history, 2.0, "admin", RECORDS, ok([{**one, "status": "failed"} for one in items]))

    assert [text[:8] for _, text in sightings(history)] == ["record 1"]


@pytest.mark.parametrize("data", [None, [], {}, {"id": [1], "status": {}}, [{"id": 1}], "x", 7])
def test_answers_of_any_shape_are_looked_at(history: History, data: Any) -> None:
    """A master under test may say anything."""
    exchange(history, 0.0, "admin", RECORD, ok(data))
    exchange(history, 0.0, "alpha", POLL, ok({"command": data}))
    exchange(history, 0.0, "alpha", POLL, Response(200, b"[1"))
    exchange(history, 0.0, "alpha", Request("POST", "/api/agent/records/x", {}, b"[]"), ok(data))

    assert len(Timeline(history, 10.0).rows) == 4


def test_secrets_are_left_out(history: History) -> None:
    """Of names, paths, bodies, answers and notes, by the history's own redactor."""
    secret = "hunter2-hunter2"
    history.redactor.learn(secret)
    request = Request("POST", f"/x/{secret}", {}, f'{{"a":"{secret}","token":"abc"}}'.encode())
    exchange(history, 0.0, secret, request, ok({secret: secret}))
    history.note(1.0, "muster", f"says {secret}")
    timeline = Timeline(history, 10.0)
    everything = str([*timeline.rows, *timeline.lanes, *timeline.texts.chunks()])
    texts = [timeline.texts[number] for number in range(len(timeline.texts))]

    assert secret not in everything + str(texts)
    assert "abc" not in str(texts)


def test_a_long_note_is_whole_when_opened(history: History) -> None:
    """Its row is cut."""
    history.note(0.0, "muster", "x" * 500)
    timeline = Timeline(history, 10.0)

    assert timeline.rows[0].label == "x" * LABEL_LENGTH
    assert timeline.texts[timeline.rows[0].body] == "x" * 500
