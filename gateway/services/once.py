"""Doing what a request asks once, however often it is sent: its effect and its answer commit together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.deps import Deps
from gateway.domain.errors import IdempotencyInFlightError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.services.documents import Document
from gateway.store import idempotency
from gateway.store.connections import Connection

Made = tuple[str, Document]
"""What was made or changed, by its id, and the document that is kept as the answer: it holds no secret."""


async def earlier(deps: Deps, claim: Claim) -> StoredAnswer | None:
    """Return what this key was answered before: asked where others must be asked before anything can be written."""
    async with deps.connection() as connection:
        return await idempotency.replay(connection, claim)


async def once(deps: Deps, claim: Claim, status: int, work: Callable[[Connection], Awaitable[Made]]) -> StoredAnswer:
    """Run `work` in the transaction of its Idempotency-Key, or return what the first request was answered."""
    async with deps.transaction() as connection:
        stored = await idempotency.replay(connection, claim)
        if stored is not None:
            return stored
        resource, document = await work(connection)
        answer = StoredAnswer(resource, status, msgspec.json.encode(document))
        if not await idempotency.claim(connection, claim, answer, deps.clock()):
            raise IdempotencyInFlightError(retry_after_s=1)
    return answer
