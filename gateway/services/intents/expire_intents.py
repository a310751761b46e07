"""Closing intents whose time is over: at the provider first, then with us."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as rules
from gateway.domain.attempt import LIVE
from gateway.domain.intent import IntentEvent
from gateway.services.attempts.give_up import give_up
from gateway.services.notices import intent_event
from gateway.services.providers import ask_provider
from gateway.store import attempts, events, intents
from gateway.store.intents import Intent, Progress

_AGAIN: Final = timedelta(minutes=5)


async def expire_intents(deps: Deps, limit: int) -> int:
    """Expire up to `limit` intents; return how many were taken.

    An intent whose provider does not answer stays open and is tried again: its payer may have paid. One whose
    provider answers and cannot void what was never touched expires; money that comes after all is late money.
    """
    now = deps.clock()
    async with deps.connection() as connection:
        overdue = await intents.claim_overdue(connection, now, now + _AGAIN, limit)

    async def close(intent_id: str) -> None:
        ended = await _end_attempt(deps, intent_id)
        if ended is not None:
            await _close(deps, ended)

    await ask_provider.several(deps, overdue, close)
    return len(overdue)


async def _end_attempt(deps: Deps, intent_id: str) -> Intent | None:
    """Return the intent as it stood before its attempt was ended; None while it cannot be."""
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        last = (await attempts.last_of(connection, [intent_id])).get(intent_id)
    if intent is None or intent.awaits_capture:
        return None  # its department wants the money: the provider has the last word
    if last is None or last.status not in LIVE or (last.review is None and await give_up(deps, intent, last)):
        return intent
    return None


async def _close(deps: Deps, before: Intent) -> None:
    now = deps.clock()
    lapsed = before.is_reserved and before.expires_at <= now
    async with deps.transaction() as connection:
        intent = (await intents.lock(connection, [before.id])).get(before.id)
        if intent is None or not rules.may(intent.status, IntentEvent.EXPIRED):
            return
        if intent.expires_at > now and (intent.is_reserved or not lapsed):
            return  # its payer's bank has reserved it meanwhile
        closed = replace(intent, status=rules.advance(intent.status, IntentEvent.EXPIRED))
        await intents.move(connection, [Progress(closed.id, closed.status, closed.late_payment)], now)
        await events.record(connection, [intent_event(deps, closed, closed.status.value)])
    metrics.INTENTS.labels(IntentEvent.EXPIRED.value).inc()
