"""Each type of command, call by call, as the real agent does it."""

import re
from hashlib import sha256
from typing import Any

import pytest
from test_agents_fakes import DIRECT, RESTORE, TASK, Arm, World, both, ok, refusal

from simulated_agents.plan import Outcome, WorkPlan

RUN = {"recordId": 3, "taskId": 7}
FETCH = ("GET", "/tasks/7", None)
FETCH_RESTORE = ("GET", "/restores/4/spec", None)

Sent = list[tuple[str, str, Any]]


def record(text: str) -> tuple[str, str, Any]:
    return ("POST", "/records/3", {"logAppend": text + "\n"})


def restore(text: str) -> tuple[str, str, Any]:
    return ("POST", "/restores/4", {"logAppend": text + "\n"})


def failed(path: str, message: str) -> tuple[str, str, Any]:
    log = f"[agent] 错误: {message}\n"
    return ("POST", path, {"status": "failed", "errorMessage": message, "logAppend": log})


def succeeded(result: object) -> tuple[str, str, Any]:
    body = {"errorMessage": "", "result": result, "success": True}
    return ("POST", "/commands/1/result", body)


def result_failed(error: str) -> tuple[str, str, Any]:
    return ("POST", "/commands/1/result", {"errorMessage": error, "success": False})


def sent_by(arm: Arm, kind: str, payload: object, **setting: Any) -> Sent:
    """Return what an agent sends about one command; `task`, `restore` change what it is told."""
    sent: Sent = []

    async def body(world: World) -> None:
        task, restored = setting.pop("task", {}), setting.pop("restore", {})
        world.master.answers["GET", "/api/agent/tasks/7"] = ok({**TASK, **task})
        world.master.answers["GET", "/api/agent/restores/4/spec"] = ok({**RESTORE, **restored})
        world.master.answers |= setting.pop("answers", {})
        sent.extend(await world.do(kind, payload, **setting))

    arm.run(body)
    return sent


@both
def test_a_backup(arm: Arm) -> None:
    """Spec, log lines, gzip, one line a target, the final update, the result."""
    plan = WorkPlan(duration_s=0, size_bytes=70_000)

    sent = sent_by(arm, "run_task", RUN, work=plan)

    final = sent[-2][2]
    assert sent[:-2] == [
        FETCH,
        record("[agent] 开始执行任务 Nightly Photos v1.2 (type=file)"),
        record("开始打包源路径 [1/2]: /data/photos"),
        record("源路径 [1/2] 打包完成（1 个目录，2 个文件）"),
        record("开始打包源路径 [2/2]: /data/archive"),
        record("源路径 [2/2] 打包完成（1 个目录，2 个文件）"),
        record("全部源路径打包完成（共 2 个目录，4 个文件）"),
        record("[agent] 开始压缩备份文件"),
        record("[agent] 已上传到存储目标 disk"),
        record("[agent] 已上传到存储目标 cloud"),
    ]
    assert sent[-2][:2] == ("POST", "/records/3")
    assert list(final) == [
        *("status", "fileName", "fileSize", "checksum", "storagePath", "logAppend")
    ]
    assert re.fullmatch(r"nightly_photos_v1_2_20260101T0\d{5}\.tar\.gz", final["fileName"])
    assert final == {
        "status": "success",
        "fileName": final["fileName"],
        "fileSize": 70_000,
        "checksum": sha256(b"task 7 record 3: 70000 bytes").hexdigest(),
        "storagePath": f"BackupX/file/260101/{final['fileName']}",
        "logAppend": "[agent] 任务完成，总计 70000 字节\n",
    }
    assert sent[-1] == succeeded(RUN)


@both
def test_a_backup_that_fails(arm: Arm) -> None:
    """The record fails first, then the command."""
    plan = WorkPlan(duration_s=0, outcome=Outcome.FAILURE, log_lines=("one",), error="disk full")

    sent = sent_by(arm, "run_task", RUN, work=plan)

    assert sent == [
        FETCH,
        record("[agent] 开始执行任务 Nightly Photos v1.2 (type=file)"),
        record("one"),
        failed("/records/3", "disk full"),
        result_failed("disk full"),
    ]


@both
def test_a_backup_whose_spec_is_refused(arm: Arm) -> None:
    """The record gets the refusal in full, with what it was for."""
    refused = refusal(404, "BACKUP_TASK_NOT_FOUND")
    error = f"GET /api/agent/tasks/7: http 404: {refused.body.decode()}"

    sent = sent_by(arm, "run_task", RUN, answers={("GET", "/api/agent/tasks/7"): refused})

    assert sent == [
        FETCH,
        failed("/records/3", f"拉取任务规格失败: {error}"),
        result_failed(error),
    ]


