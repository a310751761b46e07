"""What a client signs with, and whether what it signed is an assertion we take (RFC 7523, RFC 7517). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.domain.errors import InvalidError

ALGORITHMS: Final[Mapping[str, str]] = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""The algorithms that are taken, each with the one kind of key it goes with: a token cannot choose another."""

ASSERTION_BYTES_MAX: Final = 8 * 1024
LIFETIME_MAX: Final = timedelta(minutes=5)
LEEWAY: Final = timedelta(seconds=30)
"""How far a client's clock may differ from ours."""

KEYS_MAX: Final = 20
_RSA_BITS_MIN: Final = 2048
_RSA_BITS_MAX: Final = 8192
_CURVE: Final = "secp256r1"
_TEXT_MAX: Final = 255
_MEMBERS: Final = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})

_READERS: Final[Mapping[str, Callable[[dict[str, Any]], object]]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


class AssertionRefusedError(ValueError):
    """The assertion is not one we take; the words are for the client's developer and name no key."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    kid: str | None
    kind: str
    algorithm: str | None
    key: RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a client proved: who it is, and once."""

    client: str
    jti: str
    expires_at: datetime


def read_jwks(document: object, pointer: str = "/jwks") -> tuple[PublicKey, ...]:
    """Read a set of public keys; a private one among them is refused, whatever else it says."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= KEYS_MAX:
        raise InvalidError(f"is a JSON Web Key Set of 1 to {KEYS_MAX} keys", pointer=pointer)
    keys = [_read_key(each, f"{pointer}/keys/{number}") for number, each in enumerate(listed)]
    kids = [key.kid for key in keys if key is not None]
    if len(set(kids)) != len(kids):
        raise InvalidError("each key has a kid of its own", pointer=pointer)
    found = tuple(key for key in keys if key is not None)
    if not found:
        raise InvalidError("holds no key to sign with", pointer=pointer)
    return found


def public_members(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a set that `read_jwks` took, with the members that make its keys and nothing else."""
    return {"keys": [{name: jwk[name] for name in _MEMBERS if name in jwk} for jwk in document["keys"]]}


def _read_key(jwk: object, pointer: str) -> PublicKey | None:
    if not isinstance(jwk, Mapping):
        raise InvalidError("is not a key", pointer=pointer)
    if _PRIVATE & set(jwk):
        raise InvalidError("is a private key: send the public half, and make a new pair", pointer=pointer)
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    if any(not isinstance(jwk[name], str) or not jwk[name].isprintable() for name in _MEMBERS if name in jwk):
        raise InvalidError("has a member that is no text", pointer=pointer)
    if kid is not None and not 0 < len(kid) <= _TEXT_MAX:
        raise InvalidError(f"has a kid of more than {_TEXT_MAX} characters, or an empty one", pointer=pointer)
    if jwk.get("use", "sig") != "sig":
        return None
    kind = str(jwk.get("kty"))
    if kind not in ALGORITHMS.values() or (algorithm is not None and ALGORITHMS.get(str(algorithm)) != kind):
        raise InvalidError("is for none of RS256, PS256, ES256 and EdDSA", pointer=pointer)
    try:
        key = _READERS[kind](dict(jwk))
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise InvalidError("cannot be read as a key", pointer=pointer) from None
    return PublicKey(kid, kind, algorithm, _strong(key, pointer))


def _strong(key: object, pointer: str) -> RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey:
    match key:
        case RSAPublicKey() if _RSA_BITS_MIN <= key.key_size <= _RSA_BITS_MAX:
            return key
        case EllipticCurvePublicKey() if key.curve.name == _CURVE:
            return key
        case Ed25519PublicKey():
            return key
        case _:
            raise InvalidError("is not RSA of 2048 bits or more, P-256 or Ed25519", pointer=pointer)


def claimed_client(assertion: str) -> str:
    """Return who the assertion says it is from, before anything about it is believed."""
    if not 0 < len(assertion) <= ASSERTION_BYTES_MAX or not assertion.isascii():
        raise AssertionRefusedError("the client_assertion is no JWT")
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.exceptions.PyJWTError, ValueError, TypeError):
        raise AssertionRefusedError("the client_assertion is no JWT") from None
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise AssertionRefusedError("sub is the client's id")
    return subject


def key_named(assertion: str, keys: Sequence[PublicKey]) -> PublicKey | None:
    """Return the one key the header points to, of the kind its algorithm goes with."""
    try:
        header = jwt.get_unverified_header(assertion)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError):
        raise AssertionRefusedError("the client_assertion is no JWT") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    kind = ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if kind is None:
        raise AssertionRefusedError("alg is one of RS256, PS256, ES256 and EdDSA")
    fits = [
        key
        for key in keys
        if key.kind == kind and key.algorithm in (None, algorithm) and (kid is None or key.kid == kid)
    ]
    return fits[0] if len(fits) == 1 else None


def check_assertion(assertion: str, key: PublicKey, *, client: str, issuer: str, now: datetime) -> Assertion:
    """Hold signature and claims against RFC 7523; the audience is our issuer and nothing else."""
    algorithm = jwt.get_unverified_header(assertion)["alg"]
    names = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
    # The library asks the machine's clock; ours is passed in, so the times are compared here.
    options: Any = {f"verify_{name}": False for name in names}
    try:
        claims = jwt.decode(assertion, key.key, algorithms=[algorithm], options=options)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError):
        raise AssertionRefusedError("the signature does not fit the client's key") from None
    if claims.get("iss") != client or claims.get("sub") != client:
        raise AssertionRefusedError("iss and sub are both the client's id")
    if claims.get("aud") != issuer:
        raise AssertionRefusedError("aud is our issuer as /.well-known/oauth-authorization-server names it, alone")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _TEXT_MAX:
        raise AssertionRefusedError("jti is a text of 1 to 255 characters, new in each assertion")
    expires_at = _instant(claims.get("exp"))
    if expires_at is None or expires_at + LEEWAY <= now:
        raise AssertionRefusedError("exp is missing or over")
    if expires_at - now > LIFETIME_MAX + LEEWAY:
        raise AssertionRefusedError("exp lies more than five minutes ahead")
    for name in ("nbf", "iat"):
        since = _instant(claims.get(name))
        if name in claims and (since is None or since > now + LEEWAY):
            raise AssertionRefusedError(f"{name} lies ahead")
    return Assertion(client, jti, expires_at + LEEWAY)


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
