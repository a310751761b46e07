"""Telling departments what the night booked of theirs: payments and refunds settled, disputes, payouts.

The night and the gateway never meet; both know the books. Every such change is a journal, so the gateway follows the
journals, and a change is told once: the events are written with the number of the last journal they tell of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.deps import Deps
from gateway.domain.booked import KINDS, News, news_of
from gateway.domain.refund import RefundLine
from gateway.services.notices import booked_event, part_events, part_refund_events, payout_event, refund_settled_event
from gateway.store import attempts, events, intents, refunds, told
from gateway.store.connections import Connection
from gateway.store.events import Event
from gateway.store.intents import Intent, IntentLine
from gateway.store.refunds import Refund
from ledger.accounts import DISPUTES_RECEIVABLE
from ledger.tail import TailPosting, follow_journals

_ACCOUNTS: Final = (
    "provider:%:receivable",
    "provider:%:refunds_in_transit",
    DISPUTES_RECEIVABLE,
    "department:%:payout_in_transit",
)


@dataclass(frozen=True, slots=True)
class _Payment:
    """The payment some news is about, and what other departments share in it."""

    intent: Intent
    lines: Sequence[IntentLine]


async def tell_bookings(deps: Deps, limit: int) -> int:
    """Tell of up to `limit` journals; return how many were passed."""
    catalogue = await deps.catalogue.get()
    async with deps.transaction() as connection:
        last = await told.hold(connection)
        if last is None:
            return 0
        tail = await follow_journals(connection, last, kinds=KINDS, accounts=_ACCOUNTS, journals_max=limit)
        if not tail.journals:
            return 0
        news = [one for posting in tail.postings if (one := _news(posting)) is not None]
        payments = await _payments(connection, news)
        given_back = await _given_back(connection, news)
        heard = [event for one in news for event in _events(deps, one, payments, given_back)]
        # The books may know a department that was never in the catalogue; nobody there listens.
        await events.record(connection, [event for event in heard if event.department in catalogue.departments])
        await told.advance(connection, tail.until)
    return tail.journals


def _news(posting: TailPosting) -> News | None:
    if posting.item is None:
        return None
    return news_of(posting.kind, posting.account, posting.item, posting.amount, posting.business_date)


async def _payments(connection: Connection, news: Sequence[News]) -> dict[str, _Payment]:
    """Find the payments by attempt: what a file named may be an attempt of ours, or nobody's."""
    wanted = sorted({one.item for one in news if one.department is None and one.subject != "refund"})
    if not wanted:
        return {}
    tried = await attempts.read_many(connection, wanted)
    owners = sorted({attempt.intent for attempt in tried.values()})
    found = await intents.read_many(connection, owners)
    lines = await intents.lines(connection, owners, with_tariffs=False)
    return {
        attempt.id: _Payment(found[attempt.intent], lines.get(attempt.intent, ()))
        for attempt in tried.values()
        if attempt.intent in found
    }


async def _given_back(connection: Connection, news: Sequence[News]) -> dict[str, tuple[Refund, Sequence[RefundLine]]]:
    """Find the refunds; what a provider took back unasked stands in the same account under its attempt, and is none."""
    wanted = sorted({one.item for one in news if one.subject == "refund"})
    found = await refunds.read_many(connection, wanted) if wanted else {}
    lines = await refunds.lines(connection, sorted(found)) if found else {}
    return {refund_id: (refund, lines.get(refund_id, ())) for refund_id, refund in found.items()}


def _events(
    deps: Deps,
    news: News,
    payments: dict[str, _Payment],
    given_back: dict[str, tuple[Refund, Sequence[RefundLine]]],
) -> list[Event]:
    if news.department is not None:
        return [payout_event(deps, news)]
    if news.item in given_back:
        refund, lines = given_back[news.item]
        return [
            refund_settled_event(deps, refund, news),
            *part_refund_events(deps, refund, news.part_word, lines),
        ]
    payment = payments.get(news.item)
    if payment is None:
        return []
    return [
        booked_event(deps, payment.intent, news),
        *part_events(deps, payment.intent, news.part_word, payment.lines),
    ]
