"""Mutants of REC: what v2.4.0 checks in a report about a backup."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_UNCLEAN: Final = (
    '    unsafe = key.strip() != key or posixpath.normpath(key) != key or "\\\\" in key\n'
)
_TAKEN: Final = (
    "    changes = _backup_changes(record, _checked(state, record, task, update))\n    changes["
)


MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "any-status-taken",
        "REC-11",
        "Any status is stored.",
        (
            '    if update.status not in _STATUSES:\n        raise ApiError("BACKUP_RECORD_STATUS_INVALID")\n',
            "",
        ),
    ),
    mutant(
        "status-nearly-right",
        "REC-11",
        "A status may have other letters and space around it.",
        (
            "    if update.status not in _STATUSES:\n",
            "    if update.status.strip().lower() not in _STATUSES:\n",
        ),
    ),
    mutant(
        "any-target-taken",
        "REC-20",
        "A report may name any storage target that there is.",
        (
            '    if target_id not in targets:\n        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n    target = targets[target_id]\n    if target is None:\n        raise ApiError("BACKUP_STORAGE_TARGET_INVALID")\n',
            '    target = state.database.get(Target, target_id)\n    if target is None:\n        raise ApiError("BACKUP_STORAGE_TARGET_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "direct-may-be-said",
        "REC-21",
        "A report may say of a relayed target that it was written directly.",
        (
            '    if claimed not in ("", mode):\n',
            '    if claimed not in ("", mode, storage.DIRECT):\n',
        ),
    ),
    mutant(
        "mode-in-any-case",
        "REC-21",
        "A transfer mode may be written in capitals.",
        (
            '    if claimed not in ("", mode):\n',
            '    if claimed.lower() not in ("", mode):\n',
        ),
    ),
    mutant(
        "mode-without-target",
        "REC-21",
        "A transfer mode without a target is ignored.",
        (
            '    elif update.storageTransferMode:\n        raise ApiError("AGENT_STORAGE',
            '    elif update.storageTransferMode == "?":\n        raise ApiError("AGENT_STORAGE',
        ),
    ),
    mutant(
        "mode-not-filled-in",
        "REC-21",
        "A report that does not say a transfer mode has none.",
        (
            "        storageTransferMode=mode,\n        storageUploadResults=results",
            "        storageUploadResults=results",
        ),
    ),
    mutant(
        "absolute-path-taken",
        "REC-22",
        "A storage path may be absolute.",
        ('key == "." or key.startswith(("/", "../"))', 'key == "." or key.startswith("../")'),
    ),
    mutant(
        "path-above-taken",
        "REC-22",
        "A storage path may begin above its folder.",
        ('key == "." or key.startswith(("/", "../"))', 'key == "." or key.startswith("/")'),
    ),
    mutant(
        "backslash-taken",
        "REC-22",
        "A storage path may have backslashes.",
        (_UNCLEAN, _UNCLEAN.replace(' or "\\\\" in key', "")),
    ),
    mutant(
        "unclean-path-taken",
        "REC-22",
        "A storage path may have `..` and double slashes inside.",
        (_UNCLEAN, _UNCLEAN.replace(" or posixpath.normpath(key) != key", "")),
    ),
    mutant(
        "space-around-path-taken",
        "REC-22",
        "A storage path may have space around it.",
        (_UNCLEAN, _UNCLEAN.replace("key.strip() != key or ", "")),
    ),
    mutant(
        "path-without-target",
        "REC-22",
        "A storage path may come without its target.",
        (
            '    if not update.storageTargetId:\n        raise ApiError("AGENT_ARTIFACT_INVALID_PATH"',
            '    if update.storageTargetId is None:\n        raise ApiError("AGENT_ARTIFACT_INVALID_PATH"',
        ),
    ),
    mutant(
        "name-of-another-path",
        "REC-23",
        "A file name need not be that of its path.",
        (
            "    if update.fileName and posixpath.basename(path) != update.fileName:\n",
            "    if update.fileName and posixpath.basename(path) == update.status:\n",
        ),
    ),
    mutant(
        "name-with-backslash",
        "REC-23",
        "A file name may have backslashes.",
        ('update.fileSize < 0 or "\\\\" in name or (', "update.fileSize < 0 or ("),
    ),
    mutant(
        "name-with-slash",
        "REC-23",
        "A file name may have slashes.",
        (' or ("/" in name and name != "/"):  # Go', ":  # Go"),
    ),
    mutant(
        "checksum-too-long",
        "REC-24",
        "A checksum may have more than 64 digits.",
        ("_SHA256.fullmatch(text.strip())", "_SHA256.match(text.strip())"),
    ),
    mutant(
        "checksum-any-letters",
        "REC-24",
        "A checksum may have any letters.",
        ('re.compile("[0-9a-fA-F]{64}", re.ASCII)', 're.compile(".{64}", re.ASCII)'),
    ),
    mutant(
        "checksum-as-it-came",
        "REC-24",
        "A checksum is kept with its capitals and the space around it.",
        ("checksum=update.checksum.strip().lower()", "checksum=update.checksum"),
    ),
    mutant(
        "size-below-zero-ignored",
        "REC-25",
        "A size below 0 counts as left out.",
        ('    if update.fileSize < 0 or "\\\\"', '    if "\\\\"'),
    ),
    mutant(
        "results-of-any-target",
        "REC-26",
        "A result of an upload may name any storage target, and is taken for the first's.",
        (
            "_mode(state, targets, result.storageTargetId, result.transferMode)",
            "_mode(state, targets, result.storageTargetId if result.storageTargetId in targets else next(iter(targets)), result.transferMode)",
        ),
    ),
    mutant(
        "results-mode-not-checked",
        "REC-26",
        "A result of an upload may have any transfer mode.",
        (
            "_mode(state, targets, result.storageTargetId, result.transferMode)",
            '_mode(state, targets, result.storageTargetId, "")',
        ),
    ),
    mutant(
        "results-size-not-checked",
        "REC-26",
        "A result of an upload may have a size below 0.",
        (
            "    if result.fileSize < 0 or result.status not in",
            "    if result.status not in",
        ),
    ),
    mutant(
        "results-status-as-a-records",
        "REC-26",
        "A result of an upload may say that it is running.",
        (
            'result.status not in ("", *FINISHED_RECORD)',
            "result.status not in _STATUSES",
        ),
    ),
    mutant(
        "results-path-not-checked",
        "REC-26",
        "A result of an upload may have any path.",
        (
            "    path = result.storagePath and artifact_key(record, task, result.storagePath, mode)\n",
            "    path = result.storagePath\n",
        ),
    ),
    mutant(
        "first-result-checked",
        "REC-26",
        "Only the first result of an upload is checked.",
        (
            "        _result(state, targets, record, task, result)\n        for result in update.storageUploadResults or ()\n",
            "        result if number else _result(state, targets, record, task, result)\n        for number, result in enumerate(update.storageUploadResults or ())\n",
        ),
    ),
    mutant(
        "refused-report-logged",
        "REC-27",
        "The log of a report is kept before the rest is checked.",
        (
            _TAKEN,
            "    state.database.update(Record, record.id, log_content=record.log_content + update.logAppend)\n"
            + _TAKEN,
        ),
        profile="2.4",
    ),
    mutant(
        "refused-report-half-taken",
        "REC-27",
        "A report's status is stored before the rest is checked.",
        (
            _TAKEN,
            "    state.database.update(Record, record.id, status=update.status or record.status)\n"
            + _TAKEN,
        ),
        profile="2.4",
    ),
    mutant(
        "any-folder-of-the-day",
        "REC-28",
        "A relayed backup may lie anywhere in the folder of its day.",
        (
            '    if key not in (own, f"BackupX/{kind}/{day}/{name}"):\n',
            '    if not key.startswith(f"BackupX/{kind}/{day}/"):\n',
        ),
    ),
    mutant(
        "any-relayed-path",
        "REC-28",
        "A relayed backup may lie anywhere, and is said to be in its record's folder.",
        (
            '    if key not in (own, f"BackupX/{kind}/{day}/{name}"):\n',
            '    if key == "/":\n',
        ),
    ),
    mutant(
        "older-path-as-it-came",
        "REC-28",
        "The older form of a relayed backup's path is stored as it came.",
        (
            '对象不属于当前备份记录")\n    return own\n',
            '对象不属于当前备份记录")\n    return key\n',
        ),
    ),
    mutant(
        "older-path-refused",
        "REC-28",
        "The older form of a relayed backup's path is refused.",
        (
            '    if key not in (own, f"BackupX/{kind}/{day}/{name}"):\n',
            "    if key != own:\n",
        ),
    ),
    mutant(
        "day-where-it-stood",
        "REC-28",
        "The day in a relayed backup's path is that of the time zone that it began in.",
        (
            "    text = times.db_text(times.parse(record.started_at))\n",
            "    text = record.started_at\n",
        ),
    ),
)