@both
def test_a_backup_that_cannot_be_recorded(arm: Arm) -> None:
    """When the final update is refused, only the command fails; the record is left alone."""
    refused = refusal(500, "INTERNAL_ERROR")
    answers = {("POST", "/api/agent/records/3"): refused}

    sent = sent_by(arm, "run_task", RUN, answers=answers)

    assert sent[-2][2]["status"] == "success"
    assert sent[-1] == result_failed(
        f"POST /api/agent/records/3: http 500: {refused.body.decode()}"
    )


TASK_FAILURES = {
    "encrypted": (
        {"encrypt": True},
        "Agent 不支持加密备份（加密密钥仅在 Master 端持有）",
        "Agent 不支持加密备份（加密密钥仅在 Master 端持有）",
    ),
    "of an unknown type": (
        {"type": "Tape"},
        "不支持的备份类型: unsupported backup task type: Tape",
        "unsupported backup task type: Tape",
    ),
    "without targets": ({"storageTargets": []}, "没有关联的存储目标", "no storage targets"),
    "with null targets": ({"storageTargets": None}, "没有关联的存储目标", "no storage targets"),
}


@pytest.mark.parametrize("name", TASK_FAILURES)
def test_a_backup_that_the_agent_cannot_do(name: str) -> None:
    """The record says it in Chinese; the command says what the code said."""
    changes, message, error = TASK_FAILURES[name]

    sent = sent_by(DIRECT, "run_task", RUN, task=changes)

    assert sent[-2:] == [failed("/records/3", message), result_failed(error)]


TYPES = {
    "none": ({"compression": "none"}, ".tar", False),
    "sqlite": ({"type": "sqlite", "dbPath": "/x/shop.db"}, ".db.gz", True),
    "sqlite without extension": ({"type": "sqlite", "dbPath": "/x/shop"}, "..sqlite.gz", True),
    "mysql": ({"type": "mysql", "dbName": "a,b", "dbHost": "h", "dbPort": 1}, ".sql.gz", True),
    "postgresql": ({"type": "postgresql", "dbName": "a;b"}, ".sql.gz", True),
    "saphana": ({"type": "saphana"}, ".tar.gz", True),
}


@pytest.mark.parametrize("name", TYPES)
def test_each_type_of_backup_makes_its_kind_of_file(name: str) -> None:
    """The extension is the runner's, and .gz is added when the agent packs."""
    changes, extension, packed = TYPES[name]

    sent = sent_by(DIRECT, "run_task", RUN, task=changes)

    final = sent[-2][2]
    assert final["fileName"].endswith(extension)
    assert final["fileName"].count(".") == extension.count(".")
    assert (record("[agent] 开始压缩备份文件") in sent) is packed
    assert final["storagePath"].startswith(f"BackupX/{changes.get('type', 'file')}/260101/")


def test_a_database_backup_names_its_databases() -> None:
    """The runner's lines count them and say how much there was."""
    changes = {"type": "postgresql", "dbName": "a, b", "dbHost": "db", "dbPort": 5432}

    sent = sent_by(DIRECT, "run_task", RUN, task=changes, work=WorkPlan(0, size_bytes=1536))

    assert sent[2:9] == [
        record("连接到 PostgreSQL: db:5432"),
        record("备份数据库: a, b"),
        record("开始导出数据库 [1/2]: a"),
        record("数据库 a 导出完成"),
        record("开始导出数据库 [2/2]: b"),
        record("数据库 b 导出完成"),
        record("PostgreSQL 导出完成（文件大小: 1.50 KB）"),
    ]


@pytest.mark.parametrize(
    ("paths", "first"),
    [
        ("/a\n/b\n", "[1/2]: /a"),
        ('["/x/../y/"]', "[1/1]: /y"),
        ("", "[1/1]: /data"),
        ("[]", "[1/1]: /data"),
    ],
)
def test_sources_are_listed_in_one_of_three_ways(paths: str, first: str) -> None:
    """A JSON list, one a line, or the single source of old."""
    sent = sent_by(DIRECT, "run_task", RUN, task={"sourcePaths": paths})

    assert sent[2] == record(f"开始打包源路径 {first}")
    assert any("全部源路径" in str(body) for *_, body in sent) is ("1/2" in first)


