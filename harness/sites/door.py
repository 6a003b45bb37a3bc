"""Getting in: from a server's address to the right to administer it, or one line that says why not.

Nothing is left behind but what the door itself is: a log-in, and on a fresh server its first
administrator.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Literal

import msgspec

from harness.sites.database import look_into
from harness.sites.file import ANY_VERSION, ApiKey, Login, SetUp, TargetFile
from harness.sites.strangers import TargetError, code_of, excerpt, send, stranger
from harness.sites.versions import is_release, profile_of
from master.protocol.exchange import Request, Response
from simulated_agents.clock import RealClock
from simulated_agents.ports import Port

TIMEOUT_S: Final = 20.0
"""The limit on a call at the door; a log-in takes the real server half a second."""

__all__ = ["Health", "TargetError", "Way", "ask_health", "check_version", "is_fresh", "open_door"]

LOGIN_WINDOW_S: Final = 60
"""How long a client that logged in too often has to wait, at most."""


class Health(msgspec.Struct, frozen=True):
    """What a server says of itself to everybody.

    Attributes:
        version: its version.
        uptime_s: for how long it has been running.
        timestamp: what time it has, in the text of the protocol.
        status: that it lives.

    """

    version: str
    timestamp: str
    status: Literal["live"]
    uptime_s: int = msgspec.field(name="uptime")


@dataclass(frozen=True, slots=True)
class Way:
    """The right to administer a server.

    Attributes:
        token: authorises administration: a log-in of a day, or an API key.
        log_in: what a new log-in is got with; `None` for an API key, which is none.
        health: what the server said of itself.
        notes: what is worth saying, though it is no reason to stop.
        secrets: what must be taken out of every text from now on.

    """

    token: str = field(repr=False)
    log_in: Mapping[str, str] | None = field(repr=False)
    health: Health
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


async def open_door(target: TargetFile, port: Port) -> Way:
    """Get in.

    Args:
        target: the server, and how to get in.
        port: the way to it.

    Raises:
        TargetError: there is no way in; one line says why (exit 6).
        StopError: a secret is not where the target file says it is (exit 4).

    """
    door = target.door
    secret = door.key.read() if isinstance(door, ApiKey) else door.password.read()
    health = await ask_health(target, port)
    notes = check_version(target, health)
    doorway = _Doorway(target, port)
    match door:
        case ApiKey():
            await doorway.try_key(secret)
            return Way(secret, None, health, notes, (secret,))
        case Login(username=username):
            token = await doorway.log_in(username, secret)
        case SetUp(username=username):
            token = await doorway.set_up(username, secret)
    log_in = {"username": username, "password": secret}
    return Way(token, log_in, health, notes, (secret, token))


async def ask_health(target: TargetFile, port: Port) -> Health:
    """Return what a server says of itself.

    Raises:
        TargetError: nothing is there, or something else altogether.

    """
    response = await send(target, port, Request("GET", "/api/health"))
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        if response.status == 200:
            return msgspec.json.decode(response.body, type=Health)
    raise TargetError(f"{target.url}: {stranger(response)}")


def check_version(target: TargetFile, health: Health) -> tuple[str, ...]:
    """Return what is worth noting of a server's version.

    Raises:
        TargetError: it is that of another profile, or not the one that the target file says.

    """
    version, wanted = health.version, target.version
    if wanted not in {None, ANY_VERSION, version}:
        raise TargetError(
            f"{target.url}: the server is {version}, and {target.path} says version {wanted!r}:"
            f' correct it, or write version = "{ANY_VERSION}"'
        )
    profile = profile_of(version)
    if profile is None:
        note = f"the server's version is {version!r}, which is no release: judged as"
        return (f"{note} {target.profile} because the target file says so",)
    if target.profile not in {profile, "strict"} and wanted is None:
        raise TargetError(
            f"{target.url}: the server is {version}, which is profile {profile}, and"
            f" {target.path} says {target.profile}: correct its profile, or write"
            f' version = "{ANY_VERSION}" to judge it as {target.profile} all the same'
        )
    if profile != target.profile:
        return (f"the server is {version}, which is profile {profile}: judged as {target.profile}",)
    if not is_release(version):
        return (f"the server is {version}, no release that profile {profile} was held against",)
    return ()


async def is_fresh(target: TargetFile, port: Port) -> bool:
    """Return whether nobody has set a server up yet.

    Raises:
        TargetError: it does not say.

    """
    return not await _Doorway(target, port).initialized()


class _Doorway:
    """The calls that let somebody in, and what their refusals mean.

    Args:
        target: the server.
        port: the way to it.

    """

    def __init__(self, target: TargetFile, port: Port) -> None:
        self._target = target
        self._port = port

    async def log_in(self, username: str, password: str) -> str:
        """Return a log-in.

        Raises:
            TargetError: there is none.

        """
        body = {"username": username, "password": password}
        response = await self._post("/api/auth/login", body)
        if response.status == 200:
            return self._token(response)
        await self._check_set_up()
        raise self._refused(response, f"the log-in of {username!r}", self._login_faults(username))

    async def set_up(self, username: str, password: str) -> str:
        """Return the log-in of a fresh server's first administrator; of one that is there, theirs.

        Raises:
            TargetError: there is none.

        """
        if await self.initialized():
            return await self._log_in_again(username, password)
        body = {"username": username, "password": password, "displayName": username}
        response = await self._post("/api/auth/setup", body)
        if response.status == 200:
            return self._token(response)
        if code_of(response) == "AUTH_SETUP_DISABLED":  # somebody else was first, a moment ago
            return await self._log_in_again(username, password)
        faults = {
            "AUTH_SETUP_INVALID": "a name of 3 to 64 characters and a password of 8 to 128 are needed",
            "AUTH_HASH_FAILED": "the password is longer than 72 bytes",
        }
        raise self._refused(response, f"the set-up with {username!r}", faults)

    async def try_key(self, key: str) -> None:
        """Find out whether an API key is good, and an administrator's.

        Raises:
            TargetError: it is not.

        """
        response = await self._get("/api/api-keys", key)  # what only an administrator may see
        if response.status == 200:
            return
        await self._check_set_up()
        faults = {
            "AUTH_INVALID_TOKEN": "the server does not know it: it was revoked, or is another's",
            "AUTH_REQUIRED": "the server does not take it for a key",
            "AUTH_KEY_DISABLED": "it is disabled: enable it, or make another",
            "AUTH_KEY_EXPIRED": "it has expired: make another",
            "AUTH_FORBIDDEN": "its role is too low: muster needs one of role admin",
        }
        raise self._refused(response, "the API key", faults)

    async def _check_set_up(self) -> None:
        """Say of a server that nobody can get into that nobody has set it up."""
        if not await self.initialized():
            raise TargetError(
                f"{self._target.url}: the server is fresh, nobody has set it up: take [setup] in"
                f" {self._target.path} to make its first administrator"
            )

    async def _log_in_again(self, username: str, password: str) -> str:
        """Return the log-in of who may have set the server up before."""
        try:
            return await self.log_in(username, password)
        except TargetError as error:
            raise TargetError(
                f"{error.message} (the server has been set up already, so {username!r} of [setup]"
                " was tried as a log-in)"
            ) from None

    async def initialized(self) -> bool:
        """Return whether the server has an administrator.

        Raises:
            TargetError: it does not say.

        """
        response = await self._get("/api/auth/setup/status")
        try:
            return bool(msgspec.json.decode(response.body)["data"]["initialized"])
        except (ValueError, TypeError, KeyError, msgspec.DecodeError):
            raise self._refused(response, "the question whether it is set up", {}) from None

    def _login_faults(self, username: str) -> dict[str, str]:
        now = datetime.fromtimestamp(RealClock().now_ns() / 1e9, UTC)
        end = now + timedelta(seconds=LOGIN_WINDOW_S)
        return {
            "AUTH_INVALID_CREDENTIALS": "wrong password, or no such user",
            "AUTH_RATE_LIMITED": "too many log-ins from this machine (5 a minute): try again after"
            f" {end:%H:%M:%S} UTC, or use an API key",
            "AUTH_USER_DISABLED": f"{username!r} is disabled: enable the user, or take another",
            "AUTH_2FA_REQUIRED": f"{username!r} has a second factor: give muster an API key",
            "AUTH_LOGIN_INVALID": "a name of 3 to 64 characters and a password of 8 to 128 are needed",
        }

    async def _post(self, path: str, body: object) -> Response:
        headers = {"content-type": "application/json"}
        return await send(
            self._target, self._port, Request("POST", path, headers, msgspec.json.encode(body))
        )

    async def _get(self, path: str, token: str = "") -> Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await send(self._target, self._port, Request("GET", path, headers))

    def _token(self, response: Response) -> str:
        """Return the log-in of an administrator."""
        try:
            data = msgspec.json.decode(response.body)["data"]
            token, user = str(data["token"]), data["user"]
            name, role = str(user["username"]), str(user["role"])
        except (ValueError, TypeError, KeyError, msgspec.DecodeError):
            message = f"{self._target.url}: the server let us in and gave no token"
            raise TargetError(message) from None
        if role != "admin":
            raise TargetError(
                f"{self._target.url}: {name!r} has role {role}, and muster needs one of role admin"
            )
        return token

    def _refused(self, response: Response, what: str, faults: Mapping[str, str]) -> TargetError:
        code = code_of(response)
        why = faults.get(code)
        if why is None:
            said = f"{what} was answered {excerpt(response)}"
            return TargetError(f"{self._target.url}: {said}{self._trouble(response)}")
        return TargetError(f"{self._target.url}: {what} was refused ({code}): {why}")

    def _trouble(self, response: Response) -> str:
        """Return what is wrong with the database of a server that fails, where that can be seen."""
        path = self._target.database
        if response.status < HTTPStatus.INTERNAL_SERVER_ERROR or path is None:
            return ""
        fault = look_into(path, (), None, busy_s=0.0).fault
        return f" (its database {path}: {fault})" if fault else ""
