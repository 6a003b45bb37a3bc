"""What records show, what keeps one from being deleted, and who deletes the backup."""

import json
from typing import Any

import pytest
import trio
from cluster import EVERY, PATH, REMOTE_DISK, Cluster, cluster, profiles

from master.objects import MemoryObjects
from master.protocol.exchange import collect
from master.protocol.profiles import PROFILES
from master.service.storage import MASTER_RELAY
from master.store.rows import Node, Record, Target

ELSEWHERE = (400, "BACKUP_RECORD_CROSS_NODE_LOCAL_DISK")
FAILED = (500, "BACKUP_RECORD_DELETE_FAILED")
BASE = REMOTE_DISK["basePath"]


def delete(one: Cluster, record_id: int) -> tuple[int, str]:
    return one.refusal("DELETE", f"/api/backup/records/{record_id}")


def page(one: Cluster, record_id: int) -> dict[str, Any]:
    """Return a record as its page shows it, which begins as the list does."""
    shown: dict[str, Any] = one.data("GET", f"/api/backup/records/{record_id}")
    listed = one.data("GET", "/api/backup/records")[0]
    assert list(shown.items())[: len(listed)] == list(listed.items())
    return shown


def put(one: Cluster, key: str = PATH, *, base: str = BASE) -> None:
    """Store an object on the master's own disk."""
    with one.state.objects.create(base, key) as writing:
        writing.write(b"backup")
        writing.commit()


# --- what is shown --------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_what_a_record_shows(profile: str) -> None:
    """The target's name, how the backup came there, whether it is locked, and its kind."""
    with cluster(profile) as one:
        one.target("other")
        shown = page(one, one.backup(one.target("disk"), storage_transfer_mode=MASTER_RELAY))
        keys = list(shown)

        named = profile in profiles("target_names_in_records")
        assert shown["storageTargetName"] == ("disk" if named else "")
        relay = profile in profiles("relay")
        assert keys[keys.index("storagePath") + 1] == (
            "storageTransferMode" if relay else "durationSeconds"
        )
        assert shown.get("storageTransferMode") == (MASTER_RELAY if relay else None)
        locked = ["locked"] if profile in profiles("locks") else []
        kind = ["backupKind"] if profile in profiles("task_modes") else []
        assert keys[keys.index("completedAt") + 1 :] == [*locked, *kind, "logContent"]
        assert (shown.get("locked"), shown.get("backupKind")) == (
            False if locked else None,
            "full" if kind else None,
        )


