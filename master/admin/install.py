"""Install tokens: made by an admin, good for one script, handed to whoever has them (4.3)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from master import audit
from master.admin import nodes
from master.admin.access import Caller, admin_only, client_of, forwarded
from master.call import Call
from master.http import ByProfile, Handler, success
from master.installer import PLACEHOLDER, Plan, compose, is_plain_url, is_version, script
from master.now import Now
from master.protocol import times
from master.protocol.errors import ApiError
from master.protocol.exchange import JSON_HEADERS, Headers, Request, Response
from master.protocol.profiles import Profile
from master.protocol.wire import Binder, Inbound, Int
from master.state import State
from master.store.rows import InstallToken, Node, User

TOKEN_BYTES: Final = 32
RATE: Final = 5
"""How many tokens a node may be given in `RATE_S`."""
RATE_S: Final = 60
TTL_S: Final = (300, 86_400)

_MODES: Final = ("systemd", "docker", "foreground")
_ARCHES: Final = ("amd64", "arm64", "auto")
_SOURCES: Final = ("github", "ghproxy")
_TEXT: Final[Headers] = (("Content-Type", "text/plain; charset=utf-8"),)


class TokenInput(Inbound):
    """`POST /api/nodes/:id/install-tokens`."""

    mode: str = ""
    arch: str = ""
    agentVersion: str = ""
    downloadSrc: str = ""
    ttlSeconds: Int = 0


class ConnectedInput(TokenInput):
    """The same since v2.4.0."""

    agentMasterUrl: str = ""
    proxyUrl: str = ""
    caCertFile: str = ""


bind_token = Binder(TokenInput)
bind_connected = Binder(ConnectedInput)


def _master_url(state: State, request: Request) -> str:
    """Return where the caller reached the master; what a proxy says counts first."""
    scheme = forwarded(state, request, "x-forwarded-proto") or "http"
    host = forwarded(state, request, "x-forwarded-host") or request.headers.get("host", "")
    return f"{scheme}://{host or state.config.ip_address}"


def _check(profile: Profile, wanted: TokenInput, node_id: int) -> None:
    """Refuse what no token is made for; v2.0.0 takes any version, and gives no script for it.

    Raises:
        ApiError: INSTALL_TOKEN_INVALID.

    """
    low, high = TTL_S
    connection = (
        (wanted.agentMasterUrl, wanted.proxyUrl, wanted.caCertFile)
        if isinstance(wanted, ConnectedInput)
        else ("", "", "")
    )
    too_long = any(
        len(text.encode()) > most for text, most in zip(connection, (2048, 2048, 512), strict=True)
    )
    version = wanted.agentVersion.strip()
    checked = profile.install_versions_checked
    for broken, message in (
        (node_id == 0, "nodeId 必填"),
        (wanted.mode not in _MODES, "mode 非法"),
        (wanted.arch not in _ARCHES, "arch 非法"),
        (wanted.downloadSrc not in _SOURCES, "downloadSrc 非法"),
        (not version, "agentVersion 必填"),
        (checked and len(version.encode()) > 64, "agentVersion 不能超过 64 字符"),
        (checked and not is_version(version), "agentVersion 包含非法字符"),
        (not low <= wanted.ttlSeconds <= high, f"ttlSeconds 需在 {low}-{high}"),
        (too_long, "连接配置过长"),
    ):
        if broken:
            raise ApiError("INSTALL_TOKEN_INVALID", message)


def _wanted(state: State, call: Call) -> TokenInput:
    wanted: TokenInput
    if state.config.profile.install_connections:
        wanted = call.body(bind_connected)
    else:
        wanted = call.body(bind_token)
    wanted.mode = wanted.mode or "systemd"
    wanted.arch = wanted.arch or "auto"
    wanted.downloadSrc = wanted.downloadSrc or "github"
    wanted.ttlSeconds = wanted.ttlSeconds or 900
    return wanted


def create(state: State, call: Call, caller: Caller) -> Response:
    """`POST /api/nodes/:id/install-tokens`: a token, and where it is good.

    Raises:
        ApiError: INTERNAL_ERROR for an unreadable id, INVALID_INPUT, INSTALL_TOKEN_INVALID,
            NODE_NOT_FOUND, INSTALL_TOKEN_RATE_LIMITED.

    """
    node_id = call.agent_id()
    wanted = _wanted(state, call)
    profile = state.config.profile
    url = _master_url(state, call.request).rstrip("/")
    if isinstance(wanted, ConnectedInput) and not is_plain_url(url):
        raise ApiError("INSTALL_TOKEN_INVALID", "masterURL 必须是安全的完整 HTTP(S) 地址")
    _check(profile, wanted, node_id)
    node = nodes.find(state, node_id)
    columns = _columns(wanted, url)
    fallbacks = profile.install_fallbacks
    text = _previewed(profile, _plan(node, columns, url)) if fallbacks else None
    token = _insert(state, node, columns, wanted.ttlSeconds, caller, call.now)
    audit.note(
        state,
        call,
        caller,
        category="install_token",
        action="create",
        target_type="node",
        target_id=node.id,
        target_name=node.name,
        detail=f"生成 {wanted.mode}/{wanted.arch} install token TTL={wanted.ttlSeconds}s",
    )
    body = _answer(token, columns["agent_master_url"] or url, text)
    return success(body, (*JSON_HEADERS, *nodes.not_stored(profile)))


def _columns(wanted: TokenInput, url: str) -> dict[str, str]:
    columns = {
        "mode": wanted.mode,
        "arch": wanted.arch,
        "agent_ver": wanted.agentVersion,
        "download_src": wanted.downloadSrc,
        "agent_master_url": "",
        "proxy_url": "",
        "ca_cert_file": "",
    }
    if isinstance(wanted, ConnectedInput):
        columns["agent_master_url"] = wanted.agentMasterUrl.strip().rstrip("/") or url
        columns["proxy_url"] = wanted.proxyUrl.strip()
        columns["ca_cert_file"] = wanted.caCertFile.strip()
    return columns


def _plan(node: Node, columns: Mapping[str, str], url: str) -> Plan:
    return Plan(
        master_url=columns["agent_master_url"] or url,
        token=node.token,
        version=columns["agent_ver"].strip(),
        mode=columns["mode"],
        arch=columns["arch"],
        proxy_url=columns["proxy_url"],
        ca_cert_file=columns["ca_cert_file"],
    )


def _previewed(profile: Profile, plan: Plan) -> str:
    """Return the script of a plan, without or before its token.

    Raises:
        ApiError: INSTALL_TOKEN_INVALID, before v2.4.0 INTERNAL_ERROR, where none can be written;
            since then also for a mode or an architecture that no token is made for.

    """
    checked = profile.install_plans_checked
    refusal = ApiError("INTERNAL_ERROR")
    if checked:
        refusal = ApiError("INSTALL_TOKEN_INVALID", "Agent 连接配置无效")
    if checked and not (plan.mode in _MODES and plan.arch in _ARCHES):
        raise refusal
    try:
        return script(plan)
    except ValueError:
        raise refusal from None


def _insert(
    state: State, node: Node, columns: Mapping[str, str], ttl_s: int, caller: Caller, now: Now
) -> InstallToken:
    recent = state.database.count(
        InstallToken, "node_id = ? AND created_at >= ?", node.id, now.utc_in(-RATE_S)
    )
    if recent >= RATE:
        raise ApiError("INSTALL_TOKEN_RATE_LIMITED", f"每 {RATE_S} 秒最多生成 {RATE} 次")
    maker = state.database.find(User, "username = ?", caller.subject)  # as the real one: by its id
    token_id = state.database.insert(
        InstallToken,
        token=state.entropy.token_bytes(TOKEN_BYTES).hex(),
        node_id=node.id,
        **columns,
        expires_at=now.utc_in(ttl_s),
        created_by_id=maker.id if maker else 0,
        created_at=now.local,
    )
    token = state.database.get(InstallToken, token_id)
    assert token is not None
    return token


def _answer(token: InstallToken, url: str, text: str | None) -> dict[str, Any]:
    """Return what is told of a new token; with its script, where a release has ways to fall back."""
    plain = f"{url}/install/{token.token}"
    under_api = f"{url}/api/install/{token.token}"
    docker = token.mode == "docker"
    first = plain if text is None else under_api
    body = {
        "composeUrl": f"{first}/compose.yml" if docker else "",
        "expiresAt": times.wire_text(token.expires_at),
        "installToken": token.token,
        "url": first,
    }
    if text is not None:
        body["fallbackComposeUrl"] = f"{plain}/compose.yml" if docker else ""
        body["fallbackUrl"] = plain
        body["scriptBase64"] = b64encode(text.encode()).decode()
    return dict(sorted(body.items()))


# --- whoever has a token ------------------------------------------------------------------------


def _say(status: int, text: str) -> Response:
    return Response(status, f"{text}\n".encode(), _TEXT)


def _valid(state: State, call: Call) -> InstallToken | None:
    return state.database.find(
        InstallToken,
        "token = ? AND consumed_at IS NULL AND expires_at > ?",
        call.parameter.strip(),
        call.now.utc,
    )


def _consume(state: State, call: Call, token: InstallToken, kind: str) -> Plan | None:
    """Use a token up, and return what it is good for; `None` if its node is gone."""
    state.database.update(InstallToken, token.id, consumed_at=call.now.utc)
    node = state.database.get(Node, token.node_id)
    if node is None:
        return None
    audit.write(
        state,
        call.now,
        category="install_token",
        action="consume",
        target_type="node",
        target_id=str(node.id),
        target_name=node.name,
        detail=f"install token 消费 ({kind})",
        client_ip=client_of(state, call.request),
    )
    columns = {name: getattr(token, name) for name in _PLANNED}
    return _plan(node, columns, _master_url(state, call.request))


_PLANNED: Final = ("agent_master_url", "agent_ver", "mode", "arch", "proxy_url", "ca_cert_file")


def _kept_as_it_is(disposition: str, name: str) -> Headers:
    """Return what keeps proxies from storing or rewriting a file."""
    return (
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Disposition", f'{disposition}; filename="{name}"'),
    )


def _used(
    state: State, call: Call, kind: str, render: Callable[[Plan], str], unknown: str
) -> str | Response:
    """Use the token of a request up, and return what it is good for, or why there is nothing.

    Args:
        state: the master.
        call: 20 of these a minute and client are answered.
        kind: `script` or `compose`, which is for docker alone.
        render: makes the text.
        unknown: what is said of a token that is not there.

    """
    if not state.install_limiter.allow(client_of(state, call.request), call.now.ns):
        return _say(429, "请求过于频繁，请稍后再试")
    token = _valid(state, call)
    if token is None:
        return _say(410, unknown)
    if kind == "compose" and token.mode != "docker":
        return _say(400, "该 install token 的模式不是 docker")
    plan = _consume(state, call, token, kind)
    if plan is None:
        return _say(500, "server error")
    try:
        return render(plan)
    except ValueError:
        return _say(500, "render error")


def show_script(state: State, call: Call) -> Response:
    """`GET /install/:token`: the script, once."""
    text = _used(state, call, "script", script, "install token 不存在、已过期或已消费")
    if isinstance(text, Response):
        return text
    headers: Headers = (("Content-Type", "text/x-shellscript; charset=utf-8"),)
    if state.config.profile.install_script_is_text:
        headers = (*_TEXT, *_kept_as_it_is("inline", "backupx-agent-install.sh"))
    return Response(200, text.encode(), headers)


def show_compose(state: State, call: Call) -> Response:
    """`GET /install/:token/compose.yml`: the compose file in place of the script, for docker."""
    text = _used(state, call, "compose", compose, "install token 不存在")
    if isinstance(text, Response):
        return text
    headers: Headers = (("Content-Type", "text/yaml; charset=utf-8"),)
    if nodes.not_stored(state.config.profile):
        headers += _kept_as_it_is("attachment", "backupx-agent-compose.yml")
    return Response(200, text.encode(), headers)


def preview(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/nodes/:id/install-script-preview`: the script without a token.

    Raises:
        ApiError: INVALID_INPUT, INSTALL_TOKEN_INVALID or INTERNAL_ERROR.

    """
    asked = call.request.parameter
    version = asked("agentVersion") or ""
    if not version:
        raise ApiError("INVALID_INPUT", "agentVersion required")
    plan = Plan(
        master_url=_master_url(state, call.request),
        token=PLACEHOLDER,
        version=version.strip(),
        mode=_or("systemd", asked("mode")),
        arch=_or("auto", asked("arch")),
    )
    headers = (("Content-Type", "text/x-shellscript; charset=utf-8"),)
    return Response(200, _previewed(state.config.profile, plan).encode(), headers)


def _or(default: str, text: str | None) -> str:
    return default if text is None else text


def _under_api(endpoint: Handler) -> ByProfile:
    return ByProfile(lambda profile: endpoint if profile.install_under_api else None)


ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    ("POST", "/api/nodes/:id/install-tokens"): admin_only(create),
    ("GET", "/api/nodes/:id/install-script-preview"): admin_only(preview),
    ("GET", "/install/:id"): show_script,
    ("GET", "/install/:id/compose.yml"): show_compose,
    ("GET", "/api/install/:id"): _under_api(show_script),
    ("GET", "/api/install/:id/compose.yml"): _under_api(show_compose),
}
