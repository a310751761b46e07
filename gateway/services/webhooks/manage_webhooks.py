"""A department's endpoints: made, listed, rotated, tried, disabled, replayed."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.deps import Deps
from gateway.domain.addresses import check_webhook_url
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.ids import Prefix, id_bound
from gateway.services.documents import (
    Document,
    delivery_document,
    endpoint_document,
    event_document,
    instant,
    page_document,
)
from gateway.services.once import Made, once
from gateway.store import credentials, events, webhooks
from gateway.store.connections import Connection
from gateway.store.events import Event
from gateway.store.webhooks import Endpoint

OVERLAP: Final = timedelta(hours=24)
"""How long the old secret goes on signing beside the new one."""

REPLAYED_MAX: Final = 10_000
"""How many events one request delivers again; the answer says where to go on."""

_SECRET_BYTES: Final = 32
_MOMENT: Final = timedelta(hours=1)

Shown = tuple[StoredAnswer, str | None]
"""A stored answer, and beside the first one the secret."""


def secret_text(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


async def create_endpoint(deps: Deps, department: str, url: str, claim: Claim) -> Shown:
    """Make an endpoint and show its secret, this once: by when the request is repeated it may be another."""
    check_webhook_url(url, private=deps.private_webhooks)
    secret = deps.random_bytes(_SECRET_BYTES)

    async def work(connection: Connection) -> Made:
        await _check_room(deps, connection, department)
        endpoint_id = deps.mint(Prefix.ENDPOINT)
        endpoint = Endpoint(
            id=endpoint_id,
            department=department,
            url=url,
            secret=deps.sealer.seal(secret, endpoint_id, deps.random_bytes),
            previous_secret=None,
            previous_until=None,
            earlier_secret=None,
            earlier_until=None,
            disabled_at=None,
            disabled_because=None,
            created_at=deps.clock(),
        )
        await webhooks.insert(connection, endpoint)
        return endpoint.id, endpoint_document(endpoint)

    answer = await once(deps, claim, 201, work)
    return answer, None if answer.replayed else secret_text(secret)


async def _check_room(deps: Deps, connection: Connection, department: str) -> None:
    """Count what is enabled, one request at a time; what is disabled stays for its deliveries and takes no place."""
    await credentials.lock_department(connection, department)
    enabled_max = deps.limits.endpoints_per_department
    if await webhooks.enabled(connection, department) >= enabled_max:
        raise TransitionError(f"a department has at most {enabled_max} endpoints enabled: disable one first")


async def list_endpoints(deps: Deps, department: str, *, cursor: str | None, limit: int) -> Document:
    """List a department's endpoints, oldest first, the disabled ones too."""
    async with deps.connection() as connection:
        found = await webhooks.of_department(connection, department, after=cursor, limit=limit + 1)
    return page_document(
        [endpoint_document(endpoint) for endpoint in found[:limit]],
        found[limit - 1].id if len(found) > limit else None,
    )


async def rotate_secret(deps: Deps, department: str, endpoint_id: str, claim: Claim) -> Shown:
    """Give an endpoint a new secret; for a day the old one signs too, so that no delivery is lost to the change.

    A new secret that was lost is replaced at once: three sign then, and receivers go on with the first of them.
    """
    secret = deps.random_bytes(_SECRET_BYTES)

    async def work(connection: Connection) -> Made:
        endpoint = await webhooks.lock(connection, department, endpoint_id)
        if endpoint is None:
            raise NotFoundError
        now = deps.clock()
        if endpoint.earlier_until is not None and now < endpoint.earlier_until:
            raise TransitionError(f"three secrets sign already: rotate again after {instant(endpoint.earlier_until)}")
        still = endpoint.previous_until is not None and now < endpoint.previous_until
        endpoint = replace(
            endpoint,
            secret=deps.sealer.seal(secret, endpoint_id, deps.random_bytes),
            previous_secret=endpoint.secret,
            previous_until=now + OVERLAP,
            earlier_secret=endpoint.previous_secret if still else None,
            earlier_until=endpoint.previous_until if still else None,
        )
        await webhooks.keep_secrets(connection, endpoint)
        return endpoint.id, endpoint_document(endpoint)

    answer = await once(deps, claim, 200, work)
    return answer, None if answer.replayed else secret_text(secret)


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
        if (await _own(connection, department, endpoint_id)).disabled_at is not None:
            await _check_room(deps, connection, department)
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


@dataclass(frozen=True, slots=True)
class Replayed:
    """What is to be delivered again: one event, those of a time, or else all that died."""

    event: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    cursor: str | None = None


async def replay_deliveries(
    deps: Deps, department: str, endpoint_id: str, wanted: Replayed, claim: Claim
) -> StoredAnswer:
    """Deliver again, or for the first time what happened while the endpoint was disabled or not yet there."""

    async def work(connection: Connection) -> Made:
        endpoint = await _own(connection, department, endpoint_id)
        if endpoint.disabled_at is not None:
            raise TransitionError("the endpoint is disabled: enable it first")
        queued, cursor = await _replay(deps, connection, endpoint, wanted)
        return endpoint_id, {"object": "replay", "queued": queued, "next_cursor": cursor}

    return await once(deps, claim, 202, work)


async def _replay(deps: Deps, connection: Connection, endpoint: Endpoint, wanted: Replayed) -> tuple[int, str | None]:
    now, since = deps.clock(), wanted.created_from
    if wanted.event is not None:
        if not await webhooks.replay_event(connection, endpoint, wanted.event, now):
            raise NotFoundError
        return 1, None
    if since is None and wanted.created_before is None and wanted.cursor is None:
        return await webhooks.replay_dead(connection, endpoint.id, now), None
    # Where the index is entered: an event's identifier and its instant are taken from one clock, a moment apart.
    after = wanted.cursor or ("" if since is None else id_bound(Prefix.EVENT, since - _MOMENT))
    return await webhooks.replay_range(connection, endpoint, after, since, wanted.created_before, now, REPLAYED_MAX)


async def _own(connection: Connection, department: str, endpoint_id: str) -> Endpoint:
    endpoint = await webhooks.read(connection, department, endpoint_id)
    if endpoint is None:
        raise NotFoundError
    return endpoint
