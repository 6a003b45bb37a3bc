"""The reference answers byte for byte as each release of BackupX did, in `tests/golden`.

Stories that need two requests at once, the passing of time or a socket are played against a
server process; the others in this process, which is faster.
"""

import random
import re
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import trio
from conftest import HandClock

from harness.sites.served import serve_master
from harness.target import SeededEntropy
from master.config import Config, Timings
from master.core import Master
from master.objects import DiskObjects
from master.protocol.exchange import Request
from master.protocol.profiles import PROFILES
from master.store.database import Database

HERE = Path(__file__).parent / "golden"
sys.path.insert(0, str(HERE))

from replay import (  # noqa: E402 - the engine is beside its data
    FOLDER,
    Answer,
    Difference,
    Query,
    Story,
    load,
    over_tcp,
    replay,
)

NOT_STORIES = {"schema", "real"}
SERVED = {
    "cron",
    "events",
    "http",
    "leases",
    "metrics",
    "older_agent",
    "real_agent",
    "relay",
    "rpc",
    "timeouts",
}

NOT_BUILT = re.compile(r"/logs/stream")
"""Streaming logs live is no business of a reference for conformance."""

CONFIGURED = re.compile(r"FROM system_configs|password_hash")
"""How long a generated secret is, and what a password hash costs, is each server's own choice."""

RELEASES = {profile.release: profile for profile in PROFILES.values() if profile.name != "strict"}

RECORDED = [
    (release, path.stem)
    for release in RELEASES
    for path in sorted((HERE / release).glob("*.json"))
    if path.stem not in NOT_STORIES
]


def story(release: str, name: str) -> Story:
    return load(HERE / release / f"{name}.json")


def built(differences: Iterable[Difference]) -> list[str]:
    """Return the differences about what the reference has."""
    shown = [str(one) for one in differences]
    return [one for one in shown if not NOT_BUILT.search(one) and not CONFIGURED.search(one)]


@pytest.mark.parametrize(("release", "name"), [each for each in RECORDED if each[1] not in SERVED])
def test_story_in_process(release: str, name: str, clock: HandClock, tmp_path: Path) -> None:
    """Each recorded answer, and each row and file it left behind, is the reference's too."""
    profile = RELEASES[release]
    config = Config(encryption_key="muster golden encryption key", bcrypt_cost=4, profile=profile)
    database, entropy = Database(release=profile.release), SeededEntropy(random.Random(1))
    with Master(database, clock, entropy, config, objects=DiskObjects()) as master:
        differences = built(_play_here(story(release, name), master, tmp_path / FOLDER))

    assert not differences, "\n".join(differences[:5]) + f"\n{len(differences)} differences"


def _play_here(recorded: Story, master: Master, folder: Path) -> list[Difference]:
    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        lowered = {key.lower(): value.strip() for key, value in headers.items()}
        request = Request(method, unquote(path), lowered, body, query)
        response = trio.run(master.handle, request)
        shown = b"" if method == "HEAD" else response.body
        return response.status, dict(response.all_headers()), shown

    def query(sql: str) -> list[list[Any]]:
        return [list(row) for row in master.state.database.query(sql)]

    return list(replay(recorded, send, query, folder=folder))


@pytest.mark.parametrize(("release", "name"), [each for each in RECORDED if each[1] in SERVED])
def test_story_on_a_server(release: str, name: str, tmp_path: Path) -> None:
    """The same holds over TCP, while calls wait for agents and monitors act."""
    timings = Timings(
        command_scan_s=0.2, offline_scan_s=0.2, metrics_scan_s=0.2, list_dir_timeout_s=2.0
    )
    recorded = story(release, name)
    differences = trio.run(_play_served, recorded, RELEASES[release].name, timings, tmp_path)

    assert not differences, "\n".join(differences[:5]) + f"\n{len(differences)} differences"


async def _play_served(recorded: Story, profile: str, timings: Timings, folder: Path) -> list[str]:
    async with serve_master(timings, profile, set_up=False) as served:
        send, query = over_tcp(served.url), _querier(served.database)
        playing = partial(replay, recorded, send, query, folder=folder / FOLDER)
        return await trio.to_thread.run_sync(lambda: built(playing()))


def _querier(database: Path) -> Query:
    def query(sql: str) -> list[list[Any]]:
        with closing(sqlite3.connect(database, timeout=5)) as connection, connection:
            return [list(row) for row in connection.execute(sql)]

    return query
