"""The stream of events, for whoever has logged in."""

from typing import Final

from master.admin.access import Caller, signed_in
from master.call import Call
from master.events import EventStream
from master.protocol.exchange import Headers, Response
from master.state import State

_HEADERS: Final[Headers] = (
    ("Content-Type", "text/event-stream"),
    ("Cache-Control", "no-cache"),
    ("Connection", "keep-alive"),
    ("X-Accel-Buffering", "no"),
)


def stream(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/events/stream`: server-sent events until the client goes; credentials in headers."""
    heartbeat_s = state.config.timings.event_heartbeat_s
    body = EventStream(state.events, state.clock, heartbeat_s)
    return Response(200, headers=_HEADERS, stream=body)


ROUTES: Final = {("GET", "/api/events/stream"): signed_in(stream)}
