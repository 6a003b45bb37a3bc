"""Mutants of AGT about backups and restores that work: what is said of them, and the files."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_SPEC_FIRST: Final = """\
        spec = await _spec(job, job.client.task_spec(payload.taskId), "拉取任务规格失败")
"""
_RECORD: Final = """\
    record = Progress(job, payload.recordId, job.client.update_record, RecordReport)
"""
_LOG: Final = '        await self.tell(logAppend=line + "\\n")\n'
_FINISH: Final = """\
        try:
            await self._update(self._id, self._report(status="success", **fields))
"""
_CHECKSUM: Final = "        checksum=checksum,\n        storagePath"
_REPLACE: Final = """\
            part.replace(place)
        except OSError as error:
            raise WorkError(f"rclone upload"""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-begins-before-it-knows-what",
        "AGT-14",
        "A backup reports that it begins before its specification is here.",
        (_SPEC_FIRST, '        await record.log("[agent] 开始")\n' + _SPEC_FIRST),
    ),
    mutant(
        "agent-reports-about-the-task",
        "AGT-14",
        "A backup reports about the record that has the task's id and one.",
        (_RECORD, _RECORD.replace("payload.recordId", "payload.taskId + 1")),
    ),
    mutant(
        "agent-logs-without-line-ends",
        "AGT-15",
        "Log texts have no newline.",
        (_LOG, "        await self.tell(logAppend=line)\n"),
    ),
    mutant(
        "agent-logs-it-all-again",
        "AGT-15",
        "Each log text has all the earlier ones before it.",
        (
            _LOG,
            (
                '        self._said = getattr(self, "_said", "") + line + "\\n"\n'
                "        await self.tell(logAppend=self._said)\n"
            ),
        ),
    ),
    mutant(
        "agent-logs-line-ends-first",
        "AGT-15",
        "The newline stands before each line.",
        (_LOG, '        await self.tell(logAppend="\\n" + line)\n'),
    ),
    mutant(
        "agent-ends-its-record-twice",
        "AGT-16",
        "A success is reported twice.",
        (
            _FINISH,
            (
                "        try:\n"
                '            await self._update(self._id, self._report(status="success", **fields))\n'
                '            await self._update(self._id, self._report(status="success", **fields))\n'
            ),
        ),
    ),
    mutant(
        "agent-logs-after-the-end",
        "AGT-16",
        "A line is logged after the record's end.",
        (
            "        await self._job.at(Point.RECORDED)\n        return None\n",
            (
                "        await self._job.at(Point.RECORDED)\n"
                '        await self.log("[agent] 再见")\n        return None\n'
            ),
        ),
    ),
    mutant(
        "agent-ends-the-command-before-the-record",
        "AGT-16",
        "The record is ended a second after the command.",
        (
            _FINISH,
            ("        try:\n            trio.lowlevel.spawn_system_task(self._end_late, fields)\n"),
        ),
        (
            "    async def fail(",
            (
                "    async def _end_late(self, fields: dict[str, Any]) -> None:\n"
                "        await self._job.clock.sleep(1)\n"
                '        await self.tell(status="success", **fields)\n\n'
                "    async def fail("
            ),
        ),
        (
            "from typing import Any\n\nfrom simulated_agents.client import CALL_FAILED, AgentClient\n",
            (
                "from typing import Any\n\nimport trio\n\n"
                "from simulated_agents.client import CALL_FAILED, AgentClient\n"
            ),
        ),
    ),
    mutant(
        "agent-names-no-file",
        "AGT-17",
        "The report that ends a backup does not name its file.",
        ("        fileName=artifact.name,\n", ""),
    ),
    mutant(
        "agent-reports-capitals",
        "AGT-17",
        "The SHA-256 is reported in capitals.",
        (_CHECKSUM, _CHECKSUM.replace("=checksum", "=checksum.upper()")),
    ),
    mutant(
        "agent-reports-md5",
        "AGT-17",
        "The SHA-256 that is reported is cut to the length of an MD5.",
        (_CHECKSUM, _CHECKSUM.replace("=checksum", "=checksum[:32]")),
    ),
    mutant(
        "agent-reports-no-size",
        "AGT-17",
        "The report that ends a backup does not say its size.",
        ("        fileSize=contents.size_bytes,\n        checksum", "        checksum"),
    ),
    mutant(
        "agent-stores-by-the-whole-date",
        "AGT-18",
        "The day's folder is called by all digits of the year.",
        ("self._date('%y%m%d')", "self._date('%Y%m%d')"),
    ),
    mutant(
        "agent-stores-without-the-type",
        "AGT-18",
        "Backups of all types lie in one folder.",
        (
            '        folder = self.spec.type.strip().lower() or "file"\n',
            '        folder = "file"\n',
        ),
    ),
    mutant(
        "agent-stores-all-records-together",
        "AGT-19",
        "No record has a folder of its own.",
        ("    record_folders=True,\n", ""),
    ),
    mutant(
        "agent-stores-by-its-task",
        "AGT-19",
        "The record's own folder is called by the task.",
        ("records/{self.payload.recordId}/", "records/{self.payload.taskId + 7}/"),
    ),
    mutant(
        "agent-reports-one-target",
        "AGT-20",
        "Only the first target is reported.",
        (
            '        named["storageUploadResults"] = tuple(uploads)\n',
            '        named["storageUploadResults"] = tuple(uploads[:1])\n',
        ),
    ),
    mutant(
        "agent-does-not-say-where-from",
        "AGT-20",
        "No target is named to restore the backup from.",
        ('        named["storageTargetId"] = stored[0].storageTargetId\n', ""),
        profile="2.3.5",
    ),
    mutant(
        "agent-does-not-say-how-large",
        "AGT-20",
        "What is said of a target lacks the size.",
        ("            fileSize=self._contents.size_bytes or UNSET,\n", ""),
    ),
    mutant(
        "agent-result-without-a-record",
        "AGT-22",
        "A backup's result does not name its record.",
        (
            '    return Report(result={"recordId": payload.recordId, "taskId": payload.taskId})\n',
            '    return Report(result={"taskId": payload.taskId})\n',
        ),
    ),
    mutant(
        "agent-result-of-a-restore-is-nothing",
        "AGT-22",
        "A restore's result says nothing.",
        ('    return Report(result={"restoreRecordId": restore_id})\n', "    return Report()\n"),
    ),
    mutant(
        "agent-stores-nothing",
        "AGT-23",
        "What is reported as stored was never written.",
        (_REPLACE, _REPLACE.replace("part.replace(place)", "part.unlink()")),
    ),
    mutant(
        "agent-stores-half",
        "AGT-23",
        "Of a large backup one mebibyte is stored.",
        (
            "                while chunk := source.read(_COPY_BYTES):\n",
            "                for chunk in [source.read(_COPY_BYTES // 64)]:\n",
        ),
    ),
    mutant(
        "agent-hashes-before-it-packs",
        "AGT-23",
        "The checksum is that of the bytes without their first one.",
        (
            "        digest = sha256()\n        with source.open",
            '        digest = sha256(b"")\n        digest.update(b"0")\n        with source.open',
        ),
    ),
    mutant(
        "agent-reports-the-size-before-packing",
        "AGT-23",
        "The size that is reported is one byte too large.",
        (
            "        fileSize=contents.size_bytes,\n        checksum",
            "        fileSize=contents.size_bytes + 1,\n        checksum",
        ),
    ),
    mutant(
        "agent-restores-without-empty-folders",
        "AGT-24",
        "Folders are not packed, so that empty ones are lost.",
        (
            "                if below is None or path != source:",
            "                if below is None:",
        ),
    ),
    mutant(
        "agent-restores-what-is-missing-only",
        "AGT-24",
        "A file that is there is not restored.",
        (
            '    part = path.with_name(f".{path.name}.muster-part")\n    try:\n',
            (
                '    part = path.with_name(f".{path.name}.muster-part")\n'
                "    if path.exists():\n        return\n    try:\n"
            ),
        ),
    ),
    mutant(
        "agent-restores-the-first-mebibyte",
        "AGT-24",
        "Of each file the first 4,096 bytes are restored.",
        (
            "            while chunk := source.read(1 << 20):\n",
            "            for chunk in [source.read(4096)]:\n",
        ),
    ),
    mutant(
        "agent-says-it-restored",
        "AGT-24",
        "A restore of files restores nothing, and says it did.",
        (
            "            await self._hands.do(unpack, _path(contents), paths, self._hands.heed)\n",
            "",
        ),
        (
            "from simulated_agents.files.archive import Packer, printable, unpack\n",
            "from simulated_agents.files.archive import Packer, printable\n",
        ),
    ),
    mutant(
        "agent-packs-everything",
        "AGT-25",
        "Nothing is left out.",
        ("    last = basename(name)\n", "    return False\n    last = basename(name)\n"),
    ),
    mutant(
        "agent-leaves-out-more",
        "AGT-25",
        "A pattern also leaves out what only contains it.",
        (
            "    return expression is not None and expression.fullmatch(name) is not None\n",
            "    return expression is not None and expression.search(name) is not None\n",
        ),
    ),
    mutant(
        "agent-leaves-out-whole-names-only",
        "AGT-25",
        "A pattern is held against the whole name only.",
        ("        or _matches(pattern, last)\n", ""),
    ),
)
