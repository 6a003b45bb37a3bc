"""Mutants of AGT about calls: heartbeats and polls, and one command after another."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_CONNECT: Final = "            if await self._connect():\n"
_HANDLE: Final = (
    "            if command is not None:\n                await self._handle(command)\n"
)
_REPORTED: Final = """\
        report = ResultReport(error, UNSET if result is None else result, success)
        await self._surely(f"/api/agent/commands/{command_id}/result", wire.encode(report))
"""
_UNKNOWN: Final = """\
    if handler is None:
        return failure(f"unknown command type: {job.command.type}")
"""
_INVALID: Final = """\
    except BindError as error:
        return failure(f"invalid payload: {error}")
"""
_IN_BARE: Final = '        self._bare = {"x-agent-token": token}\n'
_IN_BODY: Final = """\
        self._with_body = {"x-agent-token": token, "content-type": "application/json"}
"""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-polls-at-once",
        "AGT-1",
        "The first call of a process is a poll.",
        (_CONNECT, "            await self.attempt(self.client.poll())\n" + _CONNECT),
    ),
    mutant(
        "agent-asks-who-it-is",
        "AGT-1",
        "A process asks what the master knows of it before its first heartbeat.",
        (_CONNECT, "            await self.attempt(self.client.self_status())\n" + _CONNECT),
    ),
    mutant(
        "agent-polls-beside-its-first-heartbeat",
        "AGT-1",
        "The first poll does not wait for the answer of the first heartbeat.",
        (
            "            await self.client.heartbeat()\n",
            (
                "            async with trio.open_nursery() as nursery:\n"
                "                nursery.start_soon(self.client.poll)\n"
                "                nursery.start_soon(self.client.heartbeat)\n"
            ),
        ),
    ),
    mutant(
        "agent-without-a-version",
        "AGT-2",
        "Heartbeats do not say the agent's version.",
        ("            identity.agent_version,\n", '            "",\n'),
    ),
    mutant(
        "agent-without-a-hostname",
        "AGT-2",
        "Heartbeats have the hostname where the address belongs.",
        (
            "            identity.hostname,\n            identity.ip_address,\n",
            "            identity.ip_address,\n            identity.hostname,\n",
        ),
    ),
    mutant(
        "agent-says-what-it-is-once",
        "AGT-2",
        "Only the first heartbeat says anything of the agent.",
        (
            "        return _data(self._heartbeat, response, HeartbeatAnswer)\n",
            (
                "        answer = _data(self._heartbeat, response, HeartbeatAnswer)\n"
                '        self._heartbeat = self._request("POST", "/api/agent/heartbeat", b"{}")\n'
                "        return answer\n"
            ),
        ),
    ),
    mutant(
        "agent-polls-with-a-token-in-a-cookie",
        "AGT-3",
        "What has no body carries the token as a cookie.",
        (_IN_BARE, '        self._bare = {"cookie": f"token={token}"}\n'),
    ),
    mutant(
        "agent-with-a-token-of-its-own-scheme",
        "AGT-3",
        "What has a body carries the token as a scheme that nobody knows.",
        (
            _IN_BODY,
            (
                '        self._with_body = {"authorization": f"Token {token}", '
                '"content-type": "application/json"}\n'
            ),
        ),
    ),
    mutant(
        "agent-polls-with-a-token-in-the-query",
        "AGT-4",
        "A poll has the token in its query too.",
        (
            '        self._poll = self._request("POST", "/api/agent/commands/poll")\n',
            (
                '        self._poll = Request("POST", "/api/agent/commands/poll", self._bare,'
                ' query=f"token={token}", client=self._client)\n'
            ),
        ),
    ),
    mutant(
        "agent-beats-with-a-token-in-the-path",
        "AGT-4",
        "A heartbeat has the token in its query too.",
        (
            (
                '        self._heartbeat = self._request("POST", "/api/agent/heartbeat",'
                " wire.encode(report))\n"
            ),
            (
                '        self._heartbeat = Request("POST", "/api/agent/heartbeat", self._with_body,'
                ' wire.encode(report), f"agent={token}", client=self._client)\n'
            ),
        ),
    ),
    mutant(
        "agent-still-beats-with-its-token",
        "AGT-5",
        "A heartbeat's body has the token, as it had in older releases.",
        ("    token_in_heartbeat=False,\n", "    token_in_heartbeat=True,\n"),
    ),
    mutant(
        "agent-polls-with-its-token-in-the-body",
        "AGT-5",
        "A poll's body has the token.",
        (
            '        self._poll = self._request("POST", "/api/agent/commands/poll")\n',
            (
                '        self._poll = self._request("POST", "/api/agent/commands/poll",'
                ' wire.encode({"token": token}))\n'
            ),
        ),
    ),
    mutant(
        "agent-beats-when-it-polls",
        "AGT-6",
        "Heartbeats come as often as polls.",
        ("self._agent.timing.heartbeat_s, start_s\n", "self._agent.timing.poll_s, start_s\n"),
    ),
    mutant(
        "agent-beats-half-as-often",
        "AGT-6",
        "Every second heartbeat is left out.",
        (
            "self._agent.timing.heartbeat_s, start_s\n",
            "self._agent.timing.heartbeat_s * 2, start_s\n",
        ),
    ),
    mutant(
        "agent-polls-when-it-beats",
        "AGT-7",
        "Polls come as seldom as heartbeats.",
        ("self._agent.timing.poll_s, start_s\n", "self._agent.timing.heartbeat_s, start_s\n"),
    ),
    mutant(
        "agent-polls-twice-at-a-time",
        "AGT-7",
        "A poll that brings nothing is tried once more at once.",
        (
            "                command = await client.poll()\n",
            "                command = await client.poll() or await client.poll()\n",
        ),
    ),
    mutant(
        "agent-polls-twice-as-often",
        "AGT-7",
        "Polls come in half the interval.",
        ("self._agent.timing.poll_s, start_s\n", "self._agent.timing.poll_s / 2, start_s\n"),
    ),
    mutant(
        "agent-beats-between-commands-only",
        "AGT-8",
        "Heartbeats wait until work is over.",
        (
            "            await clock.sleep_until(due_s)\n            counters.heartbeats += 1\n",
            (
                "            await clock.sleep_until(due_s)\n"
                "            while counters.claimed > counters.finished:\n"
                "                await clock.sleep(1)\n"
                "            counters.heartbeats += 1\n"
            ),
        ),
    ),
    mutant(
        "agent-beats-slowly-at-work",
        "AGT-8",
        "While an agent works, two of three heartbeats are left out.",
        (
            "            await clock.sleep_until(due_s)\n            counters.heartbeats += 1\n",
            (
                "            await clock.sleep_until(due_s)\n"
                "            if counters.claimed > counters.finished:\n"
                "                await clock.sleep(2 * interval_s)\n"
                "            counters.heartbeats += 1\n"
            ),
        ),
    ),
    mutant(
        "agent-polls-at-work",
        "AGT-9",
        "Commands are done beside the poll loop, as many as there are.",
        (
            _HANDLE,
            (
                "            if command is not None:\n"
                "                trio.lowlevel.spawn_system_task(self._handle, command)\n"
            ),
        ),
    ),
    mutant(
        "agent-claims-two",
        "AGT-9",
        "A second command is claimed before the first is done.",
        (
            _HANDLE,
            (
                "            if command is not None:\n"
                "                second = await self.attempt(client.poll())\n"
                "                await self._handle(command)\n"
                "                if second is not None:\n"
                "                    await self._handle(second)\n"
            ),
        ),
    ),
    mutant(
        "agent-reports-twice",
        "AGT-10",
        "A command's result is sent twice.",
        (_REPORTED, _REPORTED + _REPORTED.partition("\n")[2]),
    ),
    mutant(
        "agent-is-silent-about-success",
        "AGT-10",
        "Only failures are reported.",
        (
            '        """Report a command\'s result: once, and never mind the answer."""\n',
            (
                '        """Report a command\'s result: once, and never mind the answer."""\n'
                "        if success:\n            return\n"
            ),
        ),
    ),
    mutant(
        "agent-reports-the-next-one",
        "AGT-10",
        "A result goes to the command after the one it is about.",
        (
            'f"/api/agent/commands/{command_id}/result"',
            'f"/api/agent/commands/{command_id + 1}/result"',
        ),
    ),
    mutant(
        "agent-does-not-mind-unknown-types",
        "AGT-11",
        "A command of an unknown type is answered with success.",
        (_UNKNOWN, "    if handler is None:\n        return Report()\n"),
    ),
    mutant(
        "agent-passes-over-unknown-types",
        "AGT-11",
        "A command of an unknown type is not answered.",
        (
            _HANDLE,
            (
                "            if command is not None and command.type"
                ".endswith(('task', 'record', 'dir')):\n                await self._handle(command)\n"
            ),
        ),
    ),
    mutant(
        "agent-says-nothing-of-unknown-types",
        "AGT-11",
        "The failure of an unknown type has no message.",
        (_UNKNOWN, '    if handler is None:\n        return failure("")\n'),
    ),
    mutant(
        "agent-takes-broken-payloads-for-done",
        "AGT-12",
        "A payload that cannot be read is answered with success.",
        (_INVALID, "    except BindError:\n        return Report()\n"),
    ),
    mutant(
        "agent-says-nothing-of-broken-payloads",
        "AGT-12",
        "The failure of a payload that cannot be read has no message.",
        (_INVALID, '    except BindError:\n        return failure("")\n'),
    ),
    mutant(
        "agent-ends-at-broken-payloads",
        "AGT-12",
        "A payload that cannot be read ends the process.",
        (
            _INVALID,
            "    except BindError:\n        raise Crashed from None\n",
        ),
        (
            (
                "from simulated_agents.life import Point\nfrom simulated_agents.messages import (\n"
                "    DeleteStorageObject,\n    DiscoverDb,\n    ListDir,\n"
            ),
            (
                "from simulated_agents.life import Crashed, Point\n"
                "from simulated_agents.messages import (\n"
                "    DeleteStorageObject,\n    DiscoverDb,\n    ListDir,\n"
            ),
        ),
    ),
    mutant(
        "agent-remembers-what-it-lost",
        "AGT-13",
        "A new process first does what the last one had in its hands.",
        (
            "    async def _handle(self, command: Command) -> None:\n",
            (
                "    async def _handle(self, command: Command) -> None:\n"
                "        self._agent.lost = command\n"
            ),
        ),
        (
            (
                "        client, counters, clock = self.client, self._counters, self.clock\n"
                "        while True:\n"
                "            due_s = _next_tick(due_s, interval_s, clock.monotonic_s())\n"
                "            await clock.sleep_until(due_s)\n"
                "            counters.polls += 1\n"
            ),
            (
                "        client, counters, clock = self.client, self._counters, self.clock\n"
                "        if self._number > 1 and getattr(self._agent, 'lost', None):\n"
                "            await self._handle(self._agent.lost)\n"
                "        while True:\n"
                "            due_s = _next_tick(due_s, interval_s, clock.monotonic_s())\n"
                "            await clock.sleep_until(due_s)\n"
                "            counters.polls += 1\n"
            ),
        ),
    ),
)
