"""Access tokens: OAuth 2.0 client credentials with a signed assertion (RFC 6749, 7523), short-lived, signed by us."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from gateway.deps import Deps
from gateway.domain.caller import Caller, OAuthClient, Scope, TreasuryScope
from gateway.domain.errors import UnauthenticatedError
from gateway.domain.ids import Prefix, is_id
from gateway.domain.jwks import ALGORITHMS, AssertionRefusedError, check_assertion, claimed_client
from gateway.services.callers.caller_cache import CACHE_AGE_MAX, forget_the_ended, remember, remembered
from gateway.services.callers.client_keys import signing_key_of
from gateway.services.documents import Document
from gateway.store import oauth_clients

LIFETIME: Final = timedelta(minutes=10)
TOKEN_BYTES_MAX: Final = 4_096
GRANT: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - an address
KEYS_PATH: Final = "/.well-known/jwks.json"
METADATA_PATH: Final = "/.well-known/oauth-authorization-server"

_JTI_BYTES: Final = 16
_TYPE: Final = "at+jwt"


class TokenRefusedError(Exception):
    """No token is given. `error` is the word of RFC 6749, section 5.2; the sentence is for the client's developer."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


async def grant_token(deps: Deps, form: dict[str, str]) -> Document:
    """Give a token for a signed assertion. Each assertion is good once."""
    for name in ("grant_type", "client_assertion_type", "client_assertion"):
        if not form.get(name):
            raise TokenRefusedError("invalid_request", f"{name} is missing")
    if form["grant_type"] != GRANT:
        raise TokenRefusedError("unsupported_grant_type", f"grant_type is {GRANT}")
    if form["client_assertion_type"] != ASSERTION_TYPE:
        raise TokenRefusedError("invalid_client", f"client_assertion_type is {ASSERTION_TYPE}")
    try:
        client = await _prove(deps, form["client_assertion"], form.get("client_id"))
    except AssertionRefusedError as error:
        raise TokenRefusedError("invalid_client", str(error)) from None
    scopes = _granted(client, form.get("scope"))
    now = deps.clock()
    key = deps.token_keys[0]
    claims: dict[str, Any] = {
        "iss": deps.public_url,
        "aud": deps.public_url,
        "sub": client.id,
        "client_id": client.id,
        **({"department": client.department} if client.department else {}),
        "scope": " ".join(sorted(scopes)),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": deps.random_bytes(_JTI_BYTES).hex(),
    }
    token = jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.kid, "typ": _TYPE})
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": claims["scope"],
    }


async def _prove(deps: Deps, assertion: str, named: str | None) -> OAuthClient:
    """Return the client that signed the assertion, and take the assertion so that nobody can use it again."""
    claimed = claimed_client(assertion)
    if named not in (None, claimed):
        raise AssertionRefusedError("client_id is another than sub")
    client = None
    if is_id(claimed, Prefix.CLIENT):
        async with deps.connection() as connection:
            client = await oauth_clients.read(connection, claimed)
    now = deps.clock()
    if client is None or client.is_over(now) or client.live != deps.live:
        raise AssertionRefusedError("there is no such client")
    key = await signing_key_of(deps, client, assertion)
    if key is None:
        raise AssertionRefusedError("the client has no such key: alg and kid name one of its set")
    taken = check_assertion(assertion, key, client=client.id, issuer=deps.public_url, now=now)
    async with deps.connection() as connection:
        if not await oauth_clients.take_assertion(connection, taken, now):
            raise AssertionRefusedError("this jti was used before")
    return client


def _granted(client: OAuthClient, asked: str | None) -> frozenset[str]:
    if not asked:
        return client.scopes
    scopes = frozenset(asked.split(" "))
    if not scopes <= client.scopes:
        raise TokenRefusedError("invalid_scope", "the client does not have all of these scopes")
    return scopes


def looks_like_token(text: str) -> bool:
    """Tell whether a bearer can be a token of ours at all, before anything is computed."""
    return text.startswith("eyJ") and text.isascii() and len(text) <= TOKEN_BYTES_MAX and text.count(".") == 2  # noqa: PLR2004 - a JWS


async def authenticate_token(deps: Deps, text: str) -> Caller:
    """Return whose token this is. Its client is looked at once a minute, so that a disabled one ends as soon."""
    sha256 = hashlib.sha256(text.encode()).digest()
    now = deps.clock()
    cached = remembered(deps, sha256, now)
    if cached is not None and now >= deps.ended_callers.ask_at:
        await forget_the_ended(deps, now)
        cached = remembered(deps, sha256, now)
    if cached is None:
        claims = _verified(deps, text)
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        if expires_at <= now:
            raise UnauthenticatedError
        async with deps.connection() as connection:
            client = await oauth_clients.read(connection, str(claims["sub"]))
        caller = None
        if client is not None and not client.is_over(now) and client.live == deps.live:
            expires_at = min(expires_at, client.expires_at or expires_at)
            scopes = client.scopes & frozenset(str(claims["scope"]).split(" "))
            caller = Caller(
                client.id, client.department, scopes, client.id, client.origin or client.id, client.requests_per_minute
            )
        cached = remember(deps, sha256, caller, min(expires_at, now + CACHE_AGE_MAX))
    if cached.caller is None:
        raise UnauthenticatedError
    return cached.caller


def _verified(deps: Deps, text: str) -> dict[str, Any]:
    """Check the signature against our own keys and that the token was made for us; its times are the caller's part."""
    try:
        header = jwt.get_unverified_header(text)
        key = next((key for key in deps.token_keys if key.kid == header.get("kid")), None)
        if key is None or header.get("alg") != "EdDSA" or header.get("typ") != _TYPE:
            raise UnauthenticatedError
        names = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
        options: Any = {f"verify_{name}": False for name in names}
        claims: dict[str, Any] = jwt.decode(text, key.private.public_key(), algorithms=["EdDSA"], options=options)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError):
        raise UnauthenticatedError from None
    if claims.get("iss") != deps.public_url or claims.get("aud") != deps.public_url:
        raise UnauthenticatedError
    return claims


def published_keys(deps: Deps) -> Document:
    """Return the public halves of every key whose tokens are taken, as a JSON Web Key Set."""
    return {"keys": [dict(key.jwk()) for key in deps.token_keys]}


def server_metadata(deps: Deps) -> Document:
    """Describe the authorization server as RFC 8414 has it."""
    return {
        "issuer": deps.public_url,
        "token_endpoint": deps.public_url + TOKEN_PATH,
        "jwks_uri": deps.public_url + KEYS_PATH,
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": [scope.value for scope in (*Scope, *TreasuryScope)],
    }
