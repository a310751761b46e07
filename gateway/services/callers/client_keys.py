"""The public keys of an OAuth client: as registered, or as it publishes them, fetched the way webhooks are sent."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import msgspec
import structlog

from gateway.deps import CachedKeySet, Deps
from gateway.domain.addresses import check_webhook_url
from gateway.domain.caller import OAuthClient
from gateway.domain.errors import InvalidError
from gateway.domain.jwks import PublicKey, key_named, read_jwks

_log: Final = structlog.get_logger(__name__)

FRESH: Final = timedelta(minutes=10)
"""How long a published set is used without asking again."""
AGAIN: Final = timedelta(minutes=1)
"""How soon it is asked again for a key it did not hold: a rotation is seen, and nobody can make us ask all day."""
STALE_MAX: Final = timedelta(hours=1)
"""How long the last set is used while the address does not answer."""

_FETCH_S: Final = 5.0
_BYTES_MAX: Final = 64 * 1024
_OK: Final = 200


async def signing_key_of(deps: Deps, client: OAuthClient, assertion: str) -> PublicKey | None:
    """Return the client's key that the assertion names, if it has one."""
    if client.jwks_url is None:
        return key_named(assertion, read_jwks(client.jwks))
    now = deps.clock()
    cache_key = f"{client.id} {client.jwks_url}"
    known = deps.key_set_cache.get(cache_key)
    if known is None or now - known.read_at >= FRESH:
        if known is None or now - known.asked_at >= AGAIN:
            known = await _ask(deps, cache_key, client.jwks_url, known, now)
        return key_named(assertion, known.keys)
    key = key_named(assertion, known.keys)
    if key is None and now - known.asked_at >= AGAIN:
        known = await _ask(deps, cache_key, client.jwks_url, known, now)
        key = key_named(assertion, known.keys)
    return key


async def _ask(deps: Deps, cache_key: str, url: str, known: CachedKeySet | None, now: datetime) -> CachedKeySet:
    """Fetch the set; where that fails, the last one is used on for a while."""
    # Whoever comes while it is fetched finds that it was asked for, and does not ask again.
    held = known.keys if known is not None and now - known.read_at < STALE_MAX else ()
    read_at = known.read_at if known is not None else now - STALE_MAX
    deps.key_set_cache[cache_key] = CachedKeySet(held, read_at, now)
    try:
        keys = await fetch_key_set(deps, url)
    except InvalidError as error:
        _log.warning("client_keys_not_read", reason=error.detail)
    else:
        deps.key_set_cache[cache_key] = CachedKeySet(keys, now, now)
    return deps.key_set_cache[cache_key]


async def fetch_key_set(deps: Deps, url: str) -> tuple[PublicKey, ...]:
    """Fetch a published set: https to public addresses only, no redirects, little time, few bytes."""
    check_key_set_url(url, private=deps.private_webhooks)
    refused = InvalidError("no key set can be read there", pointer="/jwks_url")
    try:
        async with (
            asyncio.timeout(_FETCH_S),
            deps.webhook_session.get(
                url, allow_redirects=False, headers={"Accept": "application/jwk-set+json, application/json"}
            ) as response,
        ):
            if response.status != _OK:
                raise refused
            body = bytearray()
            async for chunk in response.content.iter_chunked(8192):
                body += chunk
                if len(body) > _BYTES_MAX:
                    raise refused
            document = msgspec.json.decode(bytes(body))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.DecodeError):
        raise refused from None
    return read_jwks(document, "/jwks_url")


def check_key_set_url(url: str, *, private: bool) -> None:
    try:
        check_webhook_url(url, private=private)
    except InvalidError as error:
        raise InvalidError(error.detail.replace("webhooks go", "keys are fetched"), pointer="/jwks_url") from None
