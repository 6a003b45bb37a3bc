"""An agent that works with real files: what it packs, where that goes, and how it comes back."""

import gzip
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import trio
from test_agents_fakes import DIRECT, HEARTBEAT, RESTORE, TASK, Arm, World, both, ok

from master.protocol.exchange import Request, Response, collect
from simulated_agents.files.hands import AtOnce, InThread
from simulated_agents.files.patterns import excluded
from simulated_agents.files.worker import FileWorker
from simulated_agents.releases import RELEASES

ARCHIVES = Path(__file__).parent / "archives"
"""Made by real agents."""

RUN = {"recordId": 3, "taskId": 7}
KEY = "BackupX/file/260101/records/3/"

Sent = list[tuple[str, str, Any]]


def tree(top: Path) -> None:
    """Make a few files of every kind that a backup can meet."""
    (top / "deep" / "er").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "a.txt").write_text("hello")
    (top / "a.txt").chmod(0o640)
    (top / "deep" / "er" / "big").write_bytes(bytes(range(256)) * 5_000)
    (top / "deep" / "left.log").write_text("left out")
    (top / "zero").touch()
    (top / "ü ß").write_text("ü")
    (top / "link").symlink_to("a.txt")


def look(top: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return the mode and the contents of all that is below a directory."""
    return {
        str(path.relative_to(top)): (
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(top.rglob("*"))
        if not path.is_symlink()
    }


def do(
    kind: str,
    payload: object,
    folder: Path,
    *,
    arm: Arm = DIRECT,
    release: str = "2.4",
    answers: dict[tuple[str, str], Any] | None = None,
    temp_dir: Path | None = None,
) -> Sent:
    """Return what an agent sends about one command, up to the result."""
    sent: Sent = []

    async def body(world: World) -> None:
        world.master.answers |= answers or {}
        worker = partial(
            FileWorker,
            temp_dir=temp_dir or folder / "tmp",
            hands=AtOnce() if arm is DIRECT else InThread(),
            same_bytes=True,
        )
        sent.extend(await world.do(kind, payload, worker=worker, release=RELEASES[release]))

    arm.run(body)
    return sent


def disk(base: Path, number: int = 1, **more: object) -> dict[str, object]:
    config = {"basePath": str(base)}
    return {"id": number, "type": "local_disk", "name": f"disk{number}", "config": config, **more}


def spec(sources: list[Path], targets: list[dict[str, object]], **more: object) -> Response:
    paths = json.dumps([str(path) for path in sources])
    return ok({**TASK, "sourcePaths": paths, "storageTargets": targets, **more})


def back_up(folder: Path, sources: list[Path], base: Path, **setting: Any) -> Sent:
    """Back up into a folder; `task` changes what the agent is told."""
    told = spec(sources, setting.pop("targets", [disk(base)]), **setting.pop("task", {}))
    answers = {("GET", "/api/agent/tasks/7"): told, **setting.pop("answers", {})}
    return do("run_task", RUN, folder, answers=answers, **setting)


def restore(folder: Path, sources: list[Path], base: Path, key: str, **setting: Any) -> Sent:
    """Restore from a folder; `told` changes what the agent is told."""
    more = {
        "sourcePaths": [str(path) for path in sources],
        "storage": disk(base),
        "storagePath": key,
        "fileName": key.rpartition("/")[2],
        **setting.pop("told", {}),
    }
    answers = {("GET", "/api/agent/restores/4/spec"): ok({**RESTORE, **more})}
    answers |= setting.pop("answers", {})
    return do("restore_record", {"restoreRecordId": 4}, folder, answers=answers, **setting)


def last_report(sent: Sent) -> dict[str, Any]:
    """Return the last report about a record."""
    report: dict[str, Any] = sent[-2][2]
    assert sent[-2][1] in {"/records/3", "/restores/4"}
    return report


def result(sent: Sent) -> dict[str, Any]:
    found: dict[str, Any] = sent[-1][2]
    return found


def error(sent: Sent) -> str:
    assert result(sent)["success"] is False
    text: str = result(sent)["errorMessage"]
    return text


@both
def test_files_there_and_back(arm: Arm, tmp_path: Path) -> None:
    """What it reports is there, and what was deleted comes back as it was."""
    source, base = tmp_path / "source", tmp_path / "base"
    tree(source)
    before = look(source)

    report = last_report(
        back_up(tmp_path, [source], base, arm=arm, task={"excludePatterns": '["*.log"]'})
    )

    stored = base / report["storagePath"]
    assert report["status"] == "success"
    assert report["storagePath"] == KEY + report["fileName"]
    assert report["fileName"] == stored.name == "nightly_photos_v1_2_20260101T000005.tar.gz" or (
        arm.name == "http"
    )
    assert stored.stat().st_size == report["fileSize"]
    assert sha256(stored.read_bytes()).hexdigest() == report["checksum"]
    assert list((tmp_path / "tmp").iterdir()) == []

    for path in (source / "a.txt", source / "deep" / "er" / "big", source / "zero"):
        path.unlink()
    (source / "empty").rmdir()
    (source / "ü ß").write_text("overwritten, and longer")
    told = {"checksum": report["checksum"]}
    again = restore(tmp_path, [source], base, report["storagePath"], told=told, arm=arm)

    assert last_report(again)["status"] == "success"
    assert look(source) == before
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_an_archive_holds(tmp_path: Path) -> None:
    """Names begin with the source's; directories are entries, the source is none; links are empty."""
    source, base = tmp_path / "source", tmp_path / "base"
    tree(source)

    sent = back_up(tmp_path, [source], base, task={"excludePatterns": '["deep/", "z*"]'})

    with tarfile.open(base / last_report(sent)["storagePath"]) as archive:
        found = [(entry.name, entry.type, entry.linkname) for entry in archive]
    assert found == [
        ("source/a.txt", tarfile.REGTYPE, ""),
        ("source/empty", tarfile.DIRTYPE, ""),
        ("source/link", tarfile.SYMTYPE, ""),
        ("source/ü ß", tarfile.REGTYPE, ""),
    ]
    logs = [body["logAppend"] for _, path, body in sent if path == "/records/3"]
    assert logs[1:5] == [
        f"开始打包源路径 [1/1]: {source}\n",
        "跳过排除目录 source/deep\n",
        "[DIR] 进入目录 source/empty\n",
        "源路径 [1/1] 打包完成（1 个目录，2 个文件）\n",
    ]


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    """In a simulation the time and the owner of a file leave no trace."""
    source = tmp_path / "source"
    tree(source)

    first = last_report(back_up(tmp_path, [source], tmp_path / "base"))
    os.utime(source / "a.txt", (1, 1))
    again = last_report(back_up(tmp_path, [source], tmp_path / "base"))

    assert first["checksum"] == again["checksum"]


def test_sources_go_back_to_parents_of_their_own(tmp_path: Path) -> None:
    """Two sources are in one archive; a file is a source too."""
    one, two = tmp_path / "here" / "one", tmp_path / "there" / "two.txt"
    one.mkdir(parents=True)
    (one / "file").write_text("1")
    two.parent.mkdir()
    two.write_text("2")

    report = last_report(back_up(tmp_path, [one, two], tmp_path / "base"))
    (one / "file").unlink()
    two.unlink()
    restore(tmp_path, [one, two], tmp_path / "base", report["storagePath"])

    assert ((one / "file").read_text(), two.read_text()) == ("1", "2")


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_compression(compression: str, tmp_path: Path) -> None:
    """A name says what is in the file."""
    source = tmp_path / "source"
    tree(source)

    report = last_report(
        back_up(tmp_path, [source], tmp_path / "base", task={"compression": compression})
    )
    data = (tmp_path / "base" / report["storagePath"]).read_bytes()

    assert report["fileName"].endswith(".tar.gz") == (compression == "gzip")
    with tarfile.open(fileobj=BytesIO(gzip.decompress(data) if compression == "gzip" else data)):
        pass


@pytest.mark.parametrize(
    ("release", "kept"), [("2.0", False), ("2.3.4", False), ("2.3.5", True), ("2.4", True)]
)
def test_one_of_two_targets_cannot_be_written(release: str, tmp_path: Path, *, kept: bool) -> None:
    """Older agents give up; newer ones go on, and report both."""
    source, base, file = tmp_path / "source", tmp_path / "base", tmp_path / "file"
    tree(source)
    file.touch()

    sent = back_up(tmp_path, [source], base, targets=[disk(file), disk(base, 2)], release=release)

    report = last_report(sent)
    assert report["status"] == ("success" if kept else "failed")
    assert result(sent)["success"] is kept
    assert base.exists() is kept
    if kept:
        assert report["storageTargetId"] == 2
        uploads = report["storageUploadResults"]
        assert [one["status"] for one in uploads] == ["failed", "success"]
        assert "not a directory" in uploads[0]["error"]
    else:
        assert "not a directory" in report["errorMessage"]


@both
def test_a_backup_through_the_master(arm: Arm, tmp_path: Path) -> None:
    """What is handed over is the archive, with its length and its hash."""
    source = tmp_path / "source"
    tree(source)
    handed: list[tuple[Request, bytes]] = []

    async def take(request: Request) -> Response:
        handed.append((request, await collect(request.chunks())))
        return ok({"status": "ok"})

    target = disk(tmp_path / "nowhere", transferMode="master_relay")
    sent = back_up(
        tmp_path,
        [source],
        tmp_path,
        arm=arm,
        targets=[target],
        answers={("PUT", "/api/agent/records/3/artifacts/1"): take},
    )

    report = last_report(sent)
    ((request, data),) = handed
    assert sha256(data).hexdigest() == request.headers["x-backupx-sha256"] == report["checksum"]
    assert request.headers["x-backupx-object-key"] == report["storagePath"]
    assert request.headers["content-length"] == str(len(data)) == str(report["fileSize"])
    assert not (tmp_path / "nowhere").exists()

    before = look(source)
    (source / "a.txt").unlink()
    told = {
        "storage": {**target, "config": None},
        "checksum": report["checksum"],
    }
    again = restore(
        tmp_path,
        [source],
        tmp_path,
        report["storagePath"],
        arm=arm,
        told=told,
        answers={("GET", "/api/agent/restores/4/artifact"): Response(200, data)},
    )
    assert result(again)["success"] is True
    assert look(source) == before


def test_what_a_real_agent_packed(tmp_path: Path) -> None:
    """It comes back as it was, names of any length and alphabet; a link is passed over."""
    shutil.copytree(ARCHIVES, tmp_path / "base")

    sent = restore(tmp_path, [tmp_path / "source"], tmp_path / "base", "v2.4.0.tar.gz")

    assert result(sent)["success"] is True
    found = look(tmp_path / "source")
    assert {name: data for name, (_, data) in found.items()} == {
        "a.txt": b"hello\n",
        "deep": None,
        "deep/er": None,
        "deep/er/b.bin": bytes(range(256)) * 8,
        "empty": None,
        "n" * 120: b"a long name",
        "zero": b"",
        "ü ß": "ü".encode(),
    }
    assert found["a.txt"][0] == 0o100640


def test_agents_of_2_3_5_know_no_ways(tmp_path: Path) -> None:
    """They write to the disk that the specification names, and do not repeat how it is reached."""
    source = tmp_path / "source"
    tree(source)
    target = disk(tmp_path / "base", transferMode="master_relay")

    report = last_report(
        back_up(tmp_path, [source], tmp_path / "base", targets=[target], release="2.3.5")
    )

    assert (tmp_path / "base" / report["storagePath"]).is_file()
    assert "storageTransferMode" not in report
    assert "transferMode" not in report["storageUploadResults"][0]


MARKS = {"2.0": "📁", "2.3.5": "📁", "2.4": "[DIR]"}


@pytest.mark.parametrize("release", MARKS)
def test_marks_of_folders(release: str, tmp_path: Path) -> None:
    """Releases mark them differently in their logs."""
    tree(tmp_path / "source")

    sent = back_up(tmp_path, [tmp_path / "source"], tmp_path / "base", release=release)

    logs = [body.get("logAppend") for _, path, body in sent if path == "/records/3"]
    assert f"{MARKS[release]} 进入目录 source/empty\n" in logs


@pytest.mark.parametrize(("release", "packed"), [("2.3.5", False), ("2.4", True)])
def test_zstd(release: str, tmp_path: Path, *, packed: bool) -> None:
    """Only newer agents know it, and ours has none; older ones leave the archive as it is."""
    tree(tmp_path / "source")
    task = {"compression": "zstd"}

    sent = back_up(tmp_path, [tmp_path / "source"], tmp_path / "base", release=release, task=task)

    if packed:
        assert error(sent) == "zstd is not supported by this agent"
        assert ("POST", "/records/3", {"logAppend": "[agent] 开始压缩备份文件（zstd）\n"}) in sent
    else:
        assert last_report(sent)["fileName"].endswith(".tar")


def archive_of(*entries: tuple[str, bytes, bytes]) -> bytes:
    """Return an archive of entries: name, type, contents or what is linked to."""
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind, inside in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(inside)
            else:
                info.linkname = inside.decode()
            archive.addfile(info, BytesIO(inside))
    return made.getvalue()


ESCAPES = {
    "by dots": [("source/../../out", tarfile.REGTYPE, b"x")],
    "a directory by dots": [("../out", tarfile.DIRTYPE, b"")],
    "over a link that is there": [("source/away/out", tarfile.REGTYPE, b"x")],
}


@pytest.mark.parametrize("name", ESCAPES)
def test_an_archive_that_reaches_out(name: str, tmp_path: Path) -> None:
    """Nothing is written anywhere but below the parent of the source."""
    home, base = tmp_path / "home", tmp_path / "base"
    (home / "source").mkdir(parents=True)
    (home / "source" / "away").symlink_to(tmp_path)
    base.mkdir()
    (base / "b.tar").write_bytes(archive_of(*ESCAPES[name]))

    sent = restore(tmp_path, [home / "source"], base, "b.tar")

    assert error(sent) == "tar entry escapes restore path"
    assert last_report(sent)["status"] == "failed"
    assert not (tmp_path / "out").exists()
    assert not (home / "out").exists()


def test_a_link_of_the_archive(tmp_path: Path) -> None:
    """It is not made, so that nothing goes where it leads."""
    home, base = tmp_path / "home", tmp_path / "base"
    (home / "source").mkdir(parents=True)
    base.mkdir()
    link = ("source/new", tarfile.SYMTYPE, b"../..")
    (base / "b.tar").write_bytes(archive_of(link, ("source/new/out", tarfile.REGTYPE, b"x")))

    restore(tmp_path, [home / "source"], base, "b.tar")

    assert (home / "source" / "new" / "out").read_text() == "x"
    assert not (tmp_path / "out").exists()


def test_a_link_in_the_way_of_a_file(tmp_path: Path) -> None:
    """What the link leads to is left alone."""
    home, base = tmp_path / "home", tmp_path / "base"
    (home / "source").mkdir(parents=True)
    base.mkdir()
    (tmp_path / "precious").write_text("kept")
    (home / "source" / "a").symlink_to(tmp_path / "precious")
    (base / "b.tar").write_bytes(archive_of(("source/a", tarfile.REGTYPE, b"new")))

    restore(tmp_path, [home / "source"], base, "b.tar")

    assert (tmp_path / "precious").read_text() == "kept"


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "no gzip": lambda _: b"no gzip at all",
    "cut gzip": lambda data: data[: len(data) // 2],
    "no tar": lambda _: gzip.compress(b"no tar at all" * 100),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_backup_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    """The restore fails, and says so."""
    source, base = tmp_path / "source", tmp_path / "base"
    tree(source)
    report = last_report(back_up(tmp_path, [source], base))
    stored = base / report["storagePath"]
    stored.write_bytes(DAMAGE[name](stored.read_bytes()))
    before = look(source)

    sent = restore(tmp_path, [source], base, report["storagePath"])

    assert last_report(sent)["status"] == "failed"
    assert error(sent)
    assert look(source) == before


def test_a_backup_that_is_another_one(tmp_path: Path) -> None:
    """Its hash is looked at before a file is touched."""
    source, base = tmp_path / "source", tmp_path / "base"
    tree(source)
    report = last_report(back_up(tmp_path, [source], base))
    (source / "a.txt").write_text("newer")

    sent = restore(tmp_path, [source], base, report["storagePath"], told={"checksum": "ab" * 32})

    assert "SHA-256" in error(sent)
    assert (source / "a.txt").read_text() == "newer"


WRONG_RUNS: dict[str, tuple[dict[str, object], str]] = {
    "no source": ({"sourcePaths": '["/nowhere/at/all"]'}, "stat source path /nowhere/at/all: "),
    "no source named": ({"sourcePaths": "[]", "sourcePath": ""}, "source path is required"),
    "no target": ({"storageTargets": []}, "no storage targets"),
    "a target elsewhere": (
        {"storageTargets": [{"id": 1, "type": "s3", "name": "s", "config": {"secretKey": "hush"}}]},
        "unsupported storage provider type: s3",
    ),
    "a target without a folder": (
        {"storageTargets": [{"id": 1, "type": "local_disk", "name": "s", "config": {}}]},
        "local disk basePath is required",
    ),
    "a target with a broken folder": (
        {"storageTargets": [{"id": 1, "type": "local_disk", "name": "s", "config": 5}]},
        "decode config",
    ),
    "encrypted": ({"encrypt": True}, "Agent 不支持加密备份"),
    "another type": ({"type": "mysql"}, "tasks of type mysql are not supported"),
    "no database": ({"type": "sqlite", "dbPath": "/nowhere.db"}, "stat sqlite database: stat "),
}


@pytest.mark.parametrize("name", WRONG_RUNS)
def test_a_backup_that_cannot_be_made(name: str, tmp_path: Path) -> None:
    """Record and command both say why, no secret among it, and nothing is left behind."""
    source = tmp_path / "source"
    tree(source)
    task, expected = WRONG_RUNS[name]

    sent = back_up(tmp_path, [source], tmp_path / "base", task=task)

    assert expected in error(sent)
    assert last_report(sent)["status"] == "failed"
    assert "hush" not in str(sent)
    assert not (tmp_path / "base").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("release", ["2.0", "2.3.4"])
def test_no_place_for_temporary_files(release: str, tmp_path: Path) -> None:
    """Newer agents see to that before they ask what the work is."""
    source = tmp_path / "source"
    tree(source)

    sent = back_up(
        tmp_path, [source], tmp_path / "base", temp_dir=source / "zero" / "tmp", release=release
    )

    assert "create agent temp dir: mkdir" in error(sent)
    asked = ("GET", "/tasks/7", None) in sent
    assert asked == (release == "2.0")


def test_a_database_file(tmp_path: Path) -> None:
    """It is copied, named by its own extension, and put back."""
    database, base = tmp_path / "app.db", tmp_path / "base"
    database.write_bytes(b"SQLite format 3\0" * 100)
    task = {"type": "sqlite", "dbPath": str(database)}

    report = last_report(back_up(tmp_path, [], base, task=task))
    assert report["fileName"].endswith(".db.gz")
    assert report["storagePath"].startswith("BackupX/sqlite/")
    database.unlink()
    told = {"type": "sqlite", "dbPath": str(database)}
    restore(tmp_path, [], base, report["storagePath"], told=told)

    assert database.read_bytes() == b"SQLite format 3\0" * 100


def test_a_directory(tmp_path: Path) -> None:
    """Directories first, then by name; a link is a file, and as large as what it says."""
    tree(tmp_path / "source")

    sent = do("list_dir", {"path": f" {tmp_path}/source/ "}, tmp_path)

    entries = result(sent)["result"]["entries"]
    assert [(one["name"], one["isDir"], one["size"]) for one in entries] == [
        ("deep", True, 0),
        ("empty", True, 0),
        ("a.txt", False, 5),
        ("link", False, 5),
        ("zero", False, 0),
        ("ü ß", False, 2),
    ]
    assert entries[0]["path"] == f"{tmp_path}/source/deep"


@pytest.mark.parametrize("path", ["", ".", "/", "//"])
def test_the_root(path: str, tmp_path: Path) -> None:
    """No path is the root, too."""
    sent = do("list_dir", {"path": path}, tmp_path)

    assert {"tmp", "etc"} <= {one["name"] for one in result(sent)["result"]["entries"]}


@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere", "no such file or directory"), ("a.txt", "not a directory"), ("\0", "null")],
)
def test_no_directory(path: str, reason: str, tmp_path: Path) -> None:
    """The command fails, in the operating system's words."""
    tree(tmp_path / "source")

    sent = do("list_dir", {"path": f"{tmp_path}/source/{path}"}, tmp_path)

    assert error(sent).startswith("read dir: ")
    assert reason in error(sent)


def delete(folder: Path, key: str, release: str = "2.4") -> Sent:
    payload = {
        "targetType": "local_disk",
        "targetConfig": {"basePath": str(folder / "base")},
        "storagePath": key,
    }
    return do("delete_storage_object", payload, folder, release=release)


def test_a_stored_backup_is_deleted(tmp_path: Path) -> None:
    """It is gone, and nothing else is."""
    (tmp_path / "base" / "p").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / "base" / "p" / name).touch()

    sent = delete(tmp_path, "p/one")

    assert result(sent)["result"] == {"deleted": True}
    assert [path.name for path in (tmp_path / "base" / "p").iterdir()] == ["two"]


