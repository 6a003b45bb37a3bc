"""Mutants of AUTH and ROT: tokens that are nearly right, what a rotation must leave, who may do what."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "token-dies-offline",
        "AUTH-20",
        "The token of a node that went offline does not count.",
        (
            '_BY_CURRENT = "WHERE token = ?"',
            "_BY_CURRENT = \"WHERE token = ? AND (status = 'online' OR hostname = '')\"",
        ),
    ),
    mutant(
        "tokens-are-patterns",
        "AUTH-2",
        "A token of `*` fits every node.",
        ('_BY_CURRENT = "WHERE token = ?"', '_BY_CURRENT = "WHERE token GLOB ?"'),
    ),
    mutant(
        "old-token-in-other-letters",
        "AUTH-2",
        "The token before a rotation is compared without regard to case.",
        ('"WHERE prev_token = ? AND', '"WHERE prev_token = ? COLLATE NOCASE AND'),
    ),
    mutant(
        "white-space-is-no-body-token",
        "AUTH-2",
        "White space in place of a token in a body counts as none.",
        (
            "tokens = (report.token, token_of(call.request))",
            "tokens = (report.token.strip(), token_of(call.request))",
        ),
    ),
    mutant(
        "grace-of-the-first-rotation",
        "ROT-2",
        "A second rotation leaves the end of the grace where the first one put it.",
        (
            "prev_token_expires=now.utc_in(state.config.timings.token_grace_s)",
            "prev_token_expires=node.prev_token_expires or now.utc_in(state.config.timings.token_grace_s)",
        ),
    ),
    mutant(
        "rotation-is-a-sign-of-life",
        "ROT-6",
        "A rotation counts as a sign of life.",
        (
            "        token=token,\n        prev_token=node.token,",
            "        token=token,\n        last_seen=now.utc,\n        prev_token=node.token,",
        ),
    ),
    mutant(
        "rotation-forgets-the-version",
        "ROT-6",
        "A rotation forgets what version the agent has.",
        (
            "        token=token,\n        prev_token=node.token,",
            '        token=token,\n        agent_version="",\n        prev_token=node.token,',
        ),
    ),
    mutant(
        "rotation-forgets-the-limits",
        "ROT-6",
        "A rotation takes the limits of a node away.",
        (
            "        token=token,\n        prev_token=node.token,",
            "        token=token,\n        max_concurrent=0,\n        prev_token=node.token,",
        ),
    ),
    mutant(
        "log-in-in-other-letters",
        "AUTH-70",
        "A user logs in with their name in any letters.",
        (
            'user = state.database.find(User, "username = ?", username)',
            'user = state.database.find(User, "username = ? COLLATE NOCASE", username)',
        ),
    ),
    mutant(
        "viewers-delete-many-records",
        "AUTH-8",
        "A viewer may delete records, if it is several at a time.",
        (
            '"/api/backup/records/batch-delete"): not_viewer(',
            '"/api/backup/records/batch-delete"): signed_in(',
        ),
    ),
    mutant(
        "viewers-lock-records",
        "AUTH-8",
        "A viewer may lock and unlock records.",
        ("lambda profile: not_viewer(set_lock) if", "lambda profile: signed_in(set_lock) if"),
        profile="2.4",
    ),
)
