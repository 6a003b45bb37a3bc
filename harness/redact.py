"""Keeping secrets out of everything that is written down.

Two rules, both always: the value of a key that names a secret goes, wherever it stands; and every
secret that the run itself was given goes, whatever text it turns up in.
"""

import json
import re
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import msgspec

from master.protocol.exchange import Request

REDACTED: Final = "[redacted]"

SECRET_KEYS: Final = frozenset(
    {
        "accesskeyid",
        "apikey",
        "authorization",
        "clientsecret",
        "currentpassword",
        "dbpassword",
        "encryptionkey",
        "installtoken",
        "jwtsecret",
        "newpassword",
        "newtoken",
        "oldpassword",
        "otpauthurl",
        "password",
        "plainkey",
        "qrcodedataurl",
        "recoverycodes",
        "refreshtoken",
        "scriptbase64",
        "secret",
        "secretaccesskey",
        "token",
        "trusteddevicetoken",
        "twofactorcode",
        "x-agent-token",
        "x-api-key",
    }
)
"""Keys of the protocol that hold secrets, in lower case."""

CONFIG_KEYS: Final = frozenset({"config", "targetconfig"})
"""Keys whose mapping holds the credentials of a storage target: only its paths are shown."""

PUBLIC_CONFIG: Final = frozenset({"basepath", "bucket", "endpoint", "masterrelay", "region"})

MASK: Final = "********"
"""What masters show in place of a secret; that they do is worth seeing."""

CREDENTIAL_HEADERS: Final = ("authorization", "x-agent-token", "x-api-key")

MIN_SECRET_LENGTH: Final = 6
"""Shorter values are not searched for in texts: they would hide half of every word."""


_IN_TEXT: Final = re.compile(
    r'((?:"|\\")(?:'
    + "|".join(sorted(SECRET_KEYS))
    + r')(?:"|\\")\s*:\s*(?:"|\\"))[^"\\]+("|\\"|$)',
    re.IGNORECASE,
)
"""A secret's key and value in a text that may be no JSON, or JSON inside a string."""


_IN_PATH: Final = re.compile(r"/install/([^/?]+)")
"""An install token in the path of a request."""

_IN_QUERY: Final = re.compile(
    rf"(?<![^?&\s])((?:{'|'.join(sorted(SECRET_KEYS))})=)(?!{re.escape(REDACTED)})[^&\s\"]+",
    re.IGNORECASE,
)
"""A secret's name and value in the query of a request, or in a body that is a form."""

_IN_SCRIPT: Final = re.compile(r'(AGENT_TOKEN(?:=|: )")[^"\n]+(")')
"""A node's token in an install script or a compose file."""


_KEPT_MAX: Final = 8_192
"""How many texts are kept that were looked through already: most of a history says the same."""

_KEPT_LENGTH: Final = 256


class Redactor:
    """Knows a run's secrets and takes them out of values and texts."""

    def __init__(self) -> None:
        self._secrets: dict[str, None] = {}
        self._names: dict[str, str] = {}
        self._kept: dict[str, str] = {}

    def learn(self, secret: str) -> None:
        """Remember a secret that must not be written down."""
        if len(secret) >= MIN_SECRET_LENGTH and secret != MASK:
            if secret in self._secrets:
                return
            for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
                self._secrets[form] = None
            self._kept.clear()

    def rename(self, text: str, name: str) -> None:
        """Write a name in the place of a text that is another in every run, such as a folder."""
        self._names[text] = name
        self._kept.clear()

    def learn_from(self, value: Any, key: str = "") -> None:
        """Remember every secret that a JSON value holds, by the keys it stands behind."""
        match value:
            case dict():
                for name, item in value.items():
                    if name.lower() in CONFIG_KEYS and isinstance(item, dict):
                        self._learn_config(item)
                    else:
                        self.learn_from(item, name)
            case list():
                for item in value:
                    self.learn_from(item, key)
            case str() if key.lower() in SECRET_KEYS:
                self.learn(value)
            case str() if value[:1] in ("{", "["):
                with suppress(msgspec.DecodeError):
                    self.learn_from(msgspec.json.decode(value), key)

    def learn_request(self, request: Request) -> None:
        """Remember the secrets that a request brings, in its headers, its path, its query and its body."""
        if found := _IN_PATH.search(request.path):
            self.learn(found[1])
        for name, value in parse_qsl(request.query):
            self.learn_from(value, name)
        for name in CREDENTIAL_HEADERS:
            self.learn(request.headers.get(name, "").removeprefix("Bearer ").strip())
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            self.learn_from(msgspec.json.decode(request.body))

    def _learn_config(self, config: dict[str, Any]) -> None:
        for name, item in config.items():
            if name.lower() not in PUBLIC_CONFIG and isinstance(item, str):
                self.learn(item)
            elif isinstance(item, dict | list):
                self.learn_from(item, name)

    def text(self, text: str) -> str:
        """Return a text without the secrets of this run."""
        if len(text) > _KEPT_LENGTH:
            return self._text(text)
        clean = self._kept.get(text)
        if clean is None:
            clean = self._text(text)
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            self._kept[text] = clean
        return clean

    def _text(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, REDACTED)
        for written, name in self._names.items():
            text = text.replace(written, name)
        if "AGENT_TOKEN" in text:
            text = _IN_SCRIPT.sub(rf"\1{REDACTED}\2", text)
        if "=" in text:
            text = _IN_QUERY.sub(rf"\1{REDACTED}", text)
        return _IN_TEXT.sub(rf"\1{REDACTED}\2", text)

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
                name: self.value(item)
                if name.lower() in PUBLIC_CONFIG or item == MASK
                else REDACTED
                for name, item in value.items()
            }
        return self.value(value)
