"""How a task backs up (since v2.4.0): in full, differentially, or into a repository."""

from typing import Final

from master.protocol.profiles import Profile

FULL: Final = "full"
DIFFERENTIAL: Final = "differential"
REPOSITORY: Final = "repository"


def known(profile: Profile) -> bool:
    """Return whether a release has modes, and what came with them: keeping by age, zstd, MongoDB."""
    return profile.task_modes
