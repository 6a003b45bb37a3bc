"""Where a run goes and when it is refused, release by release."""

import json

import pytest
from cluster import EVERY, Cluster, cluster, profiles

from master.store.rows import Node, Record, Task

RUNNING = (400, "BACKUP_TASK_ALREADY_RUNNING")
EMPTY = (400, "NODE_POOL_EMPTY")
LOCAL = (400, "MASTER_LOCAL_UNSUPPORTED")
NEVER_OPEN = "time=10:00-10:00"


def run(one: Cluster, task_id: int) -> tuple[int, str]:
    return one.refusal("POST", f"/api/backup/tasks/{task_id}/run")


def node_of(one: Cluster, record_id: int) -> int:
    record = one.database.get(Record, record_id)
    assert record is not None
    return record.node_id


# --- one run at a time ----------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY)
def test_one_run_at_a_time(profile: str) -> None:
    """The second is refused and changes nothing, where the release keeps them apart."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        first = one.run(task_id)

        answer = one.send("POST", f"/api/backup/tasks/{task_id}/run")
        refused = profile in profiles("one_run_a_task")
        assert json.loads(answer.body)["code"] == (RUNNING[1] if refused else "OK")
        assert one.database.count(Record, "1") == len(one.commands()) == (1 if refused else 2)
        if refused:
            assert f"#{first}）" in answer.body.decode()


@pytest.mark.parametrize("profile", profiles("one_run_a_task"))
@pytest.mark.parametrize("how", ["success", "failed"])
def test_the_next_run_may_follow(profile: str, how: str) -> None:
    """What ended is in nobody's way; nor is another task's run."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        task_id = one.task(node_id)
        other = one.task(node_id, 1, name="other")
        record_id = one.run(task_id)
        assert run(one, other) == (200, "OK")
        one.finish(record_id, status=how)

        assert run(one, task_id) == (200, "OK")


@pytest.mark.parametrize("profile", profiles("one_run_a_task"))
def test_the_latest_run_is_named(profile: str) -> None:
    """Of several that an older master let begin, by when they began."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        ids = []
        for _ in range(3):
            ids.append(one.run(task_id))
            one.finish(ids[-1])
        one.database.execute("UPDATE backup_records SET status = 'running'")
        started = one.now.utc
        one.database.update(Record, ids[1], started_at=started)

        answer = one.send("POST", f"/api/backup/tasks/{task_id}/run")
        assert f"#{ids[1]}）" in answer.body.decode()


@pytest.mark.parametrize("profile", EVERY)
def test_running_is_looked_at_before_the_window(profile: str) -> None:
    """Whoever asks outside the window while a run is under way hears of the run."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        one.run(task_id)
        one.database.update(Task, task_id, maintenance_windows=NEVER_OPEN)

        outside = (400, "BACKUP_TASK_OUTSIDE_WINDOW")
        assert run(one, task_id) == (RUNNING if profile in profiles("one_run_a_task") else outside)


@pytest.mark.parametrize("profile", EVERY)
def test_a_batch_keeps_the_same_rule(profile: str) -> None:
    """A task twice in one batch runs once, and the second says why not."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        first, second = one.data("POST", "/api/backup/tasks/batch/run", {"ids": [task_id, task_id]})

        refused = profile in profiles("one_run_a_task")
        assert (first["success"], second["success"]) == (True, not refused)
        assert ("正在运行" in second.get("error", "")) is refused


# --- pools ----------------------------------------------------------------------------------


def pool_task(one: Cluster, pool: str = "db") -> int:
    return one.task(0, nodePoolTag=pool)


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize(
    ("given", "kept"), [(" prod, db , prod ,, high-mem ", "prod,db,high-mem"), ("", "")]
)
def test_labels_are_put_in_order(profile: str, given: str, kept: str) -> None:
    """Trimmed, each once, in the order they came; a release without labels shows none."""
    with cluster(profile) as one:
        node_id, _ = one.node(labels=given)
        shown = one.data("GET", f"/api/nodes/{node_id}")

        keys = list(shown)
        after = keys[keys.index("bandwidthLimit") + 1]
        pooled = profile in profiles("pools")
        assert (after, shown.get("labels")) == (("labels", kept) if pooled else ("createdAt", None))


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("labels", ["x" * 501, 7])
def test_labels_have_a_length(profile: str, labels: object) -> None:
    """500 letters at most, where they are read at all."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        seen = one.refusal("PUT", f"/api/nodes/{node_id}", {"name": "alpha", "labels": labels})

        pooled = profile in profiles("pools")
        assert seen == ((400, "INVALID_INPUT") if pooled else (200, "OK"))


@pytest.mark.parametrize("profile", profiles("pools"))
def test_what_is_left_out_of_a_change_is_gone(profile: str) -> None:
    """Labels go the way of every other field."""
    with cluster(profile) as one:
        node_id, _ = one.node(labels="db")
        shown = one.data("PUT", f"/api/nodes/{node_id}", {"name": "alpha"})

        assert shown["labels"] == ""


