"""Keys, and the four things done with them: sign and verify (PS256), encrypt and decrypt (RSA-OAEP-256, A256GCM)."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from adapters.manifest import SettingsError

SIGNING: Final = ["PS256"]
ENCRYPTION: Final = ["RSA-OAEP-256", "A256GCM"]
SKEW_S: Final = 60
"""How far two clocks may be apart."""
TOKEN_CHARS_MAX: Final = 256 * 1024
KEY_BITS_MIN: Final = 2048


class SealError(ValueError):
    """A signature, an encryption or a claim does not stand."""


def read_text(value: str, setting: str) -> str:
    """Return a setting that is given as text or as the path of a file."""
    if value.lstrip().startswith(("-----BEGIN", "{", "[")):
        return value
    try:
        return Path(value).read_text("utf-8")
    except (OSError, ValueError):
        raise SettingsError(f"altareq: setting {setting!r} is neither PEM nor JSON nor a readable file") from None


def private_key(value: str, setting: str, kid: str | None = None) -> RSAKey:
    try:
        key = RSAKey.import_key(read_text(value, setting), {"kid": kid} if kid else None)
        is_fit = key.is_private and key.raw_value.key_size >= KEY_BITS_MIN
    except (JoseError, ValueError, TypeError):
        is_fit = False
    if not is_fit:
        raise SettingsError(f"altareq: setting {setting!r} must be a private RSA key of {KEY_BITS_MIN} bits or more")
    return key


def tls_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Make the context of mutual TLS. Python loads keys from files only, so that text passes through one briefly."""
    try:
        trusted = read_text(authority, "ca_certificate") if authority else None
        context = ssl.create_default_context(cadata=trusted)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as chain:
            chain.write(read_text(certificate, "client_certificate") + "\n" + read_text(key, "client_key"))
            chain.flush()
            context.load_cert_chain(chain.name)
    except (ssl.SSLError, ValueError, OSError):
        raise SettingsError(
            "altareq: 'client_certificate', 'client_key' and 'ca_certificate' do not make a TLS identity"
        ) from None
    return context


class Ring:
    """Public keys by their ids, as JWKS documents list them."""

    def __init__(self) -> None:
        self._signing: dict[str, RSAKey] = {}
        self._encrypting: dict[str, RSAKey] = {}

    def learn(self, document: bytes | str) -> None:
        """Take over the RSA keys of a JWKS; keys of other kinds are nobody's business here."""
        try:
            listed = msgspec.json.decode(document, type=dict[str, Any])["keys"]
            keys = [RSAKey.import_key(each) for each in listed if each.get("kty") == "RSA" and each.get("kid")]
        except (msgspec.MsgspecError, JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise SealError("the key set cannot be read") from None
        for key in keys:
            described = key.as_dict(private=False)
            target = self._encrypting if described.get("use") == "enc" else self._signing
            target[str(described["kid"])] = key

    @property
    def can_encrypt(self) -> bool:
        return bool(self._encrypting)

    def knows(self, compact: str) -> bool:
        """Say whether the signer of a token is known; a token without a readable header has none."""
        try:
            return _header(compact).get("kid") in self._signing
        except SealError:
            return False

    def verify(self, compact: str, now: datetime) -> bytes:
        """Return the payload of a signed token whose signer is known and whose time is now."""
        key = self._signing.get(str(_header(compact).get("kid")))
        if key is None:
            raise SealError("the signer's key is not known")
        try:
            payload = jws.deserialize_compact(compact.encode(), key, algorithms=SIGNING).payload
            claims = msgspec.json.decode(payload, type=dict[str, Any])
            begins = claims.get("nbf", claims.get("iat", 0))
            lives = begins - SKEW_S <= now.timestamp() < claims["exp"] + SKEW_S
        except (JoseError, msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError):
            raise SealError("the signature or a claim does not stand") from None
        if not lives:
            raise SealError("the token is too old or from the future")
        return payload

    def encrypt(self, text: str) -> str:
        """Encrypt to the newest encryption key."""
        kid, key = next(reversed(self._encrypting.items()))
        header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": kid}
        return jwe.encrypt_compact(header, text.encode(), key, algorithms=ENCRYPTION)


class Seal:
    """Our own private keys."""

    def __init__(self, signing: RSAKey, encryption: RSAKey, kid: str) -> None:
        self._signing = signing
        self._encryption = encryption
        self._kid = kid

    def sign(self, claims: Mapping[str, Any]) -> str:
        header = {"alg": "PS256", "kid": self._kid}
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._signing, algorithms=SIGNING)

    def open(self, compact: str) -> str:
        """Decrypt what was encrypted to us."""
        return decrypt(compact, self._encryption)


def decrypt(compact: str, key: RSAKey) -> str:
    if len(compact) > TOKEN_CHARS_MAX:
        raise SealError("the token is too long")
    try:
        opened = jwe.decrypt_compact(compact.encode(), key, algorithms=ENCRYPTION).plaintext
        return (opened or b"").decode("ascii")
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SealError("the token cannot be decrypted") from None


def _header(compact: str) -> dict[str, Any]:
    if len(compact) > TOKEN_CHARS_MAX:
        raise SealError("the token is too long")
    try:
        return dict(jws.extract_compact(compact.encode()).headers())
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise SealError("this is no signed token") from None
