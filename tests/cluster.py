"""A master of any profile with its administrator, for tests that ask it what an admin would."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import trio
from conftest import HandClock

from harness.target import ADMIN, SeededEntropy
from master.config import Config
from master.core import Master
from master.now import Now
from master.protocol.exchange import Request, Response
from master.protocol.profiles import PROFILES, Profile
from master.store.database import Database
from master.store.rows import Record

EVERY: Final = tuple(PROFILES)
"""The names of all profiles, in the order of their releases."""

PATH: Final = "BackupX/file/270115/a.tar.gz"
"""Where a backup lies below its target."""

REMOTE_DISK: Final = {"basePath": "/srv/backup"}


def profiles(field: str) -> list[str]:
    """Return the names of the profiles in which a field is on; there are some where it is not."""
    names = [name for name, profile in PROFILES.items() if getattr(profile, field)]
    assert 0 < len(names) < len(PROFILES), field
    return names


class Cluster:
    """A master, and who asks it."""

    def __init__(self, master: Master, clock: HandClock) -> None:
        self.master = master
        self.state = master.state
        self.database = master.state.database
        self.clock = clock
        self.admin = ""
        answer = self.data("POST", "/api/auth/setup", ADMIN)
        self.admin = answer["token"]

    @property
    def profile(self) -> Profile:
        return self.state.config.profile

    @property
    def now(self) -> Now:
        return Now.of(self.clock)

    def send(
        self, method: str, path: str, body: object = None, *, agent: str = "", key: str = ""
    ) -> Response:
        """Ask as the administrator, or as whoever a token is of."""
        headers = {"authorization": f"Bearer {key or self.admin}"}
        if agent:
            headers = {"x-agent-token": agent}
        raw = b"" if body is None else msgspec.json.encode(body)
        target, _, query = path.partition("?")
        return trio.run(self.master.handle, Request(method, target, headers, raw, query))

    def data(self, method: str, path: str, body: object = None, *, agent: str = "") -> Any:
        """Ask, and return what a success brings."""
        answer = self.send(method, path, body, agent=agent)
        assert answer.status == 200, answer.body.decode()
        return json.loads(answer.body).get("data")

    def refusal(
        self, method: str, path: str, body: object = None, *, agent: str = "", key: str = ""
    ) -> tuple[int, str]:
        """Ask, and return status and code of the refusal."""
        answer = self.send(method, path, body, agent=agent, key=key)
        return answer.status, json.loads(answer.body)["code"]

    def key(self, role: str) -> str:
        """Return an API key of a role."""
        made = self.data("POST", "/api/api-keys", {"name": role, "role": role})
        return str(made["plainKey"])

    def wait(self, seconds: float) -> None:
        self.clock.ns += round(seconds * 1e9)

    # --- what there is to ask about ---------------------------------------------------------

    def node(self, name: str = "alpha", **change: object) -> tuple[int, str]:
        """Make a node that is online, and return its id and its token."""
        token = str(self.data("POST", "/api/nodes", {"name": name})["token"])
        node_id = int(self.data("POST", "/api/agent/heartbeat", {}, agent=token)["nodeId"])
        if change:
            self.data("PUT", f"/api/nodes/{node_id}", {"name": name, **change})
        return node_id, token

    def target(self, name: str = "disk", kind: str = "local_disk", **config: object) -> int:
        body = {"name": name, "type": kind, "config": config or REMOTE_DISK}
        return int(self.data("POST", "/api/storage-targets", body)["id"])

    def task(self, node_id: int, target_id: int | None = None, **fields: object) -> int:
        return int(
            self.data("POST", "/api/backup/tasks", self.task_body(node_id, target_id, **fields))[
                "id"
            ]
        )

    def task_body(
        self, node_id: int, target_id: int | None = None, **fields: object
    ) -> dict[str, object]:
        """Return what asks for a file task, with a target made for it if none is given."""
        return {
            "name": "nightly",
            "type": "file",
            "sourcePath": "/srv/data",
            "storageTargetIds": [self.target() if target_id is None else target_id],
            "nodeId": node_id,
            **fields,
        }

    def run(self, task_id: int) -> int:
        """Run a task, and return its record's id."""
        return int(self.data("POST", f"/api/backup/tasks/{task_id}/run")["id"])

    def finish(self, record_id: int, **columns: Any) -> None:
        """End a record as its agent's report would, in the database."""
        stored = {"status": "success", "file_name": "a.tar.gz", "storage_path": PATH}
        self.database.update(Record, record_id, completed_at=self.now.utc, **{**stored, **columns})

    def backup(self, target_id: int | None = None, **columns: Any) -> int:
        """Return a finished backup that a remote node made, and nothing in that node's queue."""
        record_id = self.run(self.task(self.node()[0], target_id))
        self.finish(record_id, **columns)
        self.database.execute("DELETE FROM agent_commands")
        return record_id

    def commands(self) -> list[tuple[int, str, Any]]:
        """Return node, type and payload of every command, oldest first."""
        rows = self.database.query("SELECT node_id, type, payload FROM agent_commands ORDER BY id")
        return [(node_id, kind, json.loads(payload)) for node_id, kind, payload in rows]


@contextmanager
def cluster(profile: str) -> Iterator[Cluster]:
    """Make a master of a profile, in memory."""
    clock = HandClock()
    config = Config(profile=PROFILES[profile], encryption_key="muster", bcrypt_cost=4)
    database = Database(release=config.profile.release)
    with Master(database, clock, SeededEntropy(random.Random(1)), config) as master:
        yield Cluster(master, clock)
