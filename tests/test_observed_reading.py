"""Reading histories back: what is written is what is read, and every mistake has its place."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from tales import Tale, begun, recorded, rules

from harness.about import About
from harness.history import History, OpType
from harness.observed.call import NEVER
from harness.observed.reading import HistoryError, Recorded, read, read_lines
from harness.observed.routes import route
from harness.observed.view import View
from harness.redact import Redactor
from master.protocol.exchange import Request, Response

POLL = "POST /api/agent/commands/poll"


def line(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"index": index, "time": 0.0, "type": kind, "process": "alpha", **more}


def lines(*values: Any) -> list[bytes]:
    return [json.dumps(value).encode() + b"\n" for value in values]


def mistakes(given: Iterable[bytes]) -> list[str]:
    with pytest.raises(HistoryError) as caught:
        read_lines(given, "h.jsonl")
    return str(caught.value).splitlines()


def test_a_history_is_read_as_it_was_written() -> None:
    """Calls have both ends, notes their texts, and the first line says what it is of."""
    tale = begun()
    tale.history.about = About(profile="2.0", timings={"command_timeout_s": 5.0}, slack_s=0.5)
    tale.later(2.5)
    tale.note("phase: judge")
    tale.lost_poll("alpha")

    found = recorded(tale.history)

    assert found.about == tale.history.about
    assert [note.text for note in found.notes] == ["phase: judge"]
    last = found.calls[-1]
    assert (last.route.kind, last.process, last.outcome) == ("poll", "alpha", OpType.INFO)
    assert (last.began_s, last.ended_s) == (2.5, NEVER)
    assert found.size == len(tale.history.ops)


def test_credentials_are_told_apart_and_not_shown() -> None:
    """What an answer gave is what a later call shows, by a name that says nothing."""
    tale = begun()

    written = b"".join(tale.history.lines())
    found = recorded(tale.history)

    assert b"token-of-alpha" not in written
    assert b"admin-token" not in written
    (made,) = [call for call in found.calls if call.route.kind == "make_node"]
    (beat,) = [call for call in found.calls if call.route.kind == "heartbeat"]
    assert made.gave["token"] == beat.keys["x-agent-token"]
    assert made.keys["authorization"] != beat.keys["x-agent-token"]


@pytest.mark.parametrize(
    ("headers", "body", "where"),
    [
        ({"x-agent-token": " secret "}, b"", ["x-agent-token"]),
        ({"x-agent-token": "  "}, b"", []),
        ({"authorization": "Bearer secret"}, b"", ["authorization"]),
        ({"authorization": "bearer secret"}, b"", []),
        ({}, b'{"Token":"secret"}', ["body"]),
        ({}, b"{not json, but token", []),
    ],
)
def test_where_a_credential_stands(headers: dict[str, str], body: bytes, where: list[str]) -> None:
    """What counts for none to a master is none here."""
    history = History(Redactor())
    history.invoke(0.0, "a", Request("POST", "/api/agent/heartbeat", headers, body))

    (written,) = history.lines()

    assert list(json.loads(written).get("keys", {})) == where
    assert b"secret" not in written or not where


def test_lines_that_are_asked_for_piece_by_piece_are_the_same() -> None:
    """A recorder that writes while it records names credentials as one that writes at the end."""
    tale = begun("2.0", "alpha", "beta")
    tale.history.about = None
    whole = b"".join(tale.history.lines())

    other = History(Redactor())
    other.ops = tale.history.ops
    pieces = b"".join(b"".join(other.lines([op])) for op in other.ops)

    assert pieces == whole


def test_a_history_of_an_older_version_is_read() -> None:
    """It has no first line of its own and tells no credentials; nobody is held to be anybody."""
    found = read_lines(
        lines(
            line(0, "invoke", f="poll", request=POLL, body=None),
            line(1, "ok", f="poll", invoke=0, status=200, body={"data": {"command": None}}),
        ),
        "h.jsonl",
    )

    assert found.about == About()
    assert not found.keyed
    assert View(found, rules("2.0")).calls[0].node is None


def test_half_a_last_line_is_told_and_no_mistake() -> None:
    """So ends the file of a recorder that was killed."""
    written = [*lines(line(0, "info", note="n"), line(1, "info", note="n")), b'{"index":2,"ti']

    found = read_lines(written, "h.jsonl")

    assert (found.size, found.cut) == (2, "h.jsonl:3")


def test_half_a_line_before_the_last_is_a_mistake() -> None:
    """It was not the end of the recorder that cut it."""
    first, second = lines(line(0, "info", note="n"), line(1, "info", note="n"))

    assert mistakes([first[:-9] + b"\n", second])[0].startswith("h.jsonl:1: expected an operation")


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (line(5, "info", note="n"), "expected operation 1, got 5"),
        (line(1, "info", note="n", time=-1.0), "expected a time of at least 0.0, got -1.0"),
        (line(1, "invoke", note="n"), "expected a request"),
        (line(1, "ok", invoke=7, status=200), "operation 7, which it ends, is not under way"),
        (line(1, "info"), "expected a note, or what it ends"),
        (line(1, "info", note="n", colour="red"), "unknown field `colour`"),
        (line(1, "done", note="n"), "Invalid enum value 'done'"),
        ([1], "Expected `object`, got `array`"),
        (
            line(1, "ok", invoke=0, status=200, process="beta"),
            "expected an operation of 'alpha', which it ends, got 'beta'",
        ),
    ],
)
def test_a_mistake_has_its_place(second: Any, said: str) -> None:
    """It is told with the line's number and what was expected there."""
    first = line(0, "invoke", f="poll", request=POLL, body=None)

    (mistake,) = mistakes(lines(first, second))

    assert mistake.startswith("h.jsonl:2: ")
    assert said in mistake


