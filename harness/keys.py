"""Telling credentials apart without showing them: `k1` is whatever was shown or given first.

A checker has to know whose token a request bears, and which answer gave that token; it must not
know the token. So each is named by its place in the order in which they turn up in a history.
"""

from typing import Any, Final

import msgspec

from harness.redact import CREDENTIAL_HEADERS
from master.protocol.exchange import Request, Response

_GIVEN: Final = ("token", "newToken", "plainKey")
"""Where an answer's data hold a credential that it gives."""

_BEARER: Final = "Bearer "

HEARTBEAT: Final = "/api/agent/heartbeat"
"""The one path where a token may stand in the body."""


class KeyRing:
    """The names that the credentials of one history have.

    Args:
        count: how many names are taken already, by an earlier recording in the same file.

    """

    def __init__(self, count: int = 0) -> None:
        self._taken = count
        self._names: dict[str, str] = {}

    def _name(self, credential: str) -> str:
        return self._names.setdefault(credential, f"k{self._taken + len(self._names) + 1}")

    def shown(self, request: Request) -> dict[str, str]:
        """Return the credentials that a request shows: where each stands, and its name.

        A blank header counts as none, and an `authorization` only when it begins with just
        `Bearer ` (protocol 2.1); what stands in a heartbeat's body counts as it is.
        """
        found = {}
        for header in CREDENTIAL_HEADERS:
            value = request.headers.get(header)
            if value is None:
                continue
            if header == "authorization":
                value = value.removeprefix(_BEARER) if value.startswith(_BEARER) else ""
            if value := value.strip():
                found[header] = self._name(value)
        if request.path == HEARTBEAT and b"oken" in request.body.lower():
            token = _fields(request.body).get("token")
            if isinstance(token, str) and token:
                found["body"] = self._name(token)
        return found

    def given(self, response: Response) -> dict[str, str]:
        """Return the credentials that an answer gives: by which key of its data, and its name."""
        if not any(key.encode() in response.body for key in _GIVEN):
            return {}
        try:
            data = msgspec.json.decode(response.body)["data"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
            return {}
        if not isinstance(data, dict):
            return {}
        held = {key: data[key] for key in _GIVEN if isinstance(data.get(key), str)}
        return {key: self._name(value) for key, value in held.items() if value}


def _fields(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object by their names in small letters, the last of each."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}
