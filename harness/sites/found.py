"""What a look at a target finds: who answers, how fast, with what clock, what is there already.

A look changes nothing on the server, but for the log-in that it takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Protocol

import msgspec
import trio

from harness.sites.able import Able
from harness.sites.database import Key, Looked, State, look_into
from harness.sites.door import Health, Way, ask_health
from harness.sites.file import TargetFile
from harness.sites.strangers import TargetError, excerpt, send
from harness.sites.tidy import SINK
from harness.sites.versions import profile_of
from master.protocol.exchange import Request
from master.protocol.times import NS, parse
from simulated_agents.ports import Port

CALLS: Final = 10
"""How many calls the latency is measured over."""

LEFT_PREFIX: Final = "muster-"
"""What the names begin with that muster gives to what it makes."""

_KEPT: Final = {
    "nodes": "/api/nodes",
    "tasks": "/api/backup/tasks",
    "storage targets": "/api/storage-targets",
    "backup records": "/api/backup/records",
    "restore records": "/api/restore/records",
}
"""What a server keeps, and where it lists it."""

_OTHERS: Final = ("nodes", "tasks", "storage targets")
"""What a scenario that wants an empty master would count too."""


class Clock(Protocol):
    """The clock of this machine."""

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds of a clock that never jumps."""
        ...


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a call takes, in seconds, over several."""

    median_s: float
    worst_s: float
    calls: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """How far the server's clock is ahead of this machine's, in seconds: between these two.

    The server shows whole seconds, so that more cannot be told.
    """

    low_s: float
    high_s: float

    @property
    def agrees(self) -> bool:
        """Return whether there may be no difference at all."""
        return self.low_s <= 0 <= self.high_s


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a target found.

    Attributes:
        health: what the server says of itself.
        profile: the profile that its version is of, `None` where it is of none.
        latency: how long its calls take.
        ahead: how far its clock is from ours.
        ready: what it says of whether it can work.
        who: who we are there, and in which role.
        kept: how much it keeps of each kind.
        others: what no scenario may count on there, in words; an empty text is nothing.
        left: names of what an earlier run left there.
        database: its database file, `None` where the target file names none.

    """

    health: Health
    profile: str | None
    latency: Latency
    ahead: Ahead
    ready: str
    who: str
    kept: Mapping[str, int]
    others: str
    left: tuple[str, ...]
    database: Looked | None

    def able(self, target: TargetFile, longest_s: float | None) -> Able:
        """Return what can be done there.

        Args:
            target: the server.
            longest_s: for how long, in real seconds, a scenario may wait; `None` is for ever.

        """
        database = self.database
        reads = database is not None and database.readable
        writes = database is not None and database.state is State.WRITABLE
        return Able(
            reads_tables=reads,
            writes_tables=writes and target.database_access == "write",
            kills=target.command is not None,
            disk=target.scratch is not None or target.command is not None,
            others=self.others,
            timings=target.timings,
            speed=target.speed,
            longest_s=longest_s,
        )


async def look(target: TargetFile, way: Way | None, port: Port, clock: Clock) -> Found:
    """Look at a target.

    Args:
        target: the server.
        way: the right to administer it; `None` for a fresh server that nobody can look into.
        port: the way to it.
        clock: this machine's.

    Raises:
        TargetError: it does not answer, or refuses to show what it keeps.

    """
    looking = _Look(target, way, port)
    latency, ahead, health = await looking.measure(clock)
    kept = {} if way is None else {kind: await looking.listed(path) for kind, path in _KEPT.items()}
    key = target.encryption_key.read() if target.encryption_key is not None else None
    database = None
    if target.database is not None:
        database = await trio.to_thread.run_sync(
            look_into, target.database, kept.get("nodes", ()), key
        )
    return Found(
        health=health,
        profile=profile_of(health.version),
        latency=latency,
        ahead=ahead,
        ready=await looking.ready(),
        who=await looking.who(),
        kept={kind: len(items) for kind, items in kept.items()},
        others=_others(kept),
        left=_left(kept),
        database=database,
    )


