"""Keys of our own: Ed25519 pairs that sign access tokens and webhooks. The first signs, all of them are published."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One pair. `kid` is the start of the public half's hash, so that nobody has to name keys."""

    kid: str
    private: Ed25519PrivateKey
    public_bytes: bytes

    def jwk(self) -> Mapping[str, Any]:
        """Return the public half as RFC 8037 writes it."""
        x = base64.urlsafe_b64encode(self.public_bytes).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA"}

    def webhook_text(self) -> str:
        """Return the public half as Standard Webhooks writes it."""
        return "whpk_" + base64.b64encode(self.public_bytes).decode()


def signing_key(seed: bytes) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public_bytes = private.public_key().public_bytes_raw()
    return SigningKey(hashlib.sha256(public_bytes).hexdigest()[:16], private, public_bytes)


def signing_keys(seeds: Sequence[bytes], *, purpose: str, secrets: Sequence[bytes]) -> tuple[SigningKey, ...]:
    """Return the pairs of the given seeds; where none is given, of seeds derived from the installation's secrets."""
    derived = [hmac.new(secret, f"signing key {purpose}".encode(), hashlib.sha256).digest() for secret in secrets]
    return tuple(signing_key(seed) for seed in (seeds or derived))
