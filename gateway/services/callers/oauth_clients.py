"""A department's OAuth clients: registered with their public keys, listed, given other keys, disabled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gateway.deps import Deps
from gateway.domain.caller import Caller, OAuthClient
from gateway.domain.errors import InvalidError, NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.jwks import public_members, read_jwks
from gateway.services.callers.client_keys import check_key_set_url
from gateway.services.callers.giving import allowed_scopes, check_may_replace, giver
from gateway.services.documents import Document, oauth_client_document, page_document
from gateway.services.once import Made, once
from gateway.store import credentials, oauth_clients
from gateway.store.connections import Connection

CLIENTS_MAX: Final = 50
"""How many clients of a department may be in use at a time."""


async def register_client(
    deps: Deps,
    by: Caller,
    label: str,
    scopes: Iterable[str],
    jwks: Mapping[str, Any] | None,
    jwks_url: str | None,
    claim: Claim,
) -> StoredAnswer:
    """Register a client of the caller's department. It ends when the caller does, and has its rate."""
    client = _new_client(deps, by.department, label, allowed_scopes(by, scopes), jwks, jwks_url)

    async def work(connection: Connection) -> Made:
        own = await giver(connection, by, deps.clock())
        made = replace(
            client,
            expires_at=own.expires_at,
            requests_per_minute=own.requests_per_minute,
            origin=by.origin,
            made_by=by.id,
            hands=own.eyes - {by.origin},
        )
        await _insert(connection, made, deps.clock())
        return made.id, oauth_client_document(made)

    return await once(deps, claim, 201, work)


async def add_client(
    deps: Deps, department: str, label: str, scopes: Iterable[str], jwks: Mapping[str, Any] | None, jwks_url: str | None
) -> OAuthClient:
    """Register a client by the operator's hand."""
    client = _new_client(deps, department, label, frozenset(scopes), jwks, jwks_url)
    async with deps.transaction() as connection:
        await _insert(connection, client, deps.clock())
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


async def _insert(connection: Connection, client: OAuthClient, now: datetime) -> None:
    await credentials.lock_department(connection, client.department)
    if await oauth_clients.in_use(connection, client.department, now) >= CLIENTS_MAX:
        raise TransitionError(f"a department has at most {CLIENTS_MAX} clients in use: disable one first")
    await oauth_clients.insert(connection, client)


async def replace_keys(
    deps: Deps,
    by: Caller,
    client_id: str,
    jwks: Mapping[str, Any] | None,
    jwks_url: str | None,
    claim: Claim,
) -> StoredAnswer:
    """Put other keys in place at once; a set that holds the old key too gives the overlap.

    Whoever chooses a client's keys can act as that client: another needs all its rights, and is one pair of eyes with
    it from then on. A client that may agree to refunds is given keys by itself or by the operator.
    """
    jwks = checked_keys(deps, jwks, jwks_url)

    async def work(connection: Connection) -> Made:
        own = await giver(connection, by, deps.clock())
        client = await _own(connection, by.department, client_id)
        changed = replace(client, jwks=jwks, jwks_url=jwks_url, updated_at=deps.clock())
        if by.id != client_id:
            quota = client.requests_per_minute or deps.limits.requests_per_minute
            check_may_replace(by, own, scopes=client.scopes, expires_at=client.expires_at, requests_per_minute=quota)
            hands = (client.hands | own.eyes) - {client.origin or client.id}
            changed = replace(changed, keys_by=by.id, hands=hands)
        await oauth_clients.set_keys(connection, changed)
        return client_id, oauth_client_document(changed)

    return await once(deps, claim, 200, work)


async def put_keys(deps: Deps, client_id: str, jwks: Mapping[str, Any] | None, jwks_url: str | None) -> None:
    """Put other keys in place by the operator's hand. Through whose hands the client went before is not forgotten."""
    jwks = checked_keys(deps, jwks, jwks_url)
    async with deps.transaction() as connection:
        client = await oauth_clients.read(connection, client_id)
        if client is None:
            raise NotFoundError
        await credentials.lock_department(connection, client.department)
        changed = replace(client, jwks=jwks, jwks_url=jwks_url, updated_at=deps.clock(), keys_by=None)
        await oauth_clients.set_keys(connection, changed)


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