@pytest.mark.parametrize("profile", EVERY)
def test_a_target_that_is_gone_has_no_name(profile: str) -> None:
    """Its record is shown all the same."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.delete(Target, 1)

        assert page(one, record_id)["storageTargetName"] == ""


@pytest.mark.parametrize("profile", EVERY)
def test_upload_results_are_shown(profile: str) -> None:
    """As they are stored, without what the release has no word for."""
    stored = [
        {
            "storageTargetId": 1,
            "storageTargetName": "disk",
            "status": "success",
            "storagePath": PATH,
            "fileSize": 6,
            "transferMode": "direct",
            "further": 1,
        },
        {"storageTargetId": 2, "status": "failed", "error": "refused"},
    ]
    with cluster(profile) as one:
        results = json.dumps(stored)
        shown = page(one, one.backup(storage_upload_results=results))["storageUploadResults"]

        mode = ["transferMode"] if profile in profiles("relay") else []
        assert list(shown[0]) == [
            "storageTargetId",
            "storageTargetName",
            "status",
            "storagePath",
            "fileSize",
            *mode,
        ]
        assert shown[1] == {
            "storageTargetId": 2,
            "storageTargetName": "",
            "status": "failed",
            "error": "refused",
        }


# --- locks ----------------------------------------------------------------------------------


def lock(one: Cluster, record_id: int, *, locked: bool = True) -> Any:
    return one.data("PUT", f"/api/backup/records/{record_id}/lock", {"locked": locked})


@pytest.mark.parametrize("profile", EVERY)
def test_a_locked_record_stays(profile: str) -> None:
    """Until it is unlocked; a release without locks has no such path."""
    with cluster(profile) as one:
        record_id = one.backup()
        if profile not in profiles("locks"):
            path = f"/api/backup/records/{record_id}/lock"
            assert one.refusal("PUT", path, {"locked": True}) == (404, "NOT_FOUND")
            return

        assert lock(one, record_id) == page(one, record_id)
        assert page(one, record_id)["locked"] is True
        assert delete(one, record_id) == (400, "BACKUP_RECORD_LOCKED")
        assert one.data("POST", "/api/backup/records/batch-delete", {"ids": [record_id]}) == {
            "deleted": 0
        }
        assert (one.database.count(Record, "1"), one.commands()) == (1, [])
        assert lock(one, record_id, locked=False)["locked"] is False
        assert delete(one, record_id) == (200, "OK")


@pytest.mark.parametrize("profile", profiles("locks"))
def test_locking_twice_changes_nothing(profile: str) -> None:
    """Only a change of the lock is a change of the record."""
    with cluster(profile) as one:
        record_id = one.backup()
        lock(one, record_id)
        before = one.database.get(Record, record_id)
        lock(one, record_id)

        assert one.database.get(Record, record_id) == before


@pytest.mark.parametrize("profile", profiles("locks"))
@pytest.mark.parametrize(
    ("path", "body", "seen"),
    [
        ("x", {"locked": True}, (400, "INVALID_ID")),
        ("x", {"locked": 1}, (400, "INVALID_ID")),
        ("9", {"locked": 1}, (400, "BACKUP_RECORD_LOCK_INVALID")),
        ("9", None, (400, "BACKUP_RECORD_LOCK_INVALID")),
        ("9", {}, (404, "BACKUP_RECORD_NOT_FOUND")),
    ],
)
def test_how_a_lock_is_refused(
    profile: str, path: str, body: object, seen: tuple[int, str]
) -> None:
    """The id is read first, then the body, then the record looked for; viewers come nowhere."""
    with cluster(profile) as one:
        assert one.refusal("PUT", f"/api/backup/records/{path}/lock", body) == seen
        viewer = one.key("viewer")
        assert one.refusal("PUT", f"/api/backup/records/{path}/lock", body, key=viewer) == (
            403,
            "AUTH_FORBIDDEN",
        )


@pytest.mark.parametrize("profile", profiles("task_modes"))
@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ({}, True),
        ({"status": "failed"}, False),
        ({"backup_kind": "full"}, False),
        ({"base_record_id": 99}, False),
    ],
)
def test_what_others_build_on_stays(profile: str, columns: dict[str, Any], kept: bool) -> None:
    """A full backup with a successful differential one upon it is not deleted."""
    with cluster(profile) as one:
        full = one.backup()
        upon = one.run(1)
        differential = {"backup_kind": "differential", "base_record_id": full}
        one.finish(upon, **{**differential, **columns})

        refused = (400, "BACKUP_RECORD_HAS_DEPENDENTS")
        assert delete(one, full) == (refused if kept else (200, "OK"))
        assert delete(one, upon) == (200, "OK")
        assert delete(one, full) == ((200, "OK") if kept else (404, "BACKUP_RECORD_NOT_FOUND"))


@pytest.mark.parametrize("profile", profiles("task_modes"))
def test_only_full_backups_are_built_on(profile: str) -> None:
    """One of another kind is deleted, whatever names it as its base."""
    with cluster(profile) as one:
        record_id = one.backup(backup_kind="differential")
        one.finish(one.run(1), backup_kind="differential", base_record_id=record_id)

        assert delete(one, record_id) == (200, "OK")


# --- who deletes the backup -----------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("status", ["online", "offline"])
def test_a_nodes_agent_deletes_what_is_on_its_disk(profile: str, status: str) -> None:
    """It is told to, now or when it is back; before that release the master refuses."""
    with cluster(profile) as one:
        config = {"basePath": "/srv/a&b", "masterRelay": False, "depth": 3}
        record_id = one.backup(one.target("disk", **config))
        one.database.update(Node, 2, status=status)

        through_agents = profile in profiles("deletes_through_agents")
        assert delete(one, record_id) == ((200, "OK") if through_agents else ELSEWHERE)
        assert one.database.count(Record, "1") == int(not through_agents)
        payload = {"storagePath": PATH, "targetConfig": config, "targetType": "local_disk"}
        sent = [(2, "delete_storage_object", payload)] if through_agents else []
        assert one.commands() == sent
        if through_agents:
            ((text,),) = one.database.query("SELECT payload FROM agent_commands")
            assert text == (
                '{"storagePath":"BackupX/file/270115/a.tar.gz","targetConfig":{'
                '"basePath":"/srv/a\\u0026b","depth":3,"masterRelay":false},'
                '"targetType":"local_disk"}'
            )


@pytest.mark.parametrize("profile", EVERY)
def test_a_batch_deletes_what_it_can(profile: str) -> None:
    """One that cannot go does not keep the others."""
    with cluster(profile) as one:
        record_id = one.backup()
        blank = one.run(1)
        one.finish(blank, storage_path="  ")
        one.database.execute("DELETE FROM agent_commands")
        one.database.update(Record, blank, storage_target_id=one.target("cloud", "ftp", host="h"))
        ids = [99, record_id, blank]

        through_agents = profile in profiles("deletes_through_agents")
        seen = one.data("POST", "/api/backup/records/batch-delete", {"ids": ids})
        assert seen == {"deleted": 2 if through_agents else 1}
        assert len(one.commands()) == int(through_agents)


@pytest.mark.parametrize("profile", EVERY)
def test_a_record_without_a_path_just_goes(profile: str) -> None:
    """There is nothing to delete; the oldest releases refuse it all the same."""
    with cluster(profile) as one:
        record_id = one.backup(storage_path=" ", status="running")

        through_agents = profile in profiles("deletes_through_agents")
        assert delete(one, record_id) == ((200, "OK") if through_agents else ELSEWHERE)
        assert one.commands() == []


@pytest.mark.parametrize("profile", profiles("one_run_a_task"))
def test_deleting_a_running_record_lets_the_next_run_begin(profile: str) -> None:
    """The record was all that kept it."""
    with cluster(profile) as one:
        record_id = one.backup(status="running", storage_path="")
        run = "/api/backup/tasks/1/run"

        assert one.refusal("POST", run) == (400, "BACKUP_TASK_ALREADY_RUNNING")
        assert delete(one, record_id) == (200, "OK")
        assert one.refusal("POST", run) == (200, "OK")


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("path", [PATH, f"/{PATH}"])
def test_the_master_deletes_what_is_on_its_own_disk(profile: str, path: str) -> None:
    """A backup whose node is gone is looked for there, as is one that was relayed."""
    with cluster(profile) as one:
        record_id = one.backup(storage_transfer_mode=MASTER_RELAY, storage_path=path)
        if profile not in profiles("relay"):
            one.database.delete(Node, 2)
        put(one)
        put(one, "BackupX/other")

        assert delete(one, record_id) == (200, "OK")
        objects = one.state.objects
        assert isinstance(objects, MemoryObjects)
        assert [key for _, key in objects.stored] == [("BackupX", "other")]
        assert (one.commands(), one.database.count(Record, "1")) == ([], 0)


def test_an_older_master_knows_no_relay() -> None:
    """On a newer master's file it takes a relayed backup for one on the node's disk."""
    with cluster("2.4") as one:
        record_id = one.backup(storage_transfer_mode=MASTER_RELAY)
        object.__setattr__(one.state.config, "profile", PROFILES["2.3.5"])

        assert one.refusal("GET", f"/api/backup/records/{record_id}/download") == ELSEWHERE
        assert delete(one, record_id) == (200, "OK")
        assert [kind for _, kind, _ in one.commands()] == ["delete_storage_object"]


@pytest.mark.parametrize("profile", EVERY)
def test_an_object_that_is_not_there(profile: str) -> None:
    """Is as good as deleted in newer releases; older ones keep the record and complain."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.delete(Node, 2)

        deleted = profile in profiles("missing_object_is_deleted")
        assert delete(one, record_id) == ((200, "OK") if deleted else FAILED)
        assert one.database.count(Record, "1") == int(not deleted)


