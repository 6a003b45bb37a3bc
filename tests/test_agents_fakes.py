"""A master that only records what agents say, in process and over sockets, and tests of it.

The suites about agents run their bodies against both: `ARMS`.
"""

import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

import h11
import pytest
import trio
from trio.testing import MockClock

from master.protocol.exchange import Request, Response
from simulated_agents.actor import Agent
from simulated_agents.events import Event, EventKind
from simulated_agents.plan import WorkPlan
from simulated_agents.ports import Port, close_port
from simulated_agents.ports.direct import DirectPort
from simulated_agents.ports.http import HttpPort
from simulated_agents.timing import Timing

TOKEN = "ab" * 32
HEARTBEAT = "/api/agent/heartbeat"
POLL = "/api/agent/commands/poll"
EPOCH_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z

TASK = {
    "taskId": 7,
    "name": "Nightly Photos v1.2",
    "type": "file",
    "sourcePath": "/data",
    "sourcePaths": '["/data/photos","/data/archive"]',
    "excludePatterns": "[]",
    "extraConfig": "{}",
    "compression": "gzip",
    "encrypt": False,
    "storageTargets": [
        {"id": 1, "type": "local_disk", "name": "disk", "config": {"basePath": "/b"}},
        {"id": 2, "type": "s3", "name": "cloud", "config": {"secret": "x"}},
    ],
}
RESTORE = {
    "restoreRecordId": 4,
    "backupRecordId": 3,
    "taskId": 7,
    "taskName": "Nightly",
    "type": "file",
    "compression": "gzip",
    "encrypt": False,
    "storage": {"id": 1, "type": "local_disk", "name": "disk", "config": None},
    "storagePath": "BackupX/file/260101/n.tar.gz",
    "fileName": "n.tar.gz",
}


def ok(data: object) -> Response:
    return Response(200, json.dumps({"code": "OK", "message": "success", "data": data}).encode())


def refusal(status: int, code: str, message: str = "no") -> Response:
    return Response(status, json.dumps({"code": code, "message": message}).encode())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


class FakeMaster:
    """Answers as a master does, hands out what is enqueued, and remembers every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.times: list[float] = []
        self.commands: deque[dict[str, Any]] = deque()
        self.answers: dict[tuple[str, str], Response | Callable[[Request], Awaitable[Response]]] = {
            ("POST", HEARTBEAT): ok({"name": "alpha", "nodeId": 2, "status": "ok"}),
            ("GET", "/api/agent/tasks/7"): ok(TASK),
            ("GET", "/api/agent/restores/4/spec"): ok(RESTORE),
        }
        self._changed = trio.Event()

    def enqueue(self, kind: str, payload: object, command_id: int = 1) -> None:
        self.commands.append({"id": command_id, "type": kind, "payload": payload})

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        self.times.append(trio.current_time())
        self._changed.set()
        self._changed = trio.Event()
        key = (request.method, request.path)
        if key == ("POST", POLL) and key not in self.answers:
            return ok({"command": self.commands.popleft() if self.commands else None})
        answer = self.answers.get(key) or ok({"status": "ok"})
        return answer if isinstance(answer, Response) else await answer(request)

    async def wait_until(self, true: Callable[[], bool]) -> None:
        while not true():
            await self._changed.wait()

    async def wait_for(self, path: str, times: int = 1) -> None:
        await self.wait_until(lambda: len(self.sent(path)) >= times)

    def sent(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    @property
    def work(self) -> list[tuple[str, str, Any]]:
        """Every request but heartbeats and polls, as method, path below /api/agent, body."""
        return [
            (
                request.method,
                request.path.removeprefix("/api/agent"),
                _json(request.body),
            )
            for request in self.requests
            if request.path not in {HEARTBEAT, POLL}
        ]


async def serve(
    handle: Callable[[Request], Awaitable[Response]], targets: list[str], stream: trio.SocketStream
) -> None:
    """Serve one connection of HTTP/1.1; `targets` gets each request's target as it came."""
    connection = h11.Connection(h11.SERVER)
    body = bytearray()
    head: h11.Request | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            try:
                connection.receive_data(await stream.receive_some())
            except trio.BrokenResourceError:
                return
        elif isinstance(event, h11.Request):
            head, body = event, bytearray()
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            targets.append(head.target.decode())
            response = await handle(_request(head, bytes(body)))
            await stream.send_all(_bytes(connection, response))
            connection.start_next_cycle()
        else:
            return


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode().partition("?")
    headers = {name.decode(): value.decode() for name, value in head.headers}
    return Request(head.method.decode(), unquote(path), headers, body, query)


