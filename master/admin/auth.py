"""Setting up, logging in, and what a user may do about their own account."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET, UnsetType

from master import audit
from master.admin import factors
from master.admin.access import Caller, client_of, issue, signed_in
from master.admin.passwords import LONGEST
from master.admin.rules import RuledBinder, at_most, or_empty, read, required, size, whole
from master.call import Call
from master.http import Handler, success
from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Inbound, Outbound
from master.state import State
from master.store.rows import User


class SetupInput(Inbound):
    """`POST /api/auth/setup`."""

    username: str = ""
    password: str = ""
    displayName: str = ""


class LoginInput(Inbound):
    """`POST /api/auth/login`."""

    username: str = ""
    password: str = ""


class FactorInput(LoginInput):
    """The same since v2.3.0: what a second factor would need, if one were checked here."""

    twoFactorCode: str = ""
    trustedDeviceToken: str = ""
    rememberDevice: bool = False
    trustedDeviceName: str = ""


class PasswordInput(Inbound):
    """`PUT /api/auth/password`."""

    oldPassword: str = ""
    newPassword: str = ""


_USERNAME = (required, size(3, 64))
_PASSWORD = (required, size(8, 128))

bind_setup = RuledBinder(
    SetupInput,
    {"username": _USERNAME, "password": _PASSWORD, "displayName": (required, size(1, 128))},
)
bind_login = RuledBinder(LoginInput, {"username": _USERNAME, "password": _PASSWORD})
bind_factors = RuledBinder(
    FactorInput,
    {
        "username": _USERNAME,
        "password": _PASSWORD,
        "twoFactorCode": (or_empty(size(6, 32)),),
        "trustedDeviceName": (at_most(128),),
    },
)
bind_password = RuledBinder(PasswordInput, {"oldPassword": _PASSWORD, "newPassword": _PASSWORD})


class UserView(Outbound, frozen=True, kw_only=True):
    """A user, as they see themselves."""

    id: int
    username: str
    displayName: str
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    role: str
    mfaEnabled: bool | UnsetType = UNSET
    twoFactorEnabled: bool | UnsetType = UNSET
    twoFactorRecoveryCodesRemaining: int | UnsetType = UNSET
    webAuthnEnabled: bool | UnsetType = UNSET
    webAuthnCredentialCount: int | UnsetType = UNSET
    trustedDeviceCount: int | UnsetType = UNSET
    emailOtpEnabled: bool | UnsetType = UNSET
    smsOtpEnabled: bool | UnsetType = UNSET


class Login(Outbound, frozen=True, kw_only=True):
    """A log-in and whose it is."""

    token: str
    user: UserView


def _view(state: State, user: User, now: Now) -> UserView:
    profile = state.config.profile
    more = factors.shown(profile, user, now)
    if factors.known(profile):
        more["email"] = user.email
    return UserView(
        id=user.id, username=user.username, displayName=user.display_name, role=user.role, **more
    )


def _login(state: State, user: User, now: Now) -> Response:
    return success(Login(token=issue(state, user, now), user=_view(state, user, now)))


def _initialized(state: State) -> bool:
    return state.database.count(User, "1") > 0


def setup_status(state: State, _: Call) -> Response:
    """`GET /api/auth/setup/status`: whether there is a user yet."""
    return success({"initialized": _initialized(state)})


async def hash_password(state: State, password: str) -> str:
    """Return the hash of a new password.

    Raises:
        ApiError: AUTH_HASH_FAILED, for more than 72 bytes.

    """
    plain = password.encode()
    if len(plain) > LONGEST:
        raise ApiError("AUTH_HASH_FAILED")
    return (await state.hasher.hash(plain)).decode()


async def setup(state: State, call: Call) -> Response:
    """`POST /api/auth/setup`: the first user, an admin; once.

    Raises:
        ApiError: AUTH_SETUP_INVALID, AUTH_SETUP_DISABLED, AUTH_HASH_FAILED.

    """
    wanted = read(call, bind_setup, "AUTH_SETUP_INVALID")
    if _initialized(state):
        raise ApiError("AUTH_SETUP_DISABLED")
    hashed = await hash_password(state, wanted.password)
    with state.database.transaction():
        if _initialized(state):  # somebody else was first while this one was hashed
            raise ApiError("AUTH_SETUP_DISABLED")
        user_id = state.database.insert(
            User,
            username=wanted.username.strip(),
            password_hash=hashed,
            display_name=wanted.displayName.strip(),
            email="",
            role="admin",
            disabled=0,
            created_at=call.now.local,
            updated_at=call.now.local,
        )
    user = state.database.get(User, user_id)
    assert user is not None
    audit.write(
        state,
        call.now,
        user_id=user.id,
        username=user.username,
        category="auth",
        action="setup",
        target_type="user",
        target_id=str(user.id),
        target_name=user.username,
        detail="系统初始化，创建管理员账户",
    )
    return _login(state, user, call.now)


def _note_login(state: State, call: Call, user: User | None, action: str, detail: str) -> None:
    audit.write(
        state,
        call.now,
        user_id=user.id if user else 0,
        username=user.username if user else "",
        category="auth",
        action=action,
        detail=detail,
        client_ip=client_of(state, call.request),
    )


async def login(state: State, call: Call) -> Response:
    """`POST /api/auth/login`: five attempts a minute and client, until one succeeds.

    Raises:
        ApiError: AUTH_LOGIN_INVALID, AUTH_RATE_LIMITED, AUTH_INVALID_CREDENTIALS,
            AUTH_USER_DISABLED, AUTH_2FA_REQUIRED.

    """
    rich = factors.known(state.config.profile)
    bind: RuledBinder[Any] = bind_factors if rich else bind_login
    wanted: LoginInput = read(call, bind, "AUTH_LOGIN_INVALID")
    client = client_of(state, call.request)
    if not state.limiter.allow(client, call.now.ns):
        raise ApiError("AUTH_RATE_LIMITED")
    username = wanted.username.strip()
    user = state.database.find(User, "username = ?", username)
    if user is None:
        _note_login(state, call, None, "login_failed", f"用户名不存在: {username}")
        raise ApiError("AUTH_INVALID_CREDENTIALS")
    if user.disabled:
        _note_login(state, call, user, "login_rejected", "账号已被停用")
        raise ApiError("AUTH_USER_DISABLED")
    if not await state.hasher.verify(wanted.password.encode(), user.password_hash.encode()):
        _note_login(state, call, user, "login_failed", "密码错误")
        raise ApiError("AUTH_INVALID_CREDENTIALS")
    if factors.required(state.config.profile, user):
        raise ApiError("AUTH_2FA_REQUIRED")
    state.limiter.reset(client)
    _note_login(state, call, user, "login_success", "登录成功")
    return _login(state, user, call.now)


def logout(_: State, __: Call, ___: Caller) -> Response:
    """`POST /api/auth/logout`: nothing to forget; a log-in ends by itself."""
    return success({"loggedOut": True})


def _own_user(state: State, caller: Caller) -> User:
    """Return the caller's row; an API key has none.

    Raises:
        ApiError: AUTH_INVALID_SUBJECT, AUTH_USER_NOT_FOUND.

    """
    user_id = whole(caller.subject, 64)
    if user_id is None:
        raise ApiError("AUTH_INVALID_SUBJECT")
    user = state.database.get(User, user_id)
    if user is None:
        raise ApiError("AUTH_USER_NOT_FOUND")
    return user


def _check_subject(caller: Caller) -> None:
    if not caller.subject.strip():
        raise ApiError("AUTH_INVALID_SUBJECT", "无效登录态")


def profile(state: State, call: Call, caller: Caller) -> Response:
    """`GET /api/auth/profile`.

    Raises:
        ApiError: AUTH_INVALID_SUBJECT, AUTH_USER_NOT_FOUND.

    """
    _check_subject(caller)
    return success(_view(state, _own_user(state, caller), call.now))


async def change_password(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/auth/password`: log-ins from before stay good.

    Raises:
        ApiError: AUTH_INVALID_SUBJECT, AUTH_PASSWORD_INVALID, AUTH_USER_NOT_FOUND,
            AUTH_WRONG_PASSWORD, AUTH_HASH_FAILED.

    """
    _check_subject(caller)
    wanted = read(call, bind_password, "AUTH_PASSWORD_INVALID")
    user = _own_user(state, caller)
    if not await state.hasher.verify(wanted.oldPassword.encode(), user.password_hash.encode()):
        raise ApiError("AUTH_WRONG_PASSWORD")
    hashed = await hash_password(state, wanted.newPassword)
    state.database.update(User, user.id, password_hash=hashed, updated_at=call.now.local)
    audit.write(
        state,
        call.now,
        user_id=user.id,
        username=user.username,
        category="auth",
        action="change_password",
        detail="密码修改成功",
    )
    return success({"changed": True})


ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "/api/auth/setup/status"): setup_status,
    ("POST", "/api/auth/setup"): setup,
    ("POST", "/api/auth/login"): login,
    ("POST", "/api/auth/logout"): signed_in(logout),
    ("GET", "/api/auth/profile"): signed_in(profile),
    ("PUT", "/api/auth/password"): signed_in(change_password),
}
