"""A department's OAuth clients: registered with their public keys, listed, given other keys, disabled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.deps import Deps
from gateway.domain.caller import Caller, OAuthClient
from gateway.domain.errors import InvalidError, NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.jwks import public_members, read_jwks
from gateway.services.callers.api_keys import allowed_scopes
from gateway.services.callers.client_keys import check_key_set_url
from gateway.services.documents import Document, oauth_client_document, page_document
from gateway.services.once import Made, once
from gateway.store import oauth_clients
from gateway.store.connections import Connection

CLIENTS_MAX: Final = 50
"""How many clients a department may have, disabled ones included."""


async def register_client(
    deps: Deps,
    by: Caller,
    label: str,
    scopes: Iterable[str],
    jwks: Mapping[str, Any] | None,
    jwks_url: str | None,
    claim: Claim,
) -> StoredAnswer:
    """Register a client of the caller's department."""
    client = _new_client(deps, by.department, label, allowed_scopes(by, scopes), jwks, jwks_url)
    client = replace(client, origin=by.origin)

    async def work(connection: Connection) -> Made:
        await _insert(connection, client)
        return client.id, oauth_client_document(client)

    return await once(deps, claim, 201, work)


async def add_client(
    deps: Deps, department: str, label: str, scopes: Iterable[str], jwks: Mapping[str, Any] | None, jwks_url: str | None
) -> OAuthClient:
    """Register a client by the operator's hand."""
    client = _new_client(deps, department, label, frozenset(scopes), jwks, jwks_url)
    async with deps.transaction() as connection:
        await _insert(connection, client)
    return client


def _new_client(
    deps: Deps,
    department: str,
    label: str,
    scopes: frozenset[str],
    jwks: Mapping[str, Any] | None,
    jwks_url: str | None,
) -> OAuthClient:
    now = deps.clock()
    return OAuthClient(
        id=deps.mint(Prefix.CLIENT),
        department=department,
        label=label,
        scopes=scopes,
        jwks=checked_keys(deps, jwks, jwks_url),
        jwks_url=jwks_url,
        live=deps.live,
        created_at=now,
        updated_at=now,
        disabled_at=None,
        last_used_at=None,
    )


async def _insert(connection: Connection, client: OAuthClient) -> None:
    existing = await oauth_clients.of_department(connection, client.department, before=None, limit=CLIENTS_MAX)
    if len(existing) >= CLIENTS_MAX:
        raise TransitionError(f"a department has at most {CLIENTS_MAX} clients")
    await oauth_clients.insert(connection, client)


async def replace_keys(
    deps: Deps,
    department: str,
    client_id: str,
    jwks: Mapping[str, Any] | None,
    jwks_url: str | None,
    claim: Claim,
) -> StoredAnswer:
    """Put other keys in place at once; a set that holds the old key too gives the overlap."""
    jwks = checked_keys(deps, jwks, jwks_url)

    async def work(connection: Connection) -> Made:
        client = await _own(connection, department, client_id)
        changed = replace(client, jwks=jwks, jwks_url=jwks_url, updated_at=deps.clock())
        await oauth_clients.set_keys(connection, changed, changed.updated_at)
        return client_id, oauth_client_document(changed)

    return await once(deps, claim, 200, work)


async def disable_client(deps: Deps, department: str, client_id: str, claim: Claim) -> StoredAnswer:
    """Disable a client: no more tokens, and those it has end within a minute. Disabling twice is once."""

    async def work(connection: Connection) -> Made:
        await _own(connection, department, client_id)
        await oauth_clients.disable(connection, client_id, deps.clock())
        return client_id, oauth_client_document(await _own(connection, department, client_id))

    answer = await once(deps, claim, 200, work)
    deps.caller_cache.clear()
    return answer


async def end_client(deps: Deps, client_id: str) -> bool:
    """Disable a client by the operator's hand; False when there is none that is in use."""
    deps.caller_cache.clear()
    async with deps.transaction() as connection:
        client = await oauth_clients.read(connection, client_id)
        if client is None or client.disabled_at is not None:
            return False
        await oauth_clients.disable(connection, client_id, deps.clock())
    return True


async def read_client(deps: Deps, department: str, client_id: str) -> Document:
    async with deps.connection() as connection:
        return oauth_client_document(await _own(connection, department, client_id))


async def list_clients(deps: Deps, department: str, *, cursor: str | None, limit: int) -> Document:
    async with deps.connection() as connection:
        found = await oauth_clients.of_department(connection, department, before=cursor, limit=limit + 1)
    return page_document(
        [oauth_client_document(client) for client in found[:limit]],
        found[limit - 1].id if len(found) > limit else None,
    )


def checked_keys(deps: Deps, jwks: Mapping[str, Any] | None, jwks_url: str | None) -> Mapping[str, Any] | None:
    """Refuse keys we could not verify with; return the public members of those that are registered here."""
    if (jwks is None) == (jwks_url is None):
        raise InvalidError("name jwks or jwks_url, one of the two", pointer="/jwks")
    if jwks_url is not None:
        check_key_set_url(jwks_url, private=deps.private_webhooks)
        return None
    if jwks is None:
        return None
    read_jwks(jwks)
    return public_members(jwks)


async def _own(connection: Connection, department: str, client_id: str) -> OAuthClient:
    client = await oauth_clients.read(connection, client_id)
    if client is None or client.department != department:
        raise NotFoundError
    return client
