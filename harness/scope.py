"""The names of a scenario while it is played, and what `${…}` stands for."""

import re
from typing import Any, Final

from harness.scenario.durations import resolve, timer
from harness.scenario.model import Duration
from harness.world import World
from simulated_agents.releases import RELEASES, Release

_REFERENCE: Final = re.compile(r"\$\{([^}]+)\}")


class UnknownNameError(Exception):
    """A reference to something that is not there (a step before it did not say what it should)."""


class Scope:
    """Names and their values: agents, tasks, targets, and whatever `as` named.

    Args:
        world: where timers come from.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.names: dict[str, Any] = {}

    def tasks(self) -> list[dict[str, Any]]:
        """Return the declared tasks: what the master said of each, and the `request` for it."""
        return [value for value in self.names.values() if _is_task(value)]

    def child(self, each: Any) -> "Scope":
        """Return a scope with `each`, for one round of a loop; names given there stay there."""
        scope = Scope(self._world)
        scope.names = {**self.names, "each": each}
        return scope

    @property
    def release(self) -> Release:
        """Return the release that agents are of when nothing else is said: the master's own."""
        return RELEASES[self._world.profile]

    def look_up(self, path: str) -> Any:
        """Return what a dotted path stands for.

        Raises:
            UnknownNameError: nothing has that name.

        """
        head, *rest = path.strip().split(".")
        if head == "scratch":
            return self._world.scratch
        if head == "prefix":
            return self._world.prefix
        if head == "net":
            return self._world.net
        if head == "timing":
            return timer(rest[0], self._world.timings, self._world.agent_timing)
        if head not in self.names:
            raise UnknownNameError(f"nothing is known as {head}")
        value = self.names[head]
        for part in rest:
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                raise UnknownNameError(f"${{{path}}}: there is no {part}")
        return value

    def fill(self, value: Any) -> Any:
        """Return a value of a scenario file with its references and durations filled in.

        A text that is one reference becomes what it stands for; in longer texts references become
        text.
        """
        match value:
            case str():
                whole = _REFERENCE.fullmatch(value)
                if whole:
                    return self.look_up(whole[1])
                return _REFERENCE.sub(lambda found: str(self.look_up(found[1])), value)
            case list() | tuple():
                return [self.fill(item) for item in value]
            case dict():
                return {key: self._member(key, item) for key, item in value.items()}
            case Duration():
                return self.seconds(value)
            case _:
                return value

    def _member(self, key: str, value: Any) -> Any:
        if key == "takes" and isinstance(value, list | tuple):
            low, high = (self.seconds(bound) for bound in value)
            return [int(low - self._world.slack_s), high + self._world.slack_s]
        return self.fill(value)

    def seconds(self, duration: Duration) -> float:
        """Return a duration in seconds of the world's clock."""
        world = self._world
        return resolve(duration, world.timings, world.factor, world.agent_timing)

    def identify(self, value: Any) -> Any:
        """Return the id of what a step names: an id itself, a name, or a reference."""
        is_name = isinstance(value, str) and not value.startswith("${")
        value = self.look_up(value) if is_name else self.fill(value)
        if isinstance(value, str) and value in self.names:  # `${each}`, over a list of names
            value = self.names[value]
        return value["id"] if isinstance(value, dict) else value


def _is_task(value: Any) -> bool:
    return isinstance(value, dict) and "request" in value