def test_all_mistakes_are_told_up_to_a_limit() -> None:
    """A file of another kind has one in every line."""
    assert len(mistakes([b"hello\n"] * 100)) == 20
    assert mistakes([]) == ["h.jsonl:1: expected operations, got none"]
    assert mistakes([b"\n"]) == ["h.jsonl:1: expected an operation, got an empty line"]


def test_one_mistake_is_one() -> None:
    """The lines behind it are right."""
    notes = [line(index, "info", note="n") for index in range(6)]
    given = lines(*notes[:2], {**notes[2], "colour": "red"}, notes[3], notes[5])

    assert [one.partition(": ")[0] for one in mistakes(given)] == ["h.jsonl:3", "h.jsonl:5"]


def test_what_a_recorder_says_beside_is_read() -> None:
    """How much of a request's stream went out, and what it stood before."""
    about = {"muster": "history", "version": 1, "recorder": "r", "target": "t", "started": "s"}
    whole = {"streamed": 1, "sha256": "0", "whole": True}
    given = lines(
        about,
        line(0, "invoke", f="x", request="PUT /x", body=whole),
        line(1, "ok", f="x", invoke=0, status=200, body=None, sent=whole),
    )

    assert read_lines(given, "h.jsonl").about.recorder == "r"


def test_a_newer_form_is_refused() -> None:
    """What it means cannot be known."""
    given = lines({"muster": "history", "version": 99}, line(0, "info", note="n"))

    assert mistakes(given) == ["h.jsonl:1: expected a history of version 1, got version 99"]


def test_a_file_is_read_by_its_path(tmp_path: Any) -> None:
    """Mistakes name the path, or what the caller calls it."""
    path = tmp_path / "h.jsonl"
    path.write_bytes(b"no\n")

    with pytest.raises(HistoryError, match="here:1: "):
        read(str(path), "here")


# --- what faults did --------------------------------------------------------------------------------


def polled(tale: Tale) -> Recorded:
    return recorded(tale.history)


def test_a_request_that_never_arrived_did_nothing() -> None:
    """Its sender does not know; the history does."""
    tale = begun()
    poll = tale.begin("alpha", POLL)
    tale.fault(poll, "drop_request", reached=False)
    tale.lose(poll)

    last = polled(tale).calls[-1]

    assert (last.outcome, last.received) == (OpType.FAIL, False)


def test_a_lost_answer_is_known() -> None:
    """What the master said has happened, though its sender did not hear it."""
    tale = begun()
    poll = tale.begin("alpha", POLL)
    tale.fault(poll, "drop_reply", {"command": None}, reached=True)
    tale.lose(poll)

    last = polled(tale).calls[-1]

    assert (last.ok, last.received, last.fields) == (True, False, {"command": None})


def test_what_was_sent_twice_is_two_calls() -> None:
    """Each has its answer."""
    tale = begun()
    poll = tale.begin("alpha", POLL)
    tale.fault(poll, "duplicate", tale.command(2), reached=True)
    tale.end(poll, tale.command(1))

    first, second = polled(tale).calls[-2:]

    assert [one.fields["command"]["id"] for one in (first, second)] == [1, 2]
    assert [one.received for one in (first, second)] == [True, False]


def test_what_was_sent_twice_without_an_answer_may_have_happened() -> None:
    """Nobody knows what became of the second."""
    tale = begun()
    poll = tale.begin("alpha", POLL)
    tale.fault(poll, "duplicate")
    tale.end(poll, tale.command(1))

    second = polled(tale).calls[-1]

    assert (second.outcome, second.end) == (OpType.INFO, -1)


# --- routes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kind", "id_"),
    [
        ("POST /api/agent/records/7", "update_record", 7),
        ("PUT /api/agent/records/7/artifacts/2", "put_artifact", 7),
        ("GET /api/nodes/3/fs/list?path=/x", "list_dir", 3),
        ("GET /api/nodes/x", "GET /api/nodes/x", -1),
        ("GET /api/nodes/99999999999999999999999", "node", -1),
        ("GET /api/nodes", "nodes", -1),
        ("POST /api/nodes", "make_node", -1),
        ("DELETE /api/backup/records/4", "delete_record", 4),
    ],
)
def test_what_a_request_asks_for(asked: str, kind: str, id_: int) -> None:
    """Its name, and the id in its path."""
    found = route(asked)

    assert (found.kind, found.id) == (kind, id_)


def test_bodies_are_read_once() -> None:
    """Equal ones are one value: a fleet says the same all day."""
    tale = begun()
    tale.beat("alpha")

    first, second = [one for one in recorded(tale.history).calls if one.route.kind == "heartbeat"]

    assert first.answer is second.answer


def test_a_call_reads_its_body_as_a_master_does() -> None:
    """The case of keys does not matter, and the last of two counts."""
    history = History(Redactor())
    call = history.invoke(
        0.0, "a", Request("POST", "/api/agent/records/1", {}, b'{"status":"a","STATUS":"b"}')
    )
    history.end(0.0, call, OpType.OK, Response(200, b"{}"))

    (found,) = recorded(history).calls

    assert found.said("status") == "b"
