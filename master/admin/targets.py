"""Storage targets: where backups go. Their configuration is stored sealed and shown masked."""

from typing import Any, Final

from msgspec import Raw

from master import audit
from master.admin.access import Caller, not_viewer, signed_in
from master.admin.providers import PROVIDERS, Config, Provider, check, masked, merged, provider
from master.admin.rules import RuledBinder, at_most, finite, read, required, size
from master.call import Call
from master.cipher import CipherError
from master.http import success
from master.objects import ObjectError
from master.protocol import times, wire
from master.protocol.errors import ApiError
from master.protocol.exchange import Response
from master.protocol.wire import Inbound, Int, Outbound
from master.state import State
from master.store.rows import Target


class TargetInput(Inbound):
    """`POST /api/storage-targets` and `PUT /api/storage-targets/:id`."""

    name: str = ""
    type: str = ""
    description: str = ""
    enabled: bool = False
    config: dict[str, Any] | None = None
    quotaBytes: Int = 0


bind_target = RuledBinder(
    TargetInput,
    {
        "name": (required, size(1, 128)),
        "type": (required,),
        "description": (at_most(255),),
        "config": (required, finite),
    },
)


class TargetSummary(Outbound, frozen=True, kw_only=True):
    """A target in a list."""

    id: int
    name: str
    type: str
    description: str
    enabled: bool
    starred: bool
    configVersion: int
    lastTestedAt: str | None
    lastTestStatus: str
    lastTestMessage: str
    quotaBytes: int
    updatedAt: str


class TargetDetail(TargetSummary, frozen=True, kw_only=True):
    """A target with its configuration, secrets masked."""

    config: Raw
    maskedFields: tuple[str, ...] = ()


def _columns(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "name": target.name,
        "type": target.type,
        "description": target.description,
        "enabled": bool(target.enabled),
        "starred": bool(target.starred),
        "configVersion": target.config_version,
        "lastTestedAt": target.last_tested_at and times.wire_text(target.last_tested_at),
        "lastTestStatus": target.last_test_status,
        "lastTestMessage": target.last_test_message,
        "quotaBytes": target.quota_bytes,
        "updatedAt": times.wire_text(target.updated_at or times.ZERO_DB_TEXT),
    }


def _detail(state: State, target: Target) -> TargetDetail:
    config = _open(state, target)
    # a kind we do not know, in somebody else's database: anything may be secret
    kind = PROVIDERS.get(target.type.strip()) or Provider("", {}, str, tuple(sorted(config)))
    text = wire.canonical(masked(kind, config))
    return TargetDetail(**_columns(target), config=Raw(text.encode()), maskedFields=kind.secrets)


def _open(state: State, target: Target) -> dict[str, Any]:
    """Return a target's configuration in clear.

    Raises:
        ApiError: STORAGE_TARGET_DECRYPT_FAILED.

    """
    try:
        return state.cipher.decrypt_json(target.config_ciphertext)
    except CipherError:
        raise ApiError("STORAGE_TARGET_DECRYPT_FAILED") from None


def find(state: State, target_id: int) -> Target:
    """Return a target.

    Raises:
        ApiError: STORAGE_TARGET_NOT_FOUND.

    """
    target = state.database.get(Target, target_id)
    if target is None:
        raise ApiError("STORAGE_TARGET_NOT_FOUND")
    return target


def list_all(state: State, _: Call, __: Caller) -> Response:
    """`GET /api/storage-targets`: the starred first, then the latest changed."""
    found = state.database.select(Target, "ORDER BY starred DESC, updated_at DESC, id DESC")
    return success([TargetSummary(**_columns(target)) for target in found])


