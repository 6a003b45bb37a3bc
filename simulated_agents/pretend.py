"""The machine that every simulated agent seems to run on: a few directories, two database servers."""

from typing import Final

TREE: Final[dict[str, tuple[tuple[str, bool, int], ...]]] = {
    "/": (
        ("README", False, 412),
        ("data", True, 0),
        ("etc", True, 0),
        ("home", True, 0),
        ("srv", True, 0),
        ("tmp", True, 0),
    ),
    "/data": (
        ("archive", True, 0),
        ("invoices.db", False, 8_192_000),
        ("photos", True, 0),
        ("notes.txt", False, 2_048),
    ),
    "/data/archive": (("2025.tar", False, 73_400_320), ("2024.tar", False, 68_157_440)),
    "/data/photos": (("a.jpg", False, 245_760), ("b <&> ü.jpg", False, 184_320)),
    "/etc": (("hosts", False, 158), ("passwd", False, 1_204)),
    "/home": (("anna", True, 0), ("ben", True, 0)),
    "/home/anna": (("diary.txt", False, 9_216),),
    "/home/ben": (),
    "/srv": (("www", True, 0),),
    "/srv/www": (("index.html", False, 640),),
    "/tmp": (),  # noqa: S108 - a name in a make-believe tree
}
"""Directory to its entries: name, whether it is a directory, size."""

DATABASES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "mysql": ("MySQL", ("orders", "shop")),
    "postgresql": ("PostgreSQL", ("ledger", "shop")),
}
"""Type of server to its label in messages and its databases."""
