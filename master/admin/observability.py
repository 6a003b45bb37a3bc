"""What monitoring reads: `/metrics`, which anybody may."""

from collections.abc import Mapping
from typing import Final

from master import metrics
from master.call import Call
from master.http import ByProfile, Handler
from master.protocol.exchange import Response
from master.state import State


def show(state: State, _: Call) -> Response:
    """`GET /metrics`."""
    samples = state.samples or metrics.release_info(state)
    body = metrics.text(samples).encode()
    return Response(200, body, (("Content-Type", metrics.CONTENT_TYPE),))


ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    ("GET", "/metrics"): ByProfile(lambda profile: show if metrics.served(profile) else None)
}
