"""Mutants of ADM and NODE: labels, and the pools that are made of them."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "first-of-the-pool",
        "ADM-18",
        "A pool's run goes to its first node, however busy it is.",
        (
            "min(candidates, key=lambda node: (load.get(node.id, 0), node.id))",
            "min(candidates, key=lambda node: node.id)",
        ),
    ),
    mutant(
        "busiest-of-the-pool",
        "ADM-18",
        "A pool's run goes to its busiest node.",
        (
            "key=lambda node: (load.get(node.id, 0), node.id)",
            "key=lambda node: (-load.get(node.id, 0), node.id)",
        ),
    ),
    mutant(
        "last-of-equals",
        "ADM-18",
        "Among equals, a pool's run goes to the latest node.",
        (
            "key=lambda node: (load.get(node.id, 0), node.id)",
            "key=lambda node: (load.get(node.id, 0), -node.id)",
        ),
    ),
    mutant(
        "ended-backups-are-load",
        "ADM-18",
        "What a node has done counts as its load.",
        (
            "\"SELECT COALESCE(node_id, 0), count(*) FROM backup_records WHERE status = 'running'\"",
            "\"SELECT COALESCE(node_id, 0), count(*) FROM backup_records WHERE status <> ''\"",
        ),
    ),
    mutant(
        "part-of-a-label",
        "ADM-18",
        "A node is in a pool whose name is part of its labels.",
        ("        if pool in labels(node.labels) and", "        if pool in node.labels and"),
    ),
    mutant(
        "pool-of-the-offline",
        "ADM-18",
        "Offline nodes are in their pools, too.",
        (
            "        if pool in labels(node.labels) and presence.online(state, node, now)\n",
            "        if pool in labels(node.labels)\n",
        ),
    ),
    mutant(
        "empty-pool-is-a-failure",
        "ADM-19",
        "A run in an empty pool leaves a failed record.",
        (
            '    if not candidates:\n        message = f"节点池',
            '    if not candidates:\n        state.database.execute("INSERT INTO backup_records (task_id, storage_target_id, node_id, status, started_at) SELECT id, storage_target_id, 0, \'failed\', ? FROM backup_tasks WHERE node_pool_tag = ?", (now.utc, pool))\n        message = f"节点池',
        ),
    ),
    mutant(
        "labels-any-case",
        "ADM-19",
        "A pool's name is one in any case of its letters.",
        (
            "        if pool in labels(node.labels) and",
            "        if pool.lower() in labels(node.labels.lower()) and",
        ),
    ),
    mutant(
        "pick-is-kept",
        "ADM-20",
        "The picked node is the task's from then on.",
        (
            '    node = remote(state, node_id)\n    if node is None:\n        raise ApiError("MASTER_LOCAL_UNSUPPORTED")\n    if modes.known(profile) and',
            '    node = remote(state, node_id)\n    if pool:\n        state.database.update(Task, task.id, node_id=node_id)\n    if node is None:\n        raise ApiError("MASTER_LOCAL_UNSUPPORTED")\n    if modes.known(profile) and',
        ),
    ),
    mutant(
        "node-wins-over-pool",
        "ADM-21",
        "A task may name a node and a pool; the node wins.",
        (
            "    if wanted.nodeId and pooled:\n        raise _invalid",
            "    if not wanted and pooled:\n        raise _invalid",
        ),
    ),
    mutant(
        "blank-pool-is-one",
        "ADM-21",
        "A blank pool is one.",
        (
            "    pooled = bool(wanted.nodePoolTag.strip())\n",
            "    pooled = bool(wanted.nodePoolTag)\n",
        ),
    ),
    mutant(
        "pools-own-nothing",
        "ADM-46",
        "A pool's record is nobody's.",
        (
            "    made_for = record.node_id if state.config.profile.record_owner else 0\n",
            "    made_for = record.node_id if state.config.profile.record_owner and task.node_id else 0\n",
        ),
    ),
    mutant(
        "pools-own-together",
        "ADM-46",
        "Any node may end the record of a pool's run.",
        (
            "    if (made_for or task.node_id) != node.id:\n",
            "    if (made_for or task.node_id) != node.id and task.node_id:\n",
        ),
    ),
    mutant(
        "pools-read-together",
        "ADM-46",
        "Any node may read a pool's task.",
        (
            "    if task.node_id != node.id and not (\n",
            "    if task.node_id and task.node_id != node.id and not (\n",
        ),
    ),
    mutant(
        "picked-reads-for-ever",
        "ADM-46",
        "A node that ran a pool's task once may read it for ever.",
        (
            '    condition = "task_id = ? AND node_id = ? AND status = ? ORDER BY id"\n',
            "    condition = \"task_id = ? AND node_id = ? AND status >= '' || substr(?, 99) ORDER BY id\"\n",
        ),
    ),
    mutant(
        "pools-hold-their-nodes",
        "ADM-47",
        "A pool's tasks keep its nodes from being deleted.",
        (
            '    count = state.database.count(Task, "node_id = ?", node.id)\n    if count:\n',
            "    count = state.database.count(Task, \"node_id = ? OR (node_pool_tag <> '' AND node_id = 0)\", node.id)\n    if count:\n",
        ),
    ),
    mutant(
        "labels-as-they-came",
        "NODE-12",
        "Labels are kept as they were sent.",
        (
            '        columns["labels"] = ",".join(pools.labels(wanted.labels))\n',
            '        columns["labels"] = wanted.labels\n',
        ),
    ),
    mutant(
        "labels-twice",
        "NODE-12",
        "A label that was sent twice is there twice.",
        (
            "    return list(dict.fromkeys(filter(None, trimmed)))\n",
            "    return list(filter(None, trimmed))\n",
        ),
    ),
    mutant(
        "labels-in-order",
        "NODE-12",
        "Labels are sorted.",
        (
            "    return list(dict.fromkeys(filter(None, trimmed)))\n",
            "    return sorted(set(filter(None, trimmed)))\n",
        ),
    ),
    mutant(
        "labels-stay",
        "NODE-12",
        "What an update leaves out leaves the labels as they are.",
        (
            '        columns["labels"] = ",".join(pools.labels(wanted.labels))\n',
            '        columns |= {"labels": ",".join(pools.labels(wanted.labels))} if wanted.labels else {}\n',
        ),
    ),
    mutant(
        "labels-before-their-time",
        "NODE-21",
        "A node has labels.",
        ("    labelled = pools.known(state.config.profile)\n", "    labelled = True\n"),
    ),
    mutant(
        "labels-shown-before-their-time",
        "NODE-21",
        "A node shows labels, though it has none.",
        (
            '{"labels": node.labels} if pools.known(state.config.profile) else {}',
            '{"labels": node.labels}',
        ),
    ),
    mutant(
        "only-the-latest-run-counts",
        "ADM-10",
        "Only the latest run of all tasks keeps its task from running again.",
        (
            "    running = records.running_of(state.database, task.id)\n    if running is not None:\n",
            "    latest = state.database.find(Record, \"status = 'running' ORDER BY id DESC\")\n    running = latest if latest and latest.task_id == task.id else None\n    if running is not None:\n",
        ),
    ),
)
