"""An agent that dies in the middle of its work."""

from collections.abc import Mapping
from typing import ClassVar

from simulated_agents.behaviours.base import Behaviour
from simulated_agents.life import Crashed, Life, Point
from simulated_agents.messages import Command

_POINTS = tuple(point for point in Point if point is not Point.REPORTED)


class Crashing(Behaviour):
    """Crashes at a point of its commands' lives, on each of them or on the first few."""

    OPTIONS: ClassVar[Mapping[str, str]] = {
        "at": "choice:" + "|".join(_POINTS),
        "restart_after": "duration",
        "times": "number",
    }

    def __init__(
        self,
        at: str = Point.WORKING,
        restart_after_s: float | None = None,
        times: int | None = None,
    ) -> None:
        if at not in _POINTS:
            raise ValueError(f"at must be one of {', '.join(_POINTS)}, not {at!r}")
        self._point = Point(at)
        self._restart_after_s = restart_after_s
        self._left = times

    async def at(self, point: Point, command: Command, life: Life) -> None:  # noqa: ARG002
        """Die, if this is the point."""
        if point is not self._point or self._left == 0:
            return
        if self._left is not None:
            self._left -= 1
        raise Crashed(self._restart_after_s)
