"""Mutants of SEC beyond those of whoever shows a secret: install tokens, and what is kept of secrets."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "install-token-good-for-ever",
        "SEC-12",
        "The expiry of an install token is not looked at.",
        (
            '"token = ? AND consumed_at IS NULL AND expires_at > ?"',
            "\"token = ? AND consumed_at IS NULL AND ? <> ''\"",
        ),
    ),
    mutant(
        "install-token-good-for-many",
        "SEC-5",
        "An install token is never marked as used.",
        (
            (
                "    state.database.update(InstallToken, token.id, consumed_at=call.now.utc)\n"
                "    node ="
            ),
            "    node =",
        ),
    ),
    mutant(
        "rotated-token-may-be-stored",
        "SEC-6",
        "The answer with a rotated token does not forbid storing it.",
        (
            'return success({"newToken": token}, (*JSON_HEADERS, *not_stored(state.config.profile)))',
            'return success({"newToken": token})',
        ),
    ),
    mutant(
        "rotated-token-may-not-be-stored",
        "SEC-13",
        "The answer with a rotated token forbids storing it before a release did.",
        (
            'return success({"newToken": token}, (*JSON_HEADERS, *not_stored(state.config.profile)))',
            'return success({"newToken": token}, (*JSON_HEADERS, ("Cache-Control", "no-store")))',
        ),
    ),
    mutant(
        "payload-keeps-its-password",
        "SEC-7",
        "A command that was answered keeps the password it was asked with.",
        (
            "if secret is None or not state.config.profile.payloads_forget_secrets:",
            'if secret is None or command.status == "dispatched":',
        ),
    ),
    mutant(
        "audit-log-with-the-token",
        "SEC-9",
        "The audit log names a rotated token.",
        (
            'detail=f"轮换节点 Token (ID: {node.id})"',
            'detail=f"轮换节点 Token {token} (ID: {node.id})"',
        ),
    ),
    mutant(
        "install-of-anything",
        "SEC-14",
        "The version in an install script is not looked at.",
        ("    checked = profile.install_versions_checked\n", "    checked = False\n"),
    ),
    mutant(
        "install-of-versions-too-early",
        "SEC-15",
        "The version in an install script is looked at before the release that does.",
        ("    checked = profile.install_versions_checked\n", "    checked = True\n"),
    ),
    mutant(
        "install-tokens-for-an-hour",
        "SEC-12",
        "An install token counts for an hour, whatever it was made for.",
        ("        expires_at=now.utc_in(ttl_s),", "        expires_at=now.utc_in(3_600),"),
    ),
)