@pytest.mark.parametrize("profile", EVERY)
def test_no_path_leads_out_of_a_target(profile: str) -> None:
    """Such an object is not deleted, and its record stays."""
    with cluster(profile) as one:
        record_id = one.backup(storage_path="../../etc/passwd")
        one.database.delete(Node, 2)

        assert delete(one, record_id) == FAILED
        assert one.database.count(Record, "1") == 1


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("break_it", "seen"),
    [
        ("gone", (400, "BACKUP_STORAGE_TARGET_INVALID")),
        ("sealed", (500, "BACKUP_STORAGE_TARGET_DECRYPT_FAILED")),
    ],
)
def test_a_target_that_cannot_be_reached(
    profile: str, break_it: str, seen: tuple[int, str]
) -> None:
    """Nothing is deleted through it."""
    with cluster(profile) as one:
        record_id = one.backup()
        if break_it == "gone":
            one.database.delete(Target, 1)
        else:
            one.database.delete(Node, 2)
            one.database.update(Target, 1, config_ciphertext="broken")

        assert delete(one, record_id) == seen
        assert one.database.count(Record, "1") == 1


@pytest.mark.parametrize("profile", profiles("deletes_through_agents"))
def test_a_command_that_cannot_be_made_keeps_the_record(profile: str) -> None:
    """The agent needs the target's configuration; without it nothing is deleted."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.update(Target, 1, config_ciphertext="broken")

        assert delete(one, record_id) == (500, "BACKUP_STORAGE_TARGET_DECRYPT_FAILED")
        assert (one.database.count(Record, "1"), one.commands()) == (1, [])


@pytest.mark.parametrize("profile", EVERY)
def test_remote_storage_is_left_alone(profile: str) -> None:
    """The reference has no client for it: the record goes, whoever made the backup."""
    with cluster(profile) as one:
        record_id = one.backup(one.target("cloud", "ftp", host="h"))

        assert delete(one, record_id) == (200, "OK")
        assert (one.database.count(Record, "1"), one.commands()) == (0, [])


@pytest.mark.parametrize("profile", EVERY)
def test_what_is_on_a_nodes_disk_is_not_downloaded(profile: str) -> None:
    """In any release, whatever the case of the target's type."""
    with cluster(profile) as one:
        record_id = one.backup()
        one.database.update(Target, 1, type="Local_Disk")

        assert one.refusal("GET", f"/api/backup/records/{record_id}/download") == ELSEWHERE


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("batch", [True, False])
def test_a_task_takes_its_backups_along(profile: str, batch: bool) -> None:
    """What the master finds on its own disk: the first copy, or in newer releases each."""
    with cluster(profile) as one:
        other = one.target("other", basePath="/srv/other")
        results = [
            {"storageTargetId": 2, "status": "SUCCESS", "storagePath": PATH},
            {"storageTargetId": 2, "status": "success", "storagePath": "kept"},
            {"storageTargetId": other, "status": "success", "storagePath": "copy"},
            {"storageTargetId": 99, "status": "success", "storagePath": "nowhere"},
        ]
        one.backup(storage_upload_results=json.dumps(results))
        one.finish(one.run(1), storage_upload_results="[", storage_path="second")
        one.finish(one.run(1), storage_upload_results="[]", storage_path="third")
        one.finish(one.run(1), storage_path="../out")
        for base, key in (
            (BASE, PATH),
            (BASE, "kept"),
            (BASE, "second"),
            (BASE, "third"),
            ("/srv/other", "copy"),
        ):
            put(one, key, base=base)
        if batch:
            one.data("POST", "/api/backup/tasks/batch/delete", {"ids": [1]})
        else:
            one.data("DELETE", "/api/backup/tasks/1")

        objects = one.state.objects
        assert isinstance(objects, MemoryObjects)
        left = ["/".join(key) for _, key in objects.stored]
        copies = profile in profiles("deletes_copies")
        assert left == (["kept", "third"] if copies else ["kept", "copy"])
        assert one.database.count(Record, "1") == 4


