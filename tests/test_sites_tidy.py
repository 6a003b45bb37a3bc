"""What a play has made on a server, and is removed there again."""

import json
from typing import Any

from harness.history import History
from harness.redact import Redactor
from harness.sites.notes import Tally
from harness.sites.tidy import made_in
from master.protocol.exchange import Request, Response


def history_of(*exchanges: tuple[str, str, int, Any]) -> History:
    """Return a history of calls with what each was answered."""
    history = History(Redactor())
    for method, path, status, data in exchanges:
        body = json.dumps({"code": "OK", "data": data}).encode()
        invoke = history.invoke(0.0, "admin", Request(method, path))
        history.end(0.0, invoke, "ok", Response(status, body))  # type: ignore[arg-type]
    return history


def test_what_was_made_is_known_by_its_answer() -> None:
    """Whatever became of it later."""
    history = history_of(
        ("POST", "/api/agent/heartbeat", 200, {"name": "a", "nodeId": 2, "status": "ok"}),
        ("POST", "/api/nodes/batch", 200, [{"id": 3, "name": "b"}, {"id": 4, "name": "c"}]),
        ("POST", "/api/storage-targets", 200, {"id": 5}),
        ("POST", "/api/backup/tasks", 200, {"id": 6, "nodeId": 60, "storageTargetId": 61}),
        ("POST", "/api/users", 200, {"id": 7}),
        ("POST", "/api/api-keys", 200, {"apiKey": {"id": 8}, "plainKey": "bax_"}),
    )

    assert made_in(history).ids == {
        "nodes": {2, 3, 4},
        "storage targets": {5},
        "tasks": {6},
        "users": {7},
        "API keys": {8},
    }


def test_what_others_made_is_not_taken_for_ours() -> None:
    """An id in an answer is that of a thing made only where the call makes one."""
    history = history_of(
        ("POST", "/api/backup/tasks/batch/run", 200, [{"id": 6, "success": True}]),
        ("POST", "/api/backup/tasks/6/run", 200, {"id": 60, "taskId": 6}),
        ("POST", "/api/backup/tasks", 400, {"id": 9}),
        ("GET", "/api/backup/tasks", 200, [{"id": 1}, {"id": 2}]),
        ("PUT", "/api/users", 200, {"id": 1}),
        ("POST", "/api/users", 200, None),
        ("POST", "/api/users", 200, {"id": "1"}),
    )

    assert made_in(history).ids == {}


def test_what_stays_is_counted_once() -> None:
    """However often it was tried, with what the server said."""
    tally, again = Tally(), Tally()
    for one in (tally, again):
        one.leave("storage targets", 5, "STORAGE_TARGET_IN_USE")
    again.leave("storage targets", 6, "STORAGE_TARGET_IN_USE")
    tally.add(again)

    assert tally.left_counts == {"storage targets": 2}
    assert tally.reasons == ["storage targets: STORAGE_TARGET_IN_USE"]
