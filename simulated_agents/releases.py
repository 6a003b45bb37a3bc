"""What agents of different releases do differently, one frozen value a release.

A master of one release meets agents of others, so an agent's release is its own and is named as
profiles are. A difference is one field, read at one place.
"""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What one release of the agent does; see protocol 6.

    Attributes:
        version: what its heartbeats say.
        token_in_heartbeat: a heartbeat's body has the token too.
        says: what its log lines about directories begin with: one that is packed, one that cannot be
            read.
        makes_room_first: it makes its temporary folder before it asks what the work is.
        tries_every_target: an upload that failed does not keep it from the other targets; it
            reports each of them, and the first that worked as the backup's own.
        record_folders: what it stores lies in a folder of its record's own.
        relays: it hands backups to the master, and fetches them there, where the specification
            says so.
        deletes_what_is_gone: to delete a backup that is not there is a success.
        packs_zstd: it compresses with zstd too, where a task says so; others leave such backups as
            they are.
        checks_backups: it compares a backup's checksum before it restores it.
        follows_redirects: it goes where an answer leads, with its token.
        tries_again_s: after how many seconds it sends again what ends a record or a command and was
            not answered, try by try; the real ones never do.

    """

    version: str
    token_in_heartbeat: bool = True
    says: tuple[str, str] = ("📁", "⚠")
    makes_room_first: bool = False
    tries_every_target: bool = False
    record_folders: bool = False
    relays: bool = False
    deletes_what_is_gone: bool = False
    packs_zstd: bool = False
    checks_backups: bool = False
    follows_redirects: bool = True
    tries_again_s: tuple[float, ...] = ()


_V2_0_0: Final = Release(version="v2.0.0")
_V2_3_4: Final = replace(_V2_0_0, version="v2.3.4", makes_room_first=True)
_V2_3_5: Final = replace(_V2_3_4, version="v2.3.5", tries_every_target=True)
_V2_4_0: Final = replace(
    _V2_3_5,
    version="v2.4.0",
    says=("[DIR]", "[WARN]"),
    token_in_heartbeat=False,
    record_folders=True,
    relays=True,
    deletes_what_is_gone=True,
    packs_zstd=True,
    checks_backups=True,
    follows_redirects=False,
)
_STRICT: Final = replace(_V2_4_0, tries_again_s=(0.2, 0.4, 0.8, 1.6))

RELEASES: Final[dict[str, Release]] = {
    "2.0": _V2_0_0,
    "2.3.4": _V2_3_4,
    "2.3.5": _V2_3_5,
    "2.4": _V2_4_0,
    "strict": _STRICT,  # the same wire
}
"""Every release by the name of its profile."""

DEFAULT_RELEASE: Final = RELEASES["2.0"]
