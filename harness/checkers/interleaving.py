"""Whether a text is made of pieces, each of which was appended whole.

A piece that was certainly appended is there once; one of which nobody knows is there at most once;
of two pieces, one over before the other began, the first stands before the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

STEPS_A_PIECE: Final = 200
"""How many tries each piece has, before it is said that nobody can tell."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One appended text.

    Attributes:
        text: the text.
        began: its place in the order of beginnings.
        ended: its place in that of ends; infinity where it may yet come.
        sure: it was certainly appended.

    """

    text: str
    began: float
    ended: float
    sure: bool


def interleaves(text: str, pieces: list[Piece], *, by_line: bool = False) -> bool | None:
    """Return whether a text is made of pieces, or `None` when that takes too long to tell.

    Args:
        text: what is there.
        pieces: in the order of their beginnings.
        by_line: a line break goes between two pieces where there is none, and blank ones are none.

    """
    if by_line:
        pieces = [one for one in pieces if one.text.strip()]
    return _Search(text, pieces, by_line=by_line).found()


class _Search:
    """Puts pieces one behind the other, the one that began first first, and goes back where it errs."""

    def __init__(self, text: str, pieces: list[Piece], *, by_line: bool) -> None:
        self._text = text
        self._pieces = pieces
        self._by_line = by_line
        self._tries = STEPS_A_PIECE * (len(pieces) + 10)
        # those that are left, as a ring: each names the next and the one before, the last is its head
        self._after = [*range(1, len(pieces) + 1), 0]
        self._before = [len(pieces), *range(len(pieces))]
        self._missing = sum(one.sure for one in pieces)
        self._at = 0  # how much of the text is made
        self._taken: list[tuple[int, int]] = []

    def found(self) -> bool | None:
        """Return whether the text can be made; `None` when the tries are used up."""
        start = 0
        while self._at < len(self._text) or self._missing:
            number = self._next(start)
            if self._tries < 0:
                return None
            if number is not None:
                self._take(number)
                start = 0
            elif self._taken:
                start = self._put_back() + 1
            else:
                return False
        return True

    def _left(self) -> Iterator[int]:
        """Yield the pieces that are left, in their order."""
        head = len(self._pieces)
        number = self._after[head]
        while number != head:
            yield number
            number = self._after[number]

    def _next(self, start: int) -> int | None:
        """Return the first piece from one on that may come next."""
        bound = float("inf")  # when the first that must still come was over: later ones come later
        for number in self._left():
            piece = self._pieces[number]
            if piece.began > bound:
                return None
            self._tries -= 1
            if number >= start and self._text.startswith(self._form(piece), self._at):
                return number
            if piece.sure:
                bound = min(bound, piece.ended)
        return None

    def _form(self, piece: Piece) -> str:
        """Return what a piece becomes where the text is now."""
        if self._by_line and self._at and self._text[self._at - 1] != "\n":
            return "\n" + piece.text
        return piece.text

    def _take(self, number: int) -> None:
        piece = self._pieces[number]
        self._taken.append((number, self._at))
        self._after[self._before[number]] = self._after[number]
        self._before[self._after[number]] = self._before[number]
        self._missing -= piece.sure
        self._at += len(self._form(piece))

    def _put_back(self) -> int:
        """Undo the last step, and return which piece it took."""
        number, self._at = self._taken.pop()
        self._after[self._before[number]] = number
        self._before[self._after[number]] = number
        self._missing += self._pieces[number].sure
        return number
