"""Money that came after the end or a second time: it waits in suspense until it is accepted or sent back."""

from __future__ import annotations

from typing import Final

import structlog
from msgspec.structs import replace

from gateway.deps import Deps
from gateway.domain import postings
from gateway.domain.errors import DisputedError, NotFoundError, TransitionError
from gateway.domain.postings import Evidence
from gateway.domain.verdict import Review
from gateway.services.attempts.settle_batch import shares
from gateway.services.notices import intent_event, part_events
from gateway.services.refunds.create_refund import refund_suspended
from gateway.store import attempts, events, intents, refunds
from gateway.store.attempts import Attempt
from ledger.journal import PostStatus, post_within

_log: Final = structlog.get_logger(__name__)


async def list_late_payments(deps: Deps, limit: int) -> list[Attempt]:
    """Return late captures nobody has decided about, oldest first."""
    async with deps.connection() as connection:
        return await attempts.undecided(connection, limit)


async def settle_late_payments(deps: Deps, limit: int) -> int:
    """Send late money back, where that is the policy; otherwise leave it to an operator. Returns refunds asked for."""
    if not deps.refund_late_payments:
        return 0
    asked = 0
    for attempt in await list_late_payments(deps, limit):
        try:
            await refund_suspended(deps, attempt.id, reason="late payment")
        except (TransitionError, DisputedError) as error:
            _log.warning("late_payment_left_to_an_operator", attempt=attempt.id, reason=error.detail)
        else:
            asked += 1
    return asked


async def accept_late_payment(deps: Deps, attempt_id: str) -> None:
    """Book a late payment to its departments after all. The intent keeps its status; the books and the event tell."""
    now = deps.clock()
    async with deps.transaction() as connection:
        seen = await attempts.read(connection, attempt_id)
        if seen is None:
            raise NotFoundError
        intent = (await intents.lock(connection, [seen.intent]))[seen.intent]
        attempt = (await attempts.lock(connection, [attempt_id]))[attempt_id]
        used = await refunds.of_attempts(connection, [attempt_id])
        taken_back = attempt.review == Review.REVERSED_BY_PROVIDER.value
        if not attempt.late or attempt.captured is None or attempt.resolution is not None or used or taken_back:
            raise TransitionError("this payment is not waiting for a decision")
        evidence = Evidence(
            intent_id=intent.id,
            attempt_id=attempt.id,
            provider=attempt.provider,
            provider_reference=attempt.provider_reference,
            effective_at=now,
            zone=deps.zone,
        )
        lines = await intents.lines(connection, [intent.id], with_tariffs=False)
        await attempts.resolve_late(connection, attempt_id, "accepted", now)
        accepted = replace(attempt, resolution="accepted")
        told = [intent_event(deps, intent, "late_payment_accepted", accepted)]
        told += part_events(deps, intent, "late_payment_accepted", lines[intent.id])
        await events.record(connection, told)
        entry = postings.late_accepted(evidence, shares(lines[intent.id]), attempt.captured)
        [posted] = await post_within(connection, [entry], recorded_at=now)
        if posted.status is PostStatus.REFUSED and posted.error is not None:
            raise posted.error
    _log.info("late_payment_accepted", attempt=attempt_id, intent=intent.id)
