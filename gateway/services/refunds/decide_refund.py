"""A second person agrees to a refund above the limit, or does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import structlog

from gateway import metrics
from gateway.deps import Deps
from gateway.domain.caller import Caller
from gateway.domain.errors import DisputedError, NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.refund import RefundStatus, agreed, refused
from gateway.domain.shift import COUNTER
from gateway.services.documents import Document, refund_document
from gateway.services.notices import refund_event
from gateway.services.once import Made, once
from gateway.store import attempts, credentials, disputes, events, refunds
from gateway.store.connections import Connection
from gateway.store.refunds import Refund
from ledger.people import same_person

_log: Final = structlog.get_logger(__name__)
_LISTED_MAX: Final = 1_000


async def refunds_to_decide(deps: Deps, department: str | None = None) -> list[Refund]:
    """List what waits for a second person, oldest first."""
    async with deps.connection() as connection:
        return await refunds.awaiting(connection, department, _LISTED_MAX)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a second person decided. `decided_with` is the caller that brings it, where one does."""

    by: str
    approve: bool
    why: str = ""
    decided_with: Caller | None = None

    @property
    def word(self) -> str:
        return "approved" if self.approve else "refused"


async def decide_refund(deps: Deps, refund_id: str, *, by: str, approve: bool, why: str = "") -> Document:
    """Approve a refund, or refuse it with a reason, for an operator; told again, the same decision is no error."""
    decision = Decision(by, approve, why)
    async with deps.transaction() as connection:
        before, after, document = await _decide(deps, connection, refund_id, None, decision)
    _note(before, after, decision)
    return document


async def decide_for_department(
    deps: Deps, department: str, refund_id: str, decision: Decision, claim: Claim
) -> StoredAnswer:
    """Do the same for a department, for its own refunds only, once for each key."""
    seen: list[tuple[Refund, Refund]] = []

    async def work(connection: Connection) -> Made:
        before, after, document = await _decide(deps, connection, refund_id, department, decision)
        seen.append((before, after))
        return refund_id, document

    stored = await once(deps, claim, 200, work)
    for before, after in seen:
        _note(before, after, decision)
    return stored


async def decide_one(deps: Deps, department: str, refund_id: str, decision: Decision) -> Document:
    """Decide about one refund of a department by itself, whatever becomes of the others of its batch."""
    async with deps.transaction() as connection:
        before, after, document = await _decide(deps, connection, refund_id, department, decision)
    _note(before, after, decision)
    return document


async def _decide(
    deps: Deps, connection: Connection, refund_id: str, department: str | None, decision: Decision
) -> tuple[Refund, Refund, Document]:
    """Decide under the locks; return the refund as it was, as it is, and as it is shown."""
    refund = await refunds.lock_with_intent(connection, refund_id)
    if refund is None or department not in (None, refund.department):
        raise NotFoundError
    lines = (await refunds.lines(connection, [refund_id])).get(refund_id, [])
    if _decided_so(refund, decision):
        return refund, refund, refund_document(refund, lines)
    if refund.provider == COUNTER and refund.asked_with is None:
        raise TransitionError("cash is given back at the counter where it was taken")
    if refund.status is not RefundStatus.AWAITING_APPROVAL:
        raise TransitionError("this refund does not wait for a decision")
    if same_person(decision.by, refund.asked_by):
        raise TransitionError("whoever asked for a refund cannot decide about it")
    # One stolen key cannot give money away: not by itself, not with what it was rotated into or has made, and not with
    # a colleague's key or client it has put its hand on.
    if decision.decided_with is not None and refund.asked_with is not None:
        asked_by_eyes = await credentials.eyes_of(connection, refund.asked_with)
        if asked_by_eyes & await credentials.eyes_of(connection, decision.decided_with.id):
            raise TransitionError(
                "the key that asked for a refund cannot decide about it, nor one made with it, rotated from it or by it"
            )
    attempt = await attempts.read(connection, refund.attempt)
    if decision.approve and attempt is not None and not await disputes.leave_room_for(connection, refund, attempt):
        raise DisputedError
    now = deps.clock()
    decided = replace(
        refund,
        status=agreed(refund.provider) if decision.approve else RefundStatus.FAILED,
        word="" if decision.approve else refused(decision.why),
        decided_by=decision.by,
        decided_at=now,
        updated_at=now,
    )
    await refunds.decide(connection, decided)
    await events.record(connection, [refund_event(deps, decided, decision.word)])
    return refund, decided, refund_document(decided, lines)


def _note(before: Refund, after: Refund, decision: Decision) -> None:
    if after == before:
        return
    metrics.REFUNDS.labels(after.provider, decision.word).inc()
    _log.info("refund_decided", refund=after.id, intent=after.intent, decision=decision.word)


def _decided_so(refund: Refund, decision: Decision) -> bool:
    was_refused = refund.status is RefundStatus.FAILED and refund.sent_at is None
    return refund.decided_by == decision.by and was_refused is not decision.approve