@pytest.mark.parametrize(
    ("size", "text"),
    [(12, "12 B"), (2048, "2.00 KB"), (3 * 1024**2, "3.00 MB"), (5 * 1024**3 // 2, "2.50 GB")],
)
def test_sizes_are_said_in_their_unit(size: int, text: str) -> None:
    """As the real runners say them."""
    work = WorkPlan(duration_s=0, size_bytes=size)

    sent = sent_by(DIRECT, "run_task", RUN, task={"type": "mysql"}, work=work)

    assert record(f"MySQL 导出完成（文件大小: {text}）") in sent


def test_a_restore_of_a_file_that_is_not_packed() -> None:
    """Nothing is unpacked, and the database says that it is back."""
    changes = {"fileName": "", "storagePath": "a/b.db", "type": "sqlite"}

    sent = sent_by(DIRECT, "restore_record", {"restoreRecordId": 4}, restore=changes)

    assert sent[2:4] == [restore("[agent] 下载备份文件 a/b.db"), restore("SQLite 数据库已恢复")]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("A b.C", "a_b_c"), (" 每日 ", "backup"), ("_x-1_", "x-1"), ("Ärger", "rger")],
)
def test_file_names_are_made_of_the_tasks_name(name: str, stem: str) -> None:
    """Lower-case ASCII letters, digits, dash and underscore; everything else goes."""
    sent = sent_by(DIRECT, "run_task", RUN, task={"name": name})

    assert sent[-2][2]["fileName"].startswith(stem + "_2026")


def test_log_lines_are_spread_over_the_work() -> None:
    """The first comes at the beginning, the last at the end."""

    async def body(world: World) -> None:
        await world.do("run_task", RUN, work=WorkPlan(duration_s=60, log_lines=("a", "b", "c")))
        master = world.master
        lines = {
            request.body: moment
            for request, moment in zip(master.requests, master.times, strict=True)
        }
        begin, *moments = (
            moment for text, moment in lines.items() if text.startswith(b'{"logAppend"')
        )

        assert [round(moment - begin, 6) for moment in moments[:3]] == [0, 30, 60]

    DIRECT.run(body)


@both
def test_a_restore(arm: Arm) -> None:
    """Spec, download, unpack, the runner's lines, the final update, the result."""
    sent = sent_by(arm, "restore_record", {"restoreRecordId": 4})

    final = {"status": "success", "logAppend": "[agent] 恢复执行完成\n"}
    assert sent == [
        FETCH_RESTORE,
        restore("[agent] 开始恢复 Nightly (type=file)"),
        restore("[agent] 下载备份文件 BackupX/file/260101/n.tar.gz"),
        restore("[agent] 解压 gzip 压缩"),
        restore("文件恢复完成"),
        ("POST", "/restores/4", final),
        succeeded({"restoreRecordId": 4}),
    ]


def test_a_restore_that_fails() -> None:
    """The restore record fails first, then the command."""
    plan = WorkPlan(duration_s=0, outcome=Outcome.FAILURE, error="no space")

    sent = sent_by(DIRECT, "restore_record", {"restoreRecordId": 4}, work=plan)

    assert sent[-2:] == [failed("/restores/4", "no space"), result_failed("no space")]


def test_a_restore_whose_spec_is_refused() -> None:
    """The restore record gets the refusal in full."""
    refused = refusal(401, "RESTORE_RECORD_FORBIDDEN")
    error = f"GET /api/agent/restores/4/spec: http 401: {refused.body.decode()}"

    sent = sent_by(
        DIRECT,
        "restore_record",
        {"restoreRecordId": 4},
        answers={("GET", "/api/agent/restores/4/spec"): refused},
    )

    assert sent == [
        FETCH_RESTORE,
        failed("/restores/4", f"拉取恢复规格失败: {error}"),
        result_failed(error),
    ]


def test_a_restore_that_cannot_be_recorded() -> None:
    """When the final update is refused, only the command fails."""
    refused = refusal(500, "INTERNAL_ERROR")
    answers = {("POST", "/api/agent/restores/4"): refused}

    sent = sent_by(DIRECT, "restore_record", {"restoreRecordId": 4}, answers=answers)

    assert sent[-2][2]["status"] == "success"
    assert sent[-1][2]["success"] is False


RESTORE_FAILURES = {
    "encrypted": ({"encrypt": True}, "Agent 不支持加密恢复（加密密钥仅在 Master 端持有）"),
    "of an encrypted file": ({"fileName": "n.tar.gz.ENC"}, "检测到加密后缀，Agent 不支持加密恢复"),
    "of an encrypted path": (
        {"fileName": " ", "storagePath": "a/b.enc"},
        "检测到加密后缀，Agent 不支持加密恢复",
    ),
}


@pytest.mark.parametrize("name", RESTORE_FAILURES)
def test_a_restore_that_the_agent_cannot_do(name: str) -> None:
    """Agents have no keys."""
    changes, message = RESTORE_FAILURES[name]

    sent = sent_by(DIRECT, "restore_record", {"restoreRecordId": 4}, restore=changes)

    assert sent[-2:] == [failed("/restores/4", message), result_failed(message)]


def test_a_restore_of_an_unknown_type() -> None:
    """There is no runner for it."""
    sent = sent_by(DIRECT, "restore_record", {"restoreRecordId": 4}, restore={"type": "tape"})

    error = "unsupported backup task type: tape"
    assert sent[-2:] == [failed("/restores/4", f"不支持的备份类型: {error}"), result_failed(error)]
