"""The conventions every answer keeps, and who answers what (protocol facts, section 1).

The routing table is data: method and path pattern to endpoint, with an `:id` a pattern at most, and a
`:second` at the end of a few.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

from msgspec import Struct

from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.exchange import JSON_HEADERS, Headers, Request, Response
from master.protocol.profiles import Profile

Handler = Callable[..., "Response | Awaitable[Response]"]
E = TypeVar("E", bound=Handler)


class Envelope(Struct, frozen=True, gc=False):
    """What success looks like."""

    code: str
    message: str
    data: Any


class Refusal(Struct, frozen=True, gc=False):
    """What an error looks like, and a success without data."""

    code: str
    message: str


def success(data: Any, headers: Headers = JSON_HEADERS) -> Response:
    """Answer 200 with data."""
    return Response(200, wire.encode(Envelope("OK", "success", data)), headers)


def success_without_data() -> Response:
    """Answer 200 with no `data` key at all."""
    return Response(200, wire.encode(Refusal("OK", "success")))


def refuse(error: ApiError) -> Response:
    """Answer with an error's own status and code."""
    return Response(error.status, wire.encode(Refusal(error.code, error.message)))


OK_STATUS: Final = success({"status": "ok"})
"""The answer to every report of an agent."""

NO_CONTENT: Final = Response(204, headers=())


_READERS: Final[set[Handler]] = set()


def reads_body(endpoint: E) -> E:
    """Mark an endpoint that reads the chunks of its request's body itself, as they come.

    All others find the whole body in `Request.body`.
    """
    _READERS.add(endpoint)
    return endpoint


@dataclass(frozen=True, slots=True)
class ByProfile:
    """In a routing table in place of an endpoint: what not every release has, or guards alike.

    Attributes:
        choose: the endpoint of a release, or `None` where there is no such route.

    """

    choose: Callable[[Profile], Handler | None]


def routes_of(
    profile: Profile, table: Mapping[tuple[str, str], Handler | ByProfile]
) -> dict[tuple[str, str], Handler]:
    """Return the routes that a release has."""
    chosen = {
        key: entry.choose(profile) if isinstance(entry, ByProfile) else entry
        for key, entry in table.items()
    }
    return {key: endpoint for key, endpoint in chosen.items() if endpoint is not None}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes.

    Attributes:
        endpoint: what answers it.
        parameter: the text in place of `:id`, or `None`.
        second: the text in place of `:second`.

    """

    endpoint: Any
    parameter: str | None = None
    second: str = ""

    @property
    def reads_body(self) -> bool:
        """Whether the endpoint reads the body itself."""
        return self.endpoint in _READERS


_SECOND: Final = "/:second"


class Router:
    """Finds the endpoint of a request.

    Args:
        routes: method and pattern to endpoint. A pattern without `:id` wins over one with it; one
            that ends with a `:second` parameter comes last.

    """

    def __init__(self, routes: Mapping[tuple[str, str], Any]) -> None:
        self._exact = {key: Route(endpoint) for key, endpoint in routes.items()}
        self._patterns = {
            (method, *pattern.split(":id")): endpoint
            for (method, pattern), endpoint in routes.items()
            if ":id" in pattern and not pattern.endswith(_SECOND)
        }
        self._pairs = [
            (method, *pattern.removesuffix(_SECOND).split(":id"), endpoint)
            for (method, pattern), endpoint in routes.items()
            if pattern.endswith(_SECOND)
        ]
        self._depth = max((pattern.count("/") for _, pattern in routes), default=0)

    def match(self, method: str, path: str, *, empty: bool = False) -> Route | None:
        """Return where a request goes, or `None` when no route has this method and path.

        An empty `:id` is one in the middle of a path; at its end only if `empty` says so.
        """
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        parts = path.split("/")
        if len(parts) > self._depth + 1:
            return None
        for at in range(len(parts) - 1, 0, -1):
            before = "/".join(parts[:at]) + "/"
            after = "/" + "/".join(parts[at + 1 :]) if at + 1 < len(parts) else ""
            endpoint = self._patterns.get((method, before, after))
            if endpoint is not None and (parts[at] or after or empty):
                return Route(endpoint, parts[at])
        return self._match_pair(method, path, empty=empty)

    def _match_pair(self, method: str, path: str, *, empty: bool) -> Route | None:
        head, _, second = path.rpartition("/")
        for allowed, before, after, endpoint in self._pairs:
            inside = head.startswith(before) and head.endswith(after)
            first = head[len(before) : len(head) - len(after)]
            if method == allowed and inside and "/" not in first and (second or empty):
                return Route(endpoint, first, second)
        return None

    def redirect(self, request: Request) -> Response | None:
        """Return the redirect to the same path with or without its trailing slash, if that exists."""
        path = request.path
        other = path[:-1] if path.endswith("/") and len(path) > 1 else path + "/"
        if self.match(request.method, other, empty=path.endswith("//")) is None:
            return None
        location = quote(other, safe="/:") + (f"?{request.query}" if request.query else "")
        if request.method == "GET":
            body = f'<a href="{location}">Moved Permanently</a>.\n\n'.encode()
            headers = (("Content-Type", "text/html; charset=utf-8"), ("Location", location))
            return Response(301, body, headers, cors=False)
        return Response(307, b"", (("Location", location),), cors=False)
