"""Mutants of AGT about calls that are refused, slow or lost, and masters that are gone."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_POLL_FAILED: Final = """\
            except CALL_FAILED as error:
                self.note(error)
                continue
"""
_BEAT_FAILED: Final = """\
            try:
                await client.heartbeat()
            except CALL_FAILED as error:
                self.note(error)

    async def _poll"""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-stays-when-it-is-refused",
        "AGT-43",
        "A process whose first heartbeat is refused goes on.",
        (
            "            if not self._behaviour.persists:\n",
            "            if self._behaviour.persists:\n",
        ),
    ),
    mutant(
        "agent-tries-its-first-heartbeat-again",
        "AGT-43",
        "A process whose first heartbeat is refused tries ten times.",
        (
            (
                "        try:\n"
                "            self._counters.heartbeats += 1\n"
                "            await self.client.heartbeat()\n"
            ),
            (
                "        for _ in range(9):\n"
                "            if await self.attempt(self.client.heartbeat()):\n"
                "                return True\n"
                "        try:\n"
                "            self._counters.heartbeats += 1\n"
                "            await self.client.heartbeat()\n"
            ),
        ),
    ),
    mutant(
        "agent-ends-when-a-poll-is-refused",
        "AGT-44",
        "A poll that is refused ends the process.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                if isinstance(error, Refused) and error.status == 401:\n"
                "                    self.end()\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-hammers-when-it-is-refused",
        "AGT-44",
        "A heartbeat that is refused is tried again at once, five times.",
        (
            _BEAT_FAILED,
            (
                "            for _ in range(6):\n"
                "                try:\n"
                "                    await client.heartbeat()\n"
                "                except CALL_FAILED as error:\n"
                "                    self.note(error)\n"
                "                    if isinstance(error, Refused) and error.status == 401:\n"
                "                        continue\n"
                "                break\n"
                "\n"
                "    async def _poll"
            ),
        ),
    ),
    mutant(
        "agent-stops-polling-when-it-is-refused",
        "AGT-44",
        "An agent that is refused once polls no more.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if isinstance(error, Refused) and error.status == 401:\n"
                "                    return\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-ends-at-an-error",
        "AGT-45",
        "A heartbeat that is answered by an error of the server ends the process.",
        (
            _BEAT_FAILED,
            (
                "            try:\n"
                "                await client.heartbeat()\n"
                "            except CALL_FAILED as error:\n"
                "                if isinstance(error, Refused) and error.status >= 500:\n"
                "                    self.end()\n"
                "                self.note(error)\n"
                "\n"
                "    async def _poll"
            ),
        ),
    ),
    mutant(
        "agent-hammers-at-an-error",
        "AGT-45",
        "A poll that is answered by an error of the server is tried again at once, ten times.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if isinstance(error, Refused) and error.status >= 500:\n"
                "                    for _ in range(10):\n"
                "                        await self.attempt(client.poll())\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-waits-an-hour-after-an-error",
        "AGT-45",
        "After a poll that failed on the server an agent does not poll for an hour.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if isinstance(error, Refused) and error.status >= 500:\n"
                "                    await clock.sleep(3_600)\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-polls-over-a-slow-poll",
        "AGT-46",
        "A poll is asked again when its answer takes more than ten seconds.",
        (
            "                command = await client.poll()\n",
            (
                "                command = None\n"
                "                with trio.move_on_after(10):\n"
                "                    command = await client.poll()\n"
            ),
        ),
    ),
    mutant(
        "agent-polls-beside-a-slow-poll",
        "AGT-46",
        "Polls go on while one waits for its answer.",
        (
            "            try:\n                command = await client.poll()\n",
            (
                "            try:\n"
                "                trio.lowlevel.spawn_system_task(self._beside, due_s)\n"
                "                continue\n"
                "                command = await client.poll()\n"
            ),
        ),
        (
            "    # --- its work ------",
            (
                "    async def _beside(self, _: float) -> None:\n"
                "        command = await self.attempt(self.client.poll())\n"
                "        if command is not None:\n"
                "            await self._handle(command)\n"
                "\n"
                "    # --- its work ------"
            ),
        ),
    ),
    mutant(
        "agent-ends-when-a-call-is-lost",
        "AGT-47",
        "A poll that gets lost ends the process.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                if isinstance(error, NoReply):\n"
                "                    self.end()\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-stops-at-what-it-cannot-read",
        "AGT-47",
        "An agent that cannot read the answer of a poll polls no more.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if not isinstance(error, (NoReply, Refused)):\n"
                "                    return\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-hammers-when-calls-get-lost",
        "AGT-47",
        "A poll that gets lost is tried again at once.",
        (
            _POLL_FAILED,
            (
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if isinstance(error, NoReply):\n"
                "                    await self.attempt(client.poll())\n"
                "                continue\n"
            ),
        ),
    ),
    mutant(
        "agent-does-unheard-work-again",
        "AGT-48",
        "A command whose result got no answer is done again.",
        (
            "        await behaviour.report(command, report, self)\n",
            (
                "        lost = self._counters.no_reply + self._counters.refused\n"
                "        await behaviour.report(command, report, self)\n"
                "        if self._counters.no_reply + self._counters.refused > lost:\n"
                "            await execute(job, self._agent.worker(job))\n"
            ),
        ),
    ),
    mutant(
        "agent-gives-up-on-a-master-that-is-gone",
        "AGT-52",
        "Three calls that find no master end the process.",
        (
            _BEAT_FAILED,
            (
                "            try:\n"
                "                await client.heartbeat()\n"
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if counters.no_reply > 3:\n"
                "                    self.end()\n"
                "\n"
                "    async def _poll"
            ),
        ),
    ),
    mutant(
        "agent-forgets-to-beat-for-a-master-that-was-gone",
        "AGT-52",
        "An agent whose heartbeat found no master beats no more.",
        (
            _BEAT_FAILED,
            (
                "            try:\n"
                "                await client.heartbeat()\n"
                "            except CALL_FAILED as error:\n"
                "                self.note(error)\n"
                "                if isinstance(error, NoReply):\n"
                "                    return\n"
                "\n"
                "    async def _poll"
            ),
        ),
    ),
)
