"""Mutants of HTTP: the envelope, bodies, ids and routes."""

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
        "unreadable-body-is-empty",
        "HTTP-7",
        "A report that cannot be read counts with what could be read of it.",
        (
            '            message = str(error) if code == "INVALID_INPUT" else None\n',
            '            if code == "INVALID_INPUT":\n                return error.partial\n            message = None\n',
        ),
    ),
    mutant(
        "no-body-is-a-message",
        "HTTP-7",
        "An empty body counts as a message that says nothing.",
        ('            raise BindError("EOF", zero)\n', "            return zero\n"),
    ),
    mutant(
        "a-list-is-a-message",
        "HTTP-7",
        "A body that is a list, a number or text counts as a message that says nothing.",
        (
            '            raise BindError(f"cannot unmarshal {_kind(value)} into an object", zero)\n',
            "            return zero\n",
        ),
    ),
    mutant(
        "numbers-in-quotes",
        "HTTP-7",
        "Text counts as a number when it looks like one.",
        (
            "def _read_int(raw: str, low: int = -(2**63), high: int = INT64_MAX) -> int:\n",
            "def _read_int(raw: str, low: int = -(2**63), high: int = INT64_MAX) -> int:\n    raw = raw.strip('\"')\n",
        ),
    ),
    mutant(
        "keys-to-the-letter",
        "HTTP-8",
        "A key whose case is different is unknown.",
        (
            "name = key if key in self._fields else self._folded.get(_fold(key))",
            "name = key if key in self._fields else None",
        ),
    ),
    mutant(
        "unknown-keys-refused",
        "HTTP-8",
        "A body with an unknown key is refused.",
        (
            "            if name is None:\n                continue\n            attribute, read",
            '            if name is None:\n                wrong = wrong or "unknown"\n                continue\n            attribute, read',
        ),
    ),
    mutant(
        "null-body-refused",
        "HTTP-8",
        "A body that is null is refused.",
        (
            "        if value is None:\n            return zero\n",
            '        if value is None:\n            raise BindError("null", zero)\n',
        ),
    ),
    mutant(
        "bytes-behind-refused",
        "HTTP-8",
        "Bytes behind the first value are refused.",
        (
            "        if value is None:\n            return zero\n",
            '        if text[end:].strip():\n            raise BindError("more", zero)\n        if value is None:\n            return zero\n',
        ),
    ),
    mutant(
        "null-clears-a-field",
        "HTTP-8",
        "A field that is null is refused as text.",
        (
            '            if raw == "null" and read is not _read_raw:\n',
            '            if raw == "nil" and read is not _read_raw:\n',
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
        "unreadable-heartbeat-refused",
        "HTTP-13",
        "A heartbeat whose body cannot be read is answered 400.",
        (
            "        report = error.partial\n",
            '        raise ApiError("INVALID_INPUT", str(error)) from None\n',
        ),
    ),
    mutant(
        "unreadable-heartbeat-says-nothing",
        "HTTP-13",
        "Of a heartbeat whose body cannot be read nothing counts.",
        ("        report = error.partial\n", "        report = type(error.partial)()\n"),
    ),
    mutant(
        "no-escapes",
        "HTTP-14",
        "Angle brackets leave the master as they are.",
        ('    (b"<", b"\\\\u003c"),\n    (b">", b"\\\\u003e"),\n', ""),
    ),
    mutant(
        "ampersand-as-entity",
        "HTTP-14",
        "An ampersand is written as an entity of HTML.",
        ('    (b"&", b"\\\\u0026"),\n', '    (b"&", b"&amp;"),\n'),
    ),
)
