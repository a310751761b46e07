"""What is kept for us and must not be read from the database alone: AES-256-GCM, under keys that can be rotated."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORM: Final = b"\x01"
_KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_FORM) + _KEY_ID_BYTES
_OVERHEAD_BYTES: Final = _HEAD_BYTES + _NONCE_BYTES + 16


class SealedError(Exception):
    """The bytes cannot be opened: their key is not here any more, or they were tampered with or moved."""


class KeyMissingError(SealedError):
    """No key here opens them; put back, it does."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals under the first key and opens under every one. `about` ties sealed bytes to the row they belong to."""

    keys: Sequence[bytes]

    @property
    def head(self) -> bytes:
        """How everything begins that is sealed under the present key."""
        return _head(self.keys[0])

    def seal(self, plain: bytes, about: str, random_bytes: Callable[[int], bytes]) -> bytes:
        nonce = random_bytes(_NONCE_BYTES)
        return self.head + nonce + _cipher(self.keys[0]).encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Open what was sealed. What is too short to be sealed was written before there were keys, and is as it is."""
        if len(sealed) < _OVERHEAD_BYTES + 24:
            return sealed
        key = next((key for key in self.keys if _head(key) == sealed[:_HEAD_BYTES]), None)
        if key is None:
            raise KeyMissingError("no key here opens this")
        nonce, rest = sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES], sealed[_HEAD_BYTES + _NONCE_BYTES :]
        try:
            return _cipher(key).decrypt(nonce, rest, about.encode())
        except InvalidTag:
            raise SealedError("these bytes were tampered with or moved") from None


def sealer(keys: Sequence[bytes], secrets: Sequence[bytes]) -> Sealer:
    """Return a sealer with the given keys; where none is given, with keys derived from the installation's secrets."""
    derived = [hmac.new(secret, b"data at rest", hashlib.sha256).digest() for secret in secrets]
    return Sealer(tuple(keys or derived))


# A process has few keys and seals with every intent; making these anew would cost as much again.
@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=16)
def _head(key: bytes) -> bytes:
    return _FORM + hashlib.sha256(key).digest()[:_KEY_ID_BYTES]
