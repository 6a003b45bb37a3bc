"""One instant, read once a request, so that all that a request writes agrees."""

from dataclasses import dataclass

from master.config import Clock
from master.protocol.times import NS, db_text


@dataclass(frozen=True, slots=True)
class Now:
    """One instant, as every column wants it.

    Attributes:
        ns: nanoseconds since the epoch.
        utc: the database's text in UTC.
        local: the database's text in the master's own zone, for created_at and updated_at.

    """

    ns: int
    utc: str
    local: str

    @classmethod
    def of(cls, clock: Clock) -> "Now":
        """Read a clock once."""
        ns = clock.now_ns()
        utc = db_text(ns)
        offset_s = clock.offset_s(ns)
        return cls(ns, utc, db_text(ns, offset_s) if offset_s else utc)

    def utc_in(self, seconds: float) -> str:
        """Return the UTC text of the instant so many seconds from this one (before, if negative)."""
        return db_text(self.ns + round(seconds * NS))
