"""Whether the master lives, and whether it can work: for whoever starts and watches it."""

import sqlite3
from typing import Final

from master.call import Call
from master.protocol import times, wire
from master.protocol.exchange import Response
from master.protocol.times import NS
from master.protocol.wire import Outbound
from master.state import State


class Live(Outbound, frozen=True, kw_only=True):
    """The process answers."""

    status: str
    timestamp: str
    uptime: int
    version: str


class Ready(Outbound, frozen=True, kw_only=True):
    """The process can work, or cannot."""

    checks: dict[str, str]
    status: str
    timestamp: str
    uptime: int
    version: str


def _timestamp(call: Call) -> str:
    return times.wire_text(times.db_text(call.now.ns // NS * NS))


def _uptime(state: State, call: Call) -> int:
    return max(call.now.ns - state.started.ns, 0) // NS


def live(state: State, call: Call) -> Response:
    """`GET /health`: always 200, without an envelope."""
    answer = Live(
        status="live",
        timestamp=_timestamp(call),
        uptime=_uptime(state, call),
        version=state.config.profile.release,
    )
    return Response(200, wire.encode(answer))


def ready(state: State, call: Call) -> Response:
    """`GET /ready`: 503 when the database does not answer."""
    try:
        state.database.query("SELECT 1")
        check = "ok"
    except sqlite3.Error as error:
        check = f"ping failed: {error}"
    answer = Ready(
        checks={"database": check},
        status="ready" if check == "ok" else "not_ready",
        timestamp=_timestamp(call),
        uptime=_uptime(state, call),
        version=state.config.profile.release,
    )
    return Response(200 if check == "ok" else 503, wire.encode(answer))


ROUTES: Final = {
    ("GET", "/health"): live,
    ("GET", "/api/health"): live,
    ("GET", "/ready"): ready,
    ("GET", "/api/ready"): ready,
}
