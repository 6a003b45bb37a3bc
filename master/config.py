"""What a master is told when it is made: timings, key, and where it gets time and randomness.

All durations are in seconds. The defaults are the seed's.
"""

from dataclasses import dataclass, field, fields
from typing import Protocol

from master.protocol.profiles import DEFAULT_PROFILE, PROFILES, Profile


@dataclass(frozen=True, slots=True)
class Timings:
    """Every timer of the master, in seconds.

    Attributes:
        command_timeout_s: age at which a dispatched command is stale (`StartCommandTimeoutMonitor`).
        command_scan_s: how often stale commands are looked for.
        offline_after_s: silence after which a node is offline (`OfflineThreshold`).
        offline_scan_s: how often silent nodes are looked for (`StartOfflineMonitor`).
        list_dir_timeout_s: how long a directory listing waits for the agent.
        discover_timeout_s: how long a database discovery waits for the agent.
        token_grace_s: how long a rotated token still authenticates (`RotateToken`).
        cron_second_s: how long a second of cron expressions lasts: 1, unless a test is in a hurry.
        event_heartbeat_s: the pause between two signs of life on an event stream.
        version_scan_s: how often outdated agents are looked for.
        version_notice_s: for how long an outdated agent is not told of again.
        metrics_scan_s: how often the figures of `/metrics` are counted.

    """

    command_timeout_s: float = 600.0
    command_scan_s: float = 30.0
    offline_after_s: float = 45.0
    offline_scan_s: float = 15.0
    list_dir_timeout_s: float = 15.0
    discover_timeout_s: float = 15.0
    token_grace_s: float = 86_400.0
    cron_second_s: float = 1.0
    event_heartbeat_s: float = 25.0
    version_scan_s: float = 1_800.0
    version_notice_s: float = 86_400.0
    metrics_scan_s: float = 30.0

    def __post_init__(self) -> None:
        for timing in fields(self):
            value = getattr(self, timing.name)
            if not value > 0:
                raise ValueError(f"{timing.name} must be more than 0 seconds, not {value}")

    def faster(self, factor: float) -> "Timings":
        """Return the same timings, `factor` times as fast."""
        return Timings(*(getattr(self, timing.name) / factor for timing in fields(self)))


class Clock(Protocol):
    """Where a master and its agents get the time, and how they wait."""

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch."""
        ...

    def offset_s(self, instant_ns: int) -> int:
        """Return the local zone's distance from UTC at an instant, in seconds east."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds of a clock that never jumps; only differences mean anything."""
        ...

    async def sleep_until(self, deadline_s: float) -> None:
        """Wait until the monotonic clock shows `deadline_s`."""
        ...


class Entropy(Protocol):
    """Where tokens, nonces and keys come from."""

    def token_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


class Hasher(Protocol):
    """How passwords are hashed and compared; both are slow, and may be done elsewhere."""

    async def hash(self, password: bytes) -> bytes:
        """Return the hash of a password of at most 72 bytes."""
        ...

    async def verify(self, password: bytes, hashed: bytes) -> bool:
        """Return whether a password is the one behind a hash."""
        ...


@dataclass(frozen=True, slots=True)
class Config:
    """How a master is to behave.

    Attributes:
        timings: its timers.
        profile: the release that it is.
        encryption_key: the secret behind stored credentials; `None` takes the one in the database,
            or makes one.
        bcrypt_cost: work factor of password hashes (the real master's is 12).
        hostname: what the local node calls itself.
        ip_address: what the local node says its address is.
        platform: operating system and processor, as Go names them; what a node that reports
            neither is given.

    """

    timings: Timings = field(default_factory=Timings)
    profile: Profile = PROFILES[DEFAULT_PROFILE]
    encryption_key: str | None = field(default=None, repr=False)
    bcrypt_cost: int = 12
    hostname: str = "master"
    ip_address: str = "127.0.0.1"
    platform: tuple[str, str] = ("linux", "amd64")
