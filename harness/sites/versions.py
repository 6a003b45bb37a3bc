"""Which profile a server's version is, and whether that is the one it is judged as."""

import re
from typing import Final

from master.protocol.profiles import PROFILES

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(.*)")

_FIRST: Final = {
    tuple(int(part) for part in profile.release.removeprefix("v").split(".")): profile.name
    for profile in PROFILES.values()
    if profile.name != "strict"
}
"""The release that each profile begins with; those after it are alike, up to the next one's."""


def profile_of(version: str) -> str | None:
    """Return the profile that a version is of.

    `None` for what is no version, such as `dev`, and for releases before the first that is known.
    """
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    number = tuple(int(part) for part in found.groups()[:3])
    return next((_FIRST[first] for first in sorted(_FIRST, reverse=True) if first <= number), None)


def is_release(version: str) -> bool:
    """Return whether a version is exactly a release that a profile is held against."""
    return any(version == profile.release for profile in PROFILES.values())
