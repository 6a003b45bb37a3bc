"""What a history is of: the first line of its file."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

VERSION: Final = 1
"""Of the form that histories are written in."""


class About(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a history is of: the first line of its file.

    Attributes:
        muster: says what kind of file it is.
        version: of its form.
        profile: the release that was played with; `None` where the recorder does not know.
        scenario: which one was played, if one was.
        timings: the master's timers, in seconds, as far as they are known, by the names that
            `master.config.Timings` has for them.
        slack_s: how late, in seconds, something may be noticed; `None` where nobody measured it.
        recorder: the program that stood in the way and wrote it down; `None` where muster played.
        target: what that stood before.
        started: when it began, in UTC.
        zone_s: how far east of UTC the master's machine is, in seconds.

    """

    muster: Literal["history"] = "history"
    version: int = VERSION
    profile: str | None = None
    scenario: str | None = None
    timings: dict[str, float] = {}
    slack_s: float | None = None
    recorder: str | None = None
    target: str | None = None
    started: str | None = None
    zone_s: int = 0

    def line(self) -> bytes:
        """Return it as a JSON line."""
        shown = {"muster": self.muster, "version": self.version}
        return msgspec.json.encode(shown | msgspec.to_builtins(self)) + b"\n"
