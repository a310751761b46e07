"""Forgetting what we promised to keep for a time only."""

from __future__ import annotations

from gateway.deps import Deps
from gateway.store import idempotency


async def forget_idempotency_keys(deps: Deps, limit: int) -> int:
    """Forget keys whose ninety days are over; return how many."""
    async with deps.connection() as connection:
        return await idempotency.forget_expired(connection, deps.clock(), limit)
