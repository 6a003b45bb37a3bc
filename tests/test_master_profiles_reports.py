"""What reports change and what specs say, release by release: owners, ends, targets, checks."""

import json
from typing import Any, Final

import pytest
from cluster import EVERY, Cluster, cluster, profiles

from master.protocol import times
from master.store.rows import Record, Restore, Task

SHA: Final = "A1" * 32
S3: Final = {"bucket": "b", "accessKeyId": "k", "secretAccessKey": "s", "endpoint": "http://s3"}


class Agents(Cluster):
    """A cluster whose first node is running its task; a target that is relayed is second."""

    node_id: int
    token: str
    target_id: int
    relayed_id: int
    task_id: int
    record_id: int

    @classmethod
    def of(cls, one: Cluster) -> "Agents":
        one.__class__ = cls
        assert isinstance(one, Agents)
        one.node_id, one.token = one.node()
        one.target_id = one.target("bucket", "s3", **S3, masterRelay=True)  # means nothing there
        one.relayed_id = one.target("vault", basePath="/vault", masterRelay=True)
        targets = {"storageTargetIds": [one.target_id, one.relayed_id]}
        one.task_id = one.task(one.node_id, one.target_id, **targets)
        one.record_id = one.run(one.task_id)
        return one

    def report(self, body: object, *, agent: str = "") -> tuple[int, str]:
        path = f"/api/agent/records/{self.record_id}"
        return self.refusal("POST", path, body, agent=agent or self.token)

    def restore(self) -> int:
        self.finish(self.record_id, checksum=SHA)
        path = f"/api/backup/records/{self.record_id}/restore"
        return int(self.data("POST", path)["id"])

    def report_restore(self, restore_id: int, body: object) -> tuple[int, str]:
        return self.refusal("POST", f"/api/agent/restores/{restore_id}", body, agent=self.token)

    @property
    def record(self) -> Record:
        found = self.database.get(Record, self.record_id)
        assert found is not None
        return found

    def key(self, name: str = "a.tar.gz", *, own: bool = True) -> str:
        day = times.wire_text(self.record.started_at)[2:10].replace("-", "")
        folder = f"records/{self.record_id}/" if own else ""
        return f"BackupX/file/{day}/{folder}{name}"


# --- whose records are ----------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_a_task_that_moved_while_it_ran(profile: str) -> None:
    """The record stays with the node it was made for, which may still read the spec."""
    with cluster(profile) as made:
        one = Agents.of(made)
        beta_id, beta = one.node("beta")
        one.database.update(Task, one.task_id, node_id=beta_id)
        forbidden = (401, "BACKUP_RECORD_FORBIDDEN")

        mine = one.report({"logAppend": "x"})
        its = one.report({"logAppend": "y"}, agent=beta)
        spec = one.refusal("GET", f"/api/agent/tasks/{one.task_id}", agent=one.token)

        owned = profile in profiles("record_owner")
        assert (mine, its) == (((200, "OK"), forbidden) if owned else (forbidden, (200, "OK")))
        reads = profile in profiles("spec_while_running")
        assert spec == ((200, "OK") if reads else (401, "BACKUP_TASK_FORBIDDEN"))
        one.finish(one.record_id)
        spec = one.refusal("GET", f"/api/agent/tasks/{one.task_id}", agent=one.token)
        assert spec == (401, "BACKUP_TASK_FORBIDDEN")


@pytest.mark.parametrize("profile", EVERY)
def test_a_record_of_nobody(profile: str) -> None:
    """One that names no node is its task's, and without the task it is nobody's."""
    with cluster(profile) as made:
        one = Agents.of(made)
        one.database.update(Record, one.record_id, node_id=0)
        assert one.report({"logAppend": "x"}) == (200, "OK")
        one.database.update(Record, one.record_id, node_id=one.node_id)
        one.database.delete(Task, one.task_id)
        assert one.report({"logAppend": "x"}) == (401, "BACKUP_RECORD_FORBIDDEN")


# --- ends -----------------------------------------------------------------------------------

