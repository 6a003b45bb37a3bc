"""What program is judged, and what it is told."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.faults.values import Plan as Faults
from simulated_agents.timing import Timing

PLACEHOLDERS: Final[dict[str, str]] = {
    "{url}": "the master's base URL",
    "{token_file}": "a file with the token of the node in it",
    "{token}": "the token itself, which every user of the machine then sees",
    "{name}": "the name of the node",
    "{temp_dir}": "a folder for temporary files",
}
"""What may stand in the arguments of the program, and for what."""

MARK: Final = "MUSTER_TOKEN_FILE"
"""The variable whose value is another for each process: by it a process and all its heirs are known."""

REAL: Final = Timing()


@dataclass(frozen=True, slots=True)
class Told:
    """What one process is told.

    Attributes:
        url: where its master is.
        token: of its node.
        token_file: holds the token.
        name: of its node.
        temp_dir: where its temporary files go.

    """

    url: str
    token: str = field(repr=False)
    token_file: Path
    name: str
    temp_dir: Path


@dataclass(frozen=True, slots=True)
class Trial:
    """What is judged.

    Attributes:
        command: the program and its arguments, with `PLACEHOLDERS`.
        pace: how often it is told to beat and to poll.
        faults: what happens to its calls, beside what scenarios say.
        output: the folder where what it writes is kept, without secrets; `None` keeps nothing.
        keep: leave the folders of the scenarios.
        options: those of the command that judges it so, in words.

    """

    command: tuple[str, ...]
    pace: Timing
    faults: Faults = field(default_factory=Faults)
    output: Path | None = None
    keep: bool = False
    options: tuple[str, ...] = ()

    @property
    def speed(self) -> float:
        """Return how much faster than written literal durations of scenarios pass."""
        return REAL.heartbeat_s / self.pace.heartbeat_s

    def again(self, path: Path, case: str | None) -> str:
        """Return the command that plays one scenario again."""
        which = ["--scenarios", str(path), *(["--case", case] if case else [])]
        return shlex.join(["muster", "agent-test", *which, *self.options, "--", *self.command])

    def arguments(self, told: Told) -> list[str]:
        """Return the program and its arguments for one process."""
        values = {
            "{url}": told.url,
            "{token_file}": str(told.token_file),
            "{token}": told.token,
            "{name}": told.name,
            "{temp_dir}": str(told.temp_dir),
        }
        return [_filled(word, values) for word in self.command]

    def environment(self, told: Told, profile: str, own: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of one process.

        Args:
            told: what it is told.
            profile: the release that it is judged as.
            own: muster's own environment.

        """
        return {
            **own,
            "MUSTER_URL": told.url,
            "MUSTER_TOKEN": told.token,
            MARK: str(told.token_file),
            "MUSTER_PROFILE": profile,
            "BACKUPX_AGENT_MASTER": told.url,
            "BACKUPX_AGENT_TOKEN": told.token,
            "BACKUPX_AGENT_HEARTBEAT": _duration(self.pace.heartbeat_s),
            "BACKUPX_AGENT_POLL": _duration(self.pace.poll_s),
            "BACKUPX_AGENT_TEMP_DIR": str(told.temp_dir),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }


def _filled(word: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


def _duration(seconds: float) -> str:
    """Return a duration as Go and muster read it."""
    return f"{round(seconds * 1_000)}ms"
