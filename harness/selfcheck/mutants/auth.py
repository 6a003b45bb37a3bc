"""Mutants of AUTH and ROT: who is let in, and for how long."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "blank-token-is-the-masters",
        "AUTH-1",
        "A request without a token is taken for one of the node that was made first.",
        (
            '        raise ApiError("NODE_INVALID_TOKEN", "缺少认证令牌")\n',
            "        return nodes.all_nodes(state.database)[-1]\n",
        ),
    ),
    mutant(
        "no-token-is-400",
        "AUTH-1",
        "A request without a token is answered 400.",
        (
            '        raise ApiError("NODE_INVALID_TOKEN", "缺少认证令牌")\n',
            '        raise ApiError("INVALID_INPUT", "缺少认证令牌")\n',
        ),
    ),
    mutant(
        "unknown-token-is-404",
        "AUTH-2",
        "An unknown token is answered as an unknown node.",
        (
            '    if node is None:\n        raise ApiError("NODE_INVALID_TOKEN")\n    return node\n',
            '    if node is None:\n        raise ApiError("NODE_NOT_FOUND")\n    return node\n',
        ),
    ),
    mutant(
        "token-in-any-case",
        "AUTH-2",
        "A token counts in any case.",
        ('WHERE token = ?"', 'WHERE token = ? COLLATE NOCASE"'),
    ),
    mutant(
        "first-letters-of-a-token",
        "AUTH-2",
        "A token that only begins like a node's counts.",
        ('WHERE token = ?"', "WHERE ? LIKE token || '%'\""),
    ),
    mutant(
        "authorization-first",
        "AUTH-3",
        "Authorization counts before X-Agent-Token.",
        ("    if token:\n        return token\n    authorization", "    authorization"),
        (
            'if authorization.startswith(_BEARER) else ""\n\n\ndef _node',
            "if authorization.startswith(_BEARER) else token\n\n\ndef _node",
        ),
    ),
    mutant(
        "bearer-in-any-case",
        "AUTH-4",
        "The word Bearer counts in any case.",
        (
            'return authorization[len(_BEARER) :].strip() if authorization.startswith(_BEARER) else ""',
            'return authorization[len(_BEARER) :].strip() if authorization.lower().startswith("bearer ") else ""',
        ),
    ),
    mutant(
        "bearer-left-out",
        "AUTH-4",
        "Authorization counts without the word Bearer too.",
        (
            'return authorization[len(_BEARER) :].strip() if authorization.startswith(_BEARER) else ""',
            "return authorization.removeprefix(_BEARER).strip()",
        ),
    ),
    mutant(
        "heartbeat-header-first",
        "AUTH-5",
        "A heartbeat's token counts in its headers before its body.",
        ("    if state.config.profile.heartbeat_header_first:\n", "    if state:\n"),
    ),
    mutant(
        "heartbeat-body-only",
        "AUTH-6",
        "A heartbeat without any token is answered 401.",
        (
            'raise ApiError("INVALID_INPUT", "missing token")',
            'raise ApiError("NODE_INVALID_TOKEN")',
        ),
    ),
    mutant(
        "no-credentials-is-invalid",
        "AUTH-7",
        "Administration without credentials is answered as with wrong ones.",
        (
            '        raise ApiError("AUTH_REQUIRED")\n',
            '        raise ApiError("AUTH_INVALID_TOKEN")\n',
        ),
    ),
    mutant(
        "signature-not-checked",
        "AUTH-7",
        "A log-in counts whoever signed it.",
        (
            'f"verify_{claim}": False for claim in ("exp",',
            'f"verify_{claim}": False for claim in ("signature", "exp",',
        ),
    ),
    mutant(
        "log-in-never-ends",
        "AUTH-7",
        "A log-in counts after its time is over.",
        ("(expires is not None and now.ns >= expires * NS)", "(expires is None)"),
    ),
    mutant(
        "unsigned-log-in",
        "AUTH-7",
        "A log-in that names no signature counts.",
        (
            'claims = jwt.decode(credential, state.jwt_secret, ["HS256"], options=_UNCHECKED)',
            (
                'none = jwt.get_unverified_header(credential).get("alg", "").lower() == "none"\n'
                '            claims = jwt.decode(credential, None if none else state.jwt_secret, ["HS256", "none"], options={**_UNCHECKED, "verify_signature": not none})'
            ),
        ),
    ),
    mutant(
        "viewers-may-change",
        "AUTH-8",
        "A viewer may do what an operator may.",
        (
            'return _guarded(endpoint, ("admin", "operator"))',
            'return _guarded(endpoint, ("admin", "operator", "viewer"))',
        ),
    ),
    mutant(
        "operators-are-admins",
        "AUTH-8",
        "An operator may do what an admin may.",
        (
            'return _guarded(endpoint, ("admin",))',
            'return _guarded(endpoint, ("admin", "operator"))',
        ),
    ),
    mutant(
        "refused-but-done",
        "AUTH-8",
        "A role that is too low is refused after the deed.",
        (
            '            raise ApiError("AUTH_FORBIDDEN")\n',
            '            endpoint(state, call, caller)\n            raise ApiError("AUTH_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "disabled-key-works",
        "AUTH-9",
        "A disabled key counts.",
        ('    if key.disabled:\n        raise ApiError("AUTH_KEY_DISABLED")\n', ""),
    ),
    mutant(
        "revoked-key-works",
        "AUTH-9",
        "A revoked key is only forgotten by name.",
        (
            "    state.database.delete(ApiKey, key.id)\n",
            "    state.database.update(ApiKey, key.id, name='')\n",
        ),
    ),
    mutant(
        "six-attempts",
        "AUTH-10",
        "The sixth attempt to log in within a minute may go on.",
        ("ATTEMPTS: Final = 5", "ATTEMPTS: Final = 6"),
    ),
    mutant(
        "four-attempts",
        "AUTH-10",
        "The fifth attempt to log in within a minute is refused.",
        ("ATTEMPTS: Final = 5", "ATTEMPTS: Final = 4"),
    ),
    mutant(
        "window-never-opens",
        "AUTH-10",
        "Each attempt begins the minute anew.",
        (
            "        self._windows[client] = (count, end_ns)\n",
            "        self._windows[client] = (count, now_ns + WINDOW_NS)\n",
        ),
    ),
    mutant(
        "set-up-again",
        "AUTH-11",
        "The set-up works as long as the name is another.",
        (
            '    if _initialized(state):\n        raise ApiError("AUTH_SETUP_DISABLED")\n    hashed',
            "    hashed",
        ),
        (
            "        if _initialized(state):  # somebody else was first while this one was hashed\n",
            "        if state.database.find(User, 'username = ?', wanted.username.strip()):\n",
        ),
    ),
    mutant(
        "set-up-twice-is-400",
        "AUTH-11",
        "A second set-up is refused as a wrong one.",
        (
            '    if _initialized(state):\n        raise ApiError("AUTH_SETUP_DISABLED")\n    hashed',
            '    if _initialized(state):\n        raise ApiError("AUTH_SETUP_INVALID")\n    hashed',
        ),
    ),
    mutant(
        "key-never-expires",
        "AUTH-12",
        "An API key counts after its time is over.",
        (
            "if key.expires_at is not None and key.expires_at < now.utc:",
            "if key.expires_at is not None and key.expires_at < '':",
        ),
    ),
    mutant(
        "hours-are-minutes",
        "AUTH-12",
        "An API key lives for minutes in place of hours.",
        ("_HOUR_S: Final = 3600", "_HOUR_S: Final = 60"),
    ),
    mutant(
        "new-token-forgotten",
        "ROT-1",
        "A rotation answers with a token that it does not store.",
        (
            "        token=token,\n        prev_token=node.token,",
            "        token=new_token(state),\n        prev_token=node.token,",
        ),
    ),
    mutant(
        "no-grace",
        "ROT-2",
        "A rotation kills the old token at once.",
        ("        prev_token=node.token,\n", '        prev_token="",\n'),
    ),
    mutant(
        "grace-is-half",
        "ROT-2",
        "The old token works for half of the grace.",
        (
            "now.utc_in(state.config.timings.token_grace_s)",
            "now.utc_in(state.config.timings.token_grace_s / 2)",
        ),
    ),
    mutant(
        "grace-for-heartbeats-only",
        "ROT-2",
        "In its grace the old token is good for heartbeats, and for nothing else.",
        (
            '    node = nodes.by_token(state.database, token, now.utc)\n    if node is None:\n        raise ApiError("NODE_INVALID_TOKEN")\n    return node\n',
            '    node = nodes.by_token(state.database, token, now.utc)\n    if node is None or node.token != token:\n        raise ApiError("NODE_INVALID_TOKEN")\n    return node\n',
        ),
    ),
    mutant(
        "old-token-never-dies",
        "ROT-3",
        "The token before the last rotation works for ever.",
        (" AND prev_token_expires IS NOT NULL AND prev_token_expires > ?", " AND ? <> ''"),
    ),
    mutant(
        "grace-and-its-end",
        "ROT-3",
        "The old token still works at the very end of the grace.",
        ("AND prev_token_expires > ?", "AND prev_token_expires >= ?"),
    ),
    mutant(
        "oldest-token-lives",
        "ROT-4",
        "A second rotation within the grace leaves the first token in its place.",
        ("        prev_token=node.token,\n", "        prev_token=node.prev_token or node.token,\n"),
    ),
    mutant(
        "own-token-rotates",
        "ROT-5",
        "The master's own node gets a new token.",
        ('    if node.is_local:\n        raise ApiError("NODE_ROTATE_LOCAL")\n', ""),
    ),
    mutant(
        "keys-are-operators",
        "AUTH-14",
        "An API key may do what an operator may, whatever its role.",
        (
            "    return Caller(subject, key.role, subject)\n",
            '    return Caller(subject, "operator", subject)\n',
        ),
    ),
    mutant(
        "keys-are-admins",
        "AUTH-14",
        "An API key may do what an admin may.",
        (
            "    return Caller(subject, key.role, subject)\n",
            '    return Caller(subject, "admin", subject)\n',
        ),
    ),
    mutant(
        "keys-only-look",
        "AUTH-14",
        "An API key may only look.",
        (
            "    return Caller(subject, key.role, subject)\n",
            '    return Caller(subject, "viewer", subject)\n',
        ),
    ),
    mutant(
        "deleted-node-keeps-its-token",
        "AUTH-15",
        "A deleted node is only hidden by its name.",
        (
            "    state.database.delete(Node, node.id)\n",
            '    state.database.update(Node, node.id, name=f"deleted {node.id}", status="offline")\n',
        ),
    ),
    mutant(
        "rotation-goes-offline",
        "ROT-6",
        "A rotation takes the node offline.",
        (
            "        token=token,\n        prev_token=node.token,",
            '        token=token,\n        status="offline",\n        prev_token=node.token,',
        ),
    ),
    mutant(
        "rotation-empties-the-queue",
        "ROT-6",
        "A rotation drops the commands that wait.",
        (
            "        token=token,\n        prev_token=node.token,",
            "        token=token,\n        status=node.status[state.database.execute(\"DELETE FROM agent_commands WHERE status = 'pending' AND node_id = ?\", (node.id,)).rowcount * 0 :],\n        prev_token=node.token,",
        ),
    ),
    mutant(
        "claims-bound-to-a-token",
        "ROT-7",
        "What was taken before a rotation cannot be reported after it.",
        (
            '    if command.node_id != node.id:\n        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n',
            '    if command.node_id != node.id or (node.prev_token and command.dispatched_at < (node.updated_at or "")):\n        raise ApiError("AGENT_COMMAND_FORBIDDEN")\n',
        ),
    ),
    mutant(
        "unknown-node-gets-a-token",
        "ROT-8",
        "Rotating the token of an unknown node is answered 200.",
        (
            "    node = find(state, call.agent_id())\n    token = rotate(state, node, call.now)\n",
            '    node = state.database.get(Node, call.agent_id())\n    if node is None:\n        return success({"newToken": new_token(state)})\n    token = rotate(state, node, call.now)\n',
        ),
    ),
    mutant(
        "heartbeat-body-first",
        "AUTH-13",
        "A heartbeat's token in the body counts before its headers.",
        (
            "    if state.config.profile.heartbeat_header_first:\n        tokens = tokens[::-1]\n",
            "",
        ),
    ),
    mutant(
        "last-forwarded-address-counts",
        "AUTH-17",
        "Of several forwarded addresses the last counts before the release in which it does.",
        (
            "            if at == 0 or not _may_forward(state, hops[at]):\n",
            "            if at == 0 or hops[at] not in TRUSTED_PROXIES:\n",
        ),
    ),
    mutant(
        "first-forwarded-address-counts",
        "AUTH-18",
        "Of several forwarded addresses the first counts, whoever wrote it.",
        (
            "            if at == 0 or not _may_forward(state, hops[at]):\n",
            "            if at == 0:\n",
        ),
    ),
    mutant(
        "profile-without-second-factors",
        "AUTH-16",
        "A user's profile has the fields of the first release.",
        ("    if not known(profile):", "    if profile:"),
    ),
    mutant(
        "profile-with-an-address",
        "AUTH-19",
        "A user's profile has an address before the release in which it does.",
        ("    if factors.known(profile):\n        more", "    if profile:\n        more"),
    ),
    mutant(
        "viewers-download-nothing",
        "AUTH-8",
        "A viewer is refused the download of a backup.",
        (": signed_in(download)", ": not_viewer(download)"),
    ),
)
