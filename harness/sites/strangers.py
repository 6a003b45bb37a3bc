"""What may be at an address instead of a target, each told in one line.

Nobody, a host that is not there, a certificate that is not trusted, a server of something else.
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import trio

from harness.sites.file import TargetFile
from harness.stop import StopError
from harness.verdict import Exit
from master.protocol.exchange import Request, Response
from simulated_agents.ports import NoReply, Port
from simulated_agents.ports.http import base_parts

_EXCERPT: Final = 80
"""How much of a strange answer is shown."""

_PEEK_S: Final = 3.0
"""How long something is listened to that speaks no HTTP."""

_NO_HOST: Final = (-2, -3, -5)
"""What looking a name up fails with (EAI_NONAME, EAI_AGAIN, EAI_NODATA)."""


class TargetError(StopError):
    """The target cannot be reached, or does not let us in: one line (exit 6)."""

    def __init__(self, message: str) -> None:
        super().__init__(Exit.TARGET, message)


class _Code(msgspec.Struct):
    code: str = ""


async def send(target: TargetFile, port: Port, request: Request) -> Response:
    """Return an answer.

    Raises:
        TargetError: there is none; the line says what there is instead.

    """
    try:
        return await port.send(request)
    except NoReply as error:
        said = silence(error, target.ca, f"ca = … in {target.path}")
        if said is None or _is_late(error):  # SSH greets, and then waits as we do
            said = await _noise(target) or said
        said = said or f"no answer: {error.reason.partition(': ')[2] or error.reason}"
    raise TargetError(f"{target.url}: {said}")


def stranger(response: Response) -> str:
    """Return what a server is that answered a question about its health and is no BackupX."""
    headers = {name.lower(): value for name, value in response.all_headers()}
    by = f" by {headers['server']}" if "server" in headers else ""
    if response.status in {502, 503, 504}:
        return f"a proxy answers{by}, and the server behind it does not ({response.status})"
    if "location" in headers:
        return (
            f"it sends us elsewhere ({response.status} to {headers['location']}): correct the url"
        )
    return f"no BackupX: GET /api/health was answered{by} {excerpt(response)}"


def excerpt(response: Response) -> str:
    """Return the beginning of an answer as it can be shown in a line."""
    return f"{response.status} {_clean(response.body)}".rstrip()


def code_of(response: Response) -> str:
    """Return the code of a refusal, an empty text where there is none."""
    try:
        return msgspec.json.decode(response.body, type=_Code).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def silence(error: NoReply, ca: Path | None, trust: str) -> str | None:
    """Return why no answer came, and what to do; `None` where something else came.

    Args:
        error: what was seen.
        ca: the certificates that are trusted in place of this machine's.
        trust: how the user says so.

    """
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                trusted = f"by {ca}" if ca else "by this machine's CAs"
                which = "the right" if ca else "a private CA's"
                return (
                    f"its TLS certificate is not trusted {trusted}: {cause.verify_message};"
                    f" name {which} certificates with {trust}"
                )
            case ssl.SSLError():
                return f"it speaks no TLS that we know ({cause.reason}): is it http:// there?"
            case ConnectionRefusedError():
                return "nothing listens there (connection refused): is the server running?"
            case OSError() if cause.errno in _NO_HOST:
                return f"there is no such host ({cause.strerror})"
    if _is_late(error):
        return "the server did not answer in time: is it a BackupX, and is it well?"
    return None


def _is_late(error: NoReply) -> bool:
    return "Timeout" in error.reason or "no answer within" in error.reason


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies behind it, to the bottom."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        if isinstance(seen, BaseExceptionGroup):
            yield from _causes(seen.exceptions[0])
        seen = seen.__cause__ or seen.__context__


async def _noise(target: TargetFile) -> str | None:
    """Return what something says that speaks no HTTP, or `None` where nothing is heard."""
    url, _ = base_parts(target.url)
    if url.scheme != "http":
        return None
    heard = await _listen(url.host, url.port or 80)
    return f"what answers there speaks no HTTP: {_clean(heard)}" if heard else None


async def _listen(host: str, port: int) -> bytes:
    """Return what a port says first when it is asked for a page, if it says anything."""
    heard = b""
    with trio.move_on_after(_PEEK_S):
        try:
            async with await trio.open_tcp_stream(host, port) as stream:
                await stream.send_all(b"GET /api/health HTTP/1.1\r\nHost: muster\r\n\r\n")
                heard = await stream.receive_some(_EXCERPT * 4)
        except (OSError, trio.BrokenResourceError):
            return b""
    return heard


def _clean(raw: bytes) -> str:
    """Return the beginning of a text, in one line, without what a terminal would obey."""
    text = raw.decode("utf-8", "replace")
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"
