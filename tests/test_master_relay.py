"""Backups that go through the master: whole, as announced, where they belong, or not at all."""

import json
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import trio
from cluster import EVERY, Cluster, cluster, profiles

from harness.sites.served import Served, serve_master
from master.config import Timings
from master.objects import MemoryObjects
from master.protocol import times
from master.protocol.exchange import BodyCutError, Request, Response, collect
from master.store.rows import Record, Restore, Target, Task

CONTENT: Final = b"backup " * 30_000
RELAYS: Final = profiles("relay")
BASE: Final = "/vault"


class Stream:
    """A body that comes in pieces, and may break off after them."""

    def __init__(self, pieces: Iterable[bytes], *, cut: bool = False) -> None:
        self._pieces = list(pieces)
        self._cut = cut
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await trio.lowlevel.checkpoint()
            yield piece
        if self._cut:
            raise BodyCutError

    async def aclose(self) -> None:
        self.closed = True


class Vault:
    """A node that is running a task whose target is on the master's disk."""

    def __init__(self, one: Cluster) -> None:
        self.one = one
        assert isinstance(one.state.objects, MemoryObjects)
        self.objects = one.state.objects
        node_id, self.token = one.node()
        self.target_id = one.target("vault", basePath=BASE, masterRelay=True)
        self.task_id = one.task(node_id, self.target_id)
        self.record_id = one.run(self.task_id)

    def key(self, name: str = "a.tar.gz") -> str:
        record = self.one.database.get(Record, self.record_id)
        assert record is not None
        day = times.wire_text(record.started_at)[2:10].replace("-", "")
        return f"BackupX/file/{day}/records/{self.record_id}/{name}"

    def send(self, request: Request) -> Response:
        return trio.run(self.one.master.handle, request)

    def put(
        self,
        stream: Stream | None = None,
        *,
        key: str | None = None,
        target_id: object = None,
        record_id: object = None,
        token: str | None = None,
        **headers: str,
    ) -> tuple[int, str]:
        """Upload, by default the content; return status and code."""
        sent = {
            "x-agent-token": self.token if token is None else token,
            "x-backupx-object-key": self.key() if key is None else key,
            "x-backupx-sha256": sha256(CONTENT).hexdigest(),
            "content-length": str(len(CONTENT)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in sent.items() if value}
        record = self.record_id if record_id is None else record_id
        target = self.target_id if target_id is None else target_id
        path = f"/api/agent/records/{record}/artifacts/{target}"
        stream = stream or Stream([CONTENT[:1000], CONTENT[1000:]])
        answer = self.send(Request("PUT", path, sent, stream=stream))
        assert stream.closed
        return answer.status, json.loads(answer.body)["code"]

    def stored(self) -> list[bytes]:
        return list(self.objects.stored.values())

    def restoring(self, **columns: object) -> int:
        """Restore the backup, and return the restore's id."""
        changes = {"storage_transfer_mode": "master_relay", "storage_path": self.key(), **columns}
        self.one.finish(self.record_id, **changes)
        path = f"/api/backup/records/{self.record_id}/restore"
        return int(self.one.data("POST", path)["id"])

    def get(self, restore_id: object, token: str = "") -> Response:
        headers = {"x-agent-token": token or self.token}
        path = f"/api/agent/restores/{restore_id}/artifact"
        return self.send(Request("GET", path, headers))


# --- sending --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_a_backup_goes_through_the_master(profile: str) -> None:
    """It lies in its record's folder, whole; releases before v2.4.0 have no such way."""
    with cluster(profile) as one:
        vault = Vault(one)
        answer = vault.send(Request("PUT", "/api/agent/records/1/artifacts/1", {}, b""))
        if profile not in RELAYS:
            assert (answer.status, json.loads(answer.body)["code"]) == (404, "NOT_FOUND")
            return

        path = f"/api/agent/records/{vault.record_id}/artifacts/{vault.target_id}"
        assert one.refusal("POST", path, agent=vault.token) == (404, "NOT_FOUND")
        before = one.database.get(Record, vault.record_id)
        assert vault.put() == (200, "OK")

        assert one.database.get(Record, vault.record_id) == before
        assert vault.stored() == [CONTENT]
        assert vault.objects.exists(BASE, vault.key())
        assert vault.put(Stream([b"x"]), content_length="1", x_backupx_sha256=_hash(b"x"))[0] == 200
        assert vault.stored() == [b"x"]


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest().upper()


@pytest.mark.parametrize("profile", RELAYS)
def test_an_older_agent_s_key_is_the_record_s_own(profile: str) -> None:
    """A key without the record's folder is taken, and lies in that folder."""
    with cluster(profile) as one:
        vault = Vault(one)
        old = vault.key().replace(f"records/{vault.record_id}/", "")

        assert vault.put(key=old) == (200, "OK")

        assert vault.objects.exists(BASE, vault.key())
        assert not vault.objects.exists(BASE, old)


@pytest.mark.parametrize("profile", RELAYS)
@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    ("pieces", "announced", "digest"),
    [
        pytest.param([CONTENT, b"x"], len(CONTENT) + 1, "", id="another hash"),
        pytest.param([CONTENT[:-1]], len(CONTENT) - 1, "", id="shorter"),
        pytest.param([b""], 0, "", id="nothing"),
        pytest.param([CONTENT], len(CONTENT), "0" * 64, id="no such hash"),
    ],
)
def test_what_is_not_as_announced_is_not_kept(
    profile: str, earlier: bool, pieces: list[bytes], announced: int, digest: str
) -> None:
    """The real master deletes what was there, too; strict keeps what it once acknowledged."""
    with cluster(profile) as one:
        vault = Vault(one)
        if earlier:
            vault.put()

        answer = vault.put(
            Stream(piece for piece in pieces if piece),
            content_length=str(announced),
            x_backupx_sha256=digest or sha256(CONTENT).hexdigest(),
        )

        assert answer == (500, "INTERNAL_ERROR")
        keeps = profile in profiles("uploads_all_or_nothing")
        assert vault.stored() == ([CONTENT] if earlier and keeps else [])


