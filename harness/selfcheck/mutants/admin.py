"""Mutants of ADM: running, refusing and deleting."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "run-without-task",
        "ADM-1",
        "The command of a run has no task id.",
        (
            'payload = {"recordId": record_id, "taskId": task.id}',
            'payload = {"recordId": record_id}',
        ),
    ),
    mutant(
        "run-of-another-record",
        "ADM-1",
        "The ids in the command of a run are exchanged.",
        (
            'payload = {"recordId": record_id, "taskId": task.id}',
            'payload = {"recordId": task.id, "taskId": record_id}',
        ),
    ),
    mutant(
        "record-waits",
        "ADM-1",
        "A run's record is pending until its agent claims the command.",
        (
            "        node_id=node_id,\n        status=RecordStatus.RUNNING,\n        file_name",
            '        node_id=node_id,\n        status="pending",\n        file_name',
        ),
    ),
    mutant(
        "run-not-noted",
        "ADM-2",
        "A run does not note when it was.",
        (
            "database, task.id, now)\n    return record_id",
            "database, 0, now)\n    return record_id",
        ),
    ),
    mutant(
        "run-leaves-the-status",
        "ADM-2",
        "A run does not note that its task is running.",
        (
            "last_run_at=now.utc, last_status=RecordStatus.RUNNING, updated_at",
            "last_run_at=now.utc, updated_at",
        ),
    ),
    mutant(
        "one-run-at-a-time",
        "ADM-3",
        "A task that is running is not run again.",
        ("    if state.config.profile.one_run_a_task:\n", "    if state:\n"),
    ),
    mutant(
        "disabled-tasks-rest",
        "ADM-3",
        "A disabled task is not run.",
        (
            "    if not is_open(task.maintenance_windows, now.ns):\n        raise ApiError(",
            '    if not task.enabled:\n        raise ApiError("BACKUP_TASK_INVALID")\n    if not is_open(task.maintenance_windows, now.ns):\n        raise ApiError(',
        ),
    ),
    mutant(
        "refusal-stops-the-batch",
        "ADM-4",
        "The first refusal ends a run of many tasks.",
        (
            "            items.append(BatchItem(id=task_id, success=False, error=error.message))\n",
            "            items.append(BatchItem(id=task_id, success=False, error=error.message))\n            break\n",
        ),
    ),
    mutant(
        "refusal-fails-the-batch",
        "ADM-4",
        "A run of many tasks is answered with the first refusal.",
        (
            "            items.append(BatchItem(id=task_id, success=False, error=error.message))\n",
            "            raise\n",
        ),
    ),
    mutant(
        "batch-says-success",
        "ADM-4",
        "A run of many tasks says of each that it runs.",
        (
            "BatchItem(id=task_id, success=False, error=error.message)",
            "BatchItem(id=task_id, success=True)",
        ),
    ),
    mutant(
        "oldest-record-first",
        "ADM-5",
        "Records are listed oldest first.",
        ('order = "ORDER BY started_at DESC, id DESC"', 'order = "ORDER BY started_at, id"'),
    ),
    mutant(
        "latest-change-first",
        "ADM-5",
        "Records are listed by their last change.",
        (
            'order = "ORDER BY started_at DESC, id DESC"',
            'order = "ORDER BY updated_at DESC, id DESC"',
        ),
    ),
    mutant(
        "any-condition",
        "ADM-5",
        "A list has what meets one of its conditions.",
        ('return " AND ".join(self._conditions)', 'return " OR ".join(self._conditions)'),
    ),
    mutant(
        "status-not-filtered",
        "ADM-5",
        "A list is not filtered by status.",
        ('        self.text("status", "status = ?")\n', ""),
    ),
    mutant(
        "dates-exclusive",
        "ADM-5",
        "A list from a date leaves out what began on it.",
        ('(("dateFrom", ">="), ("dateTo", "<="))', '(("dateFrom", ">"), ("dateTo", "<="))'),
    ),
    mutant(
        "deletes-on-another-disk",
        "ADM-6",
        "A backup on a node's own disk is deleted from the list.",
        (
            "    return node if target is not None and on_disk(target) else None\n",
            "    return None if target is not None and on_disk(target) else node\n",
        ),
    ),
    mutant(
        "deleted-record-comes-back",
        "ADM-7",
        "A report about a deleted record makes it anew.",
        (
            "    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n",
            '    if state.database.get(Record, record_id) is None and record_id < 1000:\n        state.database.execute("INSERT INTO backup_records (id, task_id, storage_target_id, node_id, status, started_at) VALUES (?, 1, 1, ?, ?, ?)", (record_id, node.id, update.status, now.utc))\n        return\n    record, task = own_record(state, node, record_id)\n    profile = state.config.profile\n',
        ),
    ),
    mutant(
        "delete-only-hides",
        "ADM-7",
        "A deleted record still takes reports.",
        (
            "    state.database.delete(Record, record.id)\n",
            '    state.database.update(Record, record.id, status="deleted")\n',
        ),
    ),
    mutant(
        "used-target-goes",
        "ADM-8",
        "A storage target goes although a task uses it.",
        ('        raise ApiError("STORAGE_TARGET_IN_USE")\n', "        pass\n"),
    ),
    mutant(
        "only-first-targets-count",
        "ADM-8",
        "A storage target goes when no task names it first.",
        (
            'named = "SELECT 1 FROM backup_task_storage_targets WHERE storage_target_id = ?"',
            'named = "SELECT 1 FROM backup_tasks WHERE storage_target_id = ?"',
        ),
    ),
    mutant(
        "window-not-kept",
        "ADM-9",
        "A task runs at any time.",
        (
            "    if not is_open(task.maintenance_windows, now.ns):\n        raise ApiError(",
            "    if not task:\n        raise ApiError(",
        ),
    ),
    mutant(
        "window-and-its-end",
        "ADM-9",
        "The minute in which a window ends is inside.",
        (
            "            return self.start <= minute < self.end\n",
            "            return self.start <= minute <= self.end\n",
        ),
    ),
    mutant(
        "window-of-one-day",
        "ADM-9",
        "A window over midnight never opens.",
        (
            "        return minute >= self.start or minute < self.end\n",
            "        return self.start <= minute < self.end\n",
        ),
    ),
    mutant(
        "week-begins-on-monday",
        "ADM-9",
        "Days of the week are counted from Monday.",
        ("    weekday = moment.isoweekday() % 7\n", "    weekday = moment.weekday()\n"),
    ),
    mutant(
        "refused-run-is-noted",
        "ADM-9",
        "A run outside the window leaves a failed record.",
        (
            "    if not is_open(task.maintenance_windows, now.ns):\n        raise ApiError(",
            "    if not is_open(task.maintenance_windows, now.ns):\n        records.insert_backup(state.database, task_id=task.id, storage_target_id=task.storage_target_id, node_id=task.node_id, now=now)\n        raise ApiError(",
        ),
    ),
    mutant(
        "tasks-share-names",
        "ADM-37",
        "Two tasks may share a name.",
        ('        raise ApiError("BACKUP_TASK_NAME_EXISTS")\n', "        return\n"),
    ),
    mutant(
        "second-task-is-400",
        "ADM-37",
        "A second task of a name is answered 400.",
        (
            '        raise ApiError("BACKUP_TASK_NAME_EXISTS")\n',
            '        raise ApiError("BACKUP_TASK_INVALID")\n',
        ),
    ),
    mutant(
        "task-to-nowhere",
        "ADM-38",
        "A task may name a target that is not there.",
        (
            '        if state.database.get(Target, target_id) is None:\n            raise ApiError("BACKUP_STORAGE_TARGET_INVALID"',
            '        if state.database.get(Target, target_id) is None and target_id == 0:\n            raise ApiError("BACKUP_STORAGE_TARGET_INVALID"',
        ),
    ),
    mutant(
        "task-of-nothing",
        "ADM-38",
        "A task may have nothing to back up.",
        (
            '    if kind == "file" and not source_paths(wanted):\n',
            '    if kind == "folder" and not source_paths(wanted):\n',
        ),
    ),
    mutant(
        "task-takes-its-records",
        "ADM-39",
        "A deleted task takes its records along.",
        (
            "    state.database.delete(Task, task.id)\n    return cleaned\n",
            '    state.database.delete(Task, task.id)\n    state.database.execute("DELETE FROM backup_records WHERE task_id = ?", (task.id,))\n    return cleaned\n',
        ),
    ),
    mutant(
        "limit-holds-back",
        "ADM-40",
        "A node gets no more commands than its limit says.",
        (
            "    claimed = commands.claim(state.database, node.id, now)\n",
            "    out = state.database.query(\"SELECT count(*) FROM agent_commands WHERE node_id = ? AND status = 'dispatched'\", (node.id,))[0][0]\n    claimed = None if node.max_concurrent and out >= node.max_concurrent else commands.claim(state.database, node.id, now)\n",
        ),
    ),
    mutant(
        "switch-turns",
        "ADM-41",
        "A task is switched to the other side, whatever the body says.",
        (
            "enabled = not task.enabled if wanted.enabled is None else wanted.enabled",
            "enabled = not task.enabled",
        ),
    ),
    mutant(
        "no-body-enables",
        "ADM-41",
        "A task is enabled when the body says nothing.",
        (
            "enabled = not task.enabled if wanted.enabled is None else wanted.enabled",
            "enabled = wanted.enabled is not False",
        ),
    ),
    mutant(
        "metrics-too-early",
        "ADM-32",
        "There are figures for Prometheus before the release that has them.",
        ("show if metrics.served(profile) else None", "show"),
    ),
    mutant(
        "disabled-tasks-are-never-run",
        "ADM-70",
        "A disabled task is not run when it is asked for either.",
        (
            "    if state.config.profile.one_run_a_task:\n        _check_not_running",
            '    if not task.enabled:\n        raise ApiError("BACKUP_TASK_INVALID")\n    if state.config.profile.one_run_a_task:\n        _check_not_running',
        ),
    ),
    mutant(
        "record-names-the-last-target",
        "ADM-71",
        "A run's record names the last of its task's storage targets.",
        ("targets[0].id if targets", "targets[-1].id if targets"),
    ),
)