@pytest.mark.parametrize("profile", EVERY)
def test_a_pool_run_goes_to_a_node_with_the_label(profile: str) -> None:
    """The record is that node's; the task stays bound to none."""
    with cluster(profile) as one:
        one.node("alpha", labels="web,database")
        chosen, _ = one.node("beta", labels="web,db")
        task_id = pool_task(one)
        if profile not in profiles("pools"):
            assert run(one, task_id) == LOCAL
            return

        record_id = one.run(task_id)
        assert node_of(one, record_id) == chosen
        assert one.commands() == [(chosen, "run_task", {"recordId": record_id, "taskId": task_id})]
        assert one.data("GET", f"/api/backup/tasks/{task_id}")["nodeId"] == 0


@pytest.mark.parametrize("profile", profiles("pools"))
def test_a_bound_task_is_in_no_pool(profile: str) -> None:
    """A row that names both a node and a pool runs on the node."""
    with cluster(profile) as one:
        one.node("alpha", labels="db")
        bound, _ = one.node("beta")
        task_id = one.task(bound)
        one.database.update(Task, task_id, node_pool_tag="db")

        assert node_of(one, one.run(task_id)) == bound


@pytest.mark.parametrize("profile", profiles("pools"))
def test_the_least_busy_node_is_picked(profile: str) -> None:
    """By its running records, whatever task they are of; then by the lowest id."""
    with cluster(profile) as one:
        ids = [one.node(name, labels="db")[0] for name in ("alpha", "beta", "gamma")]
        target_id = one.target()

        def next_node(name: str) -> int:
            return node_of(one, one.run(one.task(0, target_id, name=name, nodePoolTag="db")))

        assert [next_node(name) for name in "abcd"] == [*ids, ids[0]]
        one.database.update(Record, 3, status="success")
        assert next_node("e") == ids[2]


@pytest.mark.parametrize("profile", profiles("pools"))
@pytest.mark.parametrize("nodes", ["none", "offline", "others"])
def test_an_empty_pool(profile: str, nodes: str) -> None:
    """Nobody online has the label: refused before there is a record."""
    with cluster(profile) as one:
        if nodes != "none":
            node_id, _ = one.node(labels="db" if nodes == "offline" else "dbx")
            status = "offline" if nodes == "offline" else "online"
            one.database.update(Node, node_id, status=status)
        task_id = pool_task(one)

        assert run(one, task_id) == EMPTY
        assert one.database.count(Record, "1") == 0
        assert one.data("GET", f"/api/backup/tasks/{task_id}")["lastStatus"] == "idle"


@pytest.mark.parametrize("profile", profiles("pools"))
def test_a_pool_goes_by_the_stored_status(profile: str) -> None:
    """A node that fell silent a moment ago is picked, but where silence counts everywhere."""
    with cluster(profile) as one:
        one.node(labels="db")
        task_id = pool_task(one)
        one.wait(46)

        everywhere = profile in profiles("presence_everywhere")
        assert run(one, task_id) == (EMPTY if everywhere else (200, "OK"))


@pytest.mark.parametrize("profile", profiles("pools"))
def test_the_masters_own_node_may_be_in_a_pool(profile: str) -> None:
    """It has the lowest id, is picked, and runs nothing here; a busier pool is not asked instead."""
    with cluster(profile) as one:
        one.node(labels="db")
        one.data("PUT", "/api/nodes/1", {"name": "own", "labels": "db"})

        assert run(one, pool_task(one)) == LOCAL
        assert one.database.count(Record, "1") == 0


@pytest.mark.parametrize("profile", profiles("pools"))
def test_the_window_is_looked_at_before_the_pool(profile: str) -> None:
    """Outside it nobody looks for a node."""
    with cluster(profile) as one:
        task_id = one.task(0, nodePoolTag="db", maintenanceWindows=NEVER_OPEN)

        assert run(one, task_id) == (400, "BACKUP_TASK_OUTSIDE_WINDOW")


@pytest.mark.parametrize("profile", EVERY)
def test_a_repository_is_not_for_agents(profile: str) -> None:
    """A task that came to be one is refused when it runs, before there is a record."""
    with cluster(profile) as one:
        task_id = one.task(one.node()[0])
        one.database.update(Task, task_id, backup_mode="repository", tags="x")

        refused = (400, "BACKUP_TASK_REPOSITORY_REMOTE_UNSUPPORTED")
        modes = profile in profiles("task_modes")
        assert run(one, task_id) == (refused if modes else (200, "OK"))
        assert one.database.count(Record, "1") == int(not modes)


@pytest.mark.parametrize("profile", EVERY)
def test_limits_of_a_node_are_no_limits_of_its_queue(profile: str) -> None:
    """How many tasks at once, and how fast, is for what the master runs itself, in every release."""
    with cluster(profile) as one:
        node_id, _ = one.node(maxConcurrent=1, bandwidthLimit=" 1M ")
        target_id = one.target()
        for name in ("first", "second", "third"):
            one.run(one.task(node_id, target_id, name=name))

        assert len(one.commands()) == 3
        shown = one.data("GET", f"/api/nodes/{node_id}")
        assert (shown["maxConcurrent"], shown["bandwidthLimit"]) == (1, "1M")
