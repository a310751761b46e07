"""A department takes its request back, or its payer gives it up: at the provider first, then with us."""

from __future__ import annotations

from msgspec.structs import replace

from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as rules
from gateway.domain.attempt import LIVE, AttemptStatus
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.services import links
from gateway.services.attempts.give_up import give_up
from gateway.services.intents.read_intent import document_to_keep
from gateway.services.notices import intent_event
from gateway.services.once import Made, earlier, once
from gateway.store import attempts, events, intents
from gateway.store.connections import Connection
from gateway.store.intents import Intent, Progress


async def cancel_intent(deps: Deps, token: str) -> None:
    """Cancel an intent for its payer, who has its link."""
    intent_id = links.intent_of(deps, token)
    await _give_up(deps, intent_id, None)
    async with deps.transaction() as connection:
        _, moved = await _cancel(deps, connection, intent_id)
    _count(moved)


async def cancel_for_department(deps: Deps, department: str, intent_id: str, claim: Claim) -> StoredAnswer:
    """Cancel an intent of this department. Cancelling twice is one cancellation; a paid one is refunded instead."""
    if (stored := await earlier(deps, claim)) is not None:
        return stored  # the provider is not asked again
    await _give_up(deps, intent_id, department)
    moved: list[bool] = []

    async def work(connection: Connection) -> Made:
        cancelled, has_moved = await _cancel(deps, connection, intent_id)
        moved.append(has_moved)
        return intent_id, await document_to_keep(connection, cancelled)

    stored = await once(deps, claim, 200, work)
    _count(any(moved))
    return stored


async def _give_up(deps: Deps, intent_id: str, department: str | None) -> None:
    """Give a live attempt up at the provider; refuse where it has not said what became of it."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    if intent is None or department not in (None, intent.department):
        raise NotFoundError
    if intent.status is IntentStatus.CANCELLED:
        return
    _check_no_capture(intent)
    if last is not None and last.status in LIVE and not await give_up(deps, intent, last):
        async with deps.connection() as connection:
            _check_no_capture(await intents.read(connection, intent_id) or intent)  # one may have crossed us
        raise TransitionError(
            "the provider has not said yet whether the payer has paid; try again shortly", retry_after_s=30
        )


async def _cancel(deps: Deps, connection: Connection, intent_id: str) -> tuple[Intent, bool]:
    """Cancel under the lock; return the intent as it is now, and whether this moved it."""
    now = deps.clock()
    locked = (await intents.lock(connection, [intent_id]))[intent_id]
    if locked.status is IntentStatus.CANCELLED:
        return locked, False
    _check_no_capture(locked)
    last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    if last is not None and last.status in (AttemptStatus.STARTING, AttemptStatus.UNKNOWN):
        raise TransitionError("a payment is under way; try again shortly", retry_after_s=30)
    cancelled = replace(locked, status=rules.advance(locked.status, IntentEvent.CANCELLED), updated_at=now)
    await intents.move(connection, [Progress(cancelled.id, cancelled.status, cancelled.late_payment)], now)
    await events.record(connection, [intent_event(deps, cancelled, cancelled.status.value)])
    return cancelled, True


def _check_no_capture(intent: Intent) -> None:
    if intent.awaits_capture:
        raise TransitionError("its capture is under way; refund it once it is paid", retry_after_s=30)


def _count(moved: bool) -> None:  # noqa: FBT001 - what the cancellation itself returned
    if moved:
        metrics.INTENTS.labels(IntentEvent.CANCELLED.value).inc()
