"""Encryption of stored credentials, in the real master's format (protocol facts, section 5).

AES-256-GCM under SHA-256 of the key's text, a 12-byte nonce in front and the tag behind, no
associated data, base64 for URLs without padding.
"""

import base64
import binascii
import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from master.config import Entropy
from master.protocol import wire

_NONCE_BYTES = 12


class CipherError(Exception):
    """A stored text that this key does not open."""


class Cipher:
    """Encrypts and decrypts with one key.

    Args:
        key: the encryption secret, as text.
        entropy: where nonces come from.

    """

    def __init__(self, key: str, entropy: Entropy) -> None:
        self._aead = AESGCM(hashlib.sha256(key.encode()).digest())
        self._entropy = entropy

    def encrypt(self, plain: bytes) -> str:
        """Return the stored form of a secret."""
        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._aead.encrypt(nonce, plain, None)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def decrypt(self, stored: str) -> bytes:
        """Return the secret behind its stored form.

        Raises:
            CipherError: the text is damaged, or was written under another key.

        """
        try:
            padded = stored + "=" * (-len(stored) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise CipherError("this text was not written under this key") from error

    def encrypt_json(self, value: dict[str, Any]) -> str:
        """Return the stored form of a configuration."""
        return self.encrypt(wire.canonical(value).encode())

    def decrypt_json(self, stored: str) -> dict[str, Any]:
        """Return the configuration behind its stored form.

        Raises:
            CipherError: as `decrypt`, or the plain text is no JSON object.

        """
        try:
            return msgspec.json.decode(self.decrypt(stored), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise CipherError("the decrypted text is no configuration") from error
