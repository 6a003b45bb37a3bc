"""Mutants of ADM: tasks that are running already, and those that cannot be."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "running-is-no-matter",
        "ADM-10",
        "A task that is running is run again.",
        (
            '    if running is not None:\n        raise ApiError(\n            "BACKUP_TASK_ALREADY_RUNNING"',
            '    if running is None and not task:\n        raise ApiError(\n            "BACKUP_TASK_ALREADY_RUNNING"',
        ),
    ),
    mutant(
        "running-is-senseless",
        "ADM-10",
        "The run of a running task is refused like one that makes no sense.",
        ('            "BACKUP_TASK_ALREADY_RUNNING",\n', '            "BACKUP_TASK_INVALID",\n'),
    ),
    mutant(
        "running-noted-and-refused",
        "ADM-10",
        "The run of a running task is refused, and its record made.",
        (
            "    running = records.running_of(state.database, task.id)\n    if running is not None:\n",
            "    running = records.running_of(state.database, task.id)\n    if running is not None:\n        records.insert_backup(state.database, task_id=task.id, storage_target_id=1, node_id=task.node_id, now=Now.of(state.clock))\n",
        ),
    ),
    mutant(
        "window-before-running",
        "ADM-11",
        "Whether a task is running is looked at behind its window.",
        (
            "    if state.config.profile.one_run_a_task:\n        _check_not_running(state, task)\n",
            "",
        ),
        (
            "    node = _node_for(state, task, now)\n    offline",
            "    if state.config.profile.one_run_a_task:\n        _check_not_running(state, task)\n    node = _node_for(state, task, now)\n    offline",
        ),
    ),
    mutant(
        "offline-before-running",
        "ADM-11",
        "A node that is offline is told of before its task's run.",
        (
            "    if state.config.profile.one_run_a_task:\n        _check_not_running(state, task)\n",
            "    host = remote(state, task.node_id)\n    if host is None or presence.online(state, host, now):\n        _check_not_running(state, task)\n",
        ),
    ),
    mutant(
        "last-status-holds",
        "ADM-12",
        "A task that last failed is still taken for running.",
        (
            "        Record, \"task_id = ? AND status = 'running' ORDER BY started_at DESC, id DESC\", task_id\n",
            "        Record, \"task_id = ? AND status IN ('running', 'failed') ORDER BY started_at DESC, id DESC\", task_id\n",
        ),
    ),
    mutant(
        "task-remembers-running",
        "ADM-12",
        "A task is running as long as it says so itself, records or not.",
        (
            "    running = records.running_of(state.database, task.id)\n    if running is not None:\n",
            "    running = records.running_of(state.database, task.id) or (task.last_status == RecordStatus.RUNNING and Record(**{name: 0 for name in Record.__struct_fields__}))\n    if running:\n",
        ),
    ),
    mutant(
        "remote-tasks-encrypt",
        "ADM-22",
        "A task that encrypts may be bound to a remote node.",
        (
            "    if wanted.encrypt and away and state.config.profile.refuses_remote_encryption:\n",
            "    if wanted.encrypt and pooled and state.config.profile.refuses_remote_encryption:\n",
        ),
    ),
    mutant(
        "pools-encrypt",
        "ADM-22",
        "A task that encrypts may be bound to a pool.",
        (
            "    if wanted.encrypt and away and state.config.profile.refuses_remote_encryption:\n",
            "    if wanted.encrypt and away and not pooled and state.config.profile.refuses_remote_encryption:\n",
        ),
    ),
    mutant(
        "nobody-encrypts",
        "ADM-22",
        "No task may encrypt, the master's own neither.",
        (
            "    if wanted.encrypt and away and state.config.profile.refuses_remote_encryption:\n",
            "    if wanted.encrypt and state.config.profile.refuses_remote_encryption:\n",
        ),
    ),
    mutant(
        "encryption-refused-too-early",
        "ADM-23",
        "A task that encrypts is refused a remote node.",
        (
            "    if wanted.encrypt and away and state.config.profile.refuses_remote_encryption:\n",
            "    if wanted.encrypt and away:\n",
        ),
    ),
    mutant(
        "agent-not-told-to-encrypt",
        "ADM-23",
        "A task that encrypts is stored as one that does not.",
        (
            '        "encrypt": int(wanted.encrypt),\n',
            '        "encrypt": int(wanted.encrypt and not wanted.nodeId),\n',
        ),
    ),
    mutant(
        "modes-go-away",
        "ADM-48",
        "A task of any mode may be bound to a remote node.",
        (
            "        if wanted.backupMode == mode and away:\n",
            "        if wanted.backupMode == mode and pooled:\n",
        ),
    ),
    mutant(
        "modes-go-to-pools",
        "ADM-48",
        "A task of any mode may be bound to a pool.",
        (
            "        if wanted.backupMode == mode and away:\n",
            "        if wanted.backupMode == mode and away and not pooled:\n",
        ),
    ),
)
