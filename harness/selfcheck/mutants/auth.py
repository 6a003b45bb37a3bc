"""Mutants of AUTH and ROT: who is let in, and for how long."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "authorization-first",
        "AUTH-3",
        "Authorization counts before X-Agent-Token.",
        ("    if token:\n        return token\n    authorization", "    authorization"),
        (
            'if authorization.startswith(_BEARER) else ""\n\n\ndef _node',
            "if authorization.startswith(_BEARER) else token\n\n\ndef _node",
        ),
    ),
    mutant(
        "bearer-in-any-case",
        "AUTH-4",
        "The word Bearer counts in any case.",
        (
            'return authorization[len(_BEARER) :].strip() if authorization.startswith(_BEARER) else ""',
            'return authorization[len(_BEARER) :].strip() if authorization.lower().startswith("bearer ") else ""',
        ),
    ),
    mutant(
        "old-token-never-dies",
        "ROT-3",
        "The token before the last rotation works for ever.",
        (" AND prev_token_expires IS NOT NULL AND prev_token_expires > ?", " AND ? <> ''"),
    ),
)
