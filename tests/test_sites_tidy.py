"""What a play has made is known by what the server answered, and nothing else is."""

import pytest

from harness.history import History, OpType
from harness.redact import Redactor
from harness.sites.tidy import made_in
from master.protocol.exchange import Request, Response


def _answered(path: str, body: str, status: int = 200) -> History:
    history = History(Redactor())
    asked = history.invoke(0.0, "admin", Request("POST", path, {}, b""))
    history.end(0.1, asked, OpType.OK, Response(status, body.encode()))
    return history


@pytest.mark.parametrize(
    ("path", "data", "made"),
    [
        ("/api/backup/tasks", '{"id":3}', {"tasks": {3}}),
        ("/api/backup/tasks/3/run", '{"id":8,"taskId":3}', {"backup records": {8}}),
        ("/api/backup/tasks/batch/run", '[{"id":3,"success":true}]', {}),
        ("/api/backup/records/8/restore", '{"id":9,"taskId":3}', {"restore records": {9}}),
        ("/api/nodes/batch", '[{"id":4},{"id":5}]', {"nodes": {4, 5}}),
        ("/api/agent/heartbeat", '{"nodeId":4,"status":"ok"}', {"nodes": {4}}),
        ("/api/api-keys", '{"apiKey":{"id":2},"plainKey":"k"}', {"API keys": {2}}),
    ],
)
def test_answers_tell_what_was_made(path: str, data: str, made: dict[str, set[int]]) -> None:
    """An id is one of what the path makes; a run of many names tasks that others may have too."""
    history = _answered(path, f'{{"code":"OK","message":"success","data":{data}}}')

    assert made_in(history).ids == made


def test_what_was_refused_made_nothing() -> None:
    """An answer that is no success has made nothing, whatever is in it."""
    assert made_in(_answered("/api/backup/tasks", '{"data":{"id":3}}', status=400)).ids == {}
