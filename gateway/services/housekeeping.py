"""Forgetting what we promised to keep for a time only."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.store import idempotency, oauth_clients


async def forget_idempotency_keys(deps: Deps, limit: int) -> int:
    """Forget keys whose ninety days are over; return how many."""
    async with deps.connection() as connection:
        return await idempotency.forget_expired(connection, deps.clock(), limit)


async def forget_assertions(deps: Deps, limit: int) -> int:
    """Forget clients' assertions that are too old to be sent again; return how many."""
    async with deps.connection() as connection:
        return await oauth_clients.forget_assertions(connection, deps.clock(), limit)
