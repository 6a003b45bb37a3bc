"""What agents of newer releases say and do differently."""

from hashlib import sha256
from typing import Any

import pytest
from test_agents_fakes import HEARTBEAT, RESTORE, TASK, Arm, World, both, ok, refusal

from master.protocol.exchange import JSON_HEADERS, Request, Response, collect
from simulated_agents.messages import RunTask
from simulated_agents.plan import WorkPlan
from simulated_agents.pretend import PretendContents
from simulated_agents.releases import RELEASES

RUN = {"recordId": 3, "taskId": 7}
RELAYED = {
    "id": 1,
    "type": "local_disk",
    "name": "disk",
    "config": {},
    "transferMode": "master_relay",
}
DIRECT_TARGET = {"id": 2, "type": "s3", "name": "cloud", "config": {}, "transferMode": "direct"}
SIZE = 150_000


def backup(arm: Arm, release: str, *, uploaded: Response | None = None) -> tuple[Any, bytes]:
    """Return the last report about a backup's record, and the bytes handed to the master."""
    reports: list[Any] = []
    handed: list[bytes] = []

    async def take(request: Request) -> Response:
        handed.append(await collect(request.chunks()))
        return uploaded or ok({"status": "ok"})

    async def body(world: World) -> None:
        world.master.answers["GET", "/api/agent/tasks/7"] = ok(
            {**TASK, "storageTargets": [RELAYED, DIRECT_TARGET]}
        )
        world.master.answers["PUT", "/api/agent/records/3/artifacts/1"] = take
        sent = await world.do(
            "run_task",
            RUN,
            release=RELEASES[release],
            work=WorkPlan(duration_s=0, size_bytes=SIZE),
        )
        reports.extend(body for _, path, body in sent if path == "/records/3")

    arm.run(body)
    return reports[-1], b"".join(handed)


@both
@pytest.mark.parametrize(("release", "in_body"), [("2.0", True), ("2.3.5", True), ("2.4", False)])
def test_the_token_in_a_heartbeat(arm: Arm, release: str, *, in_body: bool) -> None:
    """Only older agents put it into the body; all have it in the header."""
    seen: list[Request] = []

    async def body(world: World) -> None:
        world.start(release=RELEASES[release])
        await world.master.wait_for(HEARTBEAT)
        seen.extend(world.master.sent(HEARTBEAT))

    arm.run(body)

    assert (b'"token"' in seen[0].body) == in_body
    assert seen[0].headers["x-agent-token"]
    assert f'"agentVersion":"{RELEASES[release].version}"'.encode() in seen[0].body


@both
def test_an_agent_of_2_3_4_names_no_target(arm: Arm) -> None:
    """It reports as the first release did."""
    report, handed = backup(arm, "2.3.4")

    assert handed == b""
    assert list(report) == [
        *("status", "fileName", "fileSize", "checksum", "storagePath", "logAppend")
    ]


@both
def test_an_agent_of_2_3_5_reports_each_target(arm: Arm) -> None:
    """It names the first, and says of each how it went; it knows nothing of relays."""
    report, handed = backup(arm, "2.3.5")

    assert handed == b""
    assert report["storageTargetId"] == 1
    assert [one["storageTargetId"] for one in report["storageUploadResults"]] == [1, 2]
    assert {one["status"] for one in report["storageUploadResults"]} == {"success"}
    assert "/records/3/" not in report["storagePath"]


@both
def test_an_agent_of_2_4_hands_its_backup_to_the_master(arm: Arm) -> None:
    """What arrives has the size and the checksum that are reported, in the record's own folder."""
    report, handed = backup(arm, "2.4")

    assert len(handed) == SIZE == report["fileSize"]
    assert sha256(handed).hexdigest() == report["checksum"]
    assert report["storagePath"].endswith(f"/records/3/{report['fileName']}")
    assert (report["storageTargetId"], report["storageTransferMode"]) == (1, "master_relay")
    assert report["storageUploadResults"] == [
        {
            "storageTargetId": number,
            "storageTargetName": name,
            "status": "success",
            "storagePath": report["storagePath"],
            "fileSize": SIZE,
            "transferMode": mode,
        }
        for number, name, mode in ((1, "disk", "master_relay"), (2, "cloud", "direct"))
    ]


@both
def test_a_refused_upload_leaves_the_other_targets(arm: Arm) -> None:
    """The backup is a success on the target that took it."""
    refused = refusal(400, "BACKUP_STORAGE_QUOTA_EXCEEDED")

    report, _ = backup(arm, "2.4", uploaded=refused)

    failed, stored = report["storageUploadResults"]
    assert (report["status"], report["storageTargetId"]) == ("success", 2)
    assert (failed["status"], stored["status"]) == ("failed", "success")
    assert "BACKUP_STORAGE_QUOTA_EXCEEDED" in failed["error"]
    assert report["storageTransferMode"] == "direct"


def restore(arm: Arm, content: bytes, checksum: str) -> list[Any]:
    """Return what an agent reports about the restore of a relayed backup."""
    reports: list[Any] = []

    async def body(world: World) -> None:
        storage = {**RELAYED, "config": None}
        spec = {**RESTORE, "storage": storage, "checksum": checksum}
        answers = world.master.answers
        answers["GET", "/api/agent/restores/4/spec"] = ok(spec)
        answers["GET", "/api/agent/restores/4/artifact"] = Response(200, content, JSON_HEADERS)
        payload = {"restoreRecordId": 4}
        sent = await world.do("restore_record", payload, release=RELEASES["2.4"])
        reports.extend(body for _, path, body in sent if path == "/restores/4")

    arm.run(body)
    return reports


@both
def test_a_restore_of_a_relayed_backup(arm: Arm) -> None:
    """It is fetched from the master, and compared before anything is restored."""
    reports = restore(arm, b"backup", sha256(b"backup").hexdigest())

    logs = [report["logAppend"] for report in reports]
    assert logs[2:4] == ["[agent] 校验备份完整性（SHA-256）\n", "[agent] 完整性校验通过\n"]
    assert reports[-1]["status"] == "success"


@both
def test_a_restore_of_a_damaged_backup(arm: Arm) -> None:
    """It fails before anything is restored."""
    reports = restore(arm, b"damaged", sha256(b"backup").hexdigest())

    assert reports[-1]["status"] == "failed"
    assert "SHA-256" in reports[-1]["errorMessage"]
    assert not any("解压" in report["logAppend"] for report in reports)


def test_the_bytes_of_a_backup_are_its_own() -> None:
    """The same record gives the same bytes, another one others."""
    first, again, other = (PretendContents(RunTask(7, record), SIZE) for record in (3, 3, 4))

    assert first.checksum(sent=True) == again.checksum(sent=True)
    assert first.checksum(sent=True) != other.checksum(sent=True)
