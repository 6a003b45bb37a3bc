"""Every figure muster promises, measured beside its yardstick in one run.

A figure says little without what the same machine does with the same loop and nothing in it.
`python benchmarks/bench.py [NAME…]` runs some of them: requests, clock, fleet, check, suite, serve.
"""

import gc
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import trio
from trio.testing import MockClock

from harness.about import About
from harness.checkers.registry import judge
from harness.clock import VirtualClock
from harness.commands.options import SCENARIOS
from harness.history import History, RecordingPort
from harness.observed.reading import read_lines
from harness.observed.view import Rules, View
from harness.redact import Redactor
from harness.scenario.catalogue import CATALOGUE_NAME, Catalogue
from harness.sites.served import serve_master
from harness.target import ADMIN, SeededEntropy
from master.config import Config, Timings
from master.core import Master
from master.now import Now
from master.protocol.exchange import Request, Response
from master.store import nodes
from master.store.database import Database
from simulated_agents.client import AgentClient, Identity
from simulated_agents.fleet import Fleet, Member
from simulated_agents.ports.direct import DirectPort

ROOT = Path(__file__).resolve().parent.parent


def show(what: str, figure: str, yardstick: str, goal: str) -> None:
    """Print one figure."""
    print(f"{what:<46} {figure:>26}   {yardstick:<52} goal {goal}", flush=True)


# --- requests through port, codec, master, SQLite and history -----------------------------------

REQUESTS = 60_000


async def _canned(_: Request) -> Response:
    body = b'{"code":"OK","message":"success","data":{"command":null}}'
    return Response(200, body)