@pytest.mark.parametrize(("release", "fine"), [("2.0", False), ("2.3.5", False), ("2.4", True)])
def test_a_stored_backup_that_is_gone(release: str, tmp_path: Path, *, fine: bool) -> None:
    """To newer agents that is as good as deleted."""
    (tmp_path / "base").mkdir()

    sent = delete(tmp_path, "p/one", release)

    assert result(sent)["success"] is fine
    assert fine or error(sent) == "delete object: rclone find object p/one: object not found"


@pytest.mark.parametrize("key", ["../precious", "link/precious", "p/../../precious", "."])
def test_a_key_that_leads_out(key: str, tmp_path: Path) -> None:
    """It names nothing: what is outside, and the folder itself, stays."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "link").symlink_to(tmp_path)
    (tmp_path / "precious").touch()

    assert "object not found" in error(delete(tmp_path, key, "2.3.5"))
    assert (tmp_path / "precious").exists()
    assert (tmp_path / "base").exists()


def test_a_folder_is_no_backup(tmp_path: Path) -> None:
    """It is not deleted."""
    (tmp_path / "base" / "p").mkdir(parents=True)

    assert "is a directory not a file" in error(delete(tmp_path, "p"))
    assert (tmp_path / "base" / "p").is_dir()


def client(folder: Path, name: str, script: str) -> None:
    """Put a program of that name where programs are looked for."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


