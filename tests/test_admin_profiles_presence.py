"""Who counts as online between the last heartbeat and the monitor's tick, release by release."""

from collections.abc import Callable

import pytest
from cluster import EVERY, Cluster, cluster, profiles

OFFLINE = (400, "NODE_OFFLINE")


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(("silent_s", "late"), [(44.9, False), (45.1, True)])
def test_a_silent_node_is_shown_offline(profile: str, silent_s: float, late: bool) -> None:
    """Without a tick of the monitor, where the release looks at the last heartbeat."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        one.wait(silent_s)

        status = "offline" if late and profile in profiles("effective_status") else "online"
        assert one.data("GET", f"/api/nodes/{node_id}")["status"] == status
        assert [node["status"] for node in one.data("GET", "/api/nodes")] == ["online", status]


def run(one: Cluster, task_id: int, _: int) -> tuple[int, str]:
    return one.refusal("POST", f"/api/backup/tasks/{task_id}/run")


def restore(one: Cluster, _: int, record_id: int) -> tuple[int, str]:
    return one.refusal("POST", f"/api/backup/records/{record_id}/restore")


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("ask", [run, restore])
def test_a_silent_node_gets_work(
    profile: str, ask: Callable[[Cluster, int, int], tuple[int, str]]
) -> None:
    """The stored status decides, but for the release in which silence counts everywhere."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        record_id = one.run(task_id)
        one.finish(record_id)
        one.wait(46)

        refused = profile in profiles("presence_everywhere")
        assert ask(one, task_id, record_id) == (OFFLINE if refused else (200, "OK"))


@pytest.mark.parametrize("profile", EVERY)
def test_a_silent_node_is_counted(profile: str) -> None:
    """The overview of the cluster shows what is stored, but for the same release."""
    with cluster(profile) as one:
        one.node()
        one.wait(46)

        seen = one.data("GET", "/api/dashboard/cluster")
        late = int(profile in profiles("presence_everywhere"))
        assert (seen["onlineNodes"], seen["offlineNodes"]) == (2 - late, late)
        assert seen["nodes"][1]["status"] == ("offline" if late else "online")


@pytest.mark.parametrize("profile", EVERY)
def test_the_masters_own_node_needs_no_heartbeat(profile: str) -> None:
    """Nobody beats for it, and it is there all the same."""
    with cluster(profile) as one:
        one.wait(3_600)

        assert one.data("GET", "/api/nodes")[0]["status"] == "online"
        assert one.data("GET", "/api/dashboard/cluster")["onlineNodes"] == 1