END: Final = {"status": "success", "fileName": "a", "logAppend": "done\n", "errorMessage": "e"}


@pytest.mark.parametrize("profile", EVERY)
def test_reports_about_a_finished_record(profile: str) -> None:
    """They change it in v2.0.0, are ignored later, and told in strict unless they repeat it."""
    with cluster(profile) as made:
        one = Agents.of(made)
        assert one.report(END) == (200, "OK")
        before = one.record
        one.wait(60)

        again = one.report(END)
        late = one.report({"status": "failed", "storageTransferMode": "nonsense"})

        final = profile in profiles("finished_records_final")
        assert (one.record == before) == final
        told = profile in profiles("late_reports_told")
        assert (again, late) == (
            (200, "OK"),
            (409, "BACKUP_RECORD_FINISHED") if told else (200, "OK"),
        )


@pytest.mark.parametrize(
    "late",
    [{"logAppend": "x"}, {"fileName": "b"}, {"status": "running"}, {"storageTargetId": 99}],
)
def test_what_repeats_nothing_is_told(late: dict[str, object]) -> None:
    """One thing that is not known already makes a late report one that its sender hears of."""
    with cluster("strict") as made:
        one = Agents.of(made)
        one.report(END)

        assert one.report(late) == (409, "BACKUP_RECORD_FINISHED")
        assert one.report({"fileName": "a"}) == (200, "OK")


@pytest.mark.parametrize("profile", EVERY)
def test_reports_about_a_finished_restore(profile: str) -> None:
    """As with backups."""
    with cluster(profile) as made:
        one = Agents.of(made)
        restore_id = one.restore()
        end = {"status": "failed", "errorMessage": " e ", "logAppend": "done"}
        assert one.report_restore(restore_id, end) == (200, "OK")
        before = one.database.get(Restore, restore_id)
        one.wait(60)

        again = one.report_restore(restore_id, end)
        late = one.report_restore(restore_id, {"status": "success"})

        final = profile in profiles("finished_records_final")
        assert (one.database.get(Restore, restore_id) == before) == final
        told = profile in profiles("late_reports_told")
        assert (again, late) == (
            (200, "OK"),
            (409, "RESTORE_RECORD_FINISHED") if told else (200, "OK"),
        )


@pytest.mark.parametrize("profile", EVERY)
def test_a_restore_s_status_may_be_any_word(profile: str) -> None:
    """No release looks at it; strict does."""
    with cluster(profile) as made:
        one = Agents.of(made)
        restore_id = one.restore()

        answer = one.report_restore(restore_id, {"status": "odd"})

        checked = profile in profiles("restore_status_checked")
        restore = one.database.get(Restore, restore_id)
        assert restore is not None
        assert restore.status == ("running" if checked else "odd")
        assert answer == ((400, "RESTORE_RECORD_STATUS_INVALID") if checked else (200, "OK"))
        assert one.report_restore(restore_id, {"status": "running"}) == (200, "OK")


@pytest.mark.parametrize("profile", EVERY)
def test_the_end_of_a_record_and_its_task_s_last_run(profile: str) -> None:
    """The last run is the one that ended last, where releases say so."""
    with cluster(profile) as made:
        one = Agents.of(made)
        one.database.update(Task, one.task_id, last_run_at="2001-01-01 00:00:00+00:00")
        one.report({"status": "success"})

        task = one.database.get(Task, one.task_id)
        assert task is not None
        follows = profile in profiles("last_run_is_the_records")
        assert (task.last_run_at == one.record.started_at) == follows
        assert task.last_status == "success"


