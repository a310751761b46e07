"""A department takes its request back, or its payer gives it up: at the provider first, then with us."""

from __future__ import annotations

from dataclasses import replace

from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as rules
from gateway.domain.attempt import LIVE, AttemptStatus
from gateway.domain.errors import NotFoundError, TransitionError
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.services import links
from gateway.services.attempts.give_up import give_up
from gateway.services.notices import intent_event
from gateway.store import attempts, events, intents
from gateway.store.intents import Intent, Progress


async def cancel_intent(deps: Deps, token: str) -> None:
    """Cancel an intent for its payer, who has its link."""
    await _end(deps, links.intent_of(deps, token), None)


async def cancel_for_department(deps: Deps, department: str, intent_id: str) -> None:
    """Cancel an intent of this department. Cancelling twice is one cancellation; a paid one is refunded instead."""
    await _end(deps, intent_id, department)


async def _end(deps: Deps, intent_id: str, department: str | None) -> None:
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    if intent is None or department not in (None, intent.department):
        raise NotFoundError
    if intent.status is IntentStatus.CANCELLED:
        return
    if last is not None and last.status in LIVE and not await give_up(deps, intent, last):
        raise TransitionError(
            "the provider has not said yet whether the payer has paid; try again shortly", retry_after_s=30
        )
    await _cancel(deps, intent)


async def _cancel(deps: Deps, intent: Intent) -> None:
    now = deps.clock()
    async with deps.transaction() as connection:
        locked = (await intents.lock(connection, [intent.id]))[intent.id]
        if locked.status is IntentStatus.CANCELLED:
            return
        last = (await attempts.last_of(connection, [intent.id])).get(intent.id)
        if last is not None and last.status in (AttemptStatus.STARTING, AttemptStatus.UNKNOWN):
            raise TransitionError("a payment is under way; try again shortly", retry_after_s=30)
        cancelled = replace(locked, status=rules.advance(locked.status, IntentEvent.CANCELLED))
        await intents.move(connection, [Progress(cancelled.id, cancelled.status, cancelled.late_payment)], now)
        await events.record(connection, [intent_event(deps, cancelled, cancelled.status.value)])
    metrics.INTENTS.labels(IntentEvent.CANCELLED.value).inc()
