"""The audit log: who did what, and how it is read."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest.mock import patch

import pytest
import trio
from cluster import EVERY, Cluster, cluster, profiles

from harness.target import ADMIN
from master.protocol.exchange import Request


@pytest.fixture
def old() -> Iterator[Cluster]:
    with cluster("2.0") as made:
        yield made


def rows(made: Cluster, query: str = "") -> list[dict[str, Any]]:
    page = made.data("GET", f"/api/audit-logs{query}")
    assert page["total"] >= len(page["items"])
    found: list[dict[str, Any]] = page["items"]
    return found


def last(made: Cluster) -> tuple[str, ...]:
    row = rows(made)[0]
    named = ("category", "action", "targetType", "targetId", "targetName", "detail")
    return tuple(row[name] for name in named)


def rename(made: Cluster) -> None:
    made.data("PUT", "/api/nodes/2", {"name": "gamma"})


def run(made: Cluster) -> None:
    made.run(made.task(2))


def restore(made: Cluster) -> None:
    run(made)
    made.finish(1)
    made.data("POST", "/api/backup/records/1/restore")


def with_record(act: Callable[[Cluster], object]) -> Callable[[Cluster], None]:
    def done(made: Cluster) -> None:
        made.run(
            made.task(
                2,
                made.target(
                    "cloud",
                    "s3",
                    bucket="b",
                    endpoint="e",
                    accessKeyId="a",
                    secretAccessKey="s",
                    region="r",
                ),
            )
        )
        made.finish(1)
        act(made)

    return done


def with_task(method: str, path: str, body: object = None) -> Callable[[Cluster], None]:
    def done(made: Cluster) -> None:
        made.task(2, cronExpr="0 3 * * *")
        made.data(method, path, body)

    return done


def with_key(method: str, path: str, body: object = None) -> Callable[[Cluster], None]:
    def done(made: Cluster) -> None:
        made.key("viewer")
        made.data(method, path, body)

    return done


def with_user(method: str, change: dict[str, object] | None = None) -> Callable[[Cluster], None]:
    def done(made: Cluster) -> None:
        made.data("POST", "/api/users", SECOND)
        made.data(method, "/api/users/2", None if change is None else {**SECOND, **change})

    return done


def with_target(method: str) -> Callable[[Cluster], None]:
    body = {"name": "other", "type": "local_disk", "config": {"basePath": "/srv"}}

    def done(made: Cluster) -> None:
        made.target()
        made.data(method, "/api/storage-targets/1", body if method == "PUT" else None)

    return done


SECOND: Final = {
    "username": "second", "password": "correct-horse", "displayName": "S", "role": "viewer",
}  # fmt: skip
TASK: Final = "backup_task"
NIGHTLY: Final = "备份任务「nightly」，类型: file, 调度: 0 3 * * *, 存储: 1 个目标"
BODY: Final = {
    "name": "nightly", "type": "file", "sourcePath": "/", "nodeId": 2, "storageTargetIds": [1],
    "cronExpr": "0 3 * * *", "enabled": True,
}  # fmt: skip

DONE: Final[dict[str, tuple[Callable[[Cluster], object], tuple[str, ...]]]] = {
    "node made": (
        lambda made: made.data("POST", "/api/nodes", {"name": "beta"}),
        ("node", "create", "node", "", "beta", "创建远程节点「beta」"),
    ),
    "nodes made": (
        lambda made: made.data("POST", "/api/nodes/batch", {"names": ["b", "c"]}),
        ("node", "batch_create", "node", "", "2", "批量创建 2 个节点"),
    ),
    "node changed": (rename, ("node", "update", "node", "2", "gamma", "更新节点「gamma」(ID: 2)")),
    "node deleted": (
        lambda made: made.data("DELETE", "/api/nodes/2"),
        ("node", "delete", "node", "2", "", "删除节点 (ID: 2)"),
    ),
    "token rotated": (
        lambda made: made.data("POST", "/api/nodes/2/rotate-token"),
        ("node", "rotate_token", "node", "2", "", "轮换节点 Token (ID: 2)"),
    ),
    "key made": (
        lambda made: made.key("viewer"),
        ("api_key", "create", "api_key", "1", "viewer", "创建 API Key: viewer (角色: viewer)"),
    ),
    "key off": (
        with_key("PUT", "/api/api-keys/1/toggle", {"disabled": True}),
        ("api_key", "disable", "api_key", "1", "", "停用 API Key (ID: 1)"),
    ),
    "key revoked": (
        with_key("DELETE", "/api/api-keys/1"),
        ("api_key", "revoke", "api_key", "1", "", "撤销 API Key (ID: 1)"),
    ),
    "user made": (
        lambda made: made.data("POST", "/api/users", SECOND),
        ("user", "create", "user", "2", "second", "创建用户 second (角色: viewer)"),
    ),
    "user changed": (
        with_user("PUT", {"disabled": True}),
        ("user", "update", "user", "2", "second", "更新用户 second (角色: viewer, 停用: true)"),
    ),
    "user deleted": (
        with_user("DELETE"),
        ("user", "delete", "user", "2", "", "删除用户 (ID: 2)"),
    ),
    "target made": (
        lambda made: made.target(),
        ("storage_target", "create", "storage_target", "1", "disk",
         "创建存储目标「disk」，类型: local_disk"),
    ),
    "target changed": (
        with_target("PUT"),
        ("storage_target", "update", "storage_target", "1", "other",
         "更新存储目标「other」，类型: local_disk"),
    ),
    "target deleted": (
        with_target("DELETE"),
        ("storage_target", "delete", "storage_target", "1", "", "删除存储目标 (ID: 1)"),
    ),
    "task made": (
        lambda made: made.task(2, cronExpr="0 3 * * *"),
        (TASK, "create", TASK, "1", "nightly", f"创建{NIGHTLY}"),
    ),
    "task made without times": (
        lambda made: made.task(2),
        (TASK, "create", TASK, "1", "nightly",
         "创建备份任务「nightly」，类型: file, 调度: 仅手动执行, 存储: 1 个目标"),
    ),
    "task changed": (
        with_task("PUT", "/api/backup/tasks/1", BODY),
        (TASK, "update", TASK, "1", "nightly", f"更新{NIGHTLY}"),
    ),
    "task off": (
        with_task("PUT", "/api/backup/tasks/1/toggle", {"enabled": False}),
        (TASK, "disable", TASK, "1", "nightly", "停用备份任务「nightly」"),
    ),
    "tasks on": (
        with_task("POST", "/api/backup/tasks/batch/toggle", {"ids": [1, 9], "enabled": True}),
        (TASK, "batch_enable", TASK, "", "", "批量启用 1/2 个任务"),
    ),
    "task deleted": (
        with_task("DELETE", "/api/backup/tasks/1"),
        (TASK, "delete", TASK, "1", "nightly",
         "删除备份任务「nightly」(ID: 1)，关联记录 0 条，已清理远端文件 0 个"),
    ),
    "tasks deleted": (
        with_task("POST", "/api/backup/tasks/batch/delete", {"ids": [1, 9]}),
        (TASK, "batch_delete", TASK, "", "", "批量删除 1/2 个任务"),
    ),
    "task run": (run, (TASK, "run", TASK, "1", "", "手动触发备份")),
    "tasks run": (
        with_task("POST", "/api/backup/tasks/batch/run", {"ids": [1, 9]}),
        (TASK, "batch_run", TASK, "", "", "批量触发备份 1/2"),
    ),
    "restored": (
        restore,
        ("backup_record", "restore", "backup_record", "1", "",
         "启动恢复 (备份记录 ID: 1, 恢复记录 ID: 1)"),
    ),
    "record deleted": (
        with_record(lambda made: made.data("DELETE", "/api/backup/records/1")),
        ("backup_record", "delete", "backup_record", "1", "", "删除备份记录 (ID: 1)"),
    ),
    "records deleted": (
        with_record(
            lambda made: made.data("POST", "/api/backup/records/batch-delete", {"ids": [1, 9]})
        ),
        ("backup_record", "batch_delete", "backup_record", "", "", "批量删除 1 条备份记录"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("done", DONE)
def test_what_was_done_is_in_the_log(old: Cluster, done: str) -> None:
    """Who, what, to what, from where; as the user's id, not their name."""
    act, expected = DONE[done]
    old.node()

    act(old)

    assert last(old) == expected
    row = rows(old)[0]
    assert (row["username"], row["userId"], row["clientIp"]) == ("1", 0, "127.0.0.1")