ASKED = {"type": "PostgreSQL", "host": "db", "port": 5432, "user": "u", "password": "hush"}


def test_databases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client gets the password by its environment; the server's own are left out."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    client(tmp_path, "psql", f'echo "$PGPASSWORD $@" >{tmp_path}/seen; printf "postgres\\nshop\\n"')

    sent = do("discover_db", ASKED, tmp_path)

    assert result(sent)["result"] == {"databases": ["shop"]}
    password, *arguments = (tmp_path / "seen").read_text().split()
    assert password == "hush"
    assert "hush" not in arguments
    assert arguments[:6] == ["-h", "db", "-p", "5432", "-U", "u"]


def test_a_server_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's words are told."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    client(tmp_path, "mysql", "echo no such host >&2; exit 7")
    client(tmp_path, "psql", "exit 7")

    mysql = do("discover_db", {**ASKED, "type": "mysql"}, tmp_path)
    postgresql = do("discover_db", ASKED, tmp_path)

    assert error(mysql) == "连接 MySQL 失败：no such host"
    assert error(postgresql) == "连接 PostgreSQL 失败：exit status 7"


def test_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which one is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert error(do("discover_db", ASKED, tmp_path)) == "系统未安装 psql 客户端"
    redis = {**ASKED, "type": "redis"}
    assert error(do("discover_db", redis, tmp_path)) == "unsupported database type: redis"


