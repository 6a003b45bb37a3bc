"""What each release does, one frozen value a release.

A difference between releases is one field here, read at one place in the code.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One release of the protocol.

    Attributes:
        name: what `--profile` takes and scenario files name.
        release: the version a master of this profile reports about itself.

    """

    name: str
    release: str


PROFILES: dict[str, Profile] = {
    "2.0": Profile(name="2.0", release="v2.0.0"),
}
"""Every profile by its name."""

DEFAULT_PROFILE = "2.0"