@pytest.mark.parametrize("profile", RELAYS)
@pytest.mark.parametrize("earlier", [False, True])
def test_an_upload_that_breaks_off_leaves_nothing(profile: str, earlier: bool) -> None:
    """There is nobody to answer, and no part of an object."""
    with cluster(profile) as one:
        vault = Vault(one)
        if earlier:
            vault.put()

        with pytest.raises(BodyCutError):
            vault.put(Stream([CONTENT[:1000]], cut=True))

        keeps = profile in profiles("uploads_all_or_nothing")
        assert vault.stored() == ([CONTENT] if earlier and keeps else [])


def test_an_upload_over_a_connection_that_breaks(tmp_path: Path) -> None:
    """The same on a disk and over TCP: neither the object nor a part of it is left."""
    trio.run(_break_connection, tmp_path)


async def _break_connection(folder: Path) -> None:
    def files() -> list[Path]:
        return [path for path in folder.rglob("*") if path.is_file()]

    async with serve_master(Timings(), "2.4") as served:
        request = await _running(served, folder)
        host, port = urlsplit(served.url).hostname, urlsplit(served.url).port
        assert host is not None
        assert port is not None
        with trio.fail_after(10):
            link = await trio.open_tcp_stream(host, port)
            await link.send_all(request + CONTENT[: len(CONTENT) // 2])
            while not files():  # noqa: ASYNC110 - another process writes it
                await trio.sleep(0.01)
            await link.aclose()
            while files():  # noqa: ASYNC110
                await trio.sleep(0.01)
        async with httpx.AsyncClient(base_url=served.url) as client:
            alive = await client.get("/health")

        assert alive.status_code == 200  # the connection broke, the master did not
        assert files() == []


async def _running(served: Served, folder: Path) -> bytes:
    """Run a task whose target is in a folder; return the head of what uploads its backup."""
    async with httpx.AsyncClient(base_url=served.url) as client:

        async def post(path: str, body: object = None, token: str = "") -> Any:
            headers = {"Authorization": f"Bearer {served.admin_token}"}
            headers = {"X-Agent-Token": token} if token else headers
            answer = await client.post(path, json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.json()["data"]

        token = (await post("/api/nodes", {"name": "alpha"}))["token"]
        node_id = (await post("/api/agent/heartbeat", {}, token))["nodeId"]
        config = {"basePath": str(folder), "masterRelay": True}
        target = {"name": "vault", "type": "local_disk", "config": config}
        target_id = (await post("/api/storage-targets", target))["id"]
        task = {"name": "t", "type": "file", "sourcePath": "/s", "storageTargetIds": [target_id]}
        task_id = (await post("/api/backup/tasks", {**task, "nodeId": node_id}))["id"]
        record = await post(f"/api/backup/tasks/{task_id}/run")
    day = record["startedAt"][2:10].replace("-", "")
    return (
        f"PUT /api/agent/records/{record['id']}/artifacts/{target_id} HTTP/1.1\r\nHost: m\r\n"
        f"X-Agent-Token: {token}\r\nContent-Length: {len(CONTENT)}\r\n"
        f"X-BackupX-Object-Key: BackupX/file/{day}/records/{record['id']}/a\r\n"
        f"X-BackupX-SHA256: {_hash(CONTENT)}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("profile", RELAYS)
def test_what_is_asked_of_an_upload_in_order(profile: str) -> None:
    """Each refusal comes before all that are below it, and nothing is stored."""
    with cluster(profile) as one:
        vault = Vault(one)
        _, beta = one.node("beta")
        bucket = one.target("bucket", "s3", bucket="b", accessKeyId="k", secretAccessKey="s")
        direct = one.target("own", basePath="/own")
        listed = {"storageTargetIds": [vault.target_id, bucket, direct]}
        one.data("PUT", f"/api/backup/tasks/{vault.task_id}", one.task_body(2, 1, **listed))
        bad = {"key": "../x", "x_backupx_sha256": "x", "content_length": ""}
        unsupported = (400, "AGENT_ARTIFACT_RELAY_UNSUPPORTED")

        assert vault.put(token="x", record_id="x", **bad) == (401, "NODE_INVALID_TOKEN")
        assert vault.put(record_id="x", **bad) == (500, "INTERNAL_ERROR")
        assert vault.put(target_id="x", **bad) == (500, "INTERNAL_ERROR")
        assert vault.put(record_id=99, **bad) == (411, "CONTENT_LENGTH_REQUIRED")
        bad["content_length"] = "5"
        assert vault.put(record_id=99, **bad) == (404, "BACKUP_RECORD_NOT_FOUND")
        assert vault.put(token=beta, **bad) == (401, "BACKUP_RECORD_FORBIDDEN")
        assert vault.put(target_id=99, **bad) == (401, "BACKUP_STORAGE_TARGET_FORBIDDEN")
        assert vault.put(target_id=bucket, **bad) == unsupported
        assert vault.put(target_id=direct, **bad) == unsupported
        assert vault.put(**bad) == (400, "AGENT_ARTIFACT_INVALID_PATH")
        bad["key"] = vault.key().replace("records/1", "records/2")
        assert vault.put(**bad) == (400, "AGENT_ARTIFACT_INVALID_PATH")
        bad["key"] = vault.key()
        assert vault.put(**bad) == (400, "AGENT_ARTIFACT_INVALID")
        one.finish(vault.record_id)
        assert vault.put(target_id=99, **bad) == (400, "BACKUP_RECORD_TERMINAL")
        assert vault.stored() == []


@pytest.mark.parametrize("profile", RELAYS)
@pytest.mark.parametrize(
    ("used", "quota", "fits"),
    [
        (0, len(CONTENT), True),
        (0, len(CONTENT) - 1, False),
        (10, len(CONTENT) + 10, True),
        (11, len(CONTENT) + 10, False),
        (10**9, 0, True),
    ],
)
def test_a_target_s_quota(profile: str, used: int, quota: int, fits: bool) -> None:
    """What all records of the target say they stored counts, and the new object."""
    with cluster(profile) as one:
        vault = Vault(one)
        one.database.update(Target, vault.target_id, quota_bytes=quota)
        other = one.database.insert(
            Record,
            task_id=99,
            storage_target_id=vault.target_id,
            status="failed",
            file_size=used,
            started_at=one.now.utc,
        )
        assert other != vault.record_id

        expected = (200, "OK") if fits else (400, "BACKUP_STORAGE_QUOTA_EXCEEDED")
        assert vault.put() == expected


# --- fetching -------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("size", [0, 5, len(CONTENT)])
def test_a_backup_comes_back(profile: str, size: int) -> None:
    """As a stream of the size that its record says, or of unknown size if it says none."""
    with cluster(profile) as one:
        vault = Vault(one)
        with one.state.objects.create(BASE, vault.key()) as writing:
            writing.write(CONTENT)
            writing.commit()
        restore_id = vault.restoring(file_size=size)

        answer = vault.get(restore_id)

        if profile not in RELAYS:
            assert answer.status == 404
            return
        headers = dict(answer.all_headers())
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers.get("Content-Length") == (str(size) if size else None)
        assert answer.stream is not None
        assert trio.run(collect, answer.stream) == (CONTENT[:size] if size else CONTENT)


@pytest.mark.parametrize("profile", RELAYS)
def test_what_is_asked_of_a_download_in_order(profile: str) -> None:
    """A restore that is over, is another's or needs no master gets nothing."""
    with cluster(profile) as one:
        vault = Vault(one)
        _, beta = one.node("beta")
        restore_id = vault.restoring()

        def code(answer: Response) -> tuple[int, str]:
            return answer.status, json.loads(answer.body)["code"]

        assert code(vault.get(99)) == (404, "RESTORE_RECORD_NOT_FOUND")
        assert code(vault.get(restore_id, beta)) == (401, "RESTORE_RECORD_FORBIDDEN")
        assert code(vault.get(restore_id)) == (500, "INTERNAL_ERROR")  # nothing is there
        one.database.update(Record, vault.record_id, storage_transfer_mode="direct")
        assert code(vault.get(restore_id)) == (400, "AGENT_ARTIFACT_RELAY_UNSUPPORTED")
        one.database.delete(Record, vault.record_id)
        assert code(vault.get(restore_id)) == (404, "BACKUP_RECORD_NOT_FOUND")
        one.database.update(Restore, restore_id, status="success")
        assert code(vault.get(restore_id)) == (400, "RESTORE_RECORD_TERMINAL")


@pytest.mark.parametrize("profile", RELAYS)
def test_a_task_s_only_target_may_be_gone(profile: str) -> None:
    """One that names it the old way gets told that it cannot be relayed to."""
    with cluster(profile) as one:
        vault = Vault(one)
        one.database.execute("DELETE FROM backup_task_storage_targets")
        one.database.update(Task, vault.task_id, storage_target_id=77)

        assert vault.put(target_id=77) == (400, "AGENT_ARTIFACT_RELAY_UNSUPPORTED")
