"""Mutants of AGT about work that fails, and how an agent ends."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_LOG: Final = '        await self.tell(logAppend=line + "\\n")\n'
_UNFINISHED: Final = """\
            self._job.note(error)
            return str(error)
"""
_ERROR_ENDS: Final = "    if error is not None:\n        return failure(error)\n"
_FAIL_RUN: Final = """\
        return await _back_up(job, worker, record, spec, payload)
    except WorkError as error:
        return await record.fail(error.message, error.error)
"""
_STATUS_FAILED: Final = '            status="failed", errorMessage=message,'
_FAILED_RESULT: Final = "        return failure(message if error is None else error)\n"
_ENCRYPTED: Final = """\
        if spec.encrypt:
            raise WorkError("Agent 不支持加密备份"""
_NO_SPEC: Final = '        raise WorkError(f"{failed}: {error}", str(error)) from None\n'
_SAME: Final = "    if found.lower() != spec.checksum.lower():\n"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-packs-what-is-not-there",
        "AGT-27",
        "A source that is not there is passed over.",
        (
            "        for source in sources:\n            _is_dir(source)\n",
            "        sources = [one for one in sources if os.path.exists(one)]\n",
        ),
    ),
    mutant(
        "agent-does-not-tell-the-record",
        "AGT-27",
        "A failure is told to the command only.",
        (
            _FAIL_RUN,
            (
                "        return await _back_up(job, worker, record, spec, payload)\n"
                "    except WorkError as error:\n"
                "        return failure(error.error)\n"
            ),
        ),
    ),
    mutant(
        "agent-stores-nowhere-and-is-glad",
        "AGT-28",
        "A backup that no target takes is a success.",
        (
            "        if not stored:\n            errors =",
            "        if not uploads:\n            errors =",
        ),
        (
            (
                '        named["storageTargetId"] = stored[0].storageTargetId\n'
                "        if stored[0].transferMode:\n"
            ),
            (
                '        named["storageTargetId"] = uploads[0].storageTargetId\n'
                "        stored = uploads\n"
                "        if stored[0].transferMode:\n"
            ),
        ),
        profile="2.4",
    ),
    mutant(
        "agent-fails-without-a-message",
        "AGT-28",
        "A failure's message is not told to the record.",
        (_STATUS_FAILED, '            status="failed",'),
    ),
    mutant(
        "agent-fails-its-record-only",
        "AGT-28",
        "The command of a backup that failed is answered with success.",
        (_FAILED_RESULT, "        return Report()\n"),
    ),
    mutant(
        "agent-stores-what-is-to-be-encrypted",
        "AGT-29",
        "A backup that is to be encrypted is made without.",
        (_ENCRYPTED, _ENCRYPTED.replace("if spec.encrypt:", "if not spec:")),
    ),
    mutant(
        "agent-encrypts-too-late",
        "AGT-29",
        "A backup that is to be encrypted is stored, and fails then.",
        (
            _ENCRYPTED,
            (
                "        if spec.encrypt:\n"
                "            await _back_up(job, worker, record, spec, payload)\n"
                '            raise WorkError("Agent 不支持加密备份'
            ),
        ),
    ),
    mutant(
        "agent-says-nothing-without-a-specification",
        "AGT-30",
        "A specification that cannot be fetched fails nothing but the command.",
        (_NO_SPEC, "        raise Abandoned from None\n"),
        (
            (
                "from simulated_agents.life import Point\nfrom simulated_agents.messages import (\n"
                "    DeleteStorageObject,\n    DiscoverDb,\n    ListDir,\n"
            ),
            (
                "from simulated_agents.life import Abandoned, Point\n"
                "from simulated_agents.messages import (\n"
                "    DeleteStorageObject,\n    DiscoverDb,\n    ListDir,\n"
            ),
        ),
    ),
    mutant(
        "agent-fails-without-saying-why",
        "AGT-30",
        "A specification that cannot be fetched fails the command without a message.",
        (_NO_SPEC, '        raise WorkError(f"{failed}: {error}", "") from None\n'),
    ),
    mutant(
        "agent-wants-every-target",
        "AGT-31",
        "A backup that one of two targets has taken is a failure.",
        (
            "        if not stored:\n            errors =",
            "        if len(stored) < len(uploads):\n            errors =",
        ),
        ("for one in uploads)\n", "for one in uploads if one.error)\n"),
    ),
    mutant(
        "agent-does-not-say-which-target-failed",
        "AGT-31",
        "Only targets that took the backup are reported.",
        (
            '        named["storageUploadResults"] = tuple(uploads)\n',
            '        named["storageUploadResults"] = tuple(stored)\n',
        ),
    ),
    mutant(
        "agent-does-not-say-why-a-target-failed",
        "AGT-31",
        "What is said of a target that failed lacks the reason.",
        (
            'target.id, target.name, "failed", transferMode=mode, error=str(error)',
            'target.id, target.name, "failed", transferMode=mode',
        ),
    ),
    mutant(
        "old-agent-goes-on-without-a-target",
        "AGT-32",
        "A target that fails is passed over.",
        (
            "            if not self._job.release.tries_every_target:\n                raise",
            "            if not self._job:\n                raise",
        ),
        profile="2.3.4",
    ),
    mutant(
        "agent-restores-nothing-and-is-glad",
        "AGT-33",
        "A restore whose backup cannot be had ends in success.",
        (
            (
                "        await _restore(job, worker, record, spec)\n    except WorkError as error:\n"
                "        return await record.fail(error.message, error.error)\n"
            ),
            (
                "        await _restore(job, worker, record, spec)\n    except WorkError as error:\n"
                '        await record.log(f"[agent] 错误: {error}")\n'
            ),
        ),
    ),
    mutant(
        "agent-empties-before-it-restores",
        "AGT-33",
        "The files are deleted before the backup is fetched.",
        (
            (
                "    async def fetch(self, spec: RestoreSpec) -> Contents:\n"
                '        """Copy the backup from where it lies."""\n'
            ),
            (
                "    async def fetch(self, spec: RestoreSpec) -> Contents:\n"
                '        """Copy the backup from where it lies."""\n'
                "        Path(spec.dbPath).unlink(missing_ok=True)\n"
                "        for one in spec.sourcePaths or []:\n"
                "            shutil.rmtree(one, ignore_errors=True)\n"
            ),
        ),
    ),
    mutant(
        "agent-restores-any-backup",
        "AGT-34",
        "A backup of another hash is restored.",
        (_SAME, "    if not found:\n"),
    ),
    mutant(
        "agent-compares-half-a-hash",
        "AGT-34",
        "Only that there is a hash is looked at.",
        (_SAME, "    if len(found) != len(spec.checksum):\n"),
    ),
    mutant(
        "agent-compares-after-it-restored",
        "AGT-34",
        "The hash is compared when the files are back.",
        (
            "    await _check(job, worker, record, spec, contents)\n",
            "    packed = contents\n",
        ),
        (
            "    await worker.restore(record, spec, _runner(spec.type), contents)\n",
            (
                "    await worker.restore(record, spec, _runner(spec.type), contents)\n"
                "    await _check(job, worker, record, spec, packed)\n"
            ),
        ),
    ),
    mutant(
        "agent-restores-number-0",
        "AGT-35",
        "A command that names no restore is answered with success.",
        (
            '        return failure("restoreRecordId is required")\n',
            "        return Report()\n",
        ),
    ),
    mutant(
        "agent-says-nothing-of-number-0",
        "AGT-35",
        "A command that names no restore fails without a message.",
        ('        return failure("restoreRecordId is required")\n', '        return failure("")\n'),
    ),
    mutant(
        "agent-believes-its-end-was-heard",
        "AGT-50",
        "A record that could not be ended is no reason for the command to fail.",
        (_ERROR_ENDS, ""),
    ),
    mutant(
        "agent-drops-what-it-cannot-report",
        "AGT-50",
        "A command whose record could not be ended is not answered.",
        (_UNFINISHED, "            raise Abandoned from None\n"),
        (
            "from simulated_agents.life import Point\nfrom simulated_agents.messages import Command,",
            (
                "from simulated_agents.life import Abandoned, Point\n"
                "from simulated_agents.messages import Command,"
            ),
        ),
    ),
    mutant(
        "agent-ends-when-its-work-does",
        "AGT-53",
        "An agent that is asked to end goes on.",
        (
            "        for process in tuple(self._processes):\n            process.end()\n",
            (
                "        for process in tuple(self._processes):\n"
                "            process.emit(EventKind.ENDED)\n"
            ),
        ),
    ),
    mutant(
        "agent-says-good-bye",
        "AGT-53",
        "An agent that is asked to end takes half a minute for it.",
        (
            "    def end(self) -> None:\n",
            (
                "    def end(self) -> None:\n"
                '        """End in half a minute."""\n'
                "        self._scope.deadline = trio.current_time() + 30\n"
                "        trio.lowlevel.spawn_system_task(self._end_later)\n\n"
                "    async def _end_later(self) -> None:\n"
                "        await self.clock.sleep(30)\n"
                "        self._end()\n\n"
                "    def _end(self) -> None:\n"
            ),
        ),
    ),
    mutant(
        "agent-ends-its-work-first",
        "AGT-54",
        "An agent that is asked to end while it works goes on to the end of the work.",
        (
            "    def end(self) -> None:\n",
            (
                "    def end(self) -> None:\n"
                '        """End when nothing is being done."""\n'
                "        if self._counters.claimed > self._counters.finished:\n"
                "            return\n"
                "        self._end()\n\n"
                "    def _end(self) -> None:\n"
            ),
        ),
    ),
    mutant(
        "agent-logs-how-it-stores",
        "AGT-55",
        "The record's log tells the storage's configuration.",
        (
            '        await self._record.log(f"[agent] 已上传到存储目标 {target.name}")\n',
            (
                '        await self._record.log(f"[agent] 已上传到存储目标 {target.name}'
                ' {bytes(target.config).decode()}")\n'
            ),
        ),
    ),
    mutant(
        "agent-stops-when-its-log-is-lost",
        "AGT-57",
        "A log text that does not arrive fails the backup.",
        (
            _LOG,
            (
                "        try:\n"
                '            await self._update(self._id, self._report(logAppend=line + "\\n"))\n'
                "        except CALL_FAILED as error:\n"
                "            from simulated_agents.worker import WorkError\n"
                "            raise WorkError(str(error)) from None\n"
            ),
        ),
    ),
)
