"""A refund of cash that nobody is to wait for any more: its department takes it back, or nobody came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.refund import CANCELLED, NOT_COLLECTED, RefundStatus
from gateway.services.documents import refund_document
from gateway.services.notices import refund_event
from gateway.services.once import Made, once
from gateway.store import cash_handouts, events, refunds
from gateway.store.connections import Connection
from gateway.store.refunds import Refund

_log: Final = structlog.get_logger(__name__)
COLLECTED_WITHIN: Final = timedelta(days=90)
"""Published: so long a refund of cash waits for its citizen."""


async def cancel_refund(deps: Deps, department: str, refund_id: str, claim: Claim) -> StoredAnswer:
    """Take back a refund of cash that nobody has collected; cancelling twice is one cancellation."""

    async def work(connection: Connection) -> Made:
        refund = await refunds.lock_with_intent(connection, refund_id)
        if refund is None or refund.department != department:
            raise NotFoundError
        lines = (await refunds.lines(connection, [refund_id])).get(refund_id, [])
        if refund.status is RefundStatus.FAILED and refund.word == CANCELLED:
            return refund_id, refund_document(refund, lines)
        if refund.status is not RefundStatus.AWAITING_COLLECTION:
            raise TransitionError("only a refund of cash that waits to be collected can be cancelled")
        if await cash_handouts.read(connection, refund_id) is not None:
            raise TransitionError("its cash is being handed out at this moment", retry_after_s=60)
        ended = await _end(deps, connection, refund, CANCELLED)
        return refund_id, refund_document(ended, lines)

    return await once(deps, claim, 200, work)


async def expire_collections(deps: Deps, limit: int) -> int:
    """End refunds of cash nobody has come for in time; return how many."""
    since = deps.clock() - COLLECTED_WITHIN
    async with deps.connection() as connection:
        due = await cash_handouts.uncollected(connection, since, limit)
    for refund_id in due:
        async with deps.transaction() as connection:
            refund = await refunds.lock_with_intent(connection, refund_id)
            waits = refund is not None and refund.status is RefundStatus.AWAITING_COLLECTION
            if refund is not None and waits and await cash_handouts.read(connection, refund_id) is None:
                await _end(deps, connection, refund, NOT_COLLECTED)
    return len(due)


async def _end(deps: Deps, connection: Connection, refund: Refund, why: str) -> Refund:
    """End a refund of which nothing is in the books yet."""
    ended = replace(refund, status=RefundStatus.FAILED, word=why, updated_at=deps.clock())
    await refunds.move(connection, ended)
    await events.record(connection, [refund_event(deps, ended, ended.status.value)])
    metrics.REFUNDS.labels(refund.provider, ended.status.value).inc()
    _log.info("cash_refund_ended", refund=refund.id, intent=refund.intent, why=why)
    return ended
