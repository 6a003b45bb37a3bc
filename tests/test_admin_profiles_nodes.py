"""What nodes show, release by release: their queue, their health, and answers not to be stored."""

from collections.abc import Sequence
from typing import Any

import pytest
from cluster import EVERY, Cluster, cluster, profiles
from msgspec.structs import replace

from master.now import Now
from master.protocol.states import CommandStatus, CommandType
from master.service import queue
from master.store import commands
from master.store.rows import Command

FIGURES = ["queue", "runningTasks", "health"]


def enqueue(one: Cluster, node_id: int, *kinds: CommandType) -> list[int]:
    return [queue.enqueue(one.state, node_id, kind, {}, one.now) for kind in kinds]


def end(
    one: Cluster, command_id: int, status: CommandStatus, message: str = "", now: Now | None = None
) -> None:
    command = one.database.get(Command, command_id)
    assert command is not None
    ended = replace(command, status=status, error_message=message)
    commands.finish(one.database, ended, now or one.now, only_dispatched=False)


def shown(one: Cluster, node_id: int) -> dict[str, Any]:
    """Return a node as its page shows it, which is as the list does."""
    page: dict[str, Any] = one.data("GET", f"/api/nodes/{node_id}")
    (listed,) = [node for node in one.data("GET", "/api/nodes") if node["id"] == node_id]
    assert {**listed, "queue": None} == {**page, "queue": None}
    return page


def keys(profile: str, extra: Sequence[str] = ()) -> list[str]:
    figures = ["queue", "runningTasks", *extra, "health"] if has_figures(profile) else []
    return ["createdAt", *figures]


def has_figures(profile: str) -> bool:
    return profile in profiles("node_figures")


@pytest.mark.parametrize("profile", EVERY)
def test_an_idle_node(profile: str) -> None:
    """It is healthy and has nothing to do, where the release says so."""
    with cluster(profile) as one:
        seen = shown(one, one.node()[0])

        assert list(seen)[list(seen).index("createdAt") :] == keys(profile)
        if has_figures(profile):
            assert seen["queue"] == {
                "pending": 0,
                "dispatched": 0,
                "depth": 0,
                "timeouts": 0,
                "oldestActiveAgeSeconds": 0,
            }
            assert (seen["runningTasks"], seen["health"]) == (0, "healthy")


@pytest.mark.parametrize("profile", profiles("node_figures"))
def test_a_queue_is_counted(profile: str) -> None:
    """Each node's own: what waits, what is done, and how old the oldest of it is."""
    with cluster(profile) as one:
        (node_id, token), (other, _) = one.node("alpha"), one.node("beta")
        enqueue(one, node_id, CommandType.LIST_DIR, CommandType.RUN_TASK)
        enqueue(one, other, CommandType.RUN_TASK)
        one.wait(10)
        for _ in range(2):
            one.data("POST", "/api/agent/commands/poll", agent=token)
        one.wait(20)
        enqueue(one, node_id, CommandType.RESTORE_RECORD)
        one.wait(7)

        seen, queue = shown(one, node_id), shown(one, node_id)["queue"]
        oldest = one.database.get(Command, 1)
        assert oldest is not None
        assert oldest.dispatched_at is not None
        assert queue == {
            "pending": 1,
            "dispatched": 2,
            "depth": 3,
            "timeouts": 0,
            "oldestActiveAt": oldest.dispatched_at.replace(" ", "T").replace("+00:00", "Z"),
            "oldestActiveAgeSeconds": 27,  # since it was fetched, not since it came
        }
        assert list(queue)[4] == "oldestActiveAt"
        assert (seen["runningTasks"], seen["health"]) == (1, "healthy")
        assert shown(one, other)["queue"]["oldestActiveAgeSeconds"] == 37
        assert shown(one, other)["runningTasks"] == 0


@pytest.mark.parametrize("profile", profiles("node_figures"))
@pytest.mark.parametrize(
    ("status", "message", "health"),
    [
        (CommandStatus.SUCCEEDED, "", "healthy"),
        (CommandStatus.FAILED, "", "healthy"),
        (CommandStatus.FAILED, "no such path", "degraded"),
        (CommandStatus.TIMEOUT, "", "degraded"),
    ],
)
def test_what_went_wrong_stays(
    profile: str, status: CommandStatus, message: str, health: str
) -> None:
    """A failure with a message, or a timeout, degrades a node, whatever succeeds after it."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        first, second = enqueue(one, node_id, CommandType.LIST_DIR, CommandType.LIST_DIR)
        end(one, first, status, message)
        end(one, second, CommandStatus.SUCCEEDED)

        seen = shown(one, node_id)
        assert seen["health"] == health
        assert seen.get("lastError", "") == message
        assert seen["queue"]["timeouts"] == int(status == CommandStatus.TIMEOUT)
        assert list(seen)[list(seen).index("createdAt") :] == keys(
            profile, ["lastError"] if message else []
        )


@pytest.mark.parametrize("profile", profiles("node_figures"))
def test_the_last_error_is_the_latest(profile: str) -> None:
    """By when a command ended, not by its id; of those that ended at one instant, the newest."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        ids = enqueue(one, node_id, *[CommandType.LIST_DIR] * 4)
        end(one, ids[1], CommandStatus.FAILED, "first")
        end(one, ids[0], CommandStatus.FAILED, "second")
        assert shown(one, node_id)["lastError"] == "second"

        now = one.now
        for command_id, message in ((ids[3], "fourth"), (ids[2], "third")):
            end(one, command_id, CommandStatus.TIMEOUT, message, now)
        assert shown(one, node_id)["lastError"] == "fourth"
        assert shown(one, node_id)["queue"]["timeouts"] == 2


@pytest.mark.parametrize("profile", profiles("node_figures"))
def test_health_follows_the_shown_status(profile: str) -> None:
    """Whoever is shown offline is not healthy, whether the monitor marked it or not."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        one.wait(46)

        seen = shown(one, node_id)
        assert seen["health"] == ("healthy" if seen["status"] == "online" else "offline")


@pytest.mark.parametrize("profile", EVERY)
def test_a_rotated_token_is_not_to_be_stored(profile: str) -> None:
    """The answer with the token says so where the release thinks of it; no other answer does."""
    with cluster(profile) as one:
        node_id, _ = one.node()

        answer = one.send("POST", f"/api/nodes/{node_id}/rotate-token")
        stored = ("Cache-Control", "no-store") not in answer.all_headers()
        assert stored == (profile not in profiles("tokens_not_stored"))
        assert answer.headers[0] == ("Content-Type", "application/json; charset=utf-8")
        other = one.send("GET", f"/api/nodes/{node_id}").all_headers()
        assert "Cache-Control" not in dict(other)
