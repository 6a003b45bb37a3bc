"""Who may have an agent look around, and when it is asked, release by release."""

from pathlib import Path

import pytest
import trio
from cluster import EVERY, Cluster, cluster, profiles

from harness.clock import VirtualClock
from master.protocol.exchange import Request
from master.waiters import Waiters

FORBIDDEN = (403, "AUTH_FORBIDDEN")


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("role", ["admin", "operator", "viewer"])
def test_who_may_list_a_directory(profile: str, role: str, tmp_path: Path) -> None:
    """Everybody, until the release that keeps viewers from looking around."""
    with cluster(profile) as one:
        path = f"/api/nodes/1/fs/list?path={tmp_path}"
        seen = one.refusal("GET", path, key=one.key(role))

        allowed = role != "viewer" or profile in profiles("viewers_list_directories")
        assert seen == ((200, "OK") if allowed else FORBIDDEN)


@pytest.mark.parametrize("profile", EVERY)
def test_a_viewer_is_refused_before_anything_is_looked_at(profile: str) -> None:
    """An unreadable id is not told apart from a node that is not there."""
    with cluster(profile) as one:
        seen = one.refusal("GET", "/api/nodes/none/fs/list", key=one.key("viewer"))

        allowed = profile in profiles("viewers_list_directories")
        assert seen == ((500, "INTERNAL_ERROR") if allowed else FORBIDDEN)


def asked(one: Cluster, method: str, path: str, body: bytes = b"") -> int | None:
    """Ask a silent node's agent for something, and return the status, or None while it waits."""
    clock = VirtualClock()
    object.__setattr__(one.state, "waiters", Waiters(clock))
    seen: list[int] = []

    async def ask() -> None:
        headers = {"authorization": f"Bearer {one.admin}"}
        seen.append((await one.master.handle(Request(method, path, headers, body))).status)

    async def main() -> None:
        with trio.move_on_after(1):
            await ask()

    trio.run(main, clock=clock)
    return seen[0] if seen else None


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("what", ["list_dir", "discover_db"])
def test_a_silent_agent_is_asked(profile: str, what: str) -> None:
    """Its stored status still says online; only where silence counts everywhere it is not asked."""
    with cluster(profile) as one:
        node_id, _ = one.node()
        one.wait(46)
        if what == "list_dir":
            status = asked(one, "GET", f"/api/nodes/{node_id}/fs/list")
        else:
            wanted = f'{{"type":"mysql","host":"h","port":1,"user":"u","password":"p","nodeId":{node_id}}}'
            status = asked(one, "POST", "/api/database/discover", wanted.encode())

        refused = profile in profiles("presence_everywhere")
        assert status == (400 if refused else None)
        assert [kind for _, kind, _ in one.commands()] == ([] if refused else [what])
