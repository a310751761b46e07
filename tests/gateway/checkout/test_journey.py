"""Where is my money: read from the same books finance reads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.errors import InvalidError, NothingToPayError
from gateway.services import links
from gateway.services.payers.rate_payment import rate_payment, read_rating
from gateway.services.payers.where_is_my_money import where_is_my_money
from ledger.entry import Entry, Posting, Source
from ledger.journal import post_within
from ledger.money import Money

DAY = date(2026, 11, 22)


def entry(
    town: Any, reference: str, kind: str, *postings: tuple[str, int, str | None], payment: str | None = None
) -> Entry:
    return Entry(
        reference=reference,
        kind=kind,
        business_date=DAY,
        effective_at=town.clock(),
        postings=tuple(Posting(account, Money(amount, "AED"), item) for account, amount, item in postings),
        source=Source(payment=payment, provider="ngenius"),
    )


async def post(town: Any, *entries: Entry) -> None:
    async with town.deps.transaction() as connection:
        for posted in await post_within(connection, entries, recorded_at=town.clock()):
            assert posted.error is None, posted


@pytest.mark.parametrize("alone", [True, False], ids=["posted by itself", "posted together with others"])
async def test_each_step_is_dated_from_the_books(town: Any, *, alone: bool):
    intent = await town.paid()
    token = links.token_of(town.deps, intent["id"])
    attempt = (await town.attempt_of(intent))["id"]
    journey = await where_is_my_money(town.deps, token)
    assert journey is not None
    assert journey.settled_at is None
    assert [part.at for part in journey.passed_on] == [None]

    await post(
        town,
        entry(town, "payout_before", "payout_instructed", ("department:economy:payable", 100, None),
              ("department:economy:payout_in_transit", -100, "pl_before")),
    )  # fmt: skip
    town.clock.advance(hours=20)
    settled = town.clock()
    await post(
        town,
        entry(town, "settle:ngenius:1:1", "payment_settled", ("provider:ngenius:in_transit", 10_500, "BATCH-1"),
              ("provider:ngenius:receivable", -10_500, attempt), payment=intent["id"] if alone else None),
    )  # fmt: skip
    town.clock.advance(hours=4)
    received = town.clock()
    await post(
        town,
        entry(town, "bank:1:1", "settlement_received", ("bank:main:cash", 10_500, None),
              ("provider:ngenius:in_transit", -10_500, "BATCH-1")),
    )  # fmt: skip
    journey = await where_is_my_money(town.deps, token)
    assert (journey.settled_at, journey.reached_treasury_at) == (settled, received)
    assert [part.at for part in journey.passed_on] == [None]

    town.clock.advance(hours=1)
    await post(
        town,
        entry(town, "payout:pl_1", "payout_instructed", ("department:economy:payable", 10_400, None),
              ("department:economy:payout_in_transit", -10_400, "pl_1")),
    )  # fmt: skip
    town.clock.advance(days=1)
    await post(
        town,
        entry(town, "bank:2:1", "payout_paid", ("department:economy:payout_in_transit", 10_400, "pl_1"),
              ("bank:main:cash", -10_400, None)),
    )  # fmt: skip
    journey = await where_is_my_money(town.deps, token)
    assert [part.at for part in journey.passed_on] == [town.clock()]
    assert journey.passed_on[0].at - journey.paid_at > timedelta(days=1)


async def test_a_direct_transfer_is_settled_when_all_of_it_stands_on_our_statement(town: Any):
    intent = await town.paid()
    token = links.token_of(town.deps, intent["id"])
    attempt = (await town.attempt_of(intent))["id"]
    for number, part in ((1, 10_000), (2, 500)):
        town.clock.advance(hours=1)
        await post(
            town,
            entry(town, f"bank:{number}:1", "transfer_received", ("bank:main:cash", part, None),
                  ("provider:ngenius:receivable", -part, attempt)),
        )  # fmt: skip
        journey = await where_is_my_money(town.deps, token)
        assert journey is not None
        expected = town.clock() if number == 2 else None
        assert (journey.settled_at, journey.reached_treasury_at) == (expected, expected)


async def test_a_refund_is_shown_with_its_amount_and_date(town: Any):
    intent = await town.paid()
    path = f"/v1/payment-intents/{intent['id']}/refunds"
    body = {"reason": "paid for the wrong plate", "amount": {"amount": 5_000, "currency": "AED"}}
    answer = await town.ask("POST", path, body)
    assert answer.status in (201, 202), answer.body
    await town.work()
    journey = await where_is_my_money(town.deps, links.token_of(town.deps, intent["id"]))
    [back] = journey.given_back
    assert (back.amount, back.failed, back.at is not None) == (Money(5_000, "AED"), False, True)


async def test_nothing_paid_has_no_journey(town: Any):
    intent = await town.intent()
    assert await where_is_my_money(town.deps, links.token_of(town.deps, intent["id"])) is None


async def test_one_tap_rates_a_paid_payment_and_can_be_changed(town: Any):
    token = links.token_of(town.deps, (await town.paid())["id"])
    assert await read_rating(town.deps, token) is None
    await rate_payment(town.deps, token, 2)
    await rate_payment(town.deps, token, 5)
    assert await read_rating(town.deps, token) == 5
    for wrong in (0, 6, -1):
        with pytest.raises(InvalidError):
            await rate_payment(town.deps, token, wrong)
    with pytest.raises(NothingToPayError):
        await rate_payment(town.deps, links.token_of(town.deps, (await town.intent())["id"]), 5)
