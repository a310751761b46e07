"""Callers' keys: shown once, stored as a hash, with a checksum that keeps junk away from the database."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.caller import NO_DEPARTMENT, ApiKey, Caller, Scope, TreasuryScope
from gateway.domain.errors import ForbiddenError, NotFoundError, TransitionError, UnauthenticatedError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.services.callers.caller_cache import CACHE_AGE_MAX, forget_the_ended, remember, remembered
from gateway.services.callers.giving import allowed_scopes, check_may_replace, end_of, giver
from gateway.services.documents import Document, api_key_document, page_document
from gateway.services.once import Made, once
from gateway.store import api_keys, credentials
from gateway.store.connections import Connection
from gateway.store.credentials import Standing

OVERLAP: Final = timedelta(hours=24)
"""How long a key that is rotated is still taken, unless the request says otherwise."""

KEYS_MAX: Final = 200
"""How many keys of a department may be in use at a time."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_SECRET_BYTES: Final = 20
_SECRET_CHARACTERS: Final = 32
_CHECKSUM_CHARACTERS: Final = 6
_PREFIXES: Final = ("mzn_test_", "mzn_live_")


async def issue_key(
    deps: Deps,
    department: str,
    label: str,
    *,
    scopes: Iterable[Scope | TreasuryScope] = tuple(Scope),
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
) -> tuple[str, ApiKey]:
    """Make a key for a department and return its text, which nobody can ask for again."""
    text, key = _new_key(deps, department, label, frozenset(scope.value for scope in scopes), expires_at)
    key = replace(key, requests_per_minute=requests_per_minute)
    async with deps.connection() as connection:
        await api_keys.insert(connection, key, _sha256(text))
    return text, key


async def issue_treasury_key(deps: Deps, label: str, *, expires_at: datetime) -> tuple[str, ApiKey]:
    """Make a key of the treasury's own, which reads finance's reports, nothing of a department's, and ends."""
    return await issue_key(deps, NO_DEPARTMENT, label, scopes=tuple(TreasuryScope), expires_at=expires_at)


