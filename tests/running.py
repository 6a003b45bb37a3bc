"""A master that runs, with its monitors, on virtual time; for tests of what it does by itself."""

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import trio

from harness.clock import VirtualClock
from harness.target import SeededEntropy
from master.config import Config, Timings
from master.core import Master
from master.protocol.exchange import Request
from master.protocol.profiles import PROFILES
from master.store.database import Database

PASSWORD: Final = "correct-horse"
HOUR_S: Final = 3_600.0


class EastClock(VirtualClock):
    """A virtual clock two hours east of Greenwich."""

    def offset_s(self, _: int) -> int:
        return 7_200


@dataclass
class Rig:
    """A master that runs, its administrator, and one node that beats while it is told to."""

    master: Master
    clock: VirtualClock
    token: str = ""
    agent: str = ""
    beats: bool = True
    version: str = ""
    nodes: list[int] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: object = None, *, agent: str = "") -> Any:
        headers = {"x-agent-token": agent} if agent else {"authorization": f"Bearer {self.token}"}
        raw = b"" if body is None else msgspec.json.encode(body)
        path, _, query = path.partition("?")
        answer = await self.master.handle(Request(method, path, headers, raw, query))
        assert answer.status == 200, answer.body.decode()
        return json.loads(answer.body).get("data")

    async def beat(self) -> None:
        while True:
            if self.beats:
                report = {"agentVersion": self.version}
                await self.ask("POST", "/api/agent/heartbeat", report, agent=self.agent)
            await self.clock.sleep(15)

    async def set_up(self) -> None:
        admin = {"username": "admin", "password": PASSWORD, "displayName": "A"}
        self.token = (await self.ask("POST", "/api/auth/setup", admin))["token"]
        key = {"name": "for days", "role": "admin"}
        self.token = (await self.ask("POST", "/api/api-keys", key))["plainKey"]
        self.agent = (await self.ask("POST", "/api/nodes", {"name": "alpha"}))["token"]
        answer = await self.ask("POST", "/api/agent/heartbeat", {}, agent=self.agent)
        self.nodes.append(answer["nodeId"])

    async def task(self, cron: str, **change: object) -> int:
        body = await self.body(cron, **change)
        return int((await self.ask("POST", "/api/backup/tasks", body))["id"])

    async def body(self, cron: str, **change: object) -> dict[str, object]:
        targets = await self.ask("GET", "/api/storage-targets")
        if not targets:
            config = {"basePath": "/srv/backup"}
            disk = {"name": "disk", "type": "local_disk", "config": config}
            targets = [await self.ask("POST", "/api/storage-targets", disk)]
        return {
            "name": "nightly",
            "type": "file",
            "sourcePath": "/srv",
            "storageTargetIds": [targets[0]["id"]],
            "nodeId": self.nodes[0],
            "enabled": True,
            "cronExpr": cron,
            **change,
        }

    def runs(self) -> list[tuple[int, str]]:
        """Return task and time of day of every record."""
        rows = self.master.state.database.query(
            "SELECT task_id, substr(started_at, 12, 8) FROM backup_records ORDER BY id"
        )
        return [(task_id, at) for task_id, at in rows]

    async def finish(self) -> None:
        """End every run, as its agent would: releases run a task only once at a time."""
        self.master.state.database.execute("UPDATE backup_records SET status = 'success'")

    async def audit(self, action: str) -> list[str]:
        page = await self.ask("GET", f"/api/audit-logs?action={action}")
        assert {item["username"] for item in page["items"]} <= {"system"}
        return [item["detail"] for item in page["items"]]


Story = Callable[[Rig], Awaitable[None]]


def play(
    story: Story, profile: str = "2.0", clock: VirtualClock | None = None, speed: float = 1.0
) -> None:
    """Let a master run from midnight on, in UTC, while a story is told."""
    clock = clock or VirtualClock()

    async def main() -> None:
        config = Config(
            Timings(cron_second_s=1 / speed), PROFILES[profile], "muster", bcrypt_cost=4
        )
        database = Database(release=config.profile.release)
        await clock.sleep(24 * HOUR_S - (clock.now_ns() / 1e9) % (24 * HOUR_S))
        with Master(database, clock, SeededEntropy(random.Random(1)), config) as master:
            rig = Rig(master, clock)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(master.run_monitors)
                await rig.set_up()
                nursery.start_soon(rig.beat)
                await story(rig)
                nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)
