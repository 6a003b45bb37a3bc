"""Who is asking: a log-in, or an API key; and what their role lets them do.

A route reads `admin_only(create)`: the wrapper finds out who asks, refuses whom it must, and
hands the rest to the endpoint.
"""

import hashlib
import hmac
import ipaddress
import sqlite3
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import jwt
from msgspec import Struct

from master.call import Call
from master.http import Handler
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Request, Response
from master.protocol.times import NS
from master.state import State
from master.store.rows import ApiKey, User

KEY_PREFIX: Final = "bax_"
LOGIN_S: Final = 86_400
"""How long a log-in lasts."""

TRUSTED_PROXIES: Final = ("127.0.0.1", "::1")

_PEPPER: Final = b"backupx-api-key-hmac-pepper-v1"
_BEARER: Final = "Bearer "
_UNCHECKED: Final[Any] = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


class Caller(Struct, frozen=True, gc=False):
    """Who is asking.

    Attributes:
        subject: the user's id as text, or `api_key:<id>:<name>`.
        role: admin, operator, viewer.
        username: the user's name, or the subject again.

    """

    subject: str
    role: str
    username: str


Endpoint = Callable[[State, Call, Caller], Response | Awaitable[Response]]


@contextmanager
def _any_secret() -> Iterator[None]:
    """Sign with whatever secret a database brings; PyJWT warns of short ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def issue(state: State, user: User, now: Now) -> str:
    """Return a log-in for a user."""
    issued = now.ns // NS
    claims = {
        "username": user.username,
        "role": user.role,
        "sub": str(user.id),
        "exp": issued + LOGIN_S,
        "iat": issued,
    }
    with _any_secret():
        return jwt.encode(claims, state.jwt_secret, "HS256")


def key_hash(key: str) -> str:
    """Return what the database holds of an API key."""
    return hmac.new(_PEPPER, key.encode(), hashlib.sha256).hexdigest()


def _credential(request: Request) -> str:
    authorization = request.headers.get("authorization", "").strip()
    if authorization.startswith(_BEARER):
        return authorization[len(_BEARER) :].strip()
    return request.headers.get("x-api-key", "").strip()


def identify(state: State, call: Call) -> Caller:
    """Return who is asking.

    Raises:
        ApiError: AUTH_REQUIRED, AUTH_INVALID_TOKEN, AUTH_KEY_DISABLED, AUTH_KEY_EXPIRED.

    """
    credential = _credential(call.request)
    if not credential:
        raise ApiError("AUTH_REQUIRED")
    if credential.startswith(KEY_PREFIX):
        return _key_holder(state, credential, call.now)
    return _logged_in(state, credential, call.now)


def _key_holder(state: State, credential: str, now: Now) -> Caller:
    key = state.database.find(ApiKey, "key_hash = ?", key_hash(credential))
    if key is None:
        raise ApiError("AUTH_INVALID_TOKEN", "API Key 无效")
    if key.disabled:
        raise ApiError("AUTH_KEY_DISABLED")
    if key.expires_at is not None and key.expires_at < now.utc:
        raise ApiError("AUTH_KEY_EXPIRED")
    with suppress(sqlite3.OperationalError):  # whoever only reads need not wait for a writer
        state.database.update(ApiKey, key.id, last_used_at=now.utc, updated_at=now.local)
    subject = f"api_key:{key.id}:{key.name}"
    return Caller(subject, key.role, subject)


def _logged_in(state: State, credential: str, now: Now) -> Caller:
    try:
        with _any_secret():
            claims = jwt.decode(credential, state.jwt_secret, ["HS256"], options=_UNCHECKED)
    except (jwt.InvalidTokenError, UnicodeError):
        raise ApiError("AUTH_INVALID_TOKEN") from None
    # the system's clock is not ours: PyJWT checks the signature, we the times
    expires, begins = claims.get("exp"), claims.get("nbf")
    if not (_is_time(expires) and _is_time(begins)):
        raise ApiError("AUTH_INVALID_TOKEN")
    if (expires is not None and now.ns >= expires * NS) or (
        begins is not None and now.ns < begins * NS
    ):
        raise ApiError("AUTH_INVALID_TOKEN")
    parts = [claims.get(name, "") for name in ("sub", "role", "username")]
    if not all(isinstance(part, str) for part in parts):
        raise ApiError("AUTH_INVALID_TOKEN")
    return Caller(*parts)


def _is_time(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _may_forward(state: State, address: str) -> bool:
    """Return whether an address may be a proxy's: any, and since v2.4.0 this machine's alone."""
    return not state.config.profile.proxies_trusted or address in TRUSTED_PROXIES


def forwarded(state: State, request: Request, name: str) -> str:
    """Return what a header says that only a proxy in front should set.

    From anybody, and since v2.4.0 from this machine alone (its default `trusted_proxies`).
    """
    if not _may_forward(state, request.client):
        return ""
    return request.headers.get(name, "").strip()


def client_of(state: State, request: Request) -> str:
    """Return whom a request counts for: the address that X-Forwarded-For or X-Real-Ip names.

    Of several in the header it is the last that is no trusted proxy, which makes it the first when
    anybody is trusted. A header is passed over if an address that had to be read could not be.
    """
    for name in ("x-forwarded-for", "x-real-ip"):
        hops = [part.strip() for part in forwarded(state, request, name).split(",")]
        for at in range(len(hops) - 1, -1, -1):
            if not _is_address(hops[at]):
                break
            if at == 0 or not _may_forward(state, hops[at]):
                return hops[at]
    return request.client


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _guarded(endpoint: Endpoint, roles: tuple[str, ...] | None) -> Handler:
    def guarded(state: State, call: Call) -> Response | Awaitable[Response]:
        caller = identify(state, call)
        if roles is not None and caller.role.lower() not in roles:
            raise ApiError("AUTH_FORBIDDEN")
        return endpoint(state, call, caller)

    return guarded


def signed_in(endpoint: Endpoint) -> Handler:
    """Let everybody in who can say who they are."""
    return _guarded(endpoint, None)


def not_viewer(endpoint: Endpoint) -> Handler:
    """Let admins and operators in."""
    return _guarded(endpoint, ("admin", "operator"))


def admin_only(endpoint: Endpoint) -> Handler:
    """Let admins in."""
    return _guarded(endpoint, ("admin",))