def insist(target: TargetFile, found: Found) -> None:
    """Refuse a target whose database is not as its file says.

    Raises:
        TargetError: it is not there, not its own, not to be read or written, or under another key.

    """
    database = found.database
    if database is None:
        return
    wanted = {State.WRITABLE} | ({State.READABLE} if target.database_access == "read" else set())
    if database.state not in wanted:
        hint = ""
        if database.state is State.READABLE:
            hint = ': make it writable, or write database_access = "read"'
        raise TargetError(f"{database.path}: the database cannot be used: {database.fault}{hint}")
    if database.key is Key.WRONG:
        raise TargetError(
            f"{database.path}: the encryption key is not the one this database is written under"
        )


def insist_on_warp(target: TargetFile, found: Found) -> None:
    """Refuse a target on which time cannot be warped.

    Raises:
        TargetError: its file names no database, or one that muster must not write.

    """
    if found.database is None:
        why = "names no database"
    elif found.database.state is not State.WRITABLE:
        why = "lets muster only read the database"
    else:
        return
    raise TargetError(
        f"--clock warp moves times in the master's database, and {target.path} {why}:"
        " give it one that muster may write, or play on the real clock"
    )


class _Look:
    """The calls of a look."""

    def __init__(self, target: TargetFile, way: Way | None, port: Port) -> None:
        self._target = target
        self._port = port
        self._way = way

    async def measure(self, clock: Clock) -> tuple[Latency, Ahead, Health]:
        """Return how long calls take, and what they say of the server and its clock."""
        took: list[float] = []
        low_s, high_s = float("-inf"), float("inf")
        for _ in range(CALLS):
            began_s, asked_s = clock.monotonic_s(), clock.now_ns() / NS
            health = await ask_health(self._target, self._port)
            took.append(clock.monotonic_s() - began_s)
            shown_s = self._seconds(health)
            # at some moment of the call, the server's clock was within the second that it shows
            low_s = max(low_s, shown_s - (asked_s + took[-1]))
            high_s = min(high_s, shown_s + 1 - asked_s)
        return Latency(median(took), max(took), CALLS), Ahead(low_s, high_s), health

    def _seconds(self, health: Health) -> int:
        try:
            return parse(health.timestamp) // NS
        except ValueError:
            raise TargetError(
                f"{self._target.url}: GET /api/health shows no time: {health.timestamp!r}"
            ) from None

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """Return what the server lists at a path."""
        data = await self._data(path)
        if data is not None and not isinstance(data, list):
            raise TargetError(f"{self._target.url}: GET {path} is no list")
        return data or []

    async def ready(self) -> str:
        """Return what the server says of whether it can work."""
        response = await send(self._target, self._port, Request("GET", "/api/ready"))
        if response.status == 200:
            return "ready"
        return f"not ready: {excerpt(response)}"

    async def who(self) -> str:
        """Return who we are on the server."""
        if self._way is None:
            return "nobody yet: the server is fresh, and [setup] makes its first administrator"
        if self._way.log_in is None:
            return await self._key_holder(self._way.token)
        user = await self._data("/api/auth/profile")
        return f"{user['username']}, role {user['role']}, logged in for a day"

    async def _key_holder(self, token: str) -> str:
        shown = token[:12]
        keys = await self.listed("/api/api-keys")
        own = next((key for key in keys if str(key.get("prefix", "")).startswith(shown)), None)
        if own is None:
            return "an API key"
        until = own.get("expiresAt")
        ends = f"until {until}" if until else "which does not end"
        return f"API key {own['name']!r}, role {own['role']}, {ends}"

    async def _data(self, path: str) -> Any:
        assert self._way is not None
        headers = {"authorization": f"Bearer {self._way.token}"}
        response = await send(self._target, self._port, Request("GET", path, headers))
        if response.status == 200:
            try:
                return msgspec.json.decode(response.body).get("data")
            except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
                pass
        raise TargetError(f"{self._target.url}: GET {path} was answered {excerpt(response)}")


def _others(kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return what is there that scenarios could mistake for their own."""
    counts = {
        kind: sum(not one.get("isLocal") and one.get("name") != SINK for one in kept.get(kind, ()))
        for kind in _OTHERS
    }
    return ", ".join(several(count, kind) for kind, count in counts.items() if count)


def several(count: int, kind: str) -> str:
    """Return how many there are of a kind, whose word is that for several."""
    return f"{count} {kind.removesuffix('s') if count == 1 else kind}"


def _left(kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    """Return the names that muster gave, with what each is of."""
    return tuple(
        f"{kind.removesuffix('s')} {item['name']}"
        for kind, items in kept.items()
        for item in items
        if str(item.get("name", "")).startswith(LEFT_PREFIX)
    )
