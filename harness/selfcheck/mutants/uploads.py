"""Mutants of ART: which uploads of backups the master takes."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_OWN: Final = "    record, task = own_record(state, node, record_id)\n    if record.status in"
_ANYBODYS: Final = (
    "    record = state.database.get(Record, record_id)\n"
    "    if record is None:\n"
    '        raise ApiError("BACKUP_RECORD_NOT_FOUND")\n'
    "    task = state.database.get(Task, record.task_id)\n"
    "    if record.status in"
)
_KEY: Final = "    key = checks.artifact_key(record, task, artifact.key, storage.MASTER_RELAY)\n"
_HASH: Final = (
    "    if artifact.size_bytes >= wire.INT64_MAX or not checks.is_sha256(artifact.sha256):\n"
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "upload-after-the-end",
        "ART-2",
        "An upload for a finished record is taken.",
        (
            '    if record.status in FINISHED_RECORD:\n        raise ApiError("BACKUP_RECORD_TERMINAL")\n',
            "",
        ),
    ),
    mutant(
        "upload-after-a-failure",
        "ART-2",
        "An upload for a record that succeeded is taken.",
        (
            '    if record.status in FINISHED_RECORD:\n        raise ApiError("BACKUP_RECORD_TERMINAL")\n',
            '    if record.status == "failed":\n        raise ApiError("BACKUP_RECORD_TERMINAL")\n',
        ),
    ),
    mutant(
        "anybodys-upload",
        "ART-3",
        "An upload is taken from whoever sends it.",
        (_OWN, _ANYBODYS),
    ),
    mutant(
        "upload-of-the-tasks-node",
        "ART-3",
        "An upload is taken from the node that the record's task is bound to now, too.",
        (
            _OWN,
            (
                "    try:\n"
                "        record, task = own_record(state, node, record_id)\n"
                "    except ApiError:\n"
                "        record = state.database.get(Record, record_id)\n"
                "        task = state.database.get(Task, record.task_id) if record else None\n"
                "        if task is None or task.node_id != node.id:\n"
                "            raise\n"
                "    if record.status in"
            ),
        ),
    ),
    mutant(
        "upload-for-nothing",
        "ART-4",
        "An upload for an unknown record is answered 200.",
        (
            _OWN,
            "    if state.database.get(Record, record_id) is None:\n        return\n" + _OWN,
        ),
    ),
    mutant(
        "upload-to-any-target",
        "ART-5",
        "An upload may go to any storage target that there is.",
        (
            '    if target_id not in targets:\n        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n    target = targets[target_id]\n    if target is None or',
            '    target = state.database.get(Target, target_id)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n    if target is None or',
        ),
    ),
    mutant(
        "unknown-target-not-relayed",
        "ART-5",
        "An upload to a storage target that the task does not have is answered as one that is not relayed.",
        (
            '    if target_id not in targets:\n        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n    target = targets[target_id]\n    if target is None or',
            "    target = targets.get(target_id)\n    if target is None or",
        ),
    ),
    mutant(
        "upload-to-any-disk",
        "ART-6",
        "An upload may go to any local disk.",
        ("    if not disk.masterRelay:\n", "    if not disk.basePath:\n"),
    ),
    mutant(
        "upload-to-whatever-has-the-setting",
        "ART-6",
        "An upload may go to whatever storage has the setting.",
        (
            '    if target is None or not storage.on_disk(target):\n        message = "仅',
            '    if target is None:\n        message = "仅',
        ),
    ),
    mutant(
        "key-as-it-comes",
        "ART-7",
        "An upload's key may be any that does not leave its base.",
        (_KEY, "    key = checks.artifact_key(record, task, artifact.key, storage.DIRECT)\n"),
    ),
    mutant(
        "key-of-the-day",
        "ART-7",
        "An upload's key may be any in the folder of its day.",
        (
            _KEY,
            '    key = artifact.key if "/records/" in artifact.key and artifact.key.startswith("BackupX/") and ".." not in artifact.key else checks.artifact_key(record, task, artifact.key, storage.MASTER_RELAY)\n',
        ),
    ),
    mutant(
        "key-not-unclean-enough",
        "ART-7",
        "An upload's key is tidied before it is looked at.",
        (
            _KEY,
            '    key = checks.artifact_key(record, task, artifact.key.replace("\\\\", "/").strip("/."), storage.MASTER_RELAY)\n',
        ),
    ),
    mutant(
        "older-key-as-it-came",
        "ART-8",
        "An upload with the older form of a key is stored where it says.",
        (_KEY, _KEY + "    key = artifact.key\n"),
    ),
    mutant(
        "older-key-refused",
        "ART-8",
        "An upload with the older form of a key is refused.",
        (
            _KEY,
            _KEY
            + '    if key != artifact.key:\n        raise ApiError("AGENT_ARTIFACT_INVALID_PATH")\n',
        ),
    ),
    mutant(
        "hash-not-asked-for",
        "ART-9",
        "An upload without a hash is not compared with one.",
        (
            _HASH,
            "    if artifact.size_bytes >= wire.INT64_MAX or not (checks.is_sha256(artifact.sha256) or not artifact.sha256):\n",
        ),
        (
            "        if size_bytes != artifact.size_bytes or digest.hexdigest() != expected:\n",
            "        if size_bytes != artifact.size_bytes or (expected and digest.hexdigest() != expected):\n",
        ),
    ),
    mutant(
        "hash-not-looked-at-first",
        "ART-9",
        "A hash that is none is told as a wrong one.",
        (_HASH, "    if artifact.size_bytes >= wire.INT64_MAX:\n"),
    ),
    mutant(
        "hash-in-small-letters-only",
        "ART-1",
        "A hash in capitals is refused.",
        (
            _HASH,
            _HASH.replace(
                "not checks.is_sha256(artifact.sha256)",
                "not checks.is_sha256(artifact.sha256) or artifact.sha256 != artifact.sha256.lower()",
            ),
        ),
    ),
    mutant(
        "length-not-needed",
        "ART-10",
        "An upload without a length is one of no bytes.",
        (
            '        if size_bytes is None:\n            raise ApiError("CONTENT_LENGTH_REQUIRED")\n',
            "        size_bytes = size_bytes or 0\n",
        ),
    ),
    mutant(
        "target-before-owner",
        "ART-24",
        "An upload's storage target is looked at before its record's owner.",
        (
            _OWN,
            (
                "    if state.database.get(Target, target_id) is None and state.database.get(Record, record_id) is not None:\n"
                '        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n'
            )
            + _OWN,
        ),
    ),
    mutant(
        "hash-before-key",
        "ART-24",
        "An upload's hash is looked at before its key.",
        (
            _KEY,
            '    if not checks.is_sha256(artifact.sha256):\n        raise ApiError("AGENT_ARTIFACT_INVALID")\n'
            + _KEY,
        ),
    ),
    mutant(
        "quota-before-hash",
        "ART-24",
        "The quota is looked at before an upload's hash.",
        (
            _HASH,
            "    _check_quota(state, target, artifact.size_bytes)\n" + _HASH,
        ),
    ),
    mutant(
        "end-before-owner",
        "ART-24",
        "The end of a record is looked at before its owner.",
        (
            _OWN,
            (
                "    known = state.database.get(Record, record_id)\n"
                "    if known is not None and known.status in FINISHED_RECORD:\n"
                '        raise ApiError("BACKUP_RECORD_TERMINAL")\n'
            )
            + _OWN,
        ),
    ),
    mutant(
        "nothing-is-refused",
        "ART-1",
        "An upload of no bytes is refused.",
        (
            "if artifact.size_bytes >= wire.INT64_MAX or",
            "if not 0 < artifact.size_bytes < wire.INT64_MAX or",
        ),
    ),
)
