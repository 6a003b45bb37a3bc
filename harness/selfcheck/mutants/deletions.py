"""Mutants of ADM: deleting backups, and what keeps them."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "refusal-ends-the-deletion",
        "ADM-42",
        "The first record that cannot go ends the deletion of many.",
        (
            "            _remove(state, record_id, call.now)\n        except ApiError:\n            continue\n",
            "            _remove(state, record_id, call.now)\n        except ApiError:\n            break\n",
        ),
    ),
    mutant(
        "deletion-counts-the-asked",
        "ADM-42",
        "A deletion of many records says how many it was asked for.",
        (
            '    return success({"deleted": deleted})\n',
            '    return success({"deleted": len(wanted.ids or [])})\n',
        ),
    ),
    mutant(
        "many-tasks-stay",
        "ADM-45",
        "Of many tasks that are to go, those that can are said to be gone, and stay.",
        (
            "        task = tasks.find(state, task_id)\n        tasks.remove(state, task)\n        return task.name\n",
            "        task = tasks.find(state, task_id)\n        return task.name\n",
        ),
    ),
    mutant(
        "many-tasks-turn",
        "ADM-45",
        "Many tasks are switched on, whatever was asked.",
        (
            "            state, tasks.find(state, task_id), call.now, enabled=wanted.enabled\n",
            "            state, tasks.find(state, task_id), call.now, enabled=True\n",
        ),
    ),
    mutant(
        "nothing-is-a-batch",
        "ADM-45",
        "A batch of nothing is answered with nothing.",
        (
            'bind_batch = RuledBinder(BatchInput, {"ids": (required, at_least_one)})\n\n\nclass BatchItem',
            'bind_batch = RuledBinder(BatchInput, {"ids": (required,)})\n\n\nclass BatchItem',
        ),
    ),
    mutant(
        "node-not-told-to-delete",
        "ADM-13",
        "A backup on a node's disk goes from the list, and stays on the disk.",
        (
            "        _enqueue_deletion(state, node, record, now)\n        return\n",
            "        return\n",
        ),
    ),
    mutant(
        "deletion-without-configuration",
        "ADM-13",
        "The node is told what to delete, and not where.",
        (
            '        "targetConfig": configuration(state, target),\n        "storagePath"',
            '        "targetConfig": {},\n        "storagePath"',
        ),
    ),
    mutant(
        "deletion-of-the-file-name",
        "ADM-13",
        "The node is told the file's name for its path.",
        (
            '        "storagePath": record.storage_path,\n    }\n    queue.enqueue',
            '        "storagePath": record.file_name,\n    }\n    queue.enqueue',
        ),
    ),
    mutant(
        "deletion-to-the-tasks-node",
        "ADM-13",
        "The node that the task is bound to now is told to delete.",
        (
            "    queue.enqueue(state, node.id, CommandType.DELETE_STORAGE_OBJECT, payload, now)\n",
            "    from master.store.rows import Task\n    task = state.database.get(Task, record.task_id)\n    queue.enqueue(state, task.node_id if task else node.id, CommandType.DELETE_STORAGE_OBJECT, payload, now)\n",
        ),
    ),
    mutant(
        "record-stays",
        "ADM-13",
        "The record of a backup on a node's disk stays in the list.",
        (
            "        storage.delete(state, record, now)\n        state.database.delete(Record, record.id)\n",
            "        storage.delete(state, record, now)\n        if storage.holder(state, record) is None:\n            state.database.delete(Record, record.id)\n",
        ),
    ),
    mutant(
        "offline-node-keeps-its-backup",
        "ADM-14",
        "An offline node is not told to delete.",
        (
            "        _enqueue_deletion(state, node, record, now)\n        return\n",
            "        if node.status == 'online':\n            _enqueue_deletion(state, node, record, now)\n        return\n",
        ),
    ),
    mutant(
        "offline-node-refuses-deletion",
        "ADM-14",
        "A backup on an offline node's disk is not deleted.",
        (
            "        _enqueue_deletion(state, node, record, now)\n        return\n",
            "        if node.status != 'online':\n            raise ApiError(\"NODE_OFFLINE\")\n        _enqueue_deletion(state, node, record, now)\n        return\n",
        ),
    ),
    mutant(
        "deletion-of-no-path",
        "ADM-15",
        "A node is told to delete a backup that was never stored.",
        (
            "    if not record.storage_path.strip():\n        return\n    node = holder(state, record)\n",
            "    node = holder(state, record)\n    if not record.storage_path.strip() and node is None:\n        return\n",
        ),
    ),
    mutant(
        "pathless-record-stays",
        "ADM-15",
        "A record without a path is not deleted.",
        (
            "    if not record.storage_path.strip():\n        return\n    node = holder(state, record)\n",
            '    if not record.storage_path.strip():\n        raise ApiError("BACKUP_RECORD_DELETE_FAILED")\n    node = holder(state, record)\n',
        ),
    ),
    mutant(
        "lock-is-for-show",
        "ADM-16",
        "A locked record is deleted.",
        (
            "    if by_locks(profile) and record.locked:\n",
            "    if by_locks(profile) and not record.id:\n",
        ),
    ),
    mutant(
        "lock-for-ever",
        "ADM-16",
        "What was locked is never unlocked.",
        (
            '        columns = {"locked": int(wanted.locked), "updated_at": call.now.local}\n',
            '        columns = {"locked": 1, "updated_at": call.now.local}\n',
        ),
    ),
    mutant(
        "report-unlocks",
        "ADM-16",
        "A lock is not kept while a backup runs.",
        (
            "    if bool(record.locked) is not wanted.locked:\n",
            '    if bool(record.locked) is not wanted.locked and record.status != "running":\n',
        ),
    ),
    mutant(
        "batch-passes-locks",
        "ADM-16",
        "What is deleted among others is deleted whether it is locked or not.",
        (
            "            _remove(state, record_id, call.now)\n        except ApiError:\n            continue\n",
            "            _remove(state, record_id, call.now)\n        except ApiError:\n            if state.database.get(Record, record_id) is None:\n                continue\n            state.database.delete(Record, record_id)\n",
        ),
    ),
    mutant(
        "nobody-asks-who-depends",
        "ADM-17",
        "A full backup goes, whatever builds on it.",
        (
            "    if _by_kinds(profile) and record.backup_kind == modes.FULL:\n",
            '    if _by_kinds(profile) and record.backup_kind == "none":\n',
        ),
    ),
    mutant(
        "failed-ones-depend",
        "ADM-17",
        "A failed differential backup keeps its base, too.",
        (
            "base_record_id = ? AND backup_kind = 'differential' AND status = 'success'",
            "base_record_id = ? AND backup_kind = 'differential'",
        ),
    ),
    mutant(
        "any-record-depends",
        "ADM-17",
        "Any differential backup keeps any full one.",
        (
            "            \"base_record_id = ? AND backup_kind = 'differential' AND status = 'success'\",\n            record.id,\n",
            "            \"base_record_id + ? > 0 AND backup_kind = 'differential' AND status = 'success' AND base_record_id = 0\",\n            record.id,\n",
        ),
    ),
    mutant(
        "any-disk-is-the-masters",
        "ADM-30",
        "A backup on a node's disk is looked for on the master's.",
        ("    check_reach(state, record)\n    base = own_base", "    base = own_base"),
    ),
    mutant(
        "only-stored-is-out-of-reach",
        "ADM-30",
        "A download from a node's disk is refused in another way while it runs.",
        (
            "    check_reach(state, record)\n    base = own_base",
            "    if record.storage_path:\n        check_reach(state, record)\n    base = own_base",
        ),
    ),
)