@pytest.mark.parametrize("profile", EVERY)
def test_a_task_that_cannot_be_told(profile: str) -> None:
    """The record is over all the same, and since v2.3.5 its sender hears of it; strict undoes it."""
    with cluster(profile) as made:
        one = Agents.of(made)
        refuse = "BEFORE UPDATE ON backup_tasks BEGIN SELECT RAISE(ABORT, 'no'); END"
        one.database.execute(f"CREATE TRIGGER no {refuse}")

        answer = one.report({"status": "success", "logAppend": "x"})

        told = profile in profiles("task_troubles_told")
        assert answer == ((500, "INTERNAL_ERROR") if told else (200, "OK"))
        whole = profile in profiles("reports_whole")
        record = one.record
        assert (record.status, record.log_content) == (
            ("running", "") if whole else ("success", "x")
        )
        one.database.execute("DROP TRIGGER no")
        if whole:
            assert one.report({"status": "success", "logAppend": "x"}) == (200, "OK")
            assert one.record.log_content == "x"


# --- what a report names --------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_a_report_that_names_its_target(profile: str) -> None:
    """Unknown before v2.3.5, stored since, and v2.4.0 adds the way it went."""
    with cluster(profile) as made:
        one = Agents.of(made)
        upload = {"storageTargetId": one.relayed_id, "status": "success", "error": "<e>"}
        body = {"storageTargetId": one.relayed_id, "storageUploadResults": [upload]}

        assert one.report(body) == (200, "OK")

        record = one.record
        named = profile in profiles("reports_name_targets")
        checked = profile in profiles("reports_checked")
        assert record.storage_target_id == (one.relayed_id if named else one.target_id)
        assert record.storage_transfer_mode == ("master_relay" if checked else "")
        stored = {**upload, "storageTargetName": ""}
        if checked:
            stored["transferMode"] = "master_relay"
        assert json.loads(record.storage_upload_results or "[]") == ([stored] if named else [])
        if named:
            assert "\\u003ce\\u003e" in record.storage_upload_results


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    "body",
    [
        {"storageTargetId": "1"},
        {"storageUploadResults": {}},
        {"storageUploadResults": [{"fileSize": "1"}]},
        {"storageUploadResults": [1]},
    ],
)
def test_keys_of_a_wrong_type(profile: str, body: dict[str, object]) -> None:
    """A release that knows a key refuses its wrong type; one that does not never looks."""
    with cluster(profile) as made:
        one = Agents.of(made)
        knows = profile in profiles("reports_name_targets")
        assert one.report(body) == ((400, "INVALID_INPUT") if knows else (200, "OK"))


def test_null_results_are_empty_ones() -> None:
    """As Go reads them: a null item is one that says nothing, and its target is nobody's."""
    with cluster("2.3.5") as made:
        one = Agents.of(made)
        assert one.report({"storageUploadResults": [None]}) == (200, "OK")
        empty = {"storageTargetId": 0, "storageTargetName": "", "status": ""}
        assert json.loads(one.record.storage_upload_results) == [empty]


MODE: Final = "AGENT_STORAGE_TRANSFER_MODE_INVALID"
PATH: Final = "AGENT_ARTIFACT_INVALID_PATH"
INVALID: Final = "AGENT_ARTIFACT_INVALID"
STATUS: Final = "BACKUP_RECORD_STATUS_INVALID"
FOREIGN: Final = "BACKUP_STORAGE_TARGET_FORBIDDEN"

BUCKET: Final = {"storageTargetId": 1}
VAULT: Final = {"storageTargetId": 2}
UPLOAD: Final = {"storageTargetId": 1}

