"""Texts and tables made small enough for a page: each text once, in chunks that are unpacked alone.

A chunk is JSON, gzipped, in base64: a browser unpacks it with its own means, without the network and
without a library. The alphabet of base64 has no `<`, so that nothing inside can end the element it
stands in. The same values give the same bytes.
"""

import base64
import gzip
from typing import Any, Final

import msgspec

CHUNK_LENGTH: Final = 262_144
"""About how many characters of texts go into one chunk; a longer text is a chunk of its own."""


def pack(value: Any) -> str:
    """Return a JSON value as gzipped base64."""
    return base64.b64encode(gzip.compress(msgspec.json.encode(value), 6, mtime=0)).decode("ascii")


class Texts:
    """Texts by number, equal ones once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, number: int) -> str:
        return self._texts[number]

    def add(self, text: str) -> int:
        """Return a text's number, counted from 0 in the order of their first appearance."""
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return self._numbers[text]

    def chunks(self) -> tuple[list[int], list[str]]:
        """Return the number each chunk begins with, and the chunks."""
        starts: list[int] = []
        packed: list[str] = []
        chunk: list[str] = []
        length = 0
        for number, text in enumerate(self._texts):
            if chunk and length + len(text) > CHUNK_LENGTH:
                packed.append(pack(chunk))
                chunk, length = [], 0
            if not chunk:
                starts.append(number)
            chunk.append(text)
            length += len(text)
        if chunk:
            packed.append(pack(chunk))
        return starts, packed
