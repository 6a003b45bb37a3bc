"""Histories: what is written of an exchange, in which order, and what never is."""

import json
from typing import Any

import pytest
import trio

from harness.history import History, OpType, RecordingPort, operation, reply_type
from harness.redact import REDACTED, Redactor
from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply


class Canned:
    """A port that answers with the next of some answers, or raises it."""

    def __init__(self, *answers: Response | Exception) -> None:
        self._answers = list(answers)

    async def send(self, _: Request) -> Response:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def lines(history: History) -> list[dict[str, Any]]:
    return [json.loads(line) for line in history.lines()]


def test_an_exchange_is_an_invoke_and_its_end() -> None:
    """Both sides are written, bound together, with the operation's name."""
    history = History(Redactor())
    port = RecordingPort(Canned(Response(200, b'{"code":"OK"}')), history, "alpha", lambda: 1.5)

    trio.run(port.send, Request("POST", "/api/agent/commands/poll"))

    first, second = lines(history)
    assert first == {
        "index": 0,
        "time": 1.5,
        "type": "invoke",
        "process": "alpha",
        "f": "poll",
        "request": "POST /api/agent/commands/poll",
        "body": None,
    }
    assert second == {
        "index": 1,
        "time": 1.5,
        "type": "ok",
        "process": "alpha",
        "f": "poll",
        "invoke": 0,
        "status": 200,
        "body": {"code": "OK"},
    }


@pytest.mark.parametrize(("definite", "kind"), [(True, "fail"), (False, "info")])
def test_no_reply_is_fail_only_when_that_is_certain(definite: bool, kind: str) -> None:
    """A refused connection did nothing; a lost reply may have."""
    history = History(Redactor())
    port = RecordingPort(Canned(NoReply("gone", definite=definite)), history, "a", lambda: 0.0)

    with pytest.raises(NoReply):
        trio.run(port.send, Request("GET", "/x"))

    assert [line["type"] for line in lines(history)] == ["invoke", kind]


def test_a_call_that_was_given_up_is_unknown() -> None:
    """Whether a cancelled request took effect, nobody knows."""
    history = History(Redactor())

    class Silent:
        async def send(self, _: Request) -> Response:
            await trio.sleep_forever()
            raise AssertionError

    async def main() -> None:
        with trio.move_on_after(0):
            await RecordingPort(Silent(), history, "a", lambda: 0.0).send(Request("GET", "/x"))

    trio.run(main)

    assert [line["type"] for line in lines(history)] == ["invoke", "info"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"{}", OpType.OK),
        (301, b"", OpType.OK),
        (400, b"", OpType.FAIL),
        (404, b'{"code":"NOT_FOUND"}', OpType.FAIL),
        (504, b'{"code":"AGENT_COMMAND_TIMEOUT"}', OpType.FAIL),
        (500, b'{"code":"INTERNAL_ERROR"}', OpType.INFO),
        (500, b"", OpType.INFO),
        (502, b"<html>", OpType.INFO),
    ],
)
def test_an_answer_says_whether_its_request_took_effect(
    status: int, body: bytes, kind: OpType
) -> None:
    """What the registry calls definite did not happen; other server errors leave it open."""
    assert reply_type(Response(status, body)) is kind


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/api/agent/heartbeat", "heartbeat"),
        ("POST", "/api/agent/commands/7/result", "result"),
        ("GET", "/api/agent/tasks/7", "task_spec"),
        ("POST", "/api/agent/records/7", "update_record"),
        ("GET", "/api/agent/restores/7/spec", "restore_spec"),
        ("POST", "/api/agent/restores/7", "update_restore"),
        ("GET", "/api/v1/agent/self", "self"),
        ("GET", "/api/nodes", "GET /api/nodes"),
    ],
)
def test_operations_have_names(method: str, path: str, name: str) -> None:
    """An agent's calls are named by what they do, all others by what they are."""
    assert operation(Request(method, path)) == name


SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "value",
    [
        {"token": SECRET},
        {"newToken": SECRET},
        {"a": [{"dbPassword": SECRET}]},
        {"PASSWORD": SECRET},
        {"config": {"basePath": "/x", "secretAccessKey": SECRET, "other": SECRET}},
        {"targetConfig": {"user": SECRET}},
        {"plainKey": SECRET},
    ],
)
def test_the_keys_of_secrets_are_redacted(value: Any) -> None:
    """Wherever they stand, and whatever their case."""
    assert SECRET not in json.dumps(Redactor().value(value))


def test_known_secrets_are_found_in_any_text() -> None:
    """In keys, in sentences, in bodies that are no JSON."""
    history = History(Redactor())
    history.redactor.learn(SECRET)
    request = Request("POST", f"/x/{SECRET}", {}, f"no json {SECRET}".encode(), f"q={SECRET}")
    history.end(0, history.invoke(0, "a", request), OpType.INFO, f"lost {SECRET}")
    history.note(0, "a", f"a note {SECRET}")
    answer = Response(200, json.dumps({"message": f"is {SECRET}", SECRET: 1}).encode())
    history.end(0, history.invoke(0, "a", Request("GET", "/")), OpType.OK, answer)

    written = b"".join(history.lines()).decode()

    assert SECRET not in written
    assert written.count(REDACTED) >= 6


def test_secrets_of_a_query_and_of_a_form_are_redacted() -> None:
    """Nobody should put them there; who does is recorded without them, and so is who repeats them."""
    history = History(Redactor())
    request = Request(
        "POST", "/api/nodes", {}, b"a=1&password=hunter22", "page=2&Token=hush%2Fhush"
    )
    history.redactor.learn_request(request)
    history.invoke(0.0, "alpha", request)

    (line,) = lines(history)

    assert line["request"] == f"POST /api/nodes?page=2&Token={REDACTED}"
    assert line["body"] == f"a=1&password={REDACTED}"
    assert history.redactor.text("no hush/hush here") == f"no {REDACTED} here"
    assert history.redactor.text("list?path=/token=1") == "list?path=/token=1"


def test_what_is_no_secret_stays() -> None:
    """Redaction leaves everything else, and short words, alone."""
    redactor = Redactor()
    redactor.learn("abc")
    value = {"token": "", "config": {"basePath": "/backup"}, "path": "abc", "n": 1, "null": None}

    assert redactor.value(value) == value


def test_a_text_that_was_clean_is_looked_at_again_when_a_secret_is_learned() -> None:
    """What is remembered of texts holds for the secrets that were known then."""
    redactor = Redactor()
    assert redactor.text("with hushhush in it") == "with hushhush in it"

    redactor.learn("hushhush")

    assert redactor.text("with hushhush in it") == f"with {REDACTED} in it"
