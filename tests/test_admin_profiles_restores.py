"""Who restores a backup, and what may be said about it, release by release."""

import msgspec
import pytest
from cluster import EVERY, Cluster, cluster, profiles

from master.store.rows import Record, Task


def restore(one: Cluster, record_id: int, body: object = None) -> tuple[int, str]:
    return one.refusal("POST", f"/api/backup/records/{record_id}/restore", body)


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("names_node", [True, False])
def test_who_restores_a_backup(profile: str, names_node: bool) -> None:
    """The node the task is bound to now, or in newer releases the one that made the backup."""
    with cluster(profile) as one:
        record_id = one.backup()
        other, _ = one.node("beta")
        one.database.update(Task, 1, node_id=other)
        if not names_node:
            one.database.update(Record, record_id, node_id=0)
        shown = one.data("POST", f"/api/backup/records/{record_id}/restore")

        follows = names_node and profile in profiles("restore_follows_record")
        assert shown["nodeId"] == (2 if follows else other)
        assert shown["nodeName"] == ("alpha" if follows else "beta")
        assert f"（#{shown['nodeId']}）" in shown["logContent"]
        assert one.commands() == [(shown["nodeId"], "restore_record", {"restoreRecordId": 1})]


SELECTIVE = "RESTORE_SELECTIVE_REMOTE_UNSUPPORTED"


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "OK"),
        ({"selectedPaths": [], "targetPath": "  "}, "OK"),
        ({"selectedPaths": ["/srv/data/a"]}, SELECTIVE),
        ({"targetPath": "/restore"}, "RESTORE_TARGET_REMOTE_UNSUPPORTED"),
        ({"targetPath": "restore"}, "RESTORE_TARGET_INVALID"),
        ({"selectedPaths": ["/a"], "targetPath": "restore"}, SELECTIVE),
        ({"selectedPaths": 7, "targetPath": " /restore "}, "RESTORE_TARGET_REMOTE_UNSUPPORTED"),
        ({"selectedPaths": ["/a"], "targetPath": 7}, SELECTIVE),
        (msgspec.Raw(b"no JSON"), "OK"),
        (None, "OK"),
    ],
)
def test_a_part_of_a_backup(profile: str, body: object, code: str) -> None:
    """Agents restore all of it where it was; a body is read as far as it can be, or not at all."""
    with cluster(profile) as one:
        record_id = one.backup()

        reads = profile in profiles("selective_restores")
        assert restore(one, record_id, body)[1] == (code if reads else "OK")
        refused = reads and code != "OK"
        assert len(one.commands()) == int(not refused)


@pytest.mark.parametrize("profile", profiles("selective_restores"))
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"selectedPaths": ["/a"]}, "RESTORE_SELECTIVE_UNSUPPORTED"),
        ({"targetPath": "x"}, "RESTORE_TARGET_UNSUPPORTED"),
    ],
)
def test_only_files_have_parts(profile: str, body: object, code: str) -> None:
    """A database's backup is restored as one; that is looked at before the node."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.update(Task, 1, type="mysql")

        assert restore(one, record_id, body) == (400, code)


@pytest.mark.parametrize("profile", profiles("selective_restores"))
def test_the_master_would_restore_a_part_itself(profile: str) -> None:
    """On its own node no part is refused, and nothing is restored by the reference."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.update(Record, record_id, node_id=1)

        body = {"selectedPaths": ["/a"], "targetPath": "/restore"}
        assert restore(one, record_id, body) == (400, "MASTER_LOCAL_UNSUPPORTED")
