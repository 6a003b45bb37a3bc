"""Mutants of ART: backups that go through the master."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "upload-cut-at-a-buffer",
        "ART-1",
        "Of each piece of an upload the first 4,096 bytes are written.",
        ("            writing.write(piece)\n", "            writing.write(piece[:4096])\n"),
    ),
    mutant(
        "upload-written-as-text",
        "ART-1",
        "An upload is written as text.",
        (
            "            writing.write(piece)\n",
            '            writing.write(piece.decode("utf-8", "replace").encode())\n',
        ),
    ),
    mutant(
        "upload-under-another-key",
        "ART-1",
        "An upload is stored under another key than it is read from.",
        (
            "    with state.objects.create(base, key) as writing:\n",
            '    with state.objects.create(base, key + ".part") as writing:\n',
        ),
    ),
    mutant(
        "upload-says-ok-and-forgets",
        "ART-1",
        "An upload is answered 200 and not kept.",
        ("        writing.commit()\n    return True\n", "    return True\n"),
    ),
    mutant(
        "download-of-what-the-record-says",
        "ART-1",
        "A download ends one byte early.",
        (
            "        reading.no_more_than(size_bytes)\n",
            "        reading.no_more_than(size_bytes - 1)\n",
        ),
    ),
)
