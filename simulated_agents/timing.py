"""How often an agent beats and polls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How often an agent does what, in seconds; the defaults are the real agent's."""

    heartbeat_s: float = 15.0
    poll_s: float = 5.0

    def __post_init__(self) -> None:
        if not (self.heartbeat_s > 0 and self.poll_s > 0):
            raise ValueError(f"intervals must be more than 0 seconds: {self}")

    def faster(self, factor: float) -> "Timing":
        """Return the same timing, `factor` times as fast."""
        return Timing(self.heartbeat_s / factor, self.poll_s / factor)
