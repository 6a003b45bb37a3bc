"""Mutants of SPEC where releases differ: who may read a task, and the ways to its targets."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    # --- what differs between releases ------------------------------------------------------
    mutant(
        "spec-for-the-tasks-node-alone",
        "SPEC-12",
        "A task's specification is for the node that it is bound to alone.",
        (
            "        state.config.profile.spec_while_running\n        and records.runs_on(state.database, task.id, node.id)\n",
            "        False\n",
        ),
    ),
    mutant(
        "spec-for-whoever-made-a-backup",
        "SPEC-12",
        "A node that once made a backup of a task may read its specification.",
        (
            "        and records.runs_on(state.database, task.id, node.id)\n",
            '        and state.database.query("SELECT 1 FROM backup_records WHERE task_id = ? AND node_id = ?", (task.id, node.id))\n',
        ),
    ),
    mutant(
        "spec-for-whoever-is-busy",
        "SPEC-12",
        "A node with a running backup of anything may read a task's specification.",
        (
            "        and records.runs_on(state.database, task.id, node.id)\n",
            "        and state.database.query(\"SELECT 1 FROM backup_records WHERE status = 'running' AND node_id = ?\", (node.id,))\n",
        ),
    ),
    mutant(
        "spec-while-it-runs",
        "SPEC-13",
        "A node with a running backup of a task may read its specification.",
        (
            "        state.config.profile.spec_while_running\n        and records",
            "        records",
        ),
    ),
    mutant(
        "every-disk-is-the-masters",
        "SPEC-14",
        "Every local disk is reached through the master.",
        (
            "    relayed = on_disk(target) and local_disk(state, target).masterRelay\n",
            "    relayed = on_disk(target)\n",
        ),
    ),
    mutant(
        "the-setting-alone-relays",
        "SPEC-14",
        "Whatever has the setting is reached through the master.",
        (
            "    relayed = on_disk(target) and local_disk(state, target).masterRelay\n",
            "    relayed = local_disk(state, target).masterRelay\n",
        ),
    ),
    mutant(
        "no-word-of-the-way",
        "SPEC-14",
        "A specification does not say how a storage target is reached.",
        (
            '    mode = storage.transfer_mode(state, target) if storage.relays(state.config.profile) else ""\n',
            '    mode = ""\n',
        ),
    ),
    mutant(
        "restore-without-checksum",
        "SPEC-15",
        "A restore's specification has no checksum.",
        (
            '        checksum=record.checksum if state.config.profile.restore_spec_checksum else "",\n',
            '        checksum="",\n',
        ),
    ),
    mutant(
        "relayed-restore-with-configuration",
        "SPEC-16",
        "A relayed restore's target comes with its configuration.",
        (
            'Raw(b"null"), storage.MASTER_RELAY',
            "storage.configuration(state, target), storage.MASTER_RELAY",
        ),
    ),
    mutant(
        "way-back-of-today",
        "SPEC-16",
        "How a backup is fetched depends on how it would be stored now.",
        (
            "    if record.storage_transfer_mode == storage.MASTER_RELAY:\n        return _storage",
            "    if storage.transfer_mode(state, target) == storage.MASTER_RELAY:\n        return _storage",
        ),
    ),
    mutant(
        "ways-before-there-were-any",
        "SPEC-17",
        "A specification says how a storage target is reached.",
        (
            '    mode = storage.transfer_mode(state, target) if storage.relays(state.config.profile) else ""\n',
            "    mode = storage.transfer_mode(state, target)\n",
        ),
    ),
    mutant(
        "checksum-before-there-was-one",
        "SPEC-17",
        "A restore's specification has a checksum.",
        (
            '        checksum=record.checksum if state.config.profile.restore_spec_checksum else "",\n',
            "        checksum=record.checksum,\n",
        ),
    ),
    mutant(
        "password-of-the-first-day",
        "SPEC-18",
        "A specification has the password that its task had when it was first read.",
        (
            "@dataclass(frozen=True, slots=True)\nclass State:\n",
            "@dataclass(frozen=True)\nclass State:\n",
        ),
        (
            '        return state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else ""\n',
            '        return state.__dict__.setdefault("seen", {}).setdefault(task.id, state.cipher.decrypt(stored).decode("utf-8", "replace") if stored else "")\n',
        ),
    ),
    mutant(
        "target-of-the-first-day",
        "SPEC-18",
        "A specification has the configuration that a storage target had when it was first read.",
        (
            "@dataclass(frozen=True, slots=True)\nclass State:\n",
            "@dataclass(frozen=True)\nclass State:\n",
        ),
        (
            "        return wire.compact(state.cipher.decrypt(target.config_ciphertext))\n",
            '        return state.__dict__.setdefault("kept", {}).setdefault(target.id, wire.compact(state.cipher.decrypt(target.config_ciphertext)))\n',
        ),
    ),
)