async def _exchange(handle: Callable[[Request], Awaitable[Response]], token: str) -> float:
    """Return exchanges a second of an agent that beats once for three polls."""
    history = History(Redactor())
    port = RecordingPort(DirectPort(handle), history, "alpha", trio.current_time)
    client = AgentClient(port, token, Identity(hostname="alpha"))
    began_s = time.perf_counter()
    for _ in range(REQUESTS // 4):
        await client.heartbeat()
        await client.poll()
        await client.poll()
        await client.poll()
    return REQUESTS / (time.perf_counter() - began_s)


def requests() -> None:
    """Measure exchanges in process, with the master and without it."""
    clock = VirtualClock()
    master = Master(Database(), clock, SeededEntropy(random.Random(0)), Config(bcrypt_cost=4))
    nodes.insert(master.state.database, "alpha", "t" * 64, Now.of(clock))
    with master:
        figure = trio.run(_exchange, master.handle, "t" * 64, clock=clock)
    yardstick = trio.run(_exchange, _canned, "t" * 64, clock=VirtualClock())
    show(
        "requests/s, port to SQLite and history",
        f"{figure:,.0f}",
        f"without the master {yardstick:,.0f} ({yardstick / figure:.1f} ×)",
        "25,000",
    )


# --- wake-ups of the virtual clock ---------------------------------------------------------------


async def _sleepers(sleep: Callable[[float], Awaitable[None]], each: int) -> None:
    async def sleeper(number: int) -> None:
        rng = random.Random(number)
        for _ in range(each):
            await sleep(rng.random() * 10)

    async with trio.open_nursery() as nursery:
        for number in range(1_000):
            nursery.start_soon(sleeper, number)


def clock() -> None:
    """Measure wake-ups a second with 1,000 tasks, on our clock and on trio's."""
    ours = VirtualClock()
    began_s = time.perf_counter()
    trio.run(_sleepers, ours.sleep, 400, clock=ours)
    figure = 400_000 / (time.perf_counter() - began_s)
    began_s = time.perf_counter()
    trio.run(_sleepers, trio.sleep, 60, clock=MockClock(autojump_threshold=0))
    yardstick = 60_000 / (time.perf_counter() - began_s)
    show(
        "virtual clock, wake-ups/s, 1,000 tasks",
        f"{figure:,.0f}",
        f"trio's MockClock {yardstick:,.0f} ({figure / yardstick:.1f} × that)",
        "180,000",
    )


# --- a thousand agents for an hour ---------------------------------------------------------------

AGENTS = 1_000
HOUR_S = 3_600.0


async def _hour(clock: VirtualClock) -> int:
    master = Master(Database(), clock, SeededEntropy(random.Random(0)), Config(bcrypt_cost=4))
    members = [Member(f"agent-{number}", f"{number:064x}") for number in range(AGENTS)]
    with master:
        with master.state.database.transaction():
            for member in members:
                nodes.insert(master.state.database, member.name, member.token, Now.of(clock))
        fleet = Fleet(members, lambda _: DirectPort(master.handle), clock, seed=0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(master.run_monitors)
            nursery.start_soon(fleet.run)
            await clock.sleep(HOUR_S)
            fleet.stop()
            nursery.cancel_scope.cancel()
    return fleet.counters.heartbeats + fleet.counters.polls


def fleet() -> None:
    """Measure a thousand idle agents, which is what most agents are most of the time."""
    clock = VirtualClock()
    gc.collect()
    gc.freeze()
    began_s = time.perf_counter()
    exchanges = trio.run(_hour, clock, clock=clock)
    took_s = time.perf_counter() - began_s
    gc.unfreeze()
    show(
        "1,000 agents, one virtual hour",
        f"{HOUR_S / took_s:,.0f} × real time",
        f"{exchanges:,} exchanges, {exchanges / took_s:,.0f}/s",
        "50 ×",
    )


# --- the suite, and the server -------------------------------------------------------------------


def suite() -> None:
    """Measure the whole suite on virtual time, as a user starts it."""
    command = [sys.executable, "-m", "harness", "run"]
    began_s = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    subprocess.run([*command[:3], "--version"], cwd=ROOT, capture_output=True, check=True)
    start_s = time.perf_counter() - began_s
    last = done.stdout.strip().splitlines()[-1]
    show(
        "suite on virtual time",
        f"{took_s:.2f} s",
        f"{start_s:.2f} s of it is Python; {last}",
        "under 5 s",
    )


WRK_S = 8


async def _serve_under_wrk() -> tuple[float, float]:
    async with serve_master(Timings(), "2.0") as served:
        before_s = _cpu_s(served.pid)
        wrk = ["wrk", "-t1", "-c16", f"-d{WRK_S}s", f"{served.url}/api/health"]
        done = await trio.run_process(wrk, capture_stdout=True)
        used = (_cpu_s(served.pid) - before_s) / WRK_S
    line = next(one for one in done.stdout.decode().splitlines() if "Requests/sec" in one)
    return float(line.split()[1]), used


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def serve() -> None:
    """Measure `muster serve` under wrk, with the share of a CPU that it takes."""
    if shutil.which("wrk") is None:
        print("serve: skipped, wrk is not installed (the package is called wrk)")
        return
    figure, used = trio.run(_serve_under_wrk)
    show(
        "muster serve, requests/s under wrk",
        f"{figure:,.0f}",
        f"{used:.0%} of one CPU: {figure / used:,.0f}/s a CPU",
        "2,600 to 3,100 a CPU (hypercorn's own)",
    )


# --- the checkers --------------------------------------------------------------------------------

CHECKED_AGENTS = 400
CHECKED_S = 4_000.0
RUN_EVERY_S = 0.5


class _Admin:
    """An administrator of the fleet."""

    def __init__(self, port: RecordingPort) -> None:
        self._port = port
        self._headers: dict[str, str] = {}

    async def log_in(self) -> None:
        self._headers = {}
        token = (await self.send("POST", "/api/auth/setup", ADMIN))["token"]
        self._headers = {"authorization": f"Bearer {token}"}

    async def send(self, method: str, path: str, body: object = None) -> Any:
        raw = b"" if body is None else msgspec.json.encode(body)
        response = await self._port.send(Request(method, path, self._headers, raw))
        return msgspec.json.decode(response.body).get("data")


async def _recorded(clock: VirtualClock, history: History) -> None:
    """Record a fleet at work: a backup is asked for twice a second, and each is looked at later."""
    master = Master(Database(), clock, SeededEntropy(random.Random(0)), Config(bcrypt_cost=4))
    with master:
        port = RecordingPort(DirectPort(master.handle), history, "admin", clock.monotonic_s)
        admin = _Admin(port)
        await admin.log_in()
        target = {"name": "disk", "type": "local_disk", "config": {"basePath": "/d"}}
        disk = await admin.send("POST", "/api/storage-targets", target)
        members = []
        for number in range(CHECKED_AGENTS):
            made = await admin.send("POST", "/api/nodes", {"name": f"agent-{number}"})
            history.redactor.learn(made["token"])
            members.append(Member(f"agent-{number}", made["token"]))
        ids = {one["name"]: one["id"] for one in await admin.send("GET", "/api/nodes")}
        tasks = []
        for member in members:
            body = {"name": member.name, "type": "file", "enabled": True, "sourcePath": "/s"}
            body |= {"storageTargetIds": [disk["id"]], "nodeId": ids[member.name]}
            tasks.append((await admin.send("POST", "/api/backup/tasks", body))["id"])

        def way(name: str) -> RecordingPort:
            return RecordingPort(DirectPort(master.handle), history, name, clock.monotonic_s)

        fleet = Fleet(members, way, clock, seed=0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(master.run_monitors)
            nursery.start_soon(fleet.run)
            await clock.sleep(30.0)
            for number in range(int(CHECKED_S / RUN_EVERY_S)):
                await admin.send("POST", f"/api/backup/tasks/{tasks[number % len(tasks)]}/run")
                if number > 200:
                    await admin.send("GET", f"/api/backup/records/{number - 200}")
                await clock.sleep(RUN_EVERY_S)
            fleet.stop()
            nursery.cancel_scope.cancel()


def check() -> None:
    """Measure all checkers on a long history, with its reading; the yardstick only decodes it."""
    clock = VirtualClock()
    history = History(Redactor())
    history.about = About(profile="2.0", scenario="bench", slack_s=0.0)
    trio.run(_recorded, clock, history, clock=clock)
    lines = list(history.lines())
    del history
    catalogue = Catalogue.read(SCENARIOS / CATALOGUE_NAME)
    clauses = frozenset(one.id for one in catalogue if "2.0" in one.profiles)
    gc.collect()
    began_s = time.perf_counter()
    for line in lines:
        msgspec.json.decode(line)
    yardstick_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    view = View(read_lines(lines, "bench"), Rules("2.0", clauses, Timings(), 0.0))
    read_s = time.perf_counter() - began_s
    findings = judge(view)
    took_s = time.perf_counter() - began_s
    said = Counter(finding.verdict.value for finding in findings)
    assert not said["FAIL"]
    million = 1_000_000 / (len(lines) - 1)
    show(
        "history of 1,000,000 operations, all checkers",
        f"{took_s * million:.1f} s",
        f"reading {read_s * million:.1f} s, JSON alone {yardstick_s * million:.1f} s;"
        f" {len(lines) - 1:,} measured, {said['PASS']} PASS",
        "under 60 s",
    )


BENCHMARKS = {
    "requests": requests,
    "clock": clock,
    "fleet": fleet,
    "check": check,
    "suite": suite,
    "serve": serve,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or list(BENCHMARKS):
        BENCHMARKS[name]()
