"""Hashing passwords: slow on purpose, so a server does it in a thread and a simulation at once."""

import base64
from typing import Final

import bcrypt
import trio

from master.config import Entropy

LONGEST: Final = 72
"""Bytes that bcrypt looks at; a longer password cannot be set."""

_PREFIX: Final = b"2a"  # what the real master's library writes and reads


_SALT_BYTES: Final = 16
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BCRYPT: Final = bytes.maketrans(_BASE64, b"./" + _BASE64[:-2])


def _salt(cost: int, raw: bytes) -> bytes:
    digits = base64.b64encode(raw).rstrip(b"=").translate(_TO_BCRYPT)
    return b"$%b$%02d$%b" % (_PREFIX, cost, digits)


def _verify(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:LONGEST], hashed)
    except ValueError:  # what is stored is no hash
        return False


class InlineHasher:
    """Hashes where it is called; virtual time does not notice.

    Args:
        cost: work factor.
        entropy: where salts come from.

    """

    def __init__(self, cost: int, entropy: Entropy) -> None:
        self._cost = cost
        self._entropy = entropy

    async def hash(self, password: bytes) -> bytes:
        """Return the hash of a password of at most 72 bytes."""
        return bcrypt.hashpw(password, _salt(self._cost, self._entropy.token_bytes(_SALT_BYTES)))

    async def verify(self, password: bytes, hashed: bytes) -> bool:
        """Return whether a password is the one behind a hash."""
        return _verify(password, hashed)


class ThreadHasher:
    """Hashes in a thread, so that agents need not wait for somebody's log-in.

    Args:
        cost: work factor.

    """

    def __init__(self, cost: int) -> None:
        self._cost = cost

    async def hash(self, password: bytes) -> bytes:
        """Return the hash of a password of at most 72 bytes."""
        salt = bcrypt.gensalt(self._cost, _PREFIX)
        return await trio.to_thread.run_sync(bcrypt.hashpw, password, salt)

    async def verify(self, password: bytes, hashed: bytes) -> bool:
        """Return whether a password is the one behind a hash."""
        return await trio.to_thread.run_sync(_verify, password, hashed)
