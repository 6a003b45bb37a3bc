"""Ways to a target: over its own certificates, below its path, with the time that calls may take."""

from collections.abc import Callable

from harness.sites.file import TargetFile
from simulated_agents.ports.http import TIMEOUT_S, HttpPort


def port_maker(target: TargetFile, timeout_s: float = TIMEOUT_S) -> Callable[[], HttpPort]:
    """Return what makes a new way to a target, with connections of its own.

    Args:
        target: the server.
        timeout_s: the limit on a whole call; a quarter of a minute tells a server that is not there.

    """
    return lambda: HttpPort(target.url, timeout_s=timeout_s, ca=target.ca)
