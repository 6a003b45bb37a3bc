"""What a storage target may say of itself, release by release."""

import json
from pathlib import Path

import pytest
from cluster import EVERY, cluster, profiles

from master.objects import DiskObjects, MemoryObjects, Objects


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("relay", [True, False, None, "yes", 1])
def test_whether_a_disk_relays(profile: str, relay: object) -> None:
    """Yes or no, where the release reads it; a key like any other before, and shown as it came."""
    with cluster(profile) as one:
        config = {"basePath": "/srv/backup", "masterRelay": relay}
        body = {"name": "disk", "type": "local_disk", "config": config}
        answer = one.send("POST", "/api/storage-targets", body)
        told = json.loads(answer.body)

        if profile in profiles("relay") and relay in ("yes", 1) and relay is not True:
            kind = "string" if relay == "yes" else "number"
            assert (answer.status, told["code"]) == (400, "STORAGE_TARGET_INVALID_CONFIG")
            assert told["message"] == (
                f"decode config: json: cannot unmarshal {kind} into Go struct field"
                " LocalDiskConfig.masterRelay of type bool"
            )
        else:
            assert told["data"]["config"] == config


@pytest.mark.parametrize("profile", EVERY)
def test_a_change_and_a_trial_are_read_alike(profile: str) -> None:
    """So no target comes to be that a new one could not be."""
    with cluster(profile) as one:
        target_id = one.target()
        config = {"basePath": "/srv/backup", "masterRelay": "yes"}
        body = {"name": "disk", "type": "local_disk", "config": config}

        reads = profile in profiles("relay")
        changed = one.refusal("PUT", f"/api/storage-targets/{target_id}", body)
        assert changed == ((400, "STORAGE_TARGET_INVALID_CONFIG") if reads else (200, "OK"))
        if reads:
            tried = one.refusal("POST", "/api/storage-targets/test", body)
            assert tried == (400, "STORAGE_TARGET_INVALID_CONFIG")


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", None),
        ("a" * 22, None),
        ("secret", "input too short when revealing password - is it obscured?"),
        ("a" * 21, "illegal base64 data at input byte 20"),
        ("se cret", "illegal base64 data at input byte 2"),
        ("pässword", "illegal base64 data at input byte 1"),
    ],
)
def test_a_webdav_password_is_obscured_already(password: str, complaint: str | None) -> None:
    """Or there is none; a client of such a server cannot be made otherwise, as real servers say."""
    with cluster("2.0") as one:
        config = {"endpoint": "https://dav.example", "username": "u", "password": password}
        body = {"name": "dav", "type": "webdav", "config": config}
        answer = one.send("POST", "/api/storage-targets", body)
        told = json.loads(answer.body)
        if complaint is None:
            assert answer.status == 200
        else:
            assert (answer.status, told["code"]) == (400, "STORAGE_TARGET_INVALID_CONFIG")
            assert told["message"].startswith(
                "create rclone fs for webdav: couldn't decrypt password: "
            )
            assert told["message"].endswith(complaint)


@pytest.mark.parametrize("objects", [MemoryObjects, DiskObjects])
@pytest.mark.parametrize("stored", [True, False])
def test_a_trial_makes_a_folder_where_objects_are_files(
    tmp_path: Path, objects: type[Objects], stored: bool
) -> None:
    """A simulation leaves its user's disk alone, and a server says why it cannot."""
    with cluster("2.0") as one:
        object.__setattr__(one.state, "objects", objects())
        (tmp_path / "file").touch()
        for folder, complaint in (("new", ""), ("file/new", "Not a directory")):
            config = {"basePath": str(tmp_path / folder)}
            body = {"name": folder, "type": "local_disk", "config": config}
            path = "/api/storage-targets/test"
            if stored:
                target_id = one.data("POST", "/api/storage-targets", body)["id"]
                path = f"/api/storage-targets/{target_id}/test"
            answer = one.send("POST", path, body)

            fails = complaint and objects is DiskObjects
            assert answer.status == (400 if fails else 200)
            assert (complaint if fails else "连接成功") in answer.body.decode()
        assert (tmp_path / "new").is_dir() == (objects is DiskObjects)
