"""Mutants of SPEC and SEC: who gets which secret."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "password-sealed",
        "SPEC-1",
        "A specification has the password as it is stored.",
        (
            '    return state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else ""\n',
            "    return stored\n",
        ),
    ),
    mutant(
        "password-in-ascii",
        "SPEC-1",
        "A password loses what is no ASCII.",
        (
            'state.cipher.decrypt(stored).decode("utf-8", "replace") if stored',
            'state.cipher.decrypt(stored).decode("ascii", "ignore") if stored',
        ),
    ),
    mutant(
        "targets-backwards",
        "SPEC-2",
        "Storage targets come by descending id.",
        (
            '" WHERE backup_task_id = ?) ORDER BY id",',
            '" WHERE backup_task_id = ?) ORDER BY id DESC",',
        ),
    ),
    mutant(
        "targets-in-the-given-order",
        "SPEC-2",
        "Storage targets come in the order that the task names them.",
        (
            '" WHERE backup_task_id = ?) ORDER BY id",\n        task.id,\n',
            '" WHERE backup_task_id = ?) ORDER BY (SELECT j.rowid FROM backup_task_storage_targets j WHERE j.backup_task_id = ? AND j.storage_target_id = storage_targets.id)",\n        task.id,\n        task.id,\n',
        ),
    ),
    mutant(
        "first-target-only",
        "SPEC-2",
        "A specification has the first storage target.",
        (
            "for target in tasks.targets_of(state.database, task)\n        ],\n    )",
            "for target in tasks.targets_of(state.database, task)[:1]\n        ],\n    )",
        ),
    ),
    mutant(
        "missing-target-refuses",
        "SPEC-3",
        "A task that names a storage target that is gone has no specification.",
        (
            "    if joined or not task.storage_target_id:\n        return joined\n",
            (
                '    if database.query("SELECT 1 FROM backup_task_storage_targets WHERE backup_task_id = ? AND storage_target_id NOT IN (SELECT id FROM storage_targets)", (task.id,)):\n'
                '        raise ValueError("gone")\n'
                "    if joined or not task.storage_target_id:\n        return joined\n"
            ),
        ),
    ),
    mutant(
        "anybodys-task",
        "SPEC-4",
        "A task's specification is for every node.",
        (
            "    if task.node_id != node.id and not (\n        state.config",
            "    if task.node_id != node.id and not state.database and not (\n        state.config",
        ),
    ),
    mutant(
        "refusal-names-the-task",
        "SPEC-4",
        "The refusal of another node's task has its name.",
        (
            '        raise ApiError("BACKUP_TASK_FORBIDDEN")\n',
            '        raise ApiError("BACKUP_TASK_FORBIDDEN", task.name)\n',
        ),
    ),
    mutant(
        "unknown-task-is-forbidden",
        "SPEC-5",
        "An unknown task is answered as another node's.",
        (
            '        raise ApiError("BACKUP_TASK_NOT_FOUND", "任务不存在")\n',
            '        raise ApiError("BACKUP_TASK_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "empty-fields-written",
        "SPEC-6",
        "A specification has its empty host.",
        (
            '    excludePatterns: str = ""\n    dbHost: str = ""\n',
            '    excludePatterns: str = ""\n    dbHost: str\n',
        ),
    ),
    mutant(
        "paths-as-lines",
        "SPEC-6",
        "Paths come as lines.",
        (
            "        sourcePaths=task.source_paths,\n",
            '        sourcePaths=task.source_paths.strip(\'[]"\').replace(\'","\', "\\n"),\n',
        ),
    ),
    mutant(
        "restore-of-the-tasks-target",
        "SPEC-7",
        "A restore's specification names the target that its task names first now.",
        (
            '    target = state.database.get(Target, record.storage_target_id)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE',
            '    target = state.database.get(Target, task.storage_target_id)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE',
        ),
    ),
    mutant(
        "restore-of-its-own-number",
        "SPEC-7",
        "A restore's specification is about the backup with the restore's id.",
        (
            '    restore = own_restore(state, node, restore_id)\n    record = state.database.get(Record, restore.backup_record_id)\n    if record is None:\n        raise ApiError("BACKUP_RECORD_NOT_FOUND", "源备份记录不存在")\n',
            '    restore = own_restore(state, node, restore_id)\n    record = state.database.get(Record, restore.id)\n    if record is None:\n        raise ApiError("BACKUP_RECORD_NOT_FOUND", "源备份记录不存在")\n',
        ),
    ),
    mutant(
        "restore-of-the-backups-task",
        "SPEC-7",
        "A restore's specification is about the task with the backup's id.",
        (
            '    task = state.database.get(Task, restore.task_id)\n    if task is None:\n        raise ApiError("BACKUP_TASK_NOT_FOUND")\n    password',
            '    task = state.database.get(Task, record.id)\n    if task is None:\n        raise ApiError("BACKUP_TASK_NOT_FOUND")\n    password',
        ),
    ),
    mutant(
        "restore-without-path",
        "SPEC-7",
        "A restore's specification has the file's name for its path.",
        (
            "        storagePath=record.storage_path,\n        fileName",
            "        storagePath=record.file_name,\n        fileName",
        ),
    ),
    mutant(
        "restore-while-running-only",
        "SPEC-7",
        "A restore that has ended has no specification.",
        (
            "    restore = own_restore(state, node, restore_id)\n    record = ",
            '    restore = own_restore(state, node, restore_id)\n    if restore.status != "running":\n        raise ApiError("RESTORE_RECORD_NOT_FOUND")\n    record = ',
        ),
    ),
    mutant(
        "restore-refusal-tells",
        "SPEC-8",
        "The refusal of another node's restore is 404.",
        (
            '        raise ApiError("RESTORE_RECORD_FORBIDDEN")\n',
            '        raise ApiError("RESTORE_RECORD_NOT_FOUND")\n',
        ),
    ),
    mutant(
        "broken-password-is-none",
        "SPEC-9",
        "A password that does not open is left out.",
        (
            '    except CipherError:\n        raise ApiError("INTERNAL_ERROR") from None\n\n\ndef _way_there',
            '    except CipherError:\n        return ""\n\n\ndef _way_there',
        ),
    ),
    mutant(
        "broken-target-skipped",
        "SPEC-9",
        "A storage target that does not open is skipped.",
        (
            "            _way_there(state, target) for target in tasks.targets_of(state.database, task)\n",
            "            _way_there(state, target) for target in tasks.targets_of(state.database, task) if _opens(state, target)\n",
        ),
        (
            "def _password(state: State, task: Task) -> str:\n",
            "def _opens(state, target):\n    try:\n        return bool(storage.configuration(state, target))\n    except ApiError:\n        return False\n\n\ndef _password(state: State, task: Task) -> str:\n",
        ),
    ),
    mutant(
        "restore-without-target",
        "SPEC-10",
        "A restore whose storage target is gone is answered 404.",
        (
            '    if target is None:\n        raise ApiError("BACKUP_STORAGE_TARGET_INVALID")\n    return RestoreSpec',
            '    if target is None:\n        raise ApiError("STORAGE_TARGET_NOT_FOUND")\n    return RestoreSpec',
        ),
    ),
    mutant(
        "older-column-forgotten",
        "SPEC-11",
        "A task that names no targets in the join table has none.",
        ("    return [legacy] if legacy is not None else []\n", "    return []\n"),
    ),
    # --- SEC ---
    mutant(
        "password-in-the-answer",
        "SEC-1",
        "A task's page shows the password that it was made with.",
        (
            "    dbUser: str\n    dbName: str\n    dbPath: str\n    extraConfig: Raw | None = None\n",
            '    dbUser: str\n    dbPassword: str = ""\n    dbName: str\n    dbPath: str\n    extraConfig: Raw | None = None\n',
        ),
        (
            "        dbUser=task.db_user,\n        dbName=task.db_name,\n",
            '        dbUser=task.db_user,\n        dbPassword=state.cipher.decrypt(task.db_password_ciphertext).decode() if task.db_password_ciphertext else "",\n        dbName=task.db_name,\n',
        ),
    ),
    mutant(
        "access-keys-shown",
        "SEC-2",
        "A target's page shows the key's id and masks its secret.",
        (
            '_KEY_PAIR: Final = ("accessKeyId", "secretAccessKey")\n',
            '_KEY_PAIR: Final = ("secretAccessKey",)\n',
        ),
    ),
    mutant(
        "nothing-masked",
        "SEC-2",
        "A target's page shows its configuration as it is.",
        ("    return {**config, **secrets}\n", "    return {**secrets, **config}\n"),
    ),
    mutant(
        "client-id-shown",
        "SEC-2",
        "A target's page shows the id of the client that it was made with.",
        ('        ("clientId", "clientSecret", "refreshToken"),\n', '        ("clientSecret",),\n'),
    ),
    mutant(
        "token-in-the-list",
        "SEC-3",
        "A node's page shows its token for its address.",
        (
            "        ipAddress=node.ip_address,\n        status",
            "        ipAddress=node.token,\n        status",
        ),
    ),
    mutant(
        "old-token-shown",
        "SEC-3",
        "A node's page shows the token before its last rotation.",
        (
            "        bandwidthLimit=node.bandwidth_limit,\n        createdAt",
            "        bandwidthLimit=node.bandwidth_limit or node.prev_token,\n        createdAt",
        ),
    ),
    mutant(
        "user-name-shown",
        "SEC-2",
        "A target's page shows the name that it logs in with.",
        (
            'webdav endpoint is required"), _reveals),\n        ("username", "password"),\n',
            'webdav endpoint is required"), _reveals),\n        ("password",),\n',
        ),
    ),
    mutant(
        "key-is-its-prefix",
        "SEC-4",
        "The list of keys shows each one whole.",
        ("        prefix=plain[:SHOWN],\n", "        prefix=plain,\n"),
    ),
    mutant(
        "spec-while-running-only",
        "SPEC-19",
        "A task's specification is for a node that is running it.",
        (
            "    if task.node_id != node.id and not (\n        state.config",
            "    if not (\n        state.config",
        ),
        (
            "        state.config.profile.spec_while_running\n        and records.runs_on",
            "        records.runs_on",
        ),
    ),
    mutant(
        "disabled-tasks-have-none",
        "SPEC-19",
        "A disabled task has no specification.",
        (
            '        raise ApiError("BACKUP_TASK_NOT_FOUND", "任务不存在")\n    if task.node_id',
            '        raise ApiError("BACKUP_TASK_NOT_FOUND", "任务不存在")\n    if not task.enabled:\n        raise ApiError("BACKUP_TASK_NOT_FOUND")\n    if task.node_id',
        ),
    ),
    mutant(
        "refusal-shows-the-host",
        "SEC-11",
        "The refusal of another node's task has the database's host.",
        (
            '        raise ApiError("BACKUP_TASK_FORBIDDEN")\n',
            '        raise ApiError("BACKUP_TASK_FORBIDDEN", f"任务不属于当前节点 {task.db_host} {task.db_user}")\n',
        ),
    ),
    mutant(
        "refusal-shows-the-path",
        "SEC-11",
        "The refusal of another node's record has its storage path.",
        (
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN", f"{record.storage_path} {record.file_name} {task.name}")\n',
        ),
    ),
    mutant(
        "disabled-targets-are-left-out",
        "SPEC-2",
        "A specification leaves disabled storage targets out.",
        (
            ' WHERE backup_task_id = ?) ORDER BY id",\n        task.id',
            ' WHERE backup_task_id = ?) AND enabled = 1 ORDER BY id",\n        task.id',
        ),
    ),
    mutant(
        "restored-from-where-the-task-stores",
        "SPEC-7",
        "A restore is told the storage target of its task, not that of its backup.",
        (
            'target = state.database.get(Target, record.storage_target_id)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE',
            'target = next(iter(tasks.targets_of(state.database, task)), None)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE',
        ),
    ),
)
