"""Forgetting what we promised to keep for a time only, and sealing anew what is sealed under an old key."""

from __future__ import annotations

from dataclasses import replace

import structlog

from gateway.deps import Deps
from gateway.domain.sealing import SealedError
from gateway.store import idempotency, oauth_clients, webhooks
from gateway.store.webhooks import Endpoint

_log = structlog.get_logger(__name__)


async def forget_idempotency_keys(deps: Deps, limit: int) -> int:
    """Forget keys whose ninety days are over; return how many."""
    async with deps.connection() as connection:
        return await idempotency.forget_expired(connection, deps.clock(), limit)


async def forget_assertions(deps: Deps, limit: int) -> int:
    """Forget clients' assertions that are too old to be sent again; return how many."""
    async with deps.connection() as connection:
        return await oauth_clients.forget_assertions(connection, deps.clock(), limit)


async def seal_webhook_secrets(deps: Deps, limit: int) -> int:
    """Seal webhook secrets under the present key: those of an old key, and those written before there was one."""
    done = 0
    async with deps.transaction() as connection:
        for endpoint in await webhooks.sealed_otherwise(connection, deps.sealer.head, limit):
            try:
                resealed = _resealed(deps, endpoint)
            except SealedError:  # its key was taken away too early: put it back, and it is sealed anew
                _log.error("webhook_secret_cannot_be_opened", endpoint=endpoint.id)
                continue
            await webhooks.keep_secrets(connection, resealed)
            done += 1
    return done


def _resealed(deps: Deps, endpoint: Endpoint) -> Endpoint:
    def reseal(kept: bytes) -> bytes:
        return deps.sealer.seal(deps.sealer.open(kept, endpoint.id), endpoint.id, deps.random_bytes)

    previous, earlier = endpoint.previous_secret, endpoint.earlier_secret
    return replace(
        endpoint,
        secret=reseal(endpoint.secret),
        previous_secret=None if previous is None else reseal(previous),
        earlier_secret=None if earlier is None else reseal(earlier),
    )
