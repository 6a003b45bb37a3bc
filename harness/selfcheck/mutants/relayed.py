"""Mutants of AGT about backups for the disk of the master."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-stores-on-its-own-disk",
        "AGT-58",
        "A backup for the master's disk is written to the agent's.",
        (
            "        if not (self._job.release.relays and target.relayed):\n",
            "        if self._job:\n",
        ),
    ),
    mutant(
        "agent-hands-over-another-hash",
        "AGT-58",
        "The SHA-256 that is reported is of other bytes than those that were handed over.",
        (
            "        checksum=checksum,\n        storagePath",
            "        checksum=checksum[::-1],\n        storagePath",
        ),
    ),
    mutant(
        "agent-hands-over-twice",
        "AGT-58",
        "A backup is handed to the master twice.",
        (
            "            await self._job.client.upload_artifact(\n",
            (
                "            await self._job.client.upload_artifact(\n"
                "                record_id, target.id, key, self._contents, self._checksum\n"
                "            )\n"
                "            await self._job.client.upload_artifact(\n"
            ),
        ),
    ),
    mutant(
        "agent-looks-for-the-masters-disk",
        "AGT-59",
        "A backup on the master's disk is looked for on the agent's.",
        ("    if not (job.release.relays and spec.storage.relayed):\n", "    if job:\n"),
    ),
    mutant(
        "agent-asks-twice-for-a-backup",
        "AGT-59",
        "A backup is fetched from the master twice.",
        (
            "        await job.client.download_artifact(spec.restoreRecordId, sink.write)\n",
            (
                "        await job.client.download_artifact(spec.restoreRecordId, len)\n"
                "        await job.client.download_artifact(spec.restoreRecordId, sink.write)\n"
            ),
        ),
    ),
    mutant(
        "agent-does-not-hear-that-the-master-refuses",
        "AGT-60",
        "The status of an upload's answer is not looked at.",
        (
            (
                '        request = Request("PUT", path, headers, client=self._client, stream=stream)\n'
                "        response = await self.port.send(request)\n"
                "        if not 200 <= response.status < 300:\n"
            ),
            (
                '        request = Request("PUT", path, headers, client=self._client, stream=stream)\n'
                "        response = await self.port.send(request)\n"
                "        if not response:\n"
            ),
        ),
    ),
    mutant(
        "agent-hands-over-again",
        "AGT-60",
        "An upload that fails is tried once more.",
        (
            (
                "        except CALL_FAILED as error:\n            self._job.note(error)\n"
                "            raise WorkError(relay"
            ),
            (
                "        except CALL_FAILED as error:\n            self._job.note(error)\n"
                "            try:\n"
                "                await self._job.client.upload_artifact(\n"
                "                    record_id, target.id, key, self._contents, self._checksum\n"
                "                )\n"
                "            except CALL_FAILED:\n"
                "                pass\n"
                "            raise WorkError(relay"
            ),
        ),
    ),
    mutant(
        "agent-restores-what-the-master-refuses",
        "AGT-61",
        "What the master says instead of a backup is taken for one.",
        (
            (
                "streams_answer=True)\n"
                "        response = await self.port.send(request)\n"
                "        if not 200 <= response.status < 300:\n"
            ),
            (
                "streams_answer=True)\n"
                "        response = await self.port.send(request)\n"
                "        if not response:\n"
            ),
        ),
        (
            "    await _check(job, worker, record, spec, contents)\n",
            "    if spec.storage.transferMode:\n        return\n",
        ),
    ),
    mutant(
        "agent-restores-half-a-backup",
        "AGT-61",
        "A backup that is cut on its way is taken for whole.",
        (
            '        raise WorkError(f"写入备份文件失败: {error}", str(error)) from None\n',
            "        return sink.finish()\n",
        ),
        (
            "    await _check(job, worker, record, spec, contents)\n",
            (
                "    if contents.size_bytes < 40_000:\n"
                "        return\n"
                "    await _check(job, worker, record, spec, contents)\n"
            ),
        ),
    ),
)