# --- downloads ------------------------------------------------------------------------------


def download(one: Cluster, record_id: int) -> tuple[dict[str, str], bytes]:
    """Return the headers and the whole of a download."""
    answer = one.send("GET", f"/api/backup/records/{record_id}/download")
    assert answer.status == 200, answer.body.decode()

    async def whole() -> bytes:
        return await collect(answer.chunks())

    return dict(answer.headers), trio.run(whole)


@pytest.mark.parametrize("profile", EVERY)
def test_what_is_on_the_masters_disk_is_downloaded(profile: str) -> None:
    """A relayed backup, where there is one; before, it is on the node's disk like any other."""
    with cluster(profile) as one:
        record_id = one.backup(storage_transfer_mode=MASTER_RELAY)
        put(one)

        if profile in profiles("relay"):
            assert download(one, record_id) == (
                {
                    "Content-Disposition": 'attachment; filename="a.tar.gz"',
                    "Content-Type": "application/octet-stream",
                },
                b"backup",
            )
        else:
            path = f"/api/backup/records/{record_id}/download"
            assert one.refusal("GET", path) == ELSEWHERE


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("name", "path", "shown"),
    [
        ("a b.gz", PATH, '"a b.gz"'),
        (" ", "x/b.gz", '"b.gz"'),
        ("", "/x/c.gz", '"c.gz"'),
        ('é"\n', PATH, '"é\\"\\n"'),
    ],
)
def test_a_download_has_the_files_name(profile: str, name: str, path: str, shown: str) -> None:
    """Quoted as Go does, in UTF-8; without one, the last part of its path. So in all releases."""
    with cluster(profile) as one:
        record_id = one.backup(file_name=name, storage_path=path)
        one.database.delete(Node, 2)
        put(one, path.lstrip("/"))

        headers, content = download(one, record_id)
        disposition = headers["Content-Disposition"].encode("latin-1").decode()
        assert (disposition, content) == (f"attachment; filename={shown}", b"backup")


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("why", ["missing", "outside", "remote", "blank"])
def test_what_cannot_be_downloaded(profile: str, why: str) -> None:
    """Is told before anything is sent."""
    with cluster(profile) as one:
        target_id = one.target("cloud", "ftp", host="h") if why == "remote" else None
        paths = {"outside": "../../etc/passwd", "blank": ""}
        record_id = one.backup(target_id, storage_path=paths.get(why, PATH))
        one.database.delete(Node, 2)

        path = f"/api/backup/records/{record_id}/download"
        assert one.refusal("GET", path) == (500, "BACKUP_RECORD_DOWNLOAD_FAILED")
