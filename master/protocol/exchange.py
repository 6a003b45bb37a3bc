"""One HTTP exchange as values: what goes out and what comes back, on either side of the wire."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from msgspec import Struct

Headers = tuple[tuple[str, str], ...]

JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json; charset=utf-8"),)
CORS_HEADERS: Final[Headers] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Origin, Content-Type, Accept, Authorization"),
    ("Access-Control-Max-Age", "86400"),
)


class Request(Struct, frozen=True, gc=False):
    """One HTTP request.

    Attributes:
        method: in capitals.
        path: without the query; as it stands in the request line on its way out, and decoded when it
            has arrived at a master.
        headers: names in lower case; the first of several with one name.
        body: the bytes.
        query: the raw query string.
        client: the peer's address.

    """

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    query: str = ""
    client: str = "127.0.0.1"

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter, or `None`."""
        values = parse_qs(self.query, keep_blank_values=True).get(name)
        return values[0] if values else None


class Response(Struct, frozen=True, gc=False):
    """One HTTP answer; `headers` are those beside the CORS headers that every answer carries."""

    status: int
    body: bytes = b""
    headers: Headers = JSON_HEADERS
    cors: bool = True

    def all_headers(self) -> Headers:
        """Return every header of the answer."""
        return (*CORS_HEADERS, *self.headers) if self.cors else self.headers
