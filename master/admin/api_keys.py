"""API keys: a role without a user, for scripts. The key itself is shown once."""

from typing import Final

from master import audit
from master.admin.access import KEY_PREFIX, Caller, admin_only, key_hash
from master.admin.rules import RuledBinder, one_of, read, required, size
from master.call import Call
from master.http import success
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Binder, Inbound, Int, Outbound
from master.state import State
from master.store.rows import ApiKey

KEY_BYTES: Final = 24
SHOWN: Final = 12
"""How many characters of a key tell it from others."""

_HOUR_S: Final = 3600
_LONGEST_HOURS: Final = 2_562_047  # what Go's durations hold


class KeyInput(Inbound):
    """`POST /api/api-keys`."""

    name: str = ""
    role: str = ""
    ttlHours: Int = 0


class ToggleInput(Inbound):
    """`PUT /api/api-keys/:id/toggle`."""

    disabled: bool = False


bind_key = RuledBinder(
    KeyInput,
    {"name": (required, size(1, 128)), "role": (one_of("admin", "operator", "viewer"),)},
)
bind_toggle = Binder(ToggleInput)


class KeyView(Outbound, frozen=True, kw_only=True):
    """A key, without what it opens."""

    id: int
    name: str
    role: str
    prefix: str
    createdBy: str
    lastUsedAt: str | None = None
    expiresAt: str | None = None
    disabled: bool
    createdAt: str


class NewKey(Outbound, frozen=True, kw_only=True):
    """A key just made, in clear."""

    apiKey: KeyView
    plainKey: str


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        role=key.role,
        prefix=key.prefix,
        createdBy=key.created_by,
        lastUsedAt=key.last_used_at and times.wire_text(key.last_used_at),
        expiresAt=key.expires_at and times.wire_text(key.expires_at),
        disabled=bool(key.disabled),
        createdAt=times.wire_text(key.created_at or times.ZERO_DB_TEXT),
    )


def _find(state: State, key_id: int) -> ApiKey:
    key = state.database.get(ApiKey, key_id)
    if key is None:
        raise ApiError("API_KEY_NOT_FOUND")
    return key


def list_all(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/api-keys`: the newest first."""
    found = state.database.select(ApiKey, "ORDER BY created_at DESC, id DESC")
    return success([_view(key) for key in found])


def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/api-keys`: names need not differ; no hours, or fewer, mean for ever.

    Raises:
        ApiError: API_KEY_INVALID.

    """
    wanted = read(call, bind_key, "API_KEY_INVALID")
    name = wanted.name.strip()
    if not name:
        raise ApiError("API_KEY_INVALID", "名称不能为空")
    plain = KEY_PREFIX + state.entropy.token_bytes(KEY_BYTES).hex()
    hours = min(wanted.ttlHours, _LONGEST_HOURS)
    key_id = state.database.insert(
        ApiKey,
        name=name,
        role=wanted.role,
        key_hash=key_hash(plain),
        prefix=plain[:SHOWN],
        created_by=caller.username.strip(),
        expires_at=call.now.utc_in(hours * _HOUR_S) if hours > 0 else None,
        disabled=0,
        created_at=call.now.local,
        updated_at=call.now.local,
    )
    key = _find(state, key_id)
    audit.note(
        state,
        call,
        caller,
        category="api_key",
        action="create",
        target_id=key.id,
        target_name=key.name,
        detail=f"创建 API Key: {key.name} (角色: {key.role})",
    )
    return success(NewKey(apiKey=_view(key), plainKey=plain))


def toggle(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/api-keys/:id/toggle`: `disabled` left out means false.

    Raises:
        ApiError: INVALID_ID, API_KEY_INVALID, API_KEY_NOT_FOUND.

    """
    key_id = call.admin_id()
    wanted = read(call, bind_toggle, "API_KEY_INVALID", "参数不合法")
    key = _find(state, key_id)
    disabled = int(wanted.disabled)
    state.database.update(ApiKey, key.id, disabled=disabled, updated_at=call.now.local)
    action, word = ("disable", "停用") if wanted.disabled else ("enable", "启用")
    audit.note(
        state,
        call,
        caller,
        category="api_key",
        action=action,
        target_id=key.id,
        detail=f"{word} API Key (ID: {key.id})",
    )
    return success({"disabled": wanted.disabled})


def revoke(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/api-keys/:id`.

    Raises:
        ApiError: INVALID_ID, API_KEY_NOT_FOUND.

    """
    key = _find(state, call.admin_id())
    state.database.delete(ApiKey, key.id)
    audit.note(
        state,
        call,
        caller,
        category="api_key",
        action="revoke",
        target_id=key.id,
        detail=f"撤销 API Key (ID: {key.id})",
    )
    return success({"revoked": True})


ROUTES: Final = {
    ("GET", "/api/api-keys"): admin_only(list_all),
    ("POST", "/api/api-keys"): admin_only(create),
    ("PUT", "/api/api-keys/:id/toggle"): admin_only(toggle),
    ("DELETE", "/api/api-keys/:id"): admin_only(revoke),
}
