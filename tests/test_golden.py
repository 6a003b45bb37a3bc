"""The reference master answers byte for byte as BackupX v2.0.0 did, in `tests/golden/v2.0.0`.

Stories that need two requests at once or the passing of time are played against a server process;
the others in this process, which is faster.
"""

import http.client
import json
import re
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import trio

from harness.served import serve_master
from master.config import Timings
from master.core import Master
from master.protocol.exchange import Request

HERE = Path(__file__).parent / "golden"
sys.path.insert(0, str(HERE))

from replay import Answer, Difference, replay  # noqa: E402 - the engine is beside its data

STORIES = HERE / "v2.0.0"
NOT_STORIES = {"schema", "real"}
SERVED = {"rpc", "timeouts"}

NOT_BUILT = re.compile(r"install-tokens|/install/|agent_install_tokens|/logs/stream")
"""Installing agents and streaming logs live are no business of a reference for conformance."""

CONFIGURED = re.compile(r"FROM system_configs|password_hash")
"""How long a generated secret is, and what a password hash costs, is each server's own choice."""

IN_PROCESS = sorted(
    path.stem for path in STORIES.glob("*.json") if path.stem not in NOT_STORIES | SERVED
)


def story(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((STORIES / f"{name}.json").read_text("utf-8"))
    return loaded


def built(differences: Iterable[Difference]) -> list[str]:
    """Return the differences about what the reference has."""
    shown = [str(one) for one in differences]
    return [one for one in shown if not NOT_BUILT.search(one) and not CONFIGURED.search(one)]


@pytest.mark.parametrize("name", IN_PROCESS)
def test_story_in_process(name: str, master: Master) -> None:
    """Each recorded answer, and each row it left behind, is the reference's too."""

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        lowered = {key.lower(): value.strip() for key, value in headers.items()}
        request = Request(method, unquote(path), lowered, body, query)
        response = trio.run(master.handle, request)
        shown = b"" if method == "HEAD" else response.body
        return response.status, dict(response.all_headers()), shown

    def query(sql: str) -> list[list[Any]]:
        return [list(row) for row in master.state.database.query(sql)]

    differences = built(replay(story(name), send, query))

    assert not differences, "\n".join(differences[:5]) + f"\n{len(differences)} differences"


@pytest.mark.parametrize("name", sorted(SERVED))
def test_story_on_a_server(name: str) -> None:
    """The same holds over TCP, while calls wait for agents and monitors act."""
    timings = Timings(command_scan_s=0.2, offline_scan_s=0.2, list_dir_timeout_s=2.0)
    differences = trio.run(_play_served, name, timings)

    assert not differences, "\n".join(differences[:5]) + f"\n{len(differences)} differences"


async def _play_served(name: str, timings: Timings) -> list[str]:
    async with serve_master(timings, "2.0", set_up=False) as served:
        return await trio.to_thread.run_sync(_play_over_tcp, name, served.url, served.database)


def _play_over_tcp(name: str, url: str, database: Path) -> list[str]:
    where = urlsplit(url)
    assert where.hostname is not None

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(where.hostname, where.port, timeout=30)) as link:
            link.request(method, target, body, dict(headers))
            answer = link.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def query(sql: str) -> list[list[Any]]:
        with closing(sqlite3.connect(database, timeout=5)) as connection, connection:
            return [list(row) for row in connection.execute(sql)]

    return built(replay(story(name), send, query))
