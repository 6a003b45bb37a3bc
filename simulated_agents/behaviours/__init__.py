"""What agents can be like: the registry that scenarios, the command line and the docs read.

To add one, write a class with hooks and give it a line here.
"""

from collections.abc import Mapping
from typing import Any, Final

from simulated_agents.behaviours.base import Behaviour
from simulated_agents.behaviours.crashing import Crashing
from simulated_agents.behaviours.garbage import Garbage
from simulated_agents.behaviours.network import Offline
from simulated_agents.behaviours.probing import Hostile, Unauthorised
from simulated_agents.behaviours.prompt import Prompt
from simulated_agents.behaviours.reporting import Cloned, Duplicating, Forgetful, Late, Silent
from simulated_agents.behaviours.work import Failing, Slow

__all__ = ["BEHAVIOURS", "OPTIONS", "Behaviour", "make"]

BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    "prompt": Prompt,
    "slow": Slow,
    "failing": Failing,
    "crashing": Crashing,
    "offline": Offline,
    "silent": Silent,
    "forgetful": Forgetful,
    "duplicating": Duplicating,
    "late": Late,
    "cloned": Cloned,
    "hostile": Hostile,
    "unauthorised": Unauthorised,
    "garbage": Garbage,
}

OPTIONS: Final[dict[str, dict[str, str]]] = {
    name: dict(behaviour.OPTIONS) for name, behaviour in BEHAVIOURS.items()
}
"""Behaviour to option to kind: `duration`, `text`, `number`, `flag`, `agent`, `choice:a|b|c`."""


def make(name: str, options: Mapping[str, Any] | None = None) -> Behaviour:
    """Return a new behaviour, for one agent.

    Args:
        name: a key of `BEHAVIOURS`.
        options: its options by their names there; durations are in seconds.

    Raises:
        ValueError: there is no such behaviour or option, or an option has a wrong value.

    """
    if name not in BEHAVIOURS:
        raise ValueError(f"no behaviour {name!r}; there are {', '.join(BEHAVIOURS)}")
    kinds = OPTIONS[name]
    arguments: dict[str, Any] = {}
    for option, value in (options or {}).items():
        if option not in kinds:
            known = ", ".join(kinds) or "none"
            raise ValueError(f"behaviour {name!r} has no option {option!r}; its options: {known}")
        arguments[option + "_s" if kinds[option] == "duration" else option] = value
    return BEHAVIOURS[name](**arguments)
