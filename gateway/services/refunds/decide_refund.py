"""A second person agrees to a refund above the limit, or does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.refund import RefundStatus
from gateway.services.documents import Document, refund_document
from gateway.services.notices import refund_event
from gateway.store import events, intents, refunds
from gateway.store.refunds import Refund

_log: Final = structlog.get_logger(__name__)
_LISTED_MAX: Final = 1_000


async def refunds_to_decide(deps: Deps, department: str | None = None) -> list[Refund]:
    """List what waits for a second person, oldest first."""
    async with deps.connection() as connection:
        return await refunds.awaiting(connection, department, _LISTED_MAX)


async def decide_refund(
    deps: Deps,
    refund_id: str,
    *,
    by: str,
    approve: bool,
    why: str = "",
    department: str | None = None,
    decided_with: str | None = None,
) -> Document:
    """Approve a refund, or refuse it with a reason; told again, the same decision is no error.

    `department` restricts a department's own caller to its own refunds. `decided_with` is the key or client that
    brings the decision: it is another than the one that asked, so that one stolen key cannot give money away.
    """
    now = deps.clock()
    target = RefundStatus.REQUESTED if approve else RefundStatus.FAILED
    async with deps.transaction() as connection:
        seen = await refunds.read(connection, refund_id)
        if seen is None or department not in (None, seen.department):
            raise NotFoundError
        await intents.lock(connection, [seen.intent])
        refund = (await refunds.lock(connection, [refund_id]))[refund_id]
        lines = (await refunds.lines(connection, [refund_id])).get(refund_id, [])
        if _decided_so(refund, by, approve=approve):
            return refund_document(refund, lines)
        if refund.status is not RefundStatus.AWAITING_APPROVAL:
            raise TransitionError("this refund does not wait for a decision")
        if by.casefold() == refund.asked_by.casefold():
            raise TransitionError("whoever asked for a refund cannot decide about it")
        if decided_with is not None and decided_with == refund.asked_with:
            raise TransitionError("the key that asked for a refund cannot decide about it")
        decided = replace(
            refund, status=target, word="" if approve else f"refused: {why}", decided_by=by, decided_at=now
        )
        await refunds.decide(connection, decided)
        await events.record(connection, [refund_event(deps, decided, "approved" if approve else "refused")])
    what = "approved" if approve else "refused"
    metrics.REFUNDS.labels(refund.provider, what).inc()
    _log.info("refund_decided", refund=refund.id, intent=refund.intent, decision=what)
    return refund_document(decided, lines)


def _decided_so(refund: Refund, by: str, *, approve: bool) -> bool:
    refused = refund.status is RefundStatus.FAILED and refund.sent_at is None
    return refund.decided_by == by and refused is not approve
