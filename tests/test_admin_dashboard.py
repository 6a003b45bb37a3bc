"""How each node's backups went: counted by the node that made them, in the real master's order."""

from typing import Any

import pytest
from cluster import EVERY, Cluster, cluster

from master.protocol import times
from master.store.rows import Record

DAY_NS = 86_400 * times.NS


def record(one: Cluster, node_id: int, status: str, age_days: float = 0, **columns: Any) -> None:
    """Store a record of a node, begun so many days ago."""
    now = one.now
    began = times.db_text(now.ns - round(age_days * DAY_NS))
    one.database.insert(
        Record,
        task_id=1,
        storage_target_id=1,
        node_id=node_id,
        status=status,
        started_at=began,
        **columns,
    )


def performance(one: Cluster, query: str = "") -> Any:
    return one.data("GET", f"/api/dashboard/node-performance{query}")


@pytest.mark.parametrize("profile", EVERY)
def test_what_is_counted(profile: str) -> None:
    """Sizes and durations of successes alone; rates and means as Go writes numbers."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        record(one, node_id, "success", file_size=10, duration_seconds=3)
        record(one, node_id, "success", file_size=20, duration_seconds=4)
        record(one, node_id, "failed", file_size=99, duration_seconds=99)
        record(one, node_id, "running")
        record(one, 77, "success", file_size=1)

        text = one.send("GET", "/api/dashboard/node-performance").body.decode()
        assert text.endswith(
            '"data":[{"nodeId":2,"nodeName":"alpha","isLocal":false,"totalRuns":4,"successRuns":2,'
            '"failedRuns":1,"successRate":0.5,"totalBytes":30,"avgDurationSecs":3.5},'
            '{"nodeId":1,"nodeName":"本机 (Local)","isLocal":true,"totalRuns":0,"successRuns":0,'
            '"failedRuns":0,"successRate":0,"totalBytes":0,"avgDurationSecs":0}]}'
        )


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("", 2),
        ("?days=1", 1),
        ("?days=%2B1", 1),
        ("?days=0", 2),
        ("?days=-5", 2),
        ("?days=soon", 2),
        ("?days=31", 3),
        ("?days=999999999999", 3),
        ("?days=9999999999999999999", 2),
    ],
)
def test_how_far_back(query: str, runs: int) -> None:
    """Thirty days, or as many as asked for; what is no number of days is passed over."""
    with cluster("2.0") as one:
        for age_days in (0.5, 29.5, 30.5):
            record(one, 1, "success", age_days)

        assert performance(one, query)[0]["totalRuns"] == runs


def test_the_most_reliable_first() -> None:
    """Then the busiest; equals stand as the real master's sort leaves them."""
    with cluster("2.0") as one:
        ids = {name: one.node(name)[0] for name in ("a", "b", "c", "d", "e")}
        for name, statuses in {"a": "s", "b": "sf", "c": "ssff", "d": "s"}.items():
            for status in statuses:
                record(one, ids[name], {"s": "success", "f": "failed"}[status])

        # from own, e, d, c, b, a, each place taking in turn whoever beats what stands there
        shown = [node["nodeName"] for node in performance(one)]
        assert shown == ["d", "a", "c", "b", "本机 (Local)", "e"]


def test_everybody_signed_in_may_look() -> None:
    """A viewer too, and nobody else."""
    with cluster("2.0") as one:
        path = "/api/dashboard/node-performance"
        assert one.refusal("GET", path, key=one.key("viewer")) == (200, "OK")
        assert one.refusal("GET", path, agent="nobody") == (401, "AUTH_REQUIRED")