def _bytes(connection: h11.Connection, response: Response) -> bytes:
    headers = [*response.all_headers(), ("Content-Length", str(len(response.body)))]
    head = h11.Response(status_code=response.status, headers=headers, reason=b"")
    return b"".join(
        connection.send(event) or b""
        for event in (head, h11.Data(data=response.body), h11.EndOfMessage())
    )


class TrioClock:
    """Trio's own clock, mocked or not, as agents want it; it starts at the epoch."""

    def __init__(self) -> None:
        self._start_s = trio.current_time()

    def now_ns(self) -> int:
        return EPOCH_NS + round((trio.current_time() - self._start_s) * 1e9)

    def monotonic_s(self) -> float:
        return trio.current_time()

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def sleep_until(self, deadline_s: float) -> None:
        await trio.sleep_until(deadline_s)


@dataclass
class World:
    """What a test body gets: a master, a way to it, and time."""

    master: FakeMaster
    port: Port
    nursery: trio.Nursery
    timing: Timing
    targets: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    clock: TrioClock = field(default_factory=TrioClock)
    happened: trio.Event = field(default_factory=trio.Event)

    def observe(self, event: Event) -> None:
        """Remember an event."""
        self.events.append(event)
        self.happened.set()
        self.happened = trio.Event()

    def agent(self, **changes: Any) -> Agent:
        """Return an agent that works at once, and does not run yet."""
        return Agent(
            changes.pop("name", "alpha"),
            changes.pop("port", self.port),
            changes.pop("token", TOKEN),
            self.clock,
            timing=changes.pop("timing", self.timing),
            work=changes.pop("work", WorkPlan(duration_s=0)),
            on_event=self.observe,
            **changes,
        )

    def start(self, **changes: Any) -> Agent:
        """Return an agent that runs."""
        agent = self.agent(**changes)
        self.nursery.start_soon(agent.run)
        return agent

    async def do(self, kind: str, payload: object, **changes: Any) -> list[tuple[str, str, Any]]:
        """Let a new agent do one command; return what it sent, up to the result."""
        self.master.enqueue(kind, payload)
        self.start(**changes)
        await self.master.wait_for("/api/agent/commands/1/result")
        return self.master.work

    def kinds(self) -> list[str]:
        """Return what happened to agents."""
        return [str(event.kind) for event in self.events]

    async def wait_event(self, kind: EventKind, times: int = 1) -> None:
        """Wait until something happened to agents."""
        while self.kinds().count(kind) < times:
            await self.happened.wait()


@dataclass(frozen=True)
class Arm:
    """One way to a master: in process on virtual time, or over sockets on real time."""

    name: str

    def run(self, body: Callable[[World], Awaitable[None]]) -> None:
        clock = MockClock(autojump_threshold=0) if self.name == "direct" else None
        trio.run(self._play, body, clock=clock)

    async def _play(self, body: Callable[[World], Awaitable[None]]) -> None:
        master, targets = FakeMaster(), list[str]()
        port: Port
        with trio.fail_after(5 if self.name == "http" else 100_000):
            async with trio.open_nursery() as nursery:
                if self.name == "http":
                    port, timing = HttpPort(await listen(nursery, master.handle, targets)), FAST
                else:
                    port, timing = DirectPort(master.handle), Timing()
                await body(World(master, port, nursery, timing, targets))
                nursery.cancel_scope.cancel()
            await close_port(port)


FAST = Timing(heartbeat_s=0.03, poll_s=0.01)


async def listen(
    nursery: trio.Nursery,
    handle: Callable[[Request], Awaitable[Response]],
    targets: list[str],
) -> str:
    """Serve over sockets; return the base URL."""
    listeners = await nursery.start(
        partial(trio.serve_tcp, partial(serve, handle, targets), 0, host="127.0.0.1")
    )
    return f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"


ARMS = (Arm("direct"), Arm("http"))
DIRECT = ARMS[0]

both = pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)


@both
def test_the_fake_hands_out_each_command_once(arm: Arm) -> None:
    """A poll takes the oldest command, and the next one finds the next."""

    async def body(world: World) -> None:
        world.master.enqueue("list_dir", {"path": "/"}, 5)
        poll = Request("POST", POLL)

        answers = [json.loads((await world.port.send(poll)).body)["data"] for _ in range(2)]

        assert answers == [
            {"command": {"id": 5, "type": "list_dir", "payload": {"path": "/"}}},
            {"command": None},
        ]

    arm.run(body)
