"""A mutant: the reference master with a few lines changed, so that it breaks one clause.

A clause about agents is broken by a change of our own agent, which is a reference too.

It is data, a change to source text, and so it reaches what no patch at run time does: constants
that others have imported, statements, tables made at import.
A text is looked for in the whole of the reference and must stand there once; so a mutant survives
its function's move to another module, and never means something else than it did.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import master

Sources = Mapping[str, str]
"""The text of each module of the reference, by its path: `master/service.py`."""

AGENTS: Final = "AGT"
"""The area whose clauses are about agents."""

ROOT = Path(master.__file__).resolve().parent.parent


class MutantError(Exception):
    """A mutant that cannot be made: its text is not there, not there once, or compiles to nothing."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of source text.

    Attributes:
        old: what stands in the reference, exactly once in all the modules of that side.
        new: what stands there instead.

    """

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A master, or an agent, that breaks one clause.

    Attributes:
        name: what it is called, among all mutants.
        clause: the id of the clause that it breaks.
        wrong: what it does, in one sentence.
        edits: what makes it of the reference.
        profile: what it is played as; the first of its clause's when `None`.

    """

    name: str
    clause: str
    wrong: str
    edits: tuple[Edit, ...]
    profile: str | None = None

    @property
    def area(self) -> str:
        """Return the area of its clause."""
        return self.clause.partition("-")[0]

    @property
    def room(self) -> str:
        """Return the package that it changes."""
        return "simulated_agents" if self.area == AGENTS else "master"

    def apply(self, sources: Sources | None = None) -> dict[str, str]:
        """Return the text of each module that this mutant changes, by its path.

        Args:
            sources: what is changed; the reference when left out.

        Raises:
            MutantError: an edit does not apply, or its result does not compile.

        """
        sources = reference(self.room) if sources is None else sources
        changed: dict[str, str] = {}
        for edit in self.edits:
            path = self._place(edit, {**sources, **changed})
            changed[path] = changed.get(path, sources[path]).replace(edit.old, edit.new)
        for path, text in changed.items():
            try:
                compile(text, path, "exec")
            except SyntaxError as error:
                raise MutantError(
                    f"mutant {self.name}: {path}:{error.lineno} does not compile: {error.msg}"
                ) from None
        return changed

    def _place(self, edit: Edit, sources: Sources) -> str:
        """Return the one module that an edit is about."""
        places = [path for path, text in sources.items() for _ in range(text.count(edit.old))]
        if edit.old == edit.new or not edit.old:
            raise MutantError(f"mutant {self.name}: an edit changes nothing: {edit.old!r}")
        if not places:
            raise MutantError(
                f"mutant {self.name}: expected this text in the reference, where it is no more:"
                f"\n{edit.old}\nBring the mutant up to date with the code it breaks."
            )
        if len(places) > 1:
            raise MutantError(
                f"mutant {self.name}: expected this text once, found it in {', '.join(places)}:"
                f"\n{edit.old}\nTake more of what stands around it."
            )
        return places[0]

    def diff(self, sources: Sources | None = None) -> str:
        """Return what it changes, as a unified diff.

        Raises:
            MutantError: as `apply`.

        """
        sources = reference(self.room) if sources is None else sources
        return "".join(
            line
            for path, text in self.apply(sources).items()
            for line in difflib.unified_diff(
                sources[path].splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"a/{path}",
                f"b/{path}",
            )
        )


def mutant(
    name: str, clause: str, wrong: str, *edits: tuple[str, str], profile: str | None = None
) -> Mutant:
    """Return a mutant; each edit is what stands in the reference, and what stands there instead."""
    return Mutant(name, clause, wrong, tuple(Edit(*edit) for edit in edits), profile)


@cache
def reference(room: str) -> Sources:
    """Return the source of the reference master, `master`, or of our agent, `simulated_agents`."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in sorted((ROOT / room).rglob("*.py"))
    }
