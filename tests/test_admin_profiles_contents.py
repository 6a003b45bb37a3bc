"""What is in a backup, where a release can tell."""

import json

import pytest
from cluster import EVERY, Cluster, cluster, profiles

from master.store.rows import Record

MANIFEST = json.dumps(
    {
        "entries": [
            {"p": "data/b", "s": 7, "m": 1, "o": 420},
            {"p": "data", "s": 0, "m": 1, "o": 493, "d": True},
        ]
    }
)
ENTRIES = [
    {"path": "data", "size": 0, "isDir": True},
    {"path": "data/b", "size": 7, "isDir": False},
]


def contents(one: Cluster, record_id: object) -> tuple[int, str]:
    return one.refusal("GET", f"/api/backup/records/{record_id}/contents")


@pytest.mark.parametrize("profile", EVERY)
def test_an_agents_backup_has_no_list(profile: str) -> None:
    """And a release without lists has no such path."""
    with cluster(profile) as one:
        record_id = one.backup()
        if profile not in profiles("task_modes"):
            assert contents(one, record_id) == (404, "NOT_FOUND")
            return

        assert contents(one, record_id) == (422, "BACKUP_CONTENTS_UNAVAILABLE")
        assert contents(one, 99) == (404, "BACKUP_RECORD_NOT_FOUND")
        assert contents(one, "x") == (400, "INVALID_ID")
        one.database.update(Record, record_id, manifest="no JSON")
        assert contents(one, record_id) == (500, "BACKUP_CONTENTS_DECODE_FAILED")


@pytest.mark.parametrize("profile", profiles("task_modes"))
def test_a_list_is_shown(profile: str) -> None:
    """By path; for a backup that builds on a full one, that one's."""
    with cluster(profile) as one:
        full, upon = one.backup(manifest=MANIFEST), one.run(1)
        one.finish(upon, base_record_id=full)

        shown = {"total": 2, "truncated": False}
        path = "/api/backup/records/{}/contents"
        seen = one.data("GET", path.format(full))
        assert list(seen.items()) == [("recordId", full), *shown.items(), ("entries", ENTRIES)]
        seen = one.data("GET", path.format(upon))
        based = ("basedOnFull", full)
        assert list(seen.items()) == [
            ("recordId", upon),
            *shown.items(),
            based,
            ("entries", ENTRIES),
        ]


def test_a_long_list_is_cut() -> None:
    """What is counted is all of it."""
    with cluster("2.4") as one:
        entries = [{"p": f"{number:05}"} for number in range(10_001)]
        record_id = one.backup(manifest=json.dumps({"entries": entries}))

        seen = one.data("GET", f"/api/backup/records/{record_id}/contents")
        assert (seen["total"], seen["truncated"], len(seen["entries"])) == (10_001, True, 10_000)
        assert seen["entries"][-1]["path"] == "09999"
