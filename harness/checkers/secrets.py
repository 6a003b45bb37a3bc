"""Secrets: a password or a credential is in what goes to its owner, and nowhere else.

A history holds no secrets, but shows where one was: what was taken out of an answer is marked.
"""

from collections.abc import Iterator
from typing import Any, Final

from harness.checkers.judged import Checker, Judged
from harness.observed.view import View
from harness.redact import CONFIG_KEYS, REDACTED, SECRET_KEYS

ALLOWED: Final = frozenset(
    {
        "get_artifact",
        "install",
        "login",
        "make_install_token",
        "make_key",
        "make_node",
        "poll",
        "restore_spec",
        "rotate",
        "setup",
        "task_spec",
    }
)
"""What is answered with a secret, to its owner."""

_TOLD_BY_AGENTS: Final = frozenset(
    {
        "logContent",
        "errorMessage",
        "lastError",
        "message",
        "entries",
        "databases",
        "name",
        "nodeName",
        "prefix",
    }
)
"""What agents say, and a master only repeats; and the part of an API key that anybody may see."""

_NO_SECRETS: Final = "local_disk"
"""The type of storage target whose configuration holds no secret, whatever its members are called."""

_CLAUSES: Final = {
    "dbpassword": "SEC-1",
    "token": "SEC-3",
    "newtoken": "SEC-3",
    "plainkey": "SEC-4",
}


def check(view: View, judged: Judged) -> None:
    """Look for what was taken out of the answers that must not hold a secret."""
    for kind, calls in view.by_kind.items():
        if kind in ALLOWED or (not kind.isidentifier() and not kind.startswith(("GET /api/", "P"))):
            continue
        for call in calls:
            if call.status is None:
                continue
            judged.saw("SEC-9")
            if not call.veiled or kind in ("list_dir", "discover"):
                continue
            for path, name in _veiled(call.answer, "", masks=view.recorded.keyed):
                clause = _CLAUSES.get(name.lower(), "SEC-9")
                clause = "SEC-2" if ".config." in path else clause
                judged.fails(clause, f"an answer holds a secret at {path.lstrip('.')}", call)


def _veiled(value: Any, path: str, name: str = "", *, masks: bool) -> Iterator[tuple[str, str]]:
    """Yield where something was taken out of a value: the path, and the last name on it.

    An older recorder took masks for secrets: there, no configuration shows anything.
    """
    match value:
        case dict():
            masked = {str(one).lower() for one in value.get("maskedFields") or ()}
            if value.get("type") != _NO_SECRETS:
                masked |= SECRET_KEYS
            for key, item in value.items():
                if key.lower() in CONFIG_KEYS and isinstance(item, dict):
                    secret = [one for one in item if masks and one.lower() in masked]
                    yield from (
                        (f"{path}.{key}.{one}", one) for one in secret if item[one] == REDACTED
                    )
                elif key not in _TOLD_BY_AGENTS:
                    yield from _veiled(item, f"{path}.{key}", key, masks=masks)
        case list():
            for number, item in enumerate(value):
                yield from _veiled(item, f"{path}[{number}]", name, masks=masks)
        case str() if REDACTED in value:
            yield (path, name)


CHECKER = Checker(
    name="secrets",
    says="A password or storage credential appears only in a specification sent to its owner.",
    clauses=("SEC-1", "SEC-2", "SEC-3", "SEC-4", "SEC-9"),
    needs="an administrator's answer",
    check=check,
    steady=False,
)
