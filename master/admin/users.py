"""Accounts beside the first one: made, changed and removed by admins."""

import re
from typing import Any, Final

from msgspec import UNSET, UnsetType

from master import audit
from master.admin import factors
from master.admin.access import Caller, admin_only
from master.admin.auth import hash_password
from master.admin.rules import RuledBinder, at_most, one_of, or_empty, read, required, size
from master.call import Call
from master.http import success
from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Inbound, Outbound
from master.state import State
from master.store.rows import User


class UserInput(Inbound):
    """`POST /api/users` and `PUT /api/users/:id`."""

    username: str = ""
    password: str = ""
    displayName: str = ""
    email: str = ""
    role: str = ""
    disabled: bool = False


class ReachableInput(UserInput):
    """The same since v2.3.0."""

    phone: str = ""


_RULES: Final = {
    "username": (required, size(3, 64)),
    "password": (or_empty(size(8, 128)),),
    "displayName": (required, size(1, 128)),
    "email": (at_most(255),),
    "role": (one_of("admin", "operator", "viewer"),),
}
bind_user = RuledBinder(UserInput, _RULES)
bind_reachable = RuledBinder(ReachableInput, {**_RULES, "phone": (at_most(64),)})

_FRACTION: Final = re.compile(r"\.\d+")


class Account(Outbound, frozen=True, kw_only=True):
    """A user, as admins see them."""

    id: int
    username: str
    displayName: str
    email: str
    phone: str | UnsetType = UNSET
    role: str
    disabled: bool
    mfaEnabled: bool | UnsetType = UNSET
    twoFactorEnabled: bool | UnsetType = UNSET
    twoFactorRecoveryCodesRemaining: int | UnsetType = UNSET
    webAuthnEnabled: bool | UnsetType = UNSET
    webAuthnCredentialCount: int | UnsetType = UNSET
    trustedDeviceCount: int | UnsetType = UNSET
    emailOtpEnabled: bool | UnsetType = UNSET
    smsOtpEnabled: bool | UnsetType = UNSET
    createdAt: str


def _view(state: State, user: User, now: Now) -> Account:
    created = times.wire_text(user.created_at or times.ZERO_DB_TEXT)
    return Account(
        id=user.id,
        username=user.username,
        displayName=user.display_name,
        email=user.email,
        role=user.role,
        disabled=bool(user.disabled),
        **factors.shown(state.config.profile, user, now),
        createdAt=_FRACTION.sub("", created),
    )


def _find(state: State, user_id: int) -> User:
    user = state.database.get(User, user_id)
    if user is None:
        raise ApiError("USER_NOT_FOUND")
    return user


def _check_name(state: State, name: str, own_id: int) -> None:
    taken = state.database.find(User, "username = ?", name)
    if taken is not None and taken.id != own_id:
        raise ApiError("USER_USERNAME_EXISTS")


def _read(state: State, call: Call) -> UserInput:
    rich = factors.known(state.config.profile)
    bind: RuledBinder[Any] = bind_reachable if rich else bind_user
    wanted: UserInput = read(call, bind, "USER_INVALID")
    return wanted


def _columns(wanted: UserInput) -> dict[str, str | int]:
    more = {"phone": wanted.phone.strip()} if isinstance(wanted, ReachableInput) else {}
    return {
        **more,
        "username": wanted.username.strip(),
        "display_name": wanted.displayName.strip(),
        "email": wanted.email.strip(),
        "role": wanted.role,
        "disabled": int(wanted.disabled),
    }


async def _hash(state: State, password: str) -> str:
    try:
        return await hash_password(state, password)
    except ApiError:
        raise ApiError("USER_HASH_FAILED") from None


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/users`: the oldest first."""
    found = state.database.select(User, "ORDER BY created_at, id")
    return success([_view(state, user, call.now) for user in found])


async def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/users`.

    Raises:
        ApiError: USER_INVALID, USER_USERNAME_EXISTS, USER_HASH_FAILED.

    """
    wanted = _read(state, call)
    if not wanted.password.strip():
        raise ApiError("USER_INVALID", "创建用户必须指定密码")
    _check_name(state, wanted.username.strip(), 0)
    hashed = await _hash(state, wanted.password)
    with state.database.transaction():
        _check_name(state, wanted.username.strip(), 0)  # taken while this one was hashed
        user_id = state.database.insert(
            User,
            **_columns(wanted),
            password_hash=hashed,
            created_at=call.now.local,
            updated_at=call.now.local,
        )
    user = _find(state, user_id)
    audit.note(
        state,
        call,
        caller,
        category="user",
        action="create",
        target_id=user.id,
        target_name=user.username,
        detail=f"创建用户 {user.username} (角色: {user.role})",
    )
    return success(_view(state, user, call.now))


async def update(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/users/:id`: a blank password keeps the old one; log-ins keep their role.

    Raises:
        ApiError: INVALID_ID, USER_INVALID, USER_NOT_FOUND, USER_USERNAME_EXISTS,
            USER_HASH_FAILED.

    """
    user_id = call.admin_id()
    wanted = _read(state, call)
    _check_name(state, wanted.username.strip(), _find(state, user_id).id)
    columns = _columns(wanted)
    if wanted.password.strip():
        columns["password_hash"] = await _hash(state, wanted.password)
    with state.database.transaction():
        user = _find(state, user_id)
        _check_name(state, wanted.username.strip(), user.id)
        state.database.update(User, user.id, **columns, updated_at=call.now.local)
    user = _find(state, user.id)
    disabled = "true" if user.disabled else "false"
    audit.note(
        state,
        call,
        caller,
        category="user",
        action="update",
        target_id=user.id,
        target_name=user.username,
        detail=f"更新用户 {user.username} (角色: {user.role}, 停用: {disabled})",
    )
    return success(_view(state, user, call.now))


def delete(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/users/:id`: no admin goes, not even a disabled one, while one enabled is left.

    Raises:
        ApiError: INVALID_ID, USER_NOT_FOUND, USER_LAST_ADMIN.

    """
    user = _find(state, call.admin_id())
    if user.role == "admin" and state.database.count(User, "role = 'admin' AND disabled = 0") <= 1:
        raise ApiError("USER_LAST_ADMIN")
    state.database.delete(User, user.id)
    audit.note(
        state,
        call,
        caller,
        category="user",
        action="delete",
        target_id=user.id,
        detail=f"删除用户 (ID: {user.id})",
    )
    return success({"deleted": True})


ROUTES: Final = {
    ("GET", "/api/users"): admin_only(list_all),
    ("POST", "/api/users"): admin_only(create),
    ("PUT", "/api/users/:id"): admin_only(update),
    ("DELETE", "/api/users/:id"): admin_only(delete),
}