def test_what_was_refused_is_not(old: Cluster) -> None:
    """A run of no task, a rotation of the master's own token."""
    before = len(rows(old))

    old.refusal("POST", "/api/backup/tasks/9/run")
    old.refusal("POST", "/api/nodes/1/rotate-token")

    assert len(rows(old)) == before


def test_logging_in_is_in_the_log(old: Cluster) -> None:
    """With the user, or with the name that nobody has; and so is what was refused."""
    login = {"username": ADMIN["username"], "password": ADMIN["password"]}
    old.data("POST", "/api/auth/login", login)
    old.refusal("POST", "/api/auth/login", {**login, "password": "something-else"})
    old.refusal("POST", "/api/auth/login", {**login, "username": "nobody"})
    old.database.execute("UPDATE users SET disabled = 1")
    old.refusal("POST", "/api/auth/login", login)

    seen = [(row["userId"], row["username"], row["action"], row["detail"]) for row in rows(old)]

    name = ADMIN["username"]
    assert list(reversed(seen)) == [
        (1, name, "setup", "系统初始化，创建管理员账户"),
        (1, name, "login_success", "登录成功"),
        (1, name, "login_failed", "密码错误"),
        (0, "", "login_failed", "用户名不存在: nobody"),
        (1, name, "login_rejected", "账号已被停用"),
    ]


