"""What several tests need: a master with time in hand, and a server process."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from harness.target import SeededEntropy
from master.config import Config
from master.core import Master
from master.store.database import Database

# the same examples every time, on machines of any speed: a test that fails is wrong, or the code is
settings.register_profile(
    "muster", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("muster")


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.ns = 1_800_000_000_123_456_789

    def now_ns(self) -> int:
        self.ns += 1_000_003  # each request has an instant of its own
        return self.ns

    def offset_s(self, _: int) -> int:
        return 0

    def monotonic_s(self) -> float:
        return self.ns / 1e9

    async def sleep_until(self, deadline_s: float) -> None:
        self.ns = max(self.ns, round(deadline_s * 1e9))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def master(clock: HandClock) -> Iterator[Master]:
    """A fresh reference master in memory."""
    config = Config(encryption_key="muster golden encryption key", bcrypt_cost=4)
    with Master(Database(), clock, SeededEntropy(random.Random(1)), config) as made:
        yield made
