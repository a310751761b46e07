"""A department's endpoints: made, listed, rotated, tried, disabled, replayed."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.addresses import check_webhook_url
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix
from gateway.services.documents import (
    Document,
    delivery_document,
    endpoint_document,
    event_document,
    page_document,
)
from gateway.services.once import Made, once
from gateway.store import events, webhooks
from gateway.store.connections import Connection
from gateway.store.events import Event
from gateway.store.webhooks import Endpoint

OVERLAP: Final = timedelta(hours=24)
"""How long the old secret goes on signing beside the new one."""

_SECRET_BYTES: Final = 32

Shown = tuple[StoredAnswer, str | None]
"""A stored answer, and the secret that is shown beside it."""


def secret_text(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


async def create_endpoint(deps: Deps, department: str, url: str, claim: Claim) -> Shown:
    """Make an endpoint and show its secret: now, and to a repetition of this very request."""
    check_webhook_url(url, private=deps.private_webhooks)

    async def work(connection: Connection) -> Made:
        existing = await webhooks.of_department(connection, department, deps.limits.endpoints_per_department)
        if len(existing) >= deps.limits.endpoints_per_department:
            raise TransitionError(f"a department has at most {deps.limits.endpoints_per_department} endpoints")
        endpoint = Endpoint(
            id=deps.mint(Prefix.ENDPOINT),
            department=department,
            url=url,
            secret=deps.random_bytes(_SECRET_BYTES),
            previous_secret=None,
            previous_until=None,
            disabled_at=None,
            disabled_because=None,
            created_at=deps.clock(),
        )
        await webhooks.insert(connection, endpoint)
        return endpoint.id, endpoint_document(endpoint)

    return await _with_secret(deps, department, await once(deps, claim, 201, work))


async def list_endpoints(deps: Deps, department: str) -> Document:
    async with deps.connection() as connection:
        found = await webhooks.of_department(connection, department, deps.limits.endpoints_per_department)
    return page_document([endpoint_document(endpoint) for endpoint in found], None)


async def rotate_secret(deps: Deps, department: str, endpoint_id: str, claim: Claim) -> Shown:
    """Give an endpoint a new secret; for a day both sign, so that no delivery is lost to the change."""

    async def work(connection: Connection) -> Made:
        secret = deps.random_bytes(_SECRET_BYTES)
        endpoint = await webhooks.rotate(connection, department, endpoint_id, secret, deps.clock() + OVERLAP)
        if endpoint is None:
            raise NotFoundError
        return endpoint.id, endpoint_document(endpoint)

    return await _with_secret(deps, department, await once(deps, claim, 200, work))


async def read_endpoint(deps: Deps, department: str, endpoint_id: str) -> Document:
    async with deps.connection() as connection:
        return endpoint_document(await _own(connection, department, endpoint_id))


async def disable_endpoint(deps: Deps, department: str, endpoint_id: str, claim: Claim) -> StoredAnswer:
    """Stop delivering. What waits is dead and may be replayed once the endpoint is enabled again."""

    async def work(connection: Connection) -> Made:
        await _own(connection, department, endpoint_id)
        await webhooks.disable(connection, endpoint_id, "by its department", deps.clock())
        return endpoint_id, endpoint_document(await _own(connection, department, endpoint_id))

    return await once(deps, claim, 200, work)


async def enable_endpoint(deps: Deps, department: str, endpoint_id: str, claim: Claim) -> StoredAnswer:
    async def work(connection: Connection) -> Made:
        await _own(connection, department, endpoint_id)
        await webhooks.enable(connection, endpoint_id)
        return endpoint_id, endpoint_document(await _own(connection, department, endpoint_id))

    return await once(deps, claim, 200, work)


async def test_endpoint(deps: Deps, department: str, endpoint_id: str, claim: Claim) -> StoredAnswer:
    """Send one event that means nothing, to this endpoint alone, so that a receiver can be tried."""

    async def work(connection: Connection) -> Made:
        endpoint = await _own(connection, department, endpoint_id)
        if endpoint.disabled_at is not None:
            raise TransitionError("the endpoint is disabled: enable it first")
        now = deps.clock()
        event = Event(
            deps.mint_event(), department, "webhook_endpoint.test", endpoint_id, {"webhook_endpoint": endpoint_id}, now
        )
        await events.insert_unqueued(connection, event)
        await webhooks.queue(connection, endpoint_id, event.id, endpoint_id, now)
        return event.id, event_document(event)

    return await once(deps, claim, 202, work)


async def list_deliveries(
    deps: Deps, department: str, endpoint_id: str, status: str | None, *, cursor: str | None, limit: int
) -> Document:
    async with deps.connection() as connection:
        await _own(connection, department, endpoint_id)
        found = await webhooks.deliveries(connection, endpoint_id, status, before=cursor, limit=limit + 1)
    documents = [delivery_document(delivery) for delivery in found[:limit]]
    return page_document(documents, found[limit - 1].event if len(found) > limit else None)


async def replay_deliveries(
    deps: Deps, department: str, endpoint_id: str, event: str | None, created_from: datetime | None, claim: Claim
) -> StoredAnswer:
    """Deliver again: one event, everything since an instant, or all that died."""

    async def work(connection: Connection) -> Made:
        await _own(connection, department, endpoint_id)
        queued = await webhooks.replay(connection, endpoint_id, event, created_from, deps.clock())
        return endpoint_id, {"object": "replay", "queued": queued}

    return await once(deps, claim, 202, work)


async def _own(connection: Connection, department: str, endpoint_id: str) -> Endpoint:
    endpoint = await webhooks.read(connection, department, endpoint_id)
    if endpoint is None:
        raise NotFoundError
    return endpoint


async def _with_secret(deps: Deps, department: str, stored: StoredAnswer) -> Shown:
    """Answer a repetition as the first time. The stored answer holds no secret, so it is taken from the endpoint."""
    async with deps.connection() as connection:
        endpoint = await webhooks.read(connection, department, stored.resource)
    return stored, None if endpoint is None else secret_text(endpoint.secret)
