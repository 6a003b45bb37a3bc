"""What a task may be, and what is shown of it, release by release."""

from collections.abc import Sequence
from typing import Any

import pytest
from cluster import EVERY, Cluster, cluster, profiles

from master.protocol.profiles import PROFILES
from master.store.rows import Task

INVALID = "BACKUP_TASK_INVALID"
DATABASE = {
    "type": "mongodb",
    "dbHost": "db.example",
    "dbPort": 27017,
    "dbUser": "backup",
    "dbPassword": "secret",
    "dbName": "app",
}


def create(one: Cluster, node_id: int, **fields: object) -> tuple[int, str]:
    return one.refusal("POST", "/api/backup/tasks", one.task_body(node_id, **fields))


def page(one: Cluster, task_id: int) -> dict[str, Any]:
    """Return a task as its page shows it, which begins as the list does."""
    shown: dict[str, Any] = one.data("GET", f"/api/backup/tasks/{task_id}")
    (listed,) = one.data("GET", "/api/backup/tasks")
    assert list(shown.items())[: len(listed)] == list(listed.items())
    return shown


def between(shown: dict[str, Any], first: str, last: str) -> list[str]:
    keys = list(shown)
    return keys[keys.index(first) + 1 : keys.index(last)]


def by_field(profile: str, field: str, then: Any, otherwise: Any) -> Any:
    return then if profile in profiles(field) else otherwise


MODES = ["keepDaily", "keepWeekly", "keepMonthly", "keepYearly", "backupMode"]


@pytest.mark.parametrize("profile", EVERY)
def test_what_a_task_shows(profile: str) -> None:
    """Fields stand where the release has them, and nowhere else."""
    with cluster(profile) as one:
        shown = page(one, one.task(one.node()[0]))

        assert between(shown, "nodeName", "tags") == []
        later = by_field(profile, "task_modes", [*MODES, "diffFullIntervalDays"], [])
        assert between(shown, "alertOnConsecutiveFails", "replicationTargetIds") == later
        if later:
            assert [shown[key] for key in later] == [0, 0, 0, 0, "full", 7]


@pytest.mark.parametrize("profile", EVERY)
def test_a_task_may_name_a_pool(profile: str) -> None:
    """Trimmed; a release without pools reads nothing of it."""
    with cluster(profile) as one:
        shown = page(one, one.task(0, nodePoolTag=" db "))

        assert shown.get("nodePoolTag") == by_field(profile, "pools", "db", None)
        after = "nodeName" if "nodeName" in shown else "nodeId"
        assert between(shown, after, "tags") == by_field(profile, "pools", ["nodePoolTag"], [])


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("bound", "pool", "good"),
    [
        (True, "db", False),
        (True, "  ", True),
        (False, "x" * 64, True),
        (False, "x" * 65, False),
        (False, 7, False),
    ],
)
def test_what_a_pool_may_be(profile: str, bound: bool, pool: object, good: bool) -> None:
    """A name of up to 64 letters, instead of a node; elsewhere nobody looks."""
    with cluster(profile) as one:
        seen = create(one, one.node()[0] if bound else 0, nodePoolTag=pool)

        refused = not good and profile in profiles("pools")
        assert seen == ((400, INVALID) if refused else (200, "OK"))


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("place", ["remote", "pool", "local", "nowhere"])
def test_encryption_away_from_the_master(profile: str, place: str) -> None:
    """Agents have no key; some releases say so when a task is made, others let it fail."""
    with cluster(profile) as one:
        node_id = {"remote": one.node()[0], "local": 1}.get(place, 0)
        pool = "db" if place == "pool" else ""
        seen = create(one, node_id, nodePoolTag=pool, encrypt=True)

        away = place in ("remote", "pool")
        refused = away and profile in profiles("refuses_remote_encryption")
        code = "BACKUP_TASK_REMOTE_ENCRYPT_UNSUPPORTED"
        assert seen == ((400, code) if refused else (200, "OK"))


