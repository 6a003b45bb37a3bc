"""The whole master: tables, routes, monitors. What drives it is the caller's.

A simulation calls `handle` directly; `master.app` calls it for ASGI.
"""

import logging
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Awaitable
from functools import cache
from types import TracebackType
from typing import Self

import trio
from msgspec.structs import replace

from master import agent_api, metrics, monitors, scheduler
from master.admin.passwords import InlineHasher
from master.admin.routes import ADMIN_ROUTES
from master.call import Call
from master.cipher import Cipher, CipherError
from master.config import Clock, Config, Entropy, Hasher
from master.http import NO_CONTENT, Router, refuse, routes_of
from master.now import Now
from master.objects import MemoryObjects, Objects
from master.protocol.errors import ApiError
from master.protocol.exchange import Request, Response, collect
from master.protocol.profiles import Profile
from master.protocol.states import NodeStatus
from master.state import State
from master.store import configs
from master.store.database import Database
from master.store.rows import Node, Target, Task
from master.timetable import Timetable
from master.waiters import Waiters

log = logging.getLogger("muster.master")

LOCAL_NODE_NAME = "本机 (Local)"
_SECRET_BYTES = 48
_TOKEN_BYTES = 32


@cache
def _router(profile: Profile) -> Router:
    return Router(routes_of(profile, {**agent_api.ROUTES, **ADMIN_ROUTES}))


_NOT_FOUND = refuse(ApiError("NOT_FOUND"))
_INTERNAL_ERROR = refuse(ApiError("INTERNAL_ERROR"))


class WrongKeyError(Exception):
    """The given encryption key is not the one that the database was written under."""


class Master:
    """A master on one database.

    Args:
        database: its tables; the master closes it.
        clock: the time.
        entropy: the randomness.
        config: timings, key, profile.
        hasher: hashes passwords; by default where it is called.
        objects: what lies on the master's own disk; by default in memory.

    Raises:
        WrongKeyError: the key does not open what the database holds; nothing was changed.

    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        entropy: Entropy,
        config: Config | None = None,
        hasher: Hasher | None = None,
        objects: Objects | None = None,
    ) -> None:
        config = config or Config()
        assert database.release == config.profile.release, "Database(…, profile.release) is missing"
        self.router = _router(config.profile)
        now = Now.of(clock)
        with database.transaction():
            cipher = _cipher(database, config, entropy, now)
            jwt_secret = configs.secret(database, configs.JWT_SECRET)
            if jwt_secret is None:
                jwt_secret = _new_secret(entropy)
                configs.store(database, configs.JWT_SECRET, jwt_secret, now)
            _ensure_local_node(database, config, entropy, now)
        self.state = State(
            database=database,
            cipher=cipher,
            config=config,
            entropy=entropy,
            clock=clock,
            waiters=Waiters(clock),
            jwt_secret=jwt_secret,
            started=now,
            hasher=hasher or InlineHasher(config.bcrypt_cost, entropy),
            timetable=_timetable(config, clock, now),
            objects=objects or MemoryObjects(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.state.database.close()

    async def run_monitors(self) -> None:
        """Do all that nobody asks for, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitors.watch_commands, self.state)
            nursery.start_soon(monitors.watch_nodes, self.state)
            nursery.start_soon(monitors.watch_versions, self.state)
            if metrics.served(self.state.config.profile):
                nursery.start_soon(monitors.watch_metrics, self.state)
            nursery.start_soon(scheduler.run, self.state)

    async def handle(self, request: Request) -> Response:
        """Answer one request.

        Only the calls that wait for an agent (or hash a password) block; cancelling them ends the
        wait and changes nothing.
        """
        if request.stream is not None and not self.streams(request.method, request.path):
            request = replace(request, body=await collect(request.chunks()), stream=None)
        answer = self.answer(request)
        return answer if isinstance(answer, Response) else await answer

    def streams(self, method: str, path: str) -> bool:
        """Return whether requests to a path are given their body's stream, not the whole body."""
        route = self.router.match(method, path)
        return route is not None and route.reads_body

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Return the answer to a request, or for a call that blocks what to wait for."""
        if request.method == "OPTIONS":
            return NO_CONTENT
        route = self.router.match(request.method, request.path)
        if route is None:
            return self.router.redirect(request) or _NOT_FOUND
        call = Call(request, Now.of(self.state.clock), route.parameter or "", route.second)
        try:
            answer = route.endpoint(self.state, call)
        except ApiError as error:
            return refuse(error)
        except sqlite3.Error as error:
            return _database_failed(request, error)
        return answer if isinstance(answer, Response) else _wait(request, answer)


async def _wait(request: Request, answer: Awaitable[Response]) -> Response:
    try:
        return await answer
    except ApiError as error:
        return refuse(error)
    except sqlite3.Error as error:
        return _database_failed(request, error)


def _database_failed(request: Request, error: sqlite3.Error) -> Response:
    """Answer as the real master does, which says nothing; the log says why."""
    log.warning("%s %s: %s", request.method, request.path, error)
    return _INTERNAL_ERROR


def _timetable(config: Config, clock: Clock, now: Now) -> Timetable:
    offset_s = clock.offset_s if config.profile.cron_in_local_time else lambda _: 0
    return Timetable(now.ns, config.timings.cron_second_s, offset_s)


def _new_secret(entropy: Entropy) -> str:
    return urlsafe_b64encode(entropy.token_bytes(_SECRET_BYTES)).rstrip(b"=").decode()


def _cipher(database: Database, config: Config, entropy: Entropy, now: Now) -> Cipher:
    """Return the cipher of the database's key, and store the key where the real master does."""
    stored = configs.secret(database, configs.ENCRYPTION_KEY)
    key = config.encryption_key or stored or _new_secret(entropy)
    cipher = Cipher(key, entropy)
    if stored is not None and stored != key:
        raise WrongKeyError("the encryption key is not the one this database was written under")
    for text in _sealed(database):
        try:
            cipher.decrypt(text)
        except CipherError:
            raise WrongKeyError(
                "the encryption key does not open the credentials in this database"
            ) from None
    if stored is None:
        configs.store(database, configs.ENCRYPTION_KEY, key, now)
    return cipher


def _sealed(database: Database) -> list[str]:
    """Return one stored secret of each kind, enough to tell a wrong key."""
    target = database.find(Target, "config_ciphertext <> '' ORDER BY id")
    task = database.find(Task, "db_password_ciphertext <> '' ORDER BY id")
    sealed = [target.config_ciphertext] if target else []
    return sealed + ([task.db_password_ciphertext] if task else [])


def _ensure_local_node(database: Database, config: Config, entropy: Entropy, now: Now) -> None:
    """Make the master's own node, or bring it online again."""
    local = database.find(Node, "is_local = 1")
    system, processor = config.platform
    columns = {
        "hostname": config.hostname,
        "ip_address": config.ip_address,
        "status": NodeStatus.ONLINE,
        "os": system,
        "arch": processor,
        "agent_version": config.profile.release,
        "last_seen": now.utc,
        "updated_at": now.local,
    }
    if local is not None:
        database.update(Node, local.id, **columns)
        return
    database.insert(
        Node,
        name=LOCAL_NODE_NAME,
        token=entropy.token_bytes(_TOKEN_BYTES).hex(),
        is_local=1,
        prev_token="",
        max_concurrent=0,
        bandwidth_limit="",
        labels="",
        created_at=now.local,
        **columns,
    )
