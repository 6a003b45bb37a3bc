"""Stored credentials open for whoever wrote them, the real master included, and for nobody else."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from master.cipher import Cipher, CipherError

GOLDEN = Path(__file__).parent / "golden" / "v2.0.0"
REAL: Final[dict[str, Any]] = json.loads((GOLDEN / "real.json").read_text("utf-8"))
KEY: Final = "a key: clé, 密钥"


class CountingEntropy:
    """Bytes that count up, so that no two nonces are the same."""

    def __init__(self) -> None:
        self.asked = 0

    def token_bytes(self, count: int) -> bytes:
        self.asked += 1
        return self.asked.to_bytes(count, "big")


@pytest.fixture
def cipher() -> Cipher:
    return Cipher(KEY, CountingEntropy())


def stored_texts() -> list[tuple[str, str, str]]:
    """Return column, id and plain text of each secret in the real database."""
    return [
        (column, row_id, plain)
        for column, rows in REAL["plaintexts"].items()
        for row_id, plain in rows.items()
    ]


@pytest.mark.parametrize(("column", "row_id", "plain"), stored_texts())
def test_what_the_real_master_stored_opens(column: str, row_id: str, plain: str) -> None:
    """Each credential in a real database is read with the key it was written under."""
    table, name = column.split(".")
    with closing(sqlite3.connect(f"file:{GOLDEN / 'real.db'}?mode=ro", uri=True)) as connection:
        query = f"SELECT {name} FROM {table} WHERE id = ?"  # noqa: S608 - our own names
        (stored,) = connection.execute(query, (row_id,)).fetchone()

    assert Cipher(REAL["encryption_key"], CountingEntropy()).decrypt(stored).decode() == plain


@pytest.mark.parametrize("plain", [b"", b"x", b"\0\xff" * 500, "密码 <&>".encode()])
def test_a_secret_survives_its_stored_form(cipher: Cipher, plain: bytes) -> None:
    """Sealed and opened, every byte is there again."""
    assert cipher.decrypt(cipher.encrypt(plain)) == plain


def test_the_stored_form_is_the_real_master_s(cipher: Cipher) -> None:
    """Nonce, ciphertext and tag in that order, as base64 for URLs without padding."""
    stored = cipher.encrypt(b"secret")
    sealed = base64.urlsafe_b64decode(stored + "=" * (-len(stored) % 4))
    aead = AESGCM(hashlib.sha256(KEY.encode()).digest())

    assert "=" not in stored
    assert len(sealed) == 12 + len(b"secret") + 16
    assert aead.decrypt(sealed[:12], sealed[12:], None) == b"secret"


def test_no_nonce_is_used_twice(cipher: Cipher) -> None:
    """The same secret is stored differently each time."""
    stored = {cipher.encrypt(b"secret") for _ in range(10)}

    assert len(stored) == 10


@pytest.mark.parametrize("key", [KEY + " ", KEY.upper(), ""])
def test_another_key_opens_nothing(cipher: Cipher, key: str) -> None:
    """A key that differs in one character is another key."""
    stored = cipher.encrypt(b"secret")

    with pytest.raises(CipherError):
        Cipher(key, CountingEntropy()).decrypt(stored)


DAMAGE: dict[str, Callable[[str], str]] = {
    "nothing": lambda stored: stored[:0],
    "only a nonce": lambda stored: stored[:16],
    "cut": lambda stored: stored[:-4],
    "one character too few": lambda stored: stored[:-1],
    "longer": lambda stored: stored + "AAAA",
    "a changed nonce": lambda stored: "B" + stored[1:],
    "a changed tag": lambda stored: stored[:-8] + ("A" if stored[-8] != "A" else "B") + stored[-7:],
    "a stray character": lambda stored: stored[:20] + "!" + stored[20:],
    "white space": lambda stored: stored + "\n",
    "no ASCII": lambda stored: stored[:20] + "é" + stored[21:],
    "plain text": lambda _: "password1",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_text_is_refused(cipher: Cipher, damage: str) -> None:
    """Whatever happened to a stored text, the answer is one kind of error and never a secret."""
    stored = DAMAGE[damage](cipher.encrypt(b"a secret of some length"))

    with pytest.raises(CipherError):
        cipher.decrypt(stored)


def test_a_configuration_is_stored_as_go_writes_it(cipher: Cipher) -> None:
    """Keys are sorted and markup is escaped, so that either master finds what it would write."""
    stored = cipher.encrypt_json({"b": "<x>", "a": {"d": 1.0, "c": [True, None]}})

    assert cipher.decrypt(stored) == b'{"a":{"c":[true,null],"d":1},"b":"\\u003cx\\u003e"}'
    assert cipher.decrypt_json(stored) == {"a": {"c": [True, None], "d": 1}, "b": "<x>"}


@pytest.mark.parametrize("plain", [b"", b"[]", b"null", b"{", b"\xff"])
def test_a_configuration_that_is_no_object_is_refused(cipher: Cipher, plain: bytes) -> None:
    """A text that opens and is no configuration is as useless as one that does not open."""
    with pytest.raises(CipherError):
        cipher.decrypt_json(cipher.encrypt(plain))


def test_an_error_says_nothing_of_the_secret(cipher: Cipher) -> None:
    """Neither the stored text nor the key is in the message."""
    stored = cipher.encrypt(b"secret")

    with pytest.raises(CipherError) as caught:
        cipher.decrypt("A" + stored)

    assert stored[:8] not in str(caught.value)
    assert KEY not in str(caught.value)
