"""For the payer, under their link: how far their money has come, and what of it is on its way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.deps import Deps
from gateway.domain.department import Names
from gateway.domain.errors import NotFoundError
from gateway.domain.refund import RefundStatus
from gateway.services import links
from gateway.services.payers.read_checkout import names_of
from gateway.store import intents, journeys, refunds
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A department's part: when the payout that carries it left our account."""

    department: Names
    at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One refund; `at` is set once the provider has accepted it, or the payer has it in hand."""

    amount: Money
    at: datetime | None
    failed: bool
    to_collect: bool


@dataclass(frozen=True, slots=True)
class Journey:
    paid_at: datetime
    settled_at: datetime | None
    reached_treasury_at: datetime | None
    passed_on: tuple[PassedOn, ...]
    given_back: tuple[GivenBack, ...]


async def where_is_my_money(deps: Deps, token: str) -> Journey | None:
    """Return the journey of a paid intent's money; None while nothing is paid."""
    intent_id = links.intent_of(deps, token)
    catalogue = await deps.catalogue.get()
    async with deps.connection() as connection:
        intent = await intents.read(connection, intent_id)
        if intent is None:
            raise NotFoundError
        if intent.paid_at is None:
            return None
        lines = (await intents.lines(connection, [intent_id], with_tariffs=False)).get(intent_id, [])
        settled_at = await journeys.settled_at(connection, intent_id)
        reached = await journeys.reached_treasury(connection, intent_id)
        paid_out: Mapping[str, datetime | None] = {
            code: await journeys.passed_on(connection, code, intent.amount.currency, reached[1]) if reached else None
            for code in dict.fromkeys(line.department for line in lines)
        }
        returned = await refunds.of_intent(connection, intent_id)
    return Journey(
        paid_at=intent.paid_at,
        settled_at=settled_at,
        reached_treasury_at=reached[0] if reached else None,
        passed_on=tuple(PassedOn(names_of(catalogue, code), at) for code, at in paid_out.items()),
        given_back=tuple(
            GivenBack(
                refund.amount,
                refund.booked_at,
                failed=refund.status is RefundStatus.FAILED,
                to_collect=refund.status is RefundStatus.AWAITING_COLLECTION,
            )
            for refund in returned
        ),
    )
