"""Mutants of ART: what becomes of backups that go through the master, quotas and downloads."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_STORED: Final = "    used = records.stored_bytes(state.database, target.id)\n"
_FAILED: Final = '    if not stored:\n        raise ApiError("INTERNAL_ERROR")\n'

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "upload-cut-at-a-buffer",
        "ART-1",
        "Of each piece of an upload the first 4,096 bytes are written.",
        ("            writing.write(piece)\n", "            writing.write(piece[:4096])\n"),
    ),
    mutant(
        "upload-written-as-text",
        "ART-1",
        "An upload is written as text.",
        (
            "            writing.write(piece)\n",
            '            writing.write(piece.decode("utf-8", "replace").encode())\n',
        ),
    ),
    mutant(
        "upload-under-another-key",
        "ART-1",
        "An upload is stored under another key than it is read from.",
        (
            "    with state.objects.create(base, key) as writing:\n",
            '    with state.objects.create(base, key + ".part") as writing:\n',
        ),
    ),
    mutant(
        "upload-says-ok-and-forgets",
        "ART-1",
        "An upload is answered 200 and not kept.",
        ("        writing.commit()\n    return True\n", "    return True\n"),
    ),
    mutant(
        "download-of-what-the-record-says",
        "ART-1",
        "A download ends one byte early.",
        (
            "        reading.no_more_than(size_bytes)\n",
            "        reading.no_more_than(size_bytes - 1)\n",
        ),
    ),
    mutant(
        "quota-of-each",
        "ART-11",
        "A quota is for each backup.",
        ("    if used >= quota or size_bytes > quota - used:\n", "    if size_bytes > quota:\n"),
    ),
    mutant(
        "quota-not-quite",
        "ART-11",
        "An upload that just fits is refused.",
        (
            "    if used >= quota or size_bytes > quota - used:\n",
            "    if used >= quota or size_bytes >= quota - used:\n",
        ),
    ),
    mutant(
        "quota-of-nothing",
        "ART-11",
        "An upload of nothing is taken though the quota is used up.",
        (
            "    if used >= quota or size_bytes > quota - used:\n",
            "    if size_bytes > quota - used:\n",
        ),
    ),
    mutant(
        "quota-of-everything",
        "ART-12",
        "A quota counts the backups on every storage target.",
        (
            _STORED,
            '    used = state.database.query("SELECT COALESCE(SUM(file_size), 0) FROM backup_records")[0][0]\n',
        ),
    ),
    mutant(
        "quota-of-successes",
        "ART-12",
        "A quota counts successful backups.",
        (
            _STORED,
            "    used = state.database.query(\"SELECT COALESCE(SUM(file_size), 0) FROM backup_records WHERE storage_target_id = ? AND status = 'success'\", (target.id,))[0][0]\n",
        ),
    ),
    mutant(
        "quota-of-what-does-not-run",
        "ART-12",
        "A quota counts finished backups.",
        (
            _STORED,
            "    used = state.database.query(\"SELECT COALESCE(SUM(file_size), 0) FROM backup_records WHERE storage_target_id = ? AND status <> 'running'\", (target.id,))[0][0]\n",
        ),
    ),
    mutant(
        "hash-not-compared",
        "ART-13",
        "An upload's hash is not compared.",
        (
            "        if size_bytes != artifact.size_bytes or digest.hexdigest() != expected:\n",
            "        if size_bytes != artifact.size_bytes or not expected:\n",
        ),
    ),
    mutant(
        "wrong-upload-stays",
        "ART-13",
        "An upload that is not what its hash says is refused, and stays.",
        (
            "        if size_bytes != artifact.size_bytes or digest.hexdigest() != expected:\n            return False\n        writing.commit()\n",
            "        writing.commit()\n        if size_bytes != artifact.size_bytes or digest.hexdigest() != expected:\n            return False\n",
        ),
        profile="strict",
    ),
    mutant(
        "upload-is-a-report",
        "ART-14",
        "An upload gives its record its path.",
        (
            _FAILED,
            _FAILED
            + "    state.database.update(Record, record.id, storage_path=key, storage_target_id=target.id)\n",
        ),
    ),
    mutant(
        "upload-is-progress",
        "ART-14",
        "An upload gives its record its size.",
        (
            _FAILED,
            _FAILED
            + "    state.database.update(Record, record.id, file_size=artifact.size_bytes)\n",
        ),
    ),
    mutant(
        "no-length-of-a-download",
        "ART-15",
        "A download says nothing of its length.",
        (
            '    length = (("Content-Length", str(size_bytes)),) if size_bytes else ()\n    headers = (*length, ("Content-Type", "application',
            '    length = ()\n    headers = (*length, ("Content-Type", "application',
        ),
    ),
    mutant(
        "length-of-nothing",
        "ART-15",
        "A download of a record without a size says that it has none.",
        (
            '    artifact, size_bytes = relay.download(state, _node(state, call), call.agent_id())\n    length = (("Content-Length", str(size_bytes)),) if size_bytes else ()\n',
            '    artifact, size_bytes = relay.download(state, _node(state, call), call.agent_id())\n    length = (("Content-Length", str(size_bytes)),)\n',
        ),
    ),
    mutant(
        "download-after-the-end",
        "ART-16",
        "A download is there when its restore is over.",
        (
            '    if restore.status in FINISHED_RECORD:\n        raise ApiError("RESTORE_RECORD_TERMINAL")\n',
            "",
        ),
    ),
    mutant(
        "download-after-a-failure",
        "ART-16",
        "A download is there when its restore has failed.",
        (
            '    if restore.status in FINISHED_RECORD:\n        raise ApiError("RESTORE_RECORD_TERMINAL")\n',
            '    if restore.status == "success":\n        raise ApiError("RESTORE_RECORD_TERMINAL")\n',
        ),
    ),
    mutant(
        "anybodys-download",
        "ART-17",
        "A download is for whoever asks.",
        (
            "    restore = own_restore(state, node, restore_id)\n    if restore.status in FINISHED_RECORD:\n        raise",
            (
                "    restore = state.database.get(Restore, restore_id)\n"
                "    if restore is None:\n"
                '        raise ApiError("RESTORE_RECORD_NOT_FOUND")\n'
                "    if restore.status in FINISHED_RECORD:\n        raise"
            ),
        ),
        (
            "from master.store.rows import Node, Record, Target, Task\n\nlog = logging",
            "from master.store.rows import Node, Record, Restore, Target, Task\n\nlog = logging",
        ),
    ),
    mutant(
        "unknown-restore-is-an-unknown-backup",
        "ART-17",
        "A download for an unknown restore is answered as one for an unknown backup.",
        (
            "    restore = own_restore(state, node, restore_id)\n    if restore.status in FINISHED_RECORD:\n        raise",
            (
                "    try:\n"
                "        restore = own_restore(state, node, restore_id)\n"
                "    except ApiError as error:\n"
                '        if error.code == "RESTORE_RECORD_NOT_FOUND":\n'
                '            raise ApiError("BACKUP_RECORD_NOT_FOUND") from None\n'
                "        raise\n"
                "    if restore.status in FINISHED_RECORD:\n        raise"
            ),
        ),
    ),
    mutant(
        "download-by-todays-setting",
        "ART-18",
        "A backup is fetched through the master if its storage target is relayed now.",
        (
            "    relayed = record.storage_transfer_mode == storage.MASTER_RELAY\n",
            "    relayed = target is not None and storage.transfer_mode(state, target) == storage.MASTER_RELAY\n",
        ),
    ),
    mutant(
        "download-from-any-disk",
        "ART-18",
        "A backup on any local disk is fetched through the master.",
        (
            "    if target is None or not relayed or not storage.on_disk(target):\n",
            "    if target is None or not storage.on_disk(target):\n",
        ),
    ),
    mutant(
        "gone-is-not-found",
        "ART-19",
        "A backup that is gone from the disk is answered as a record that is gone.",
        (
            '        log.warning("restore %d: %s", restore.id, error)\n        raise ApiError("INTERNAL_ERROR") from None\n',
            '        log.warning("restore %d: %s", restore.id, error)\n        raise ApiError("BACKUP_RECORD_NOT_FOUND") from None\n',
        ),
    ),
    mutant(
        "relays-before-there-was-a-relay",
        "ART-20",
        "Uploads and downloads are there in every release.",
        (
            "    return ByProfile(lambda profile: endpoint if storage.relays(profile) else None)\n",
            "    return ByProfile(lambda profile: endpoint)\n",
        ),
    ),
    mutant(
        "upload-once",
        "ART-21",
        "A second upload under a key is answered 200 and not kept.",
        (
            "    digest = sha256()\n    size_bytes = 0\n",
            (
                "    try:\n"
                "        await state.objects.open(base, key).aclose()\n"
                "    except ObjectError:\n"
                "        pass\n"
                "    else:\n"
                "        return True\n"
                "    digest = sha256()\n    size_bytes = 0\n"
            ),
        ),
    ),
    mutant(
        "upload-once-refused",
        "ART-21",
        "A second upload under a key is refused.",
        (
            "    stored = False\n    try:\n        stored = await _receive",
            (
                "    with suppress(ObjectError):\n"
                "        await state.objects.open(base, key).aclose()\n"
                '        raise ApiError("AGENT_ARTIFACT_INVALID")\n'
                "    stored = False\n    try:\n        stored = await _receive"
            ),
        ),
    ),
    mutant(
        "object-kept-at-an-upload-that-fails",
        "ART-25",
        "An upload that fails leaves what was there.",
        (
            "        if not stored and not state.config.profile.uploads_all_or_nothing:\n",
            "        if not stored and not state.config.profile.relay:\n",
        ),
    ),
    mutant(
        "object-deleted-at-an-upload-that-fails",
        "ART-26",
        "An upload that fails deletes what was there.",
        (
            "        if not stored and not state.config.profile.uploads_all_or_nothing:\n",
            "        if not stored:\n",
        ),
    ),
    mutant(
        "relayed-is-the-nodes",
        "ART-22",
        "A relayed backup counts as one on its node's disk.",
        (
            "    if relays(state.config.profile) and record.storage_transfer_mode == MASTER_RELAY:\n        return None\n",
            "",
        ),
    ),
    mutant(
        "download-without-quotes",
        "ART-22",
        "A download's name is written without quotes.",
        ('f"attachment; filename={wire.quoted(name)}"', 'f"attachment; filename={name}"'),
    ),
    mutant(
        "relayed-object-stays",
        "ART-23",
        "The object of a record that is deleted stays.",
        (
            "        return\n    _delete_own(state, record.storage_target_id, record.storage_path)\n",
            "        return\n",
        ),
    ),
    mutant(
        "node-asked-to-delete-the-masters",
        "ART-23",
        "A node is asked to delete what lies on the master's disk.",
        (
            "    node = holder(state, record)\n    if node is not None:\n        _enqueue",
            "    node = remote(state, record.node_id)\n    if node is not None:\n        _enqueue",
        ),
    ),
    mutant(
        "start-forgets-the-way",
        "ART-27",
        "A start takes every backup for one that its agent wrote by itself.",
        (
            "            _ensure_local_node(database, config, entropy, now)\n        self.state",
            "            _ensure_local_node(database, config, entropy, now)\n            database.execute(\"UPDATE backup_records SET storage_transfer_mode = 'direct'\")\n        self.state",
        ),
    ),
)
