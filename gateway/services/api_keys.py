"""Departments' keys: shown once, stored as a hash, with a checksum that keeps junk away from the database."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import CachedKey, Deps
from gateway.domain.caller import ApiKey, Scope
from gateway.domain.errors import ForbiddenError, UnauthenticatedError
from gateway.domain.ids import Prefix
from gateway.store import api_keys

CACHE_MAX: Final = 20_000
CACHE_AGE_MAX: Final = timedelta(seconds=60)
"""How long a revoked key may still be taken by a process that has just seen it."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_SECRET_BYTES: Final = 20
_SECRET_CHARACTERS: Final = 32
_CHECKSUM_CHARACTERS: Final = 6


async def issue_key(
    deps: Deps,
    department: str,
    label: str,
    *,
    scopes: Iterable[Scope] = tuple(Scope),
    expires_at: datetime | None = None,
) -> tuple[str, ApiKey]:
    """Make a key for a department and return its text, which nobody can ask for again."""
    secret = deps.random_bytes(_SECRET_BYTES)
    body = f"mzn_{'live' if deps.live else 'test'}_{_base32(int.from_bytes(secret), _SECRET_CHARACTERS)}"
    text = body + _checksum(body)
    key = ApiKey(
        id=deps.mint(Prefix.API_KEY),
        department=department,
        label=label,
        scopes=frozenset(scope.value for scope in scopes),
        live=deps.live,
        created_at=deps.clock(),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    async with deps.connection() as connection:
        await api_keys.insert(connection, key, hashlib.sha256(text.encode()).digest())
    return text, key


async def revoke_key(deps: Deps, key_id: str) -> bool:
    """Revoke a key; other processes stop taking it within the age of their caches."""
    deps.key_cache.clear()
    async with deps.connection() as connection:
        return await api_keys.revoke(connection, key_id, deps.clock())


async def authenticate(deps: Deps, text: str) -> ApiKey:
    """Return whose key this is; every refusal looks the same."""
    if not is_well_formed(text):
        raise UnauthenticatedError
    now = deps.clock()
    sha256 = hashlib.sha256(text.encode()).digest()
    cached = deps.key_cache.get(sha256)
    if cached is None or now - cached.read_at >= CACHE_AGE_MAX:
        async with deps.connection() as connection:
            key = await api_keys.use(connection, sha256, now)
        if key is None:
            deps.key_cache.pop(sha256, None)
            raise UnauthenticatedError
        if len(deps.key_cache) >= CACHE_MAX:
            deps.key_cache.clear()
        cached = deps.key_cache[sha256] = CachedKey(key, now)
    key = cached.key
    is_over = key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
    if is_over or key.live != deps.live:
        raise UnauthenticatedError
    return key


def check_scope(key: ApiKey, scope: Scope) -> None:
    if scope.value not in key.scopes:
        raise ForbiddenError(f"this key lacks the scope {scope.value}")


def is_well_formed(text: str) -> bool:
    """Tell whether a text can be a key at all: its form and its checksum."""
    if not text.isascii() or not text.startswith(("mzn_test_", "mzn_live_")):
        return False
    if len(text) != len("mzn_test_") + _SECRET_CHARACTERS + _CHECKSUM_CHARACTERS:
        return False
    body, checksum = text[:-_CHECKSUM_CHARACTERS], text[-_CHECKSUM_CHARACTERS:]
    return _checksum(body) == checksum


def _checksum(body: str) -> str:
    return _base32(zlib.crc32(body.encode()) & ((1 << 30) - 1), _CHECKSUM_CHARACTERS)


def _base32(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