def get(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/storage-targets/:id`.

    Raises:
        ApiError: INVALID_ID, STORAGE_TARGET_NOT_FOUND, STORAGE_TARGET_DECRYPT_FAILED.

    """
    return success(_detail(state, find(state, call.admin_id())))


def _check_name(state: State, name: str, own_id: int) -> None:
    taken = state.database.find(Target, "name = ?", name)
    if taken is not None and taken.id != own_id:
        raise ApiError("STORAGE_TARGET_NAME_EXISTS")


def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/storage-targets`: nothing is tested; `enabled` false cannot be said here.

    Raises:
        ApiError: STORAGE_TARGET_INVALID, STORAGE_PROVIDER_UNSUPPORTED,
            STORAGE_TARGET_NAME_EXISTS, STORAGE_TARGET_INVALID_CONFIG.

    """
    wanted = read(call, bind_target, "STORAGE_TARGET_INVALID")
    kind = provider(wanted.type, state.config.profile)
    _check_name(state, wanted.name.strip(), 0)
    config = wanted.config or {}
    check(kind, config)
    target_id = state.database.insert(
        Target,
        name=wanted.name.strip(),
        type=wanted.type,
        description=wanted.description.strip(),
        enabled=1,
        starred=0,
        config_ciphertext=state.cipher.encrypt_json(config),
        config_version=1,
        last_test_status="unknown",
        last_test_message="",
        quota_bytes=max(wanted.quotaBytes, 0),
        created_at=call.now.local,
        updated_at=call.now.local,
    )
    target = find(state, target_id)
    audit.note(
        state,
        call,
        caller,
        category="storage_target",
        action="create",
        target_id=target.id,
        target_name=target.name,
        detail=f"创建存储目标「{target.name}」，类型: {target.type}",
    )
    return success(_detail(state, target))


def update(state: State, call: Call, caller: Caller) -> Response:
    """`PUT /api/storage-targets/:id`: keys of the configuration that are left out stay.

    The star is lost, as in v2.0.0.

    Raises:
        ApiError: INVALID_ID, STORAGE_TARGET_INVALID, STORAGE_PROVIDER_UNSUPPORTED,
            STORAGE_TARGET_NOT_FOUND, STORAGE_TARGET_NAME_EXISTS, STORAGE_TARGET_TYPE_IMMUTABLE,
            STORAGE_TARGET_DECRYPT_FAILED, STORAGE_TARGET_INVALID_CONFIG.

    """
    target_id = call.admin_id()
    wanted = read(call, bind_target, "STORAGE_TARGET_INVALID")
    kind = provider(wanted.type, state.config.profile)
    target = find(state, target_id)
    _check_name(state, wanted.name.strip(), target.id)
    if target.type != wanted.type:
        raise ApiError("STORAGE_TARGET_TYPE_IMMUTABLE")
    config = merged(kind, _open_for_change(state, target), wanted.config or {})
    check(kind, config)
    state.database.update(
        Target,
        target.id,
        name=wanted.name.strip(),
        description=wanted.description.strip(),
        enabled=int(wanted.enabled),
        starred=0,
        config_ciphertext=state.cipher.encrypt_json(config),
        quota_bytes=max(wanted.quotaBytes, 0),
        updated_at=call.now.local,
    )
    target = find(state, target.id)
    audit.note(
        state,
        call,
        caller,
        category="storage_target",
        action="update",
        target_id=target.id,
        target_name=target.name,
        detail=f"更新存储目标「{target.name}」，类型: {target.type}",
    )
    return success(_detail(state, target))


def _open_for_change(state: State, target: Target) -> dict[str, Any]:
    try:
        return _open(state, target)
    except ApiError as error:
        raise ApiError(error.code, "无法读取现有存储目标配置") from None


def delete(state: State, call: Call, caller: Caller) -> Response:
    """`DELETE /api/storage-targets/:id`: not while a task names it, or one that is gone did.

    Raises:
        ApiError: INVALID_ID, STORAGE_TARGET_NOT_FOUND, STORAGE_TARGET_IN_USE.

    """
    target = find(state, call.admin_id())
    named = "SELECT 1 FROM backup_task_storage_targets WHERE storage_target_id = ?"
    if state.database.query(named, (target.id,)):
        raise ApiError("STORAGE_TARGET_IN_USE")
    state.database.delete(Target, target.id)
    audit.note(
        state,
        call,
        caller,
        category="storage_target",
        action="delete",
        target_id=target.id,
        detail=f"删除存储目标 (ID: {target.id})",
    )
    return success({"deleted": True})


def toggle_star(state: State, call: Call, _: Caller) -> Response:
    """`PUT /api/storage-targets/:id/star`: on if it was off, off if it was on.

    Raises:
        ApiError: INVALID_ID, STORAGE_TARGET_NOT_FOUND.

    """
    target = find(state, call.admin_id())
    starred = int(not target.starred)
    state.database.update(Target, target.id, starred=starred, updated_at=call.now.local)
    return success(TargetSummary(**_columns(find(state, target.id))))


def _test(state: State, kind: str, config: Config) -> str:
    """Return what is wrong with a target, or nothing: a local directory is made if it can be."""
    if kind != "local_disk":
        return f"the reference master has no client for {kind} targets"
    try:
        state.objects.prepare(config["basePath"].strip())
    except ObjectError as error:
        return str(error)
    return ""


_CONNECTED: Final = "连接成功"


def _tested(complaint: str) -> Response:
    if complaint:
        raise ApiError("STORAGE_TARGET_TEST_FAILED", complaint)
    return success({"message": _CONNECTED, "success": True})


def try_new(state: State, call: Call, __: Caller) -> Response:
    """`POST /api/storage-targets/test`: test a target that is not stored.

    Raises:
        ApiError: STORAGE_TARGET_TEST_INVALID, STORAGE_PROVIDER_UNSUPPORTED,
            STORAGE_TARGET_INVALID_CONFIG, STORAGE_TARGET_TEST_FAILED.

    """
    wanted = read(call, bind_target, "STORAGE_TARGET_TEST_INVALID")
    config = check(provider(wanted.type, state.config.profile), wanted.config or {})
    return _tested(_test(state, wanted.type.strip(), config))


def try_stored(state: State, call: Call, _: Caller) -> Response:
    """`POST /api/storage-targets/:id/test`: test a target, and note how it went.

    Raises:
        ApiError: INVALID_ID, STORAGE_TARGET_NOT_FOUND, STORAGE_TARGET_DECRYPT_FAILED,
            STORAGE_TARGET_INVALID_CONFIG, STORAGE_TARGET_TEST_FAILED.

    """
    target = find(state, call.admin_id())
    config = check(provider(target.type, state.config.profile), _open(state, target))
    complaint = _test(state, target.type.strip(), config)
    state.database.update(
        Target,
        target.id,
        last_tested_at=call.now.utc,
        last_test_status="failed" if complaint else "success",
        last_test_message=complaint or _CONNECTED,
        updated_at=call.now.local,
    )
    return _tested(complaint)


ROUTES: Final = {
    ("GET", "/api/storage-targets"): signed_in(list_all),
    ("POST", "/api/storage-targets"): not_viewer(create),
    ("POST", "/api/storage-targets/test"): not_viewer(try_new),
    ("GET", "/api/storage-targets/:id"): signed_in(get),
    ("PUT", "/api/storage-targets/:id"): not_viewer(update),
    ("DELETE", "/api/storage-targets/:id"): not_viewer(delete),
    ("PUT", "/api/storage-targets/:id/star"): not_viewer(toggle_star),
    ("POST", "/api/storage-targets/:id/test"): not_viewer(try_stored),
}