def test_an_api_key_is_named_by_itself(old: Cluster) -> None:
    """By its id and its name."""
    key = old.key("admin")

    assert old.send("POST", "/api/nodes", {"name": "beta"}, key=key).status == 200

    assert rows(old)[0]["username"] == "api_key:1:admin"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?category=auth", ["setup"]),
        ("?action=batch_create", ["batch_create"]),
        ("?username=1&limit=2", ["batch_create", "create"]),
        ("?limit=1&offset=1", ["create"]),
        ("?limit=none&offset=-3&category=%20auth%20", ["setup"]),
        ("?keyword=b", ["create"]),
        ("?keyword=2%20个", ["batch_create"]),
        ("?targetId=1", ["setup"]),
        ("?dateTo=2000-01-01T00:00:00Z", []),
        ("?dateFrom=2000-01-01T00:00:00Z&category=auth", ["setup"]),
    ],
)
def test_the_log_is_searched(old: Cluster, query: str, expected: list[str]) -> None:
    """By equal fields, by a word in detail or name, by time; the latest first, 50 at a time."""
    old.data("POST", "/api/nodes", {"name": "b"})
    old.data("POST", "/api/nodes/batch", {"names": ["x", "y"]})

    assert [row["action"] for row in rows(old, query)] == expected


def test_a_page_says_how_many_there_are(old: Cluster) -> None:
    """Also those that are not on it; an unreadable date is refused, anybody may read."""
    for name in range(60):
        old.data("POST", "/api/nodes", {"name": f"n{name}"})

    page = old.data("GET", "/api/audit-logs?category=node")

    assert (len(page["items"]), page["total"]) == (50, 60)
    assert old.refusal("GET", "/api/audit-logs?dateFrom=yesterday") == (400, "AUDIT_FILTER_INVALID")
    assert old.send("GET", "/api/audit-logs", key=old.key("viewer")).status == 200
    assert old.refusal("GET", "/api/audit-logs", key="nobody") == (401, "AUTH_INVALID_TOKEN")


def test_a_row_that_cannot_be_written_keeps_nobody(
    old: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """What was asked for is done, and the log tells of the row."""
    real = old.database.insert

    def insert(row: type[Any], **columns: object) -> int:
        if row.__name__ == "AuditLog":
            raise sqlite3.OperationalError("database is locked")
        return real(row, **columns)

    with patch.object(old.database, "insert", insert), caplog.at_level(logging.WARNING):
        old.data("POST", "/api/nodes", {"name": "beta"})

    assert [node["name"] for node in old.data("GET", "/api/nodes")][-1:] != []
    assert "audit log: node create: database is locked" in caplog.text


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("peer", "headers", "anybody", "trusted"),
    [
        ("192.0.2.1", {"x-forwarded-for": "203.0.113.7"}, "203.0.113.7", "192.0.2.1"),
        ("192.0.2.1", {"x-real-ip": "203.0.113.7"}, "203.0.113.7", "192.0.2.1"),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7"}, "203.0.113.7", "203.0.113.7"),
        ("::1", {"x-forwarded-for": "203.0.113.7, 198.51.100.4"}, "203.0.113.7", "198.51.100.4"),
        ("::1", {"x-forwarded-for": "203.0.113.7, 127.0.0.1"}, "203.0.113.7", "203.0.113.7"),
        ("::1", {"x-forwarded-for": "nobody, 198.51.100.4"}, "::1", "198.51.100.4"),
        ("::1", {"x-forwarded-for": "nobody"}, "::1", "::1"),
        ("192.0.2.1", {}, "192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_proxy_is_believed_or_not(
    profile: str, peer: str, headers: dict[str, str], anybody: str, trusted: str
) -> None:
    """Since v2.4.0 only one on the same machine says for whom it asks."""
    with cluster(profile) as made:
        sent = {"authorization": f"Bearer {made.admin}", **headers}
        request = Request("POST", "/api/nodes", sent, b'{"name":"beta"}', client=peer)
        trio.run(made.master.handle, request)

        believed = trusted if profile in profiles("proxies_trusted") else anybody
        assert rows(made)[0]["clientIp"] == believed


@pytest.mark.parametrize("profile", EVERY)
def test_the_limit_on_logins_is_by_that_client(profile: str) -> None:
    """Whoever may name their own address may try for ever."""
    body = b'{"username":"nobody","password":"something"}'
    with cluster(profile) as made:
        statuses = [
            trio.run(
                made.master.handle,
                Request(
                    "POST",
                    "/api/auth/login",
                    {"x-forwarded-for": f"203.0.113.{number}"},
                    body,
                    client="192.0.2.1",
                ),
            ).status
            for number in range(6)
        ]

    believed = profile not in profiles("proxies_trusted")
    assert statuses == [401] * 5 + [401 if believed else 429]
