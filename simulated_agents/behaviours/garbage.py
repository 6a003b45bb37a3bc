"""An agent that sends nonsense before it sends sense."""

from collections.abc import Mapping
from typing import ClassVar, Final

from simulated_agents.behaviours.base import Behaviour
from simulated_agents.behaviours.probing import paths_of
from simulated_agents.job import Report
from simulated_agents.life import Life, Point
from simulated_agents.messages import Command

HUGE: Final = 262_144
"""How long a huge field is, in bytes."""

NO_JSON: Final = (
    b"",
    b"garbage",
    b'{"success":true,',
    b"\xff\xfe{}",
    b"[1,2,3]",
    b'"text"',
    b"17",
)
"""Bodies that no endpoint can read."""

BAD_RESULTS: Final = (
    *NO_JSON,
    b'{"success":"yes"}',
    b'{"success":1}',
    b'{"errorMessage":{},"success":true}',
)

BAD_UPDATES: Final = (
    *NO_JSON,
    b'{"status":1}',
    b'{"status":["success"]}',
    b'{"logAppend":false}',
    b'{"errorMessage":{}}',
)

BAD_SIZES: Final = (
    b'{"fileSize":"12"}',
    b'{"fileSize":1.5}',
    b'{"fileSize":9223372036854775808}',
    b'{"fileSize":-1}',
)
"""Only backups have sizes; the last one is well-formed, and without effect."""


class Garbage(Behaviour):
    """Sends malformed and oversized record updates and results, and then the right ones."""

    OPTIONS: ClassVar[Mapping[str, str]] = {"size": "number"}

    def __init__(self, size: int = HUGE) -> None:
        self._size = size

    async def at(self, point: Point, command: Command, life: Life) -> None:
        """Send bad updates to the command's record, once it is known to run."""
        if point is not Point.STARTED:
            return
        for path in sorted(paths_of(command)):
            if path.startswith("/api/agent/records/"):
                await _send(life, path, (*BAD_UPDATES, *BAD_SIZES, self._huge("logAppend")))
            elif path.startswith("/api/agent/restores/") and not path.endswith("/spec"):
                await _send(life, path, (*BAD_UPDATES, self._huge("logAppend")))

    async def report(self, command: Command, report: Report, life: Life) -> None:
        """Send bad results, then the good one."""
        path = f"/api/agent/commands/{command.id}/result"
        await _send(life, path, (*BAD_RESULTS, self._huge("success")))
        await super().report(command, report, life)

    def _huge(self, key: str) -> bytes:
        return b'{"%s":"%s"}' % (key.encode(), b"x" * self._size)


async def _send(life: Life, path: str, bodies: tuple[bytes, ...]) -> None:
    for body in bodies:
        await life.attempt(life.client.call("POST", path, body))