def _new_key(
    deps: Deps, department: str, label: str, scopes: frozenset[str], expires_at: datetime | None
) -> tuple[str, ApiKey]:
    secret = deps.random_bytes(_SECRET_BYTES)
    body = f"mzn_{'live' if deps.live else 'test'}_{_base32(int.from_bytes(secret), _SECRET_CHARACTERS)}"
    key = ApiKey(
        id=deps.mint(Prefix.API_KEY),
        department=department,
        label=label,
        scopes=scopes,
        live=deps.live,
        created_at=deps.clock(),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    return body + _checksum(body), key


async def make_key(
    deps: Deps, by: Caller, label: str, scopes: Iterable[str], expires_at: datetime | None, claim: Claim
) -> tuple[StoredAnswer, str | None]:
    """Make a key at its department's own request; the text is there for the first answer only.

    It ends with the key that makes it, or sooner, and has its rate.
    """
    wanted = allowed_scopes(by, scopes)
    text, key = _new_key(deps, by.department, label, wanted, expires_at)

    async def work(connection: Connection) -> Made:
        own = await giver(connection, by, deps.clock())
        made = replace(
            key,
            expires_at=end_of(own, expires_at),
            requests_per_minute=own.requests_per_minute,
            origin=by.origin,
            made_by=by.id,
            hands=own.eyes - {by.origin},
        )
        await _check_room(connection, by.department, deps.clock())
        await api_keys.insert(connection, made, _sha256(text))
        return made.id, api_key_document(made)

    answer = await once(deps, claim, 201, work)
    return answer, None if answer.replayed else text


async def rotate_key(
    deps: Deps, by: Caller, key_id: str, overlap: timedelta, claim: Claim
) -> tuple[StoredAnswer, str | None]:
    """Replace a key by one with the same rights; for the overlap both are taken, so that no request is lost.

    A key that may agree to refunds is replaced by itself or by the operator, never by another key. Whoever replaces
    another's key holds the new one as well: the two are one pair of eyes from then on.
    """
    made: list[str] = []

    async def work(connection: Connection) -> Made:
        own = await giver(connection, by, deps.clock())
        old = await _own(connection, by.department, key_id)
        if old.id != by.id:
            allowed_scopes(by, old.scopes)
        text, key = await _replace(deps, connection, old.id, overlap, by=(by, own))
        made.append(text)
        return key.id, api_key_document(key)

    answer = await once(deps, claim, 201, work)
    deps.caller_cache.clear()
    return answer, None if answer.replayed else made[0]


async def replace_key(
    deps: Deps, key_id: str, overlap: timedelta, expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """Replace a key by the operator's hand, who alone may let the new one live longer."""
    async with deps.transaction() as connection:
        old = await api_keys.read(connection, key_id)
        if old is None:
            raise NotFoundError
        await credentials.lock_department(connection, old.department)
        text, key = await _replace(deps, connection, key_id, overlap, expires_at)
    deps.caller_cache.clear()
    return text, key


async def _replace(
    deps: Deps,
    connection: Connection,
    key_id: str,
    overlap: timedelta,
    expires_at: datetime | None = None,
    by: tuple[Caller, Standing] | None = None,
) -> tuple[str, ApiKey]:
    """Make the one successor of a key: its rights, its place in its line, and its end, unless another is named."""
    old = await api_keys.lock(connection, key_id)
    now = deps.clock()
    if old is None:
        raise NotFoundError
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise TransitionError("this key is over: make a new one")
    lost = await api_keys.successor(connection, old)
    if lost is not None and lost.revoked_at is None:
        raise TransitionError(f"{lost.id} has replaced this key: rotate that one, or revoke it and rotate again")
    await _check_room(connection, old.department, now)
    # Its first rotation has shortened the life of a key whose successor was lost; the successor has the true end.
    end = old.expires_at if lost is None else lost.expires_at
    origin, hands = old.origin or old.id, old.hands
    if by is not None and by[0].id != old.id:
        caller, own = by
        quota = old.requests_per_minute or deps.limits.requests_per_minute
        check_may_replace(caller, own, scopes=old.scopes, expires_at=end, requests_per_minute=quota)
        hands = (hands | own.eyes) - {origin}
    text, key = _new_key(deps, old.department, old.label, old.scopes, expires_at or end)
    key = replace(
        key,
        requests_per_minute=old.requests_per_minute,
        replaces=old.id,
        lineage=old.lineage or old.id,
        origin=origin,
        made_by=None if by is None else by[0].id,
        hands=hands,
    )
    await api_keys.insert(connection, key, _sha256(text))
    await api_keys.expire(connection, old.id, now + overlap)
    await credentials.note_change(connection)
    return text, key


async def read_key(deps: Deps, department: str, key_id: str) -> Document:
    async with deps.connection() as connection:
        return api_key_document(await _own(connection, department, key_id))


async def list_keys(deps: Deps, department: str, *, cursor: str | None, limit: int) -> Document:
    async with deps.connection() as connection:
        found = await api_keys.of_department(connection, department, before=cursor, limit=limit + 1)
    return page_document(
        [api_key_document(key) for key in found[:limit]], found[limit - 1].id if len(found) > limit else None
    )


async def authenticate(deps: Deps, text: str) -> Caller:
    """Return whose key this is; every refusal looks the same."""
    if not text.isascii():
        raise UnauthenticatedError
    sha256 = _sha256(text)
    now = deps.clock()
    cached = remembered(deps, sha256, now)
    if cached is not None and now >= deps.ended_callers.ask_at:
        await forget_the_ended(deps, now)
        cached = remembered(deps, sha256, now)
    if cached is None:
        if not is_well_formed(text):
            raise UnauthenticatedError
        async with deps.connection() as connection:
            key = await api_keys.use(connection, sha256, now)
        if key is None:
            deps.caller_cache.pop(sha256, None)
            raise UnauthenticatedError
        good_until = now + CACHE_AGE_MAX
        is_over = key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
        if is_over or key.live != deps.live:
            caller = None
        else:
            lineage, origin = key.lineage or key.id, key.origin or key.id
            caller = Caller(key.id, key.department, key.scopes, lineage, origin, key.requests_per_minute)
            good_until = min(good_until, key.expires_at or good_until)
        cached = remember(deps, sha256, caller, good_until)
    if cached.caller is None:
        raise UnauthenticatedError
    return cached.caller


def check_scope(caller: Caller, scope: Scope | TreasuryScope) -> None:
    if scope.value not in caller.scopes:
        raise ForbiddenError(f"this credential lacks the scope {scope.value}")


def is_well_formed(text: str) -> bool:
    """Tell whether a text can be a key at all: its form and its checksum."""
    if not text.isascii() or not text.startswith(_PREFIXES):
        return False
    if len(text) != len(_PREFIXES[0]) + _SECRET_CHARACTERS + _CHECKSUM_CHARACTERS:
        return False
    body, checksum = text[:-_CHECKSUM_CHARACTERS], text[-_CHECKSUM_CHARACTERS:]
    return _checksum(body) == checksum


async def _own(connection: Connection, department: str, key_id: str) -> ApiKey:
    key = await api_keys.read(connection, key_id)
    if key is None or key.department != department:
        raise NotFoundError
    return key


async def _check_room(connection: Connection, department: str, now: datetime) -> None:
    await credentials.lock_department(connection, department)
    if await api_keys.in_use(connection, department, now) >= KEYS_MAX:
        raise TransitionError(f"a department has at most {KEYS_MAX} keys in use: revoke one first")


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    return _base32(zlib.crc32(body.encode()) & ((1 << 30) - 1), _CHECKSUM_CHARACTERS)


def _base32(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