CHECKS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"storageTargetId": 99, "status": "odd"}, FOREIGN),
    ({**BUCKET, "storageTransferMode": "master_relay", "storageUploadResults": [{}]}, MODE),
    ({"storageTransferMode": "direct"}, MODE),
    ({"storageUploadResults": [{"storageTargetId": 99}], "storagePath": " x"}, FOREIGN),
    ({"storageUploadResults": [{**UPLOAD, "transferMode": "x", "fileSize": -1}]}, MODE),
    ({"storageUploadResults": [{**UPLOAD, "fileSize": -1}]}, INVALID),
    ({"storageUploadResults": [{**UPLOAD, "status": "running"}], "status": "odd"}, INVALID),
    ({"storageUploadResults": [{**UPLOAD, "storagePath": "../x"}]}, PATH),
    ({"storagePath": "x", "status": "odd"}, PATH),
    *(
        ({**BUCKET, "storagePath": path}, PATH)
        for path in (" x", "x ", "./x", "a//b", "a/", "/x", "../x", "a/../b", "a\\b", ".")
    ),
    ({**BUCKET, "storagePath": "a/b", "fileName": "c", "status": "odd"}, PATH),
    ({**VAULT, "storagePath": "BackupX/file/010101/a"}, PATH),
    ({"status": "odd", "fileSize": -1}, STATUS),
    ({"fileSize": -1, "checksum": "x"}, INVALID),
    ({"fileName": "a/b"}, INVALID),
    ({"fileName": "a\\b"}, INVALID),
    ({"checksum": "x" * 64}, INVALID),
    ({"checksum": "a" * 63}, INVALID),
]


@pytest.mark.parametrize("profile", profiles("reports_name_targets"))
@pytest.mark.parametrize(("body", "code"), CHECKS)
def test_what_is_checked_in_a_report(profile: str, body: dict[str, Any], code: str) -> None:
    """v2.4.0 refuses it with the first thing that is wrong, and applies nothing; v2.3.5 takes it."""
    with cluster(profile) as made:
        one = Agents.of(made)
        assert (one.target_id, one.relayed_id) == (1, 2)

        status, found = one.report({"logAppend": "seen", **body})

        checked = profile in profiles("reports_checked")
        assert found == (code if checked else "OK")
        assert status == ({FOREIGN: 401}.get(code, 400) if checked else 200)
        assert one.record.log_content == ("" if checked else "seen")


@pytest.mark.parametrize("profile", profiles("reports_checked"))
def test_what_a_good_report_is_stored_as(profile: str) -> None:
    """The object is in its record's own folder, whichever form it was named in."""
    with cluster(profile) as made:
        one = Agents.of(made)
        old, own = one.key(own=False), one.key()
        body = {
            **VAULT,
            "storageTransferMode": "master_relay",
            "storagePath": old,
            "fileName": "a.tar.gz",
            "checksum": f" {SHA} ",
            "storageUploadResults": [{**VAULT, "storagePath": old}],
        }

        assert one.report(body) == (200, "OK")

        record = one.record
        assert (record.storage_path, record.checksum) == (own, SHA.lower())
        [upload] = json.loads(record.storage_upload_results)
        assert (upload["storagePath"], upload["transferMode"]) == (own, "master_relay")
        assert one.report({**body, "status": "success"}) == (200, "OK")
        assert one.report({**body, "status": "success"}) == (200, "OK")  # repeats what is known


# --- specs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_how_a_spec_says_to_get_there(profile: str) -> None:
    """Since v2.4.0 each target says whether the master relays to it."""
    with cluster(profile) as made:
        one = Agents.of(made)

        spec = one.data("GET", f"/api/agent/tasks/{one.task_id}", agent=one.token)

        modes = [target.get("transferMode") for target in spec["storageTargets"]]
        relays = profile in profiles("relay")
        assert modes == (["direct", "master_relay"] if relays else [None, None])
        assert all(target["config"] for target in spec["storageTargets"])


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("relayed", [False, True])
def test_how_a_restore_s_spec_says_to_get_it(profile: str, relayed: bool) -> None:
    """What was relayed comes through the master, and needs no configuration."""
    with cluster(profile) as made:
        one = Agents.of(made)
        restore_id = one.restore()
        mode = "master_relay" if relayed else ""
        one.database.update(Record, one.record_id, storage_transfer_mode=mode)

        spec = one.data("GET", f"/api/agent/restores/{restore_id}/spec", agent=one.token)

        storage = spec["storage"]
        relays = profile in profiles("relay")
        expected = ("master_relay" if relayed else "direct") if relays else None
        assert storage.get("transferMode") == expected
        assert (storage["config"] is None) == (relays and relayed)
        assert spec.get("checksum") == (
            SHA if profile in profiles("restore_spec_checksum") else None
        )
