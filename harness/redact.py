"""Keeping secrets out of everything that is written down.

Two rules, both always: the value of a key that names a secret goes, wherever it stands; and every
secret that the run itself was given goes, whatever text it turns up in.
"""

from typing import Any, Final

REDACTED: Final = "[redacted]"

SECRET_KEYS: Final = frozenset(
    {
        "accesskeyid",
        "authorization",
        "clientsecret",
        "dbpassword",
        "installtoken",
        "newpassword",
        "newtoken",
        "oldpassword",
        "password",
        "plainkey",
        "refreshtoken",
        "secretaccesskey",
        "token",
        "x-agent-token",
        "x-api-key",
    }
)
"""Keys of the protocol that hold secrets, in lower case."""

CONFIG_KEYS: Final = frozenset({"config", "targetconfig"})
"""Keys whose mapping holds the credentials of a storage target: only its paths are shown."""

PUBLIC_CONFIG: Final = frozenset({"basepath", "bucket", "endpoint", "masterrelay", "region"})

MIN_SECRET_LENGTH: Final = 6
"""Shorter values are not searched for in texts: they would hide half of every word."""


class Redactor:
    """Knows a run's secrets and takes them out of values and texts."""

    def __init__(self) -> None:
        self._secrets: dict[str, None] = {}

    def learn(self, secret: str) -> None:
        """Remember a secret that must not be written down."""
        if len(secret) >= MIN_SECRET_LENGTH:
            self._secrets[secret] = None

    def text(self, text: str) -> str:
        """Return a text without the secrets of this run."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, REDACTED)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self.text(key): self._member(key, item) for key, item in value.items()}
            case _:
                return value

    def _member(self, key: str, value: Any) -> Any:
        folded = key.lower()
        if folded in SECRET_KEYS and value not in (None, ""):
            return REDACTED
        if folded in CONFIG_KEYS and isinstance(value, dict):
            return {
                name: self.value(item) if name.lower() in PUBLIC_CONFIG else REDACTED
                for name, item in value.items()
            }
        return self.value(value)
