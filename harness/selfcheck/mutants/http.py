"""Mutants of HTTP: the envelope, ids and routes."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "code-in-small-letters",
        "HTTP-1",
        "A success says ok in place of OK.",
        (
            'wire.encode(Envelope("OK", "success", data))',
            'wire.encode(Envelope("ok", "success", data))',
        ),
    ),
    mutant(
        "data-before-code",
        "HTTP-1",
        "The keys of a success are in another order.",
        (
            "    code: str\n    message: str\n    data: Any\n",
            "    message: str\n    code: str\n    data: Any\n",
        ),
        ('Envelope("OK", "success", data)', 'Envelope("success", "OK", data)'),
    ),
    mutant(
        "spaces-in-json",
        "HTTP-1",
        "A success is indented.",
        (
            "    return Response(200, wire.encode(Envelope(",
            "    return Response(200, wire.indented(Envelope(",
        ),
        (
            "def compact(raw: bytes | str) -> Raw:",
            "def indented(message: Any) -> bytes:\n    return msgspec.json.format(encode(message), indent=1)\n\n\ndef compact(raw: bytes | str) -> Raw:",
        ),
    ),
    mutant(
        "refusal-is-200",
        "HTTP-2",
        "A refusal is answered with status 200 and its code.",
        ("    return Response(error.status, wire.encode(", "    return Response(200, wire.encode("),
    ),
    mutant(
        "refusal-with-null-data",
        "HTTP-2",
        "A refusal has data, which is null.",
        (
            "wire.encode(Refusal(error.code, error.message))",
            "wire.encode(Envelope(error.code, error.message, None))",
        ),
    ),
    mutant(
        "unknown-path-is-empty",
        "HTTP-3",
        "An unknown path is answered 204.",
        (
            "self.router.redirect(request) or _NOT_FOUND",
            "self.router.redirect(request) or NO_CONTENT",
        ),
    ),
    mutant(
        "paths-in-any-case",
        "HTTP-3",
        "Capital letters in a path are taken for small ones.",
        (
            "self.router.match(request.method, request.path)",
            "self.router.match(request.method, request.path.lower())",
        ),
    ),
    mutant(
        "wrong-method-is-405",
        "HTTP-4",
        "A known path with the wrong method is answered 405.",
        (
            "            return self.router.redirect(request) or _NOT_FOUND\n",
            (
                '            known = any(self.router.match(one, request.path) for one in ("GET", "POST", "PUT", "DELETE"))\n'
                "            return self.router.redirect(request) or (Response(405, b'') if known else _NOT_FOUND)\n"
            ),
        ),
    ),
    mutant(
        "head-is-get",
        "HTTP-4",
        "HEAD is answered as GET is.",
        (
            "self.router.match(request.method, request.path)",
            'self.router.match(request.method.replace("HEAD", "GET"), request.path)',
        ),
    ),
    mutant(
        "options-of-known-paths-only",
        "HTTP-5",
        "OPTIONS on an unknown path is answered 404.",
        (
            '    if request.method == "OPTIONS":\n',
            (
                '    if request.method == "OPTIONS" and any(\n'
                '            self.router.match(method, request.path) for method in ("GET", "POST", "PUT", "DELETE")\n'
                "        ):\n"
            ),
        ),
    ),
    mutant(
        "options-is-200",
        "HTTP-5",
        "OPTIONS is answered 200.",
        (
            "NO_CONTENT: Final = Response(204, headers=())",
            "NO_CONTENT: Final = Response(200, headers=())",
        ),
    ),
    mutant(
        "cors-age-left-out",
        "HTTP-6",
        "Answers do not say for how long a browser may remember.",
        ('    ("Access-Control-Max-Age", "86400"),\n', ""),
    ),
    mutant(
        "no-cors-on-refusals",
        "HTTP-6",
        "Only successes carry CORS headers.",
        (
            "    return Response(error.status, wire.encode(Refusal(error.code, error.message)))",
            "    return Response(error.status, wire.encode(Refusal(error.code, error.message)), cors=False)",
        ),
    ),
    mutant(
        "agent-ids-of-64-bits",
        "HTTP-9",
        "An id beyond 32 bits on an agent path is looked up.",
        (
            "if number is None or number > _UINT32_MAX:",
            "if number is None or number > _UINT64_MAX:",
        ),
    ),
    mutant(
        "agent-ids-with-a-sign",
        "HTTP-9",
        "A plus before an id does not matter.",
        (
            "        return _agent_id(self.parameter)\n",
            '        return _agent_id(self.parameter.removeprefix("+"))\n',
        ),
    ),
    mutant(
        "unreadable-agent-id-is-400",
        "HTTP-9",
        "An unreadable id on an agent path is answered 400.",
        (
            '    if number is None or number > _UINT32_MAX:\n        raise ApiError("INTERNAL_ERROR")',
            '    if number is None or number > _UINT32_MAX:\n        raise ApiError("INVALID_ID")',
        ),
    ),
    mutant(
        "unreadable-admin-id-is-500",
        "HTTP-10",
        "An unreadable id on an admin path is answered 500.",
        (
            '            raise ApiError("INVALID_ID")\n        return number',
            '            raise ApiError("INTERNAL_ERROR")\n        return number',
        ),
    ),
    mutant(
        "admin-ids-of-32-bits",
        "HTTP-10",
        "An id beyond 32 bits on an admin path is refused.",
        (
            "        text = self.parameter.strip()\n        number = _unsigned(text)\n        if number is None or number > _UINT64_MAX:",
            "        text = self.parameter.strip()\n        number = _unsigned(text)\n        if number is None or number > _UINT32_MAX:",
        ),
    ),
    mutant(
        "redirects-gets-only",
        "HTTP-11",
        "Only GET is redirected to the path without the slash.",
        (
            "        if self.match(request.method, other, empty",
            '        if self.match(request.method.replace("POST", "?"), other, empty',
        ),
    ),
    mutant(
        "redirect-loses-the-query",
        "HTTP-11",
        "A redirect leaves out the query.",
        (
            'location = quote(other, safe="/:") + (f"?{request.query}" if request.query else "")',
            'location = quote(other, safe="/:")',
        ),
    ),
    mutant(
        "redirects-all-with-301",
        "HTTP-11",
        "A redirected POST is answered 301, after which a client may come back with GET.",
        (
            '        return Response(307, b"", (("Location", location),), cors=False)',
            '        return Response(301, b"", (("Location", location),), cors=False)',
        ),
    ),
    mutant(
        "id-before-token",
        "HTTP-12",
        "The id of a command is looked at before the token.",
        (
            "    node = _node(state, call)\n    command_id = call.agent_id()\n",
            "    command_id = call.agent_id()\n    node = _node(state, call)\n",
        ),
    ),
    mutant(
        "body-before-id",
        "HTTP-12",
        "The body of a report about a backup is read before the id.",
        (
            "    record_id = call.agent_id()\n",
            "    call.body(bind_record_update)\n    record_id = call.agent_id()\n",
        ),
    ),
    mutant(
        "bad-filter-ignored",
        "HTTP-15",
        "A filter that cannot be read is no filter.",
        ('            raise ApiError(self._code, f"{name} 不合法")\n', "            return\n"),
    ),
    mutant(
        "bad-date-ignored",
        "HTTP-15",
        "A date that cannot be read filters nothing.",
        (
            "        if not _RFC3339.fullmatch(text):\n            raise refusal\n",
            '        if not _RFC3339.fullmatch(text):\n            return ""\n',
        ),
    ),
    mutant(
        "nine-digits-of-a-second",
        "HTTP-16",
        "A time has all nine digits of its second.",
        (
            '        text += f".{fraction:09d}".rstrip("0")\n',
            '        text += f".{fraction:09d}"\n',
        ),
    ),
    mutant(
        "zone-as-numbers",
        "HTTP-16",
        "A time in UTC ends with +00:00.",
        ('return text[:-6] + "Z" if text.endswith("+00:00") else text', "return text"),
    ),
    mutant(
        "health-in-an-envelope",
        "HTTP-17",
        "Whether the master lives is told in an envelope.",
        (
            "    answer = Live(\n",
            '    from master.http import success\n    return success({"status": "live"})\n    answer = Live(\n',
        ),
    ),
    mutant(
        "ready-for-admins",
        "HTTP-17",
        "Whether the master is ready is told to those who log in.",
        (
            '    ("GET", "/ready"): ready,\n',
            '    ("GET", "/ready"): __import__("master.admin.access", fromlist=["x"]).signed_in(lambda state, call, _: ready(state, call)),\n',
        ),
    ),
    mutant(
        "no-install-below-api",
        "HTTP-20",
        "Install scripts are served outside of the API alone.",
        ("endpoint if profile.install_under_api else None", "None"),
    ),
    mutant(
        "install-below-api-too-early",
        "HTTP-21",
        "Install scripts are served below the API before the release in which they are.",
        ("endpoint if profile.install_under_api else None", "endpoint"),
    ),
    mutant(
        "install-script-is-no-text",
        "HTTP-22",
        "An install script says that it is a shell script.",
        ("    if state.config.profile.install_script_is_text:", "    if not state:"),
    ),
    mutant(
        "install-script-is-text-too-early",
        "HTTP-23",
        "An install script is plain text before the release in which it is.",
        ("    if state.config.profile.install_script_is_text:", "    if state:"),
    ),
)
