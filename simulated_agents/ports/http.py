"""The port over HTTP: one client, and so one connection pool, for each agent.

A client shared by many tasks is several times slower than one for each.
The request target goes out byte for byte: no dot segment, double slash or escape is tidied up.
Redirects are answers like any other, and the environment's proxies are not used.
"""

import math
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import httpx
import trio
from msgspec.structs import replace

from master.protocol.exchange import BodyCutError, Chunks, Request, Response, collect
from simulated_agents.ports import NoReply

TIMEOUT_S: Final = 120.0
"""The real agent's limit on a whole call."""

CONNECT_TIMEOUT_S: Final = 10.0
"""Shorter than the whole, so that a master that cannot be reached is told from one that is slow."""

KEEP_ALIVE_S: Final = 60.0
"""How long an idle connection is kept: longer than any pause of an agent, shorter than a server's
patience (the reference master's is 75 s; the real one never hangs up)."""

CONNECTIONS_MAX: Final = 8
"""An agent makes two calls at a time; its behaviour may add a few."""

_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say how long their body is even when it is empty."""

_SAFE: Final = "/:@!$&'()*+,;=-._~%"
_LONE_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")


@lru_cache(maxsize=8)
def _ssl_context(*, verified: bool, ca: Path | None) -> ssl.SSLContext:
    """Return a context for every client: making one takes longer than a thousand requests."""
    if verified and ca is not None:
        return ssl.create_default_context(cafile=ca)
    return httpx.create_ssl_context(verify=verified, trust_env=False)


class _Body(httpx.AsyncByteStream):
    """The body of a request; no generator, which a cancelled request would leave behind unclosed."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._chunks)

    async def aclose(self) -> None:
        await self._chunks.aclose()


class _Answer:
    """The body of an answer, while it comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._parts = response.aiter_raw()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._parts)
        except (httpx.RequestError, httpx.StreamError) as error:
            raise BodyCutError(_reason(error)) from None

    async def aclose(self) -> None:
        """Close the connection, unless the answer was read to its end."""
        with trio.CancelScope(shield=True):  # nothing here waits for the other side
            await self._response.aclose()
            with suppress(httpx.RequestError, httpx.StreamError):
                async for _ in self._parts:  # the library's generators end where they stand
                    pass


class HttpPort:
    """Carries requests over HTTP/1.1.

    Args:
        base_url: `http://host:port`, with a path prefix if the master is behind one.
        timeout_s: the limit on a whole call.
        verify: whether to check the server's certificate.
        ca: a file of certificates (PEM), which alone are trusted then.
        keep_alive_s: how long an idle connection is kept.
        connections: how many there are at most.
        verbatim: whether a path goes out with the very characters it has; else what cannot stand
            in a request line is escaped.

    Raises:
        ValueError: the base URL is none.
        OSError: the file of certificates cannot be read, or holds none.

    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        verify: bool = True,
        ca: Path | None = None,
        keep_alive_s: float = KEEP_ALIVE_S,
        connections: int = CONNECTIONS_MAX,
        verbatim: bool = False,
    ) -> None:
        self._verbatim = verbatim
        self._url, self._prefix = base_parts(base_url)
        self._host = self._url.netloc
        self._timeout_s = timeout_s
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s / 2))
        self._extensions = {"timeout": timeout.as_dict()}
        self._client = httpx.AsyncClient(
            verify=_ssl_context(verified=verify and self._url.scheme == "https", ca=ca),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=keep_alive_s,
            ),
        )

    async def send(self, request: Request) -> Response:
        """Return the answer.

        The limit on a whole call is not for streams: those may be silent for as long, each time.

        Raises:
            NoReply: there is none; definite when no connection came about.

        """
        streamed = request.stream is not None or request.streams_answer
        answer: Response | None = None
        with trio.move_on_after(math.inf if streamed else self._timeout_s):
            try:
                response = await self._client.send(
                    self._build(request), stream=request.streams_answer
                )
                answer = _answer(response)
                if answer.stream is not None and answer.status >= 400:
                    answer = replace(answer, body=await collect(answer.stream), stream=None)
            except _NEVER_SENT as error:
                raise NoReply(_reason(error), definite=True) from error
            except (httpx.RequestError, BodyCutError) as error:
                raise NoReply(_reason(error), definite=False) from error
            finally:
                if request.stream is not None:
                    await request.stream.aclose()
        if answer is None:
            raise NoReply(f"no answer within {self._timeout_s:g} s", definite=False)
        return answer

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _build(self, request: Request) -> httpx.Request:
        headers = [(b"host", self._host), *_header_bytes(request.headers)]
        if request.stream is not None:
            if request.length() is None:
                headers.append((b"transfer-encoding", b"chunked"))
        elif request.body or request.method in _WITH_BODY:
            headers.append((b"content-length", b"%d" % len(request.body)))
        return httpx.Request(
            request.method,
            self._url,
            headers=headers,
            stream=_Body(request.chunks()),
            extensions={**self._extensions, "target": self._target(request)},
        )

    def _target(self, request: Request) -> bytes:
        path = request.path
        if not self._verbatim:
            path = _LONE_PERCENT.sub("%25", quote(path, safe=_SAFE))
        query = f"?{request.query}" if request.query else ""
        return (self._prefix + path + query).encode()


def _answer(response: httpx.Response) -> Response:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
    )
    if response.is_closed:
        return Response(response.status_code, response.content, headers, cors=False)
    return Response(response.status_code, b"", headers, cors=False, stream=_Answer(response))


def base_parts(base_url: str) -> tuple[httpx.URL, str]:
    """Return a master's URL without its path, and the path before every request's.

    Raises:
        ValueError: it is no URL of a master; the message shows no credentials.

    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ValueError(f"expected http://host:port or https://host:port: {error}") from None
    if url.query or url.fragment or url.userinfo:
        raise ValueError("a master's URL has no query, fragment or credentials")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"expected http://host:port or https://host:port, not {base_url!r}")
    prefix = url.raw_path.decode().rstrip("/")
    return url.copy_with(raw_path=b"/"), prefix


def _header_bytes(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
