"""What is in a backup: the list that a master keeps of a backup that it made itself.

Agents keep none, so for theirs there is nothing to show; a database of the real master may have
some.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from master.admin.access import Caller, signed_in
from master.admin.records import find
from master.call import Call
from master.http import ByProfile, Handler, success
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Outbound
from master.state import State
from master.store.rows import Record

MOST: Final = 10_000
"""How many entries are shown."""


class Entry(Outbound, frozen=True, kw_only=True):
    """A file or a directory."""

    path: str
    size: int
    isDir: bool


class Contents(Outbound, frozen=True, kw_only=True):
    """A backup's entries by path; of a differential one, those of the full one it builds on."""

    recordId: int
    total: int
    truncated: bool
    basedOnFull: int = 0
    entries: list[Entry]


class _StoredEntry(Struct):
    """An entry, as the row has it."""

    path: str = msgspec.field(default="", name="p")
    size: int = msgspec.field(default=0, name="s")
    is_dir: bool = msgspec.field(default=False, name="d")


class _Manifest(Struct):
    """All entries, as the row has them."""

    entries: list[_StoredEntry] | None = None


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/backup/records/:id/contents`.

    Raises:
        ApiError: INVALID_ID, BACKUP_RECORD_NOT_FOUND, BACKUP_CONTENTS_UNAVAILABLE,
            BACKUP_CONTENTS_DECODE_FAILED.

    """
    record = find(state, call.admin_id())
    stored, base_id = record.manifest, 0
    if not stored.strip():
        base = state.database.get(Record, record.base_record_id)
        if base is not None:
            stored, base_id = base.manifest, base.id
    if not stored.strip():
        raise ApiError("BACKUP_CONTENTS_UNAVAILABLE")
    try:
        manifest = msgspec.json.decode(stored, type=_Manifest)
    except msgspec.DecodeError:
        raise ApiError("BACKUP_CONTENTS_DECODE_FAILED") from None
    found = sorted(manifest.entries or [], key=lambda entry: entry.path)
    shown = [Entry(path=one.path, size=one.size, isDir=one.is_dir) for one in found[:MOST]]
    return success(
        Contents(
            recordId=record.id,
            total=len(found),
            truncated=len(found) > MOST,
            basedOnFull=base_id,
            entries=shown,
        )
    )


ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    ("GET", "/api/backup/records/:id/contents"): ByProfile(
        lambda profile: signed_in(get) if profile.backup_contents else None
    ),
}
