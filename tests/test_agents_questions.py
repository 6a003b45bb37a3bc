"""Commands that are one call: questions, deletions, and what an agent cannot make sense of."""

import pytest
from test_agents_fakes import DIRECT, Arm, both
from test_agents_work import result_failed, sent_by, succeeded

from simulated_agents.plan import Outcome, WorkPlan

QUESTIONS = {
    "a directory": (
        "list_dir",
        {"path": "/data//archive/"},
        {
            "entries": [
                {
                    "name": "2024.tar",
                    "path": "/data/archive/2024.tar",
                    "isDir": False,
                    "size": 68_157_440,
                },
                {
                    "name": "2025.tar",
                    "path": "/data/archive/2025.tar",
                    "isDir": False,
                    "size": 73_400_320,
                },
            ]
        },
    ),
    "an empty directory": ("list_dir", {"path": "/home/ben"}, {"entries": []}),
    "databases": ("discover_db", {"type": "MySQL"}, {"databases": ["orders", "shop"]}),
    "a deletion": (
        "delete_storage_object",
        {"storagePath": "a/b", "targetType": "s3", "targetConfig": {"k": 1}},
        {"deleted": True},
    ),
}


@both
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_with_one_call(arm: Arm, name: str) -> None:
    """Nothing but the result is sent."""
    kind, payload, result = QUESTIONS[name]

    assert sent_by(arm, kind, payload) == [succeeded(result)]


def test_a_listing_has_directories_first() -> None:
    """Then by name; a directory has no size."""
    sent = sent_by(DIRECT, "list_dir", {"path": "/data"})

    entries = sent[0][2]["result"]["entries"]
    assert [(entry["name"], entry["isDir"]) for entry in entries] == [
        ("archive", True),
        ("photos", True),
        ("invoices.db", False),
        ("notes.txt", False),
    ]


BROKEN = WorkPlan(outcome=Outcome.FAILURE, error="denied")
REFUSED = {
    "an unknown type": ("shred", {}, {}, "unknown command type: shred"),
    "a missing directory": (
        "list_dir",
        {"path": "/none"},
        {},
        "read dir: open /none: no such file or directory",
    ),
    "a closed directory": (
        "list_dir",
        {"path": "/etc"},
        {"work": BROKEN},
        "read dir: open /etc: permission denied",
    ),
    "an unknown database": (
        "discover_db",
        {"type": "db2"},
        {},
        "unsupported database type: db2",
    ),
    "a closed database": (
        "discover_db",
        {"type": "postgresql"},
        {"work": BROKEN},
        "连接 PostgreSQL 失败：denied",
    ),
    "a deletion of nothing": (
        "delete_storage_object",
        {"storagePath": "  "},
        {},
        "storagePath is required",
    ),
    "a deletion that fails": (
        "delete_storage_object",
        {"storagePath": "a"},
        {"work": BROKEN},
        "delete object: denied",
    ),
    "a restore of nothing": ("restore_record", {}, {}, "restoreRecordId is required"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_command_that_comes_to_nothing(name: str) -> None:
    """One failed result, and no other call."""
    kind, payload, setting, error = REFUSED[name]

    assert sent_by(DIRECT, kind, payload, **setting) == [result_failed(error)]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("run_task", {"taskId": "7"}),
        ("run_task", {"taskId": -1}),
        ("run_task", []),
        ("restore_record", {"restoreRecordId": 1.5}),
        ("list_dir", {"path": 7}),
        ("discover_db", "mysql"),
        ("delete_storage_object", {"storagePath": None, "targetType": 5}),
    ],
)
def test_a_payload_that_makes_no_sense(kind: str, payload: object) -> None:
    """It is refused with the reason, and nothing is begun."""
    (sent,) = sent_by(DIRECT, kind, payload)

    assert sent[2]["success"] is False
    assert sent[2]["errorMessage"].startswith("invalid payload: ")
