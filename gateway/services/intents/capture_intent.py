"""A department says that what its payer has reserved is to be taken: all of it, or a part.

What was asked for is committed first; the provider is told by the job that asks about undecided attempts, as often as
it takes, and the adapter captures once. A crash anywhere leaves a row that says what is still to be done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from gateway import metrics
from gateway.deps import Deps
from gateway.domain import intent as rules
from gateway.domain.errors import InvalidError, NotFoundError, TransitionError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.domain.intent import IntentEvent, IntentStatus
from gateway.services.intents.read_intent import document_to_keep
from gateway.services.notices import intent_event
from gateway.services.once import Made, once
from gateway.store import attempts, captures, events, intents
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection
from gateway.store.intents import Intent, IntentLine, Progress
from ledger.money import Money

_ACCEPTED: Final = 202
_LETTING_GO: Final = timedelta(minutes=3)
"""How long a void that was begun may be under way: longer than its questions to the provider may take together."""


async def capture_intent(
    deps: Deps, department: str, intent_id: str, amount: tuple[int, str] | None, claim: Claim
) -> StoredAnswer:
    """Have a reserved payment taken: all of it, or so many minor units in a currency, as they were sent.

    The answer is the intent, processing; that it is paid is told by its event.
    """

    async def work(connection: Connection) -> Made:
        intent = (await intents.lock(connection, [intent_id])).get(intent_id)
        if intent is None or intent.department != department:
            raise NotFoundError
        now = deps.clock()
        attempt = await _reserved(connection, intent, now)
        wanted = _checked(intent, amount)
        if wanted != intent.amount:
            intent = await _take_less(connection, intent, attempt, wanted)
        asked = replace(
            intent,
            status=rules.advance(intent.status, IntentEvent.CAPTURE_ASKED),
            capture_asked_at=now,
            updated_at=now,
        )
        await intents.move(connection, [Progress(intent_id, asked.status, asked.late_payment)], now)
        await captures.ask(connection, intent_id, now)
        await attempts.schedule(connection, {attempt.id: now})
        await events.record(connection, [intent_event(deps, asked, asked.status.value, attempt)])
        return intent_id, await document_to_keep(connection, asked)

    stored = await once(deps, claim, _ACCEPTED, work)
    if not stored.replayed:
        metrics.INTENTS.labels(IntentEvent.CAPTURE_ASKED.value).inc()
    return stored


async def _reserved(connection: Connection, intent: Intent, now: datetime) -> Attempt:
    """Return the attempt that holds the reservation, locked."""
    if intent.status is not IntentStatus.REQUIRES_CAPTURE:
        raise TransitionError(f"an intent that is {intent.status.value} has nothing reserved to capture")
    last = (await attempts.last_of(connection, [intent.id]))[intent.id]
    attempt = (await attempts.lock(connection, [last.id]))[last.id]
    if attempt.review is not None:
        raise TransitionError("this payment is being looked into")
    since = await captures.letting_go_since(connection, intent.id)
    if since is not None and now - since < _LETTING_GO:
        raise TransitionError("what is reserved is being let go; try again shortly", retry_after_s=60)
    return attempt


def _checked(intent: Intent, amount: tuple[int, str] | None) -> Money:
    if amount is None:
        return intent.amount
    amount_minor, currency = amount
    if currency != intent.amount.currency:
        raise InvalidError("the currency is not that of the payment", pointer="/amount/currency")
    if amount_minor > intent.amount.amount_minor:
        raise InvalidError("is more than the payer has reserved", pointer="/amount/amount")
    return Money(amount_minor, currency)


async def _take_less(connection: Connection, intent: Intent, attempt: Attempt, wanted: Money) -> Intent:
    """Take a part: every line gives way in its proportion, and the parts sum to the whole."""
    lines = (await intents.lines(connection, [intent.id], with_tariffs=False))[intent.id]
    await captures.reduce(connection, intent.id, attempt.id, wanted.amount_minor, reduced(lines, wanted))
    return replace(intent, amount=wanted)


def reduced(lines: Sequence[IntentLine], wanted: Money) -> list[tuple[int, int, int]]:
    """Spread an amount over lines, largest remainder first; each line's VAT stays its share, rounded half up."""
    parts = wanted.allocate([line.amount_minor for line in lines])
    return [
        (line.number, part.amount_minor, _share(line.vat_minor, part.amount_minor, line.amount_minor))
        for line, part in zip(lines, parts, strict=True)
    ]


def _share(vat_minor: int, part_minor: int, whole_minor: int) -> int:
    return (2 * vat_minor * part_minor + whole_minor) // (2 * whole_minor) if whole_minor else 0