@pytest.mark.parametrize("profile", EVERY)
def test_encryption_is_looked_at_again(profile: str) -> None:
    """A change may not do what a new task may not, and leaves the task as it was."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        target_id = one.target()
        task_id = one.task(node_id, target_id)
        body = one.task_body(node_id, target_id, encrypt=True)
        status, _ = one.refusal("PUT", f"/api/backup/tasks/{task_id}", body)

        refused = profile in profiles("refuses_remote_encryption")
        assert status == (400 if refused else 200)
        assert page(one, task_id)["encrypt"] is not refused


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    "fields",
    [{"compression": "zstd"}, DATABASE, {"backupMode": "full"}],
    ids=["zstd", "mongodb", "full"],
)
def test_what_came_with_modes(profile: str, fields: dict[str, object]) -> None:
    """Zstandard and MongoDB are words like any other before; a mode is nothing at all."""
    with cluster(profile) as one:
        seen = create(one, one.node()[0], **fields)

        known = "backupMode" in fields or profile in profiles("task_modes")
        assert seen == ((200, "OK") if known else (400, INVALID))


@pytest.mark.parametrize("profile", profiles("task_modes"))
def test_a_mongodb_needs_what_databases_need(profile: str) -> None:
    """Its server, its account, its name."""
    with cluster(profile) as one:
        target_id = one.target()
        for missing in ("dbHost", "dbPort", "dbUser", "dbPassword", "dbName"):
            fields = {**DATABASE, missing: type(DATABASE[missing])()}
            body = one.task_body(0, target_id, **fields)
            assert one.refusal("POST", "/api/backup/tasks", body) == (400, INVALID), missing


def modes(name: str) -> Sequence[tuple[dict[str, object], str, str]]:
    prefix = {"differential": "BACKUP_TASK_DIFF", "repository": "BACKUP_TASK_REPOSITORY"}[name]
    return [
        ({"backupMode": name, **DATABASE}, "local", f"{prefix}_UNSUPPORTED"),
        ({"backupMode": name}, "remote", f"{prefix}_REMOTE_UNSUPPORTED"),
        ({"backupMode": name, "nodePoolTag": "db"}, "pool", f"{prefix}_REMOTE_UNSUPPORTED"),
        ({"backupMode": name}, "local", "OK"),
        ({"backupMode": name}, "nowhere", "OK"),
    ]


@pytest.mark.parametrize("profile", profiles("task_modes"))
@pytest.mark.parametrize(
    ("fields", "place", "code"),
    [
        *modes("differential"),
        *modes("repository"),
        (
            {"backupMode": "repository", "replicationTargetIds": [1]},
            "local",
            "BACKUP_TASK_REPOSITORY_REPLICATION_UNSUPPORTED",
        ),
        ({"backupMode": "differential", "replicationTargetIds": [1]}, "local", "OK"),
        ({"backupMode": "Full"}, "local", INVALID),
        (
            {"backupMode": "differential", "encrypt": True},
            "remote",
            "BACKUP_TASK_REMOTE_ENCRYPT_UNSUPPORTED",
        ),
    ],
)
def test_modes_are_the_masters_own(
    profile: str, fields: dict[str, object], place: str, code: str
) -> None:
    """Only files, only on the master; encryption is looked at first."""
    with cluster(profile) as one:
        node_id = {"remote": one.node()[0], "local": 1}.get(place, 0)

        assert create(one, node_id, **fields) == (200 if code == "OK" else 400, code)


@pytest.mark.parametrize("profile", EVERY)
def test_a_mode_unknown_to_a_release_is_passed_over(profile: str) -> None:
    """Whatever it holds: a body for a newer master does not fail on an older one."""
    with cluster(profile) as one:
        seen = create(one, one.node()[0], backupMode=7, keepDaily="many")

        assert seen == by_field(profile, "task_modes", (400, INVALID), (200, "OK"))


@pytest.mark.parametrize("profile", profiles("task_modes"))
def test_numbers_are_put_right(profile: str) -> None:
    """What is kept is at least nothing; an interval that is none is a week."""
    with cluster(profile) as one:
        wanted = {"keepDaily": -1, "keepWeekly": 4, "keepMonthly": 12, "keepYearly": -3}
        task_id = one.task(0, **wanted, diffFullIntervalDays=-2, backupMode="differential")
        shown = page(one, task_id)

        keys = [*MODES, "diffFullIntervalDays"]
        assert [shown[key] for key in keys] == [0, 4, 12, 0, "differential", 7]


def test_an_older_master_leaves_what_it_does_not_know() -> None:
    """On a newer master's file, an older one changes the columns of its own release only."""
    with cluster("2.4") as one:
        target_id = one.target()
        task_id = one.task(0, target_id, nodePoolTag="db", keepDaily=3)
        object.__setattr__(one.state.config, "profile", PROFILES["2.0"])

        body = one.task_body(0, target_id, tags="new", nodePoolTag="web", keepDaily=9)
        shown = one.data("PUT", f"/api/backup/tasks/{task_id}", body)
        assert "nodePoolTag" not in shown
        task = one.database.get(Task, task_id)
        assert task is not None
        assert (task.tags, task.node_pool_tag, task.keep_daily) == ("new", "db", 3)
