"""Time as the protocol writes it: integers inside, two text forms outside.

Inside muster an instant is an `int` of nanoseconds since the Unix epoch (UTC), so that arithmetic
is exact and a simulation's time never drifts.
The database writes `YYYY-MM-DD HH:MM:SS[.fraction]±HH:MM`; the wire writes RFC 3339 with `Z` for UTC.
Both trim trailing zeros of the fraction, and both compare correctly as text at one offset.
"""

from datetime import UTC, datetime
from functools import lru_cache

NS = 1_000_000_000
"""Nanoseconds in a second."""

ZERO_DB_TEXT = "0001-01-01 00:00:00+00:00"
"""What the database holds for a time that was never set in a column that is not nullable."""


@lru_cache(maxsize=64)
def _seconds_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=16)
def _offset_text(offset_s: int) -> str:
    sign = "-" if offset_s < 0 else "+"
    minutes = abs(offset_s) // 60
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def db_text(instant_ns: int, offset_s: int = 0) -> str:
    """Return the database's text of an instant, written at `offset_s` seconds east of UTC."""
    seconds, fraction = divmod(instant_ns + offset_s * NS, NS)
    text = _seconds_text(seconds)
    if fraction:
        text += f".{fraction:09d}".rstrip("0")
    return text + _offset_text(offset_s)


def wire_text(text: str) -> str:
    """Turn a database time into its RFC 3339 form."""
    text = text.replace(" ", "T", 1)
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def parse(text: str) -> int:
    """Return the instant, in nanoseconds, of a database or RFC 3339 time.

    Raises:
        ValueError: the text is not such a time.

    """
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    if len(text) < 25 or text[-6] not in "+-" or text[10] not in "T ":
        raise ValueError(f"not a time with an offset: {text!r}")
    body, offset = text[:-6], text[-6:]
    whole, _, fraction = body.partition(".")
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        raise ValueError(f"not a time with an offset: {text!r}")
    moment = datetime.fromisoformat(whole + offset)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NS + int(fraction[:9].ljust(9, "0"))
