"""HC-13: what a provider takes back after success is booked at once, put before a person, told to the department."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import Outcome, PaymentReport
from gateway.domain.errors import GatewayError, TransitionError
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.attempts.late_payments import accept_late_payment
from gateway.services.refunds.create_refund import refund_suspended
from ledger.money import Money

TAKEN_BACK = PaymentReport(Outcome.DECLINED, reversed=True)


async def take_back(town, intent, times: int = 1):
    attempt = await town.attempt_of(intent)
    report = replace(TAKEN_BACK, provider_reference=attempt["provider_reference"])
    return await apply_reports(town.deps, [Finding(attempt["id"], report)] * times)


async def test_hc13_the_departments_balance_falls_by_a_reversing_journal_once(town):
    intent = await town.paid()
    before = await town.books()
    assert before["department:economy:payable"] == -100_00

    await take_back(town, intent, times=2)
    await take_back(town, intent)

    attempt = await town.attempt_of(intent)
    postings = await town.deps.pool.fetch(
        "SELECT account, amount_minor, item FROM ledger.postings WHERE reference = $1 ORDER BY seq",
        f"reversal:{attempt['id']}",
    )
    assert [tuple(row) for row in postings] == [
        ("department:economy:payable", 100_00, None),
        ("tax:vat_payable", 5_00, None),
        ("provider:ngenius:refunds_in_transit", -105_00, attempt["id"]),
    ]
    assert await town.journals(intent) == ["payment_captured", "payment_reversed"]
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00, "provider:ngenius:refunds_in_transit": -105_00,
    }  # fmt: skip
    assert attempt["review"] == "reversed_by_provider"
    told = "SELECT count(*) FROM gateway.event WHERE type = 'payment_attempt.review_required'"
    assert await town.deps.pool.fetchval(told) == 1


async def test_hc13_what_was_taken_back_is_not_given_back_as_well(town):
    intent = await town.paid()
    await take_back(town, intent)
    refused = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "asked for"})
    assert refused.status == 409
    attempt = await town.attempt_of(intent)
    with pytest.raises(TransitionError):
        await refund_suspended(town.deps, attempt["id"], reason="x")


async def late(town):
    """A payment that came after its intent was closed."""
    intent = await town.intent()
    await town.start(intent)
    await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})
    attempt = await town.attempt_of(intent)
    captured = PaymentReport(Outcome.SUCCEEDED, attempt["provider_reference"], captured=town_amount(attempt))
    await apply_reports(town.deps, [Finding(attempt["id"], captured)])
    return intent


def town_amount(attempt):
    return Money(attempt["amount_minor"], attempt["currency"])


async def test_hc13_money_still_in_suspense_is_taken_from_there_and_accepted_money_from_its_department(town):
    waiting, accepted = await late(town), await late(town)
    await accept_late_payment(town.deps, (await town.attempt_of(accepted))["id"])
    books = await town.books()
    assert (books["suspense:late_payments"], books["department:economy:payable"]) == (-105_00, -100_00)
    await take_back(town, waiting)
    await take_back(town, accepted)
    books = await town.books()
    assert books == {"provider:ngenius:receivable": 210_00, "provider:ngenius:refunds_in_transit": -210_00}
    with pytest.raises(GatewayError):
        await accept_late_payment(town.deps, (await town.attempt_of(waiting))["id"])
