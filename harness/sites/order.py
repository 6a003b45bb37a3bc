"""How a target is to be played on, as the command line says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """How a target is to be played on.

    Attributes:
        log: takes the log of a server that muster starts.
        longest_s: for how long, in real seconds, a scenario may wait.
        keep: leave everything there that scenarios make.
        warp: let long waits move stored times instead of passing.

    """

    log: Path
    longest_s: float | None = None
    keep: bool = False
    warp: bool = False
