"""An hour of agents that misbehave, on a network that fails, with a master that dies."""

import random
from typing import Any

import msgspec
import trio

from harness.about import About
from harness.clock import VirtualClock
from harness.determinism import seeded_scheduler
from harness.faults import Faults, Plan
from harness.faults.short import parse
from harness.history import History, RecordingPort
from harness.lifetime import Lifetime
from harness.redact import Redactor
from harness.target import ADMIN, SeededEntropy
from master.config import Config, Timings
from master.core import Master
from master.objects import MemoryObjects
from master.protocol.exchange import Request
from master.protocol.profiles import PROFILES
from master.store.database import Database
from simulated_agents.behaviours import BEHAVIOURS, make
from simulated_agents.fleet import Fleet, Member
from simulated_agents.ports import NoReply
from simulated_agents.ports.direct import DirectPort
from simulated_agents.releases import RELEASES

FAULTS = (
    "drop_reply 4%",
    "drop_request 3%",
    "duplicate 3%",
    "delay 3s 5%",
    "reorder 3%",
    "reset 2%",
    "garble 2%",
    "answer 503 2%",
    "answer 504 2% reached=yes",
    "partition from_master from 300s until 340s",
)

TASKS = 3
"""How many tasks each agent has."""


class Office:
    """An administrator, who asks again when no answer comes."""

    def __init__(self, port: RecordingPort, rng: random.Random, clock: VirtualClock) -> None:
        self._port = port
        self._headers: dict[str, str] = {}
        self._clock = clock
        self.rng = rng

    async def try_once(self, method: str, path: str, body: Any = None) -> Any:
        """Return the data of an answer; `None` where there are none."""
        raw = b"" if body is None else msgspec.json.encode(body)
        try:
            response = await self._port.send(Request(method, path, self._headers, raw))
            return msgspec.json.decode(response.body).get("data")
        except (NoReply, msgspec.DecodeError, UnicodeDecodeError):
            return None

    async def insist(self, method: str, path: str, body: Any = None) -> Any:
        """Ask until there are data; what is made twice under one name is made once."""
        while True:
            found = await self.try_once(method, path, body)
            if found is not None:
                return found
            await self._clock.sleep(1.0)

    async def log_in(self) -> None:
        token = (await self.try_once("POST", "/api/auth/setup", ADMIN))["token"]
        self._headers = {"authorization": f"Bearer {token}"}


def campaign(profile: str, seed: int, minutes: int = 40) -> History:
    """Return what happened in one run: a fleet with one agent of each behaviour, and faults."""
    clock = VirtualClock()
    history = History(Redactor())
    timings = Timings(command_timeout_s=240.0)
    history.about = About(
        profile=profile,
        scenario="campaign",
        timings={"command_timeout_s": 240.0},
        slack_s=0.0,
    )
    with seeded_scheduler(seed):
        trio.run(_play, profile, seed, minutes, clock, history, timings, clock=clock)
    return history


async def _play(
    profile: str,
    seed: int,
    minutes: int,
    clock: VirtualClock,
    history: History,
    timings: Timings,
) -> None:
    rng = random.Random(seed)
    config = Config(timings=timings, profile=PROFILES[profile], bcrypt_cost=4)
    entropy, objects = SeededEntropy(random.Random(seed)), MemoryObjects()

    def make_master(image: bytes | None) -> Master:
        database = Database(release=PROFILES[profile].release, image=image)
        return Master(database, clock, entropy, config, objects=objects)

    async with trio.open_nursery() as nursery:
        lifetime = Lifetime(make_master, nursery, lambda _: None, mortal=True)
        await lifetime.start()
        plan = Plan(tuple(parse(text) for text in FAULTS))
        faults = Faults(plan, clock, history, clock.monotonic_s, seed)
        calm = RecordingPort(DirectPort(lifetime.handle), history, "admin", clock.monotonic_s)
        office = Office(calm, rng, clock)
        await office.log_in()
        members, tasks = await _staff(office)

        def way(name: str) -> RecordingPort:
            port = faults.port(DirectPort(lifetime.handle), name)
            return RecordingPort(port, history, name, clock.monotonic_s)

        release = RELEASES[profile]
        fleet = Fleet(members, way, clock, seed=seed, restart_s=20.0, release=release)
        nursery.start_soon(fleet.run)
        rough = Office(way("admin"), rng, clock)
        rough._headers = office._headers
        for minute in range(minutes):
            if minute == minutes // 2:
                history.note(clock.monotonic_s(), "muster", "master killed")
                await lifetime.stop()
                await clock.sleep(20.0)
                await lifetime.start()
                history.note(clock.monotonic_s(), "muster", "master started")
            await _minute(rough, nursery, tasks, clock)
        fleet.stop()
        for task in range(1, 400):
            await office.try_once("GET", f"/api/backup/records/{task}")
        nursery.cancel_scope.cancel()
    lifetime.close()


async def _staff(office: Office) -> tuple[list[Member], list[int]]:
    """Make an agent of each behaviour, and their tasks."""
    disk = {"name": "disk", "type": "local_disk", "config": {"basePath": "/d"}}
    target = await office.insist("POST", "/api/storage-targets", disk)
    members, tasks = [], []
    for behaviour in BEHAVIOURS:
        made = await office.insist("POST", "/api/nodes", {"name": behaviour})
        members.append(Member(behaviour, made["token"], make(behaviour)))
    ids = {one["name"]: one["id"] for one in await office.insist("GET", "/api/nodes")}
    for member in members:
        for number in range(TASKS):
            body = {"name": f"{member.name}-{number}", "type": "file", "enabled": True}
            body |= {"storageTargetIds": [target["id"]], "sourcePath": "/s"}
            made = await office.insist(
                "POST", "/api/backup/tasks", body | {"nodeId": ids[member.name]}
            )
            tasks.append(made["id"])
    return members, tasks


async def _minute(
    office: Office, nursery: trio.Nursery, tasks: list[int], clock: VirtualClock
) -> None:
    """Ask for backups, restores and listings, and look at what came of the earlier ones."""
    rng = office.rng
    for _ in range(6):
        await office.try_once("POST", f"/api/backup/tasks/{rng.choice(tasks)}/run")
        await office.try_once("POST", f"/api/backup/records/{rng.randint(1, 40)}/restore")
        nursery.start_soon(office.try_once, "GET", f"/api/nodes/{rng.randint(2, 14)}/fs/list")
        await office.try_once("GET", "/api/backup/records")
        await office.try_once("GET", f"/api/backup/records/{rng.randint(1, 60)}")
        await office.try_once("GET", f"/api/restore/records/{rng.randint(1, 20)}")
        await office.try_once("GET", "/api/nodes")
        if rng.random() < 0.05:
            await office.try_once("POST", f"/api/nodes/{rng.randint(2, 14)}/rotate-token")
        await clock.sleep(10.0)