PATTERNS = [
    ("*.log", "src/a.log", False, True),
    ("*.log", "src/d/a.log", False, True),
    ("src/*", "src/a", False, True),
    ("src/*", "src/a/b", False, False),
    ("a?c", "src/abc", False, True),
    ("[a-c]x", "src/bx", False, True),
    ("[^a-c]x", "src/bx", False, False),
    ("[!a-c]x", "src/!x", False, True),
    (r"\*", "src/*", False, True),
    (r"\*", "src/a", False, False),
    ("cache/", "src/cache", True, True),
    ("cache/", "src/cache", False, False),
    ("cache", "src/cache", True, True),
    ("[", "src/[", False, False),
    ("a.c", "src/abc", False, False),
    ("**", "src/a", False, True),
    ("SRC", "src", True, False),
]


@pytest.mark.parametrize(("pattern", "name", "is_dir", "expected"), PATTERNS)
def test_what_is_left_out(pattern: str, name: str, *, is_dir: bool, expected: bool) -> None:
    """A pattern is about the whole name or its last part; a star stays within one."""
    assert excluded(name, [pattern], is_dir=is_dir) is expected


def test_heartbeats_go_on_while_files_are_packed(tmp_path: Path) -> None:
    """Packing is done in a thread, which ends with its agent."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    database = {
        "type": "sqlite",
        "dbPath": str(pipe),
    }  # to copy it is to wait until somebody writes
    seen: list[int] = []

    async def body(world: World) -> None:
        world.master.answers["GET", "/api/agent/tasks/7"] = spec([], [disk(tmp_path)], **database)
        world.master.enqueue("run_task", RUN)
        worker = partial(FileWorker, temp_dir=tmp_path / "tmp")
        world.start(worker=worker, release=RELEASES["2.4"])
        await world.master.wait_for("/api/agent/records/3")
        beats = len(world.master.sent(HEARTBEAT))
        await world.master.wait_for(HEARTBEAT, beats + 3)
        seen.append(len(world.master.sent("/api/agent/commands/1/result")))
        await trio.to_thread.run_sync(pipe.write_bytes, b"at last")
        await world.master.wait_for("/api/agent/commands/1/result")

    Arm("http").run(body)

    assert seen == [0]
