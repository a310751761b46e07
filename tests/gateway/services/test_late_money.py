"""Money that comes after the end, or a second time: booked to suspense, shown, accepted or sent back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import Outcome, PaymentReport
from gateway.domain.errors import TransitionError
from gateway.services.attempts.apply_reports import Finding, apply_reports
from gateway.services.attempts.late_payments import accept_late_payment, list_late_payments
from ledger.money import Money

SUSPENSE = {"provider:ngenius:receivable": 105_00, "suspense:late_payments": -105_00}


async def captured(town, intent):
    """The provider says, with proof, that the last attempt was captured."""
    attempt = await town.attempt_of(intent)
    report = PaymentReport(
        Outcome.SUCCEEDED, attempt["provider_reference"], captured=Money(105_00, "AED"), word="CAPTURED"
    )
    [applied] = await apply_reports(town.deps, [Finding(attempt["id"], report)])
    return applied


async def test_expiry_gives_the_order_up_at_the_provider_first(town):
    intent = await town.intent()
    await town.start(intent)
    town.clock.advance(hours=25)
    await town.work()
    assert (await town.read(intent))["status"] == "expired"
    assert (await town.attempt_of(intent))["status"] == "voided"
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        [order] = (await answer.json())["orders"]
    assert order["state"] in {"CANCELLED", "CLOSED", "REVERSED"}


async def test_expiry_finds_the_payment_nobody_told_us_of(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent)
    town.clock.advance(hours=25)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"


async def test_an_intent_stays_open_while_its_provider_is_silent(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("query", "http", times=3, status=500)
    town.clock.advance(hours=25)
    await town.work()
    assert (await town.read(intent))["status"] == "processing"
    await town.control("faults", {"call": "query", "fault": "ok", "times": 1})
    async with town.session.delete(f"{town.acquirer}/simulator/faults") as answer:
        assert answer.status == 200
    town.clock.advance(minutes=10)
    await town.work()
    assert (await town.read(intent))["status"] == "expired"


@pytest.mark.parametrize("ending", ["expired", "cancelled"])
@pytest.mark.parametrize("later", [{"seconds": 1}, {"hours": 1}, {"days": 3}])
async def test_hc12_success_after_the_end_waits_in_suspense(town, ending, later):
    intent = await town.intent()
    await town.start(intent)
    if ending == "expired":
        town.clock.advance(hours=25)
        await town.work()
    else:
        assert (await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel")).status == 200
    assert (await town.read(intent))["status"] == ending
    town.clock.advance(**later)
    assert (await captured(town, intent)).changed

    late = await town.read(intent)
    assert (late["status"], late["late_payment"], late["receipt_number"]) == (ending, True, None)
    assert await town.journals(intent) == ["late_payment_captured"]
    assert await town.books() == SUSPENSE
    assert "payment_intent.late_payment" in await town.events(intent)
    assert [attempt.intent for attempt in await list_late_payments(town.deps, 10)] == [intent["id"]]


async def late_payment(town):
    intent = await town.intent()
    await town.start(intent)
    await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel")
    await captured(town, intent)
    return intent, (await town.attempt_of(intent))["id"]


async def test_hc12_a_late_payment_is_accepted_once(town):
    intent, attempt_id = await late_payment(town)
    await accept_late_payment(town.deps, attempt_id)
    with pytest.raises(TransitionError):
        await accept_late_payment(town.deps, attempt_id)
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }
    assert await list_late_payments(town.deps, 10) == []
    assert await town.journals(intent) == ["late_payment_captured", "late_payment_accepted"]


async def test_hc12_by_policy_late_money_goes_back_by_itself(town):
    """The simulator captures after our cancel, so that there is money at the provider to give back."""
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent)
    await town.deps.pool.execute("UPDATE gateway.intent SET status = 'cancelled' WHERE id = $1", intent["id"])
    town.deps = replace(town.deps, refund_late_payments=True)
    town.clock.advance(minutes=2)
    await town.work()
    await town.work()
    assert await town.journals(intent) == ["late_payment_captured", "late_payment_refunded"]
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "provider:ngenius:refunds_in_transit": -105_00,
    }
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        movements = (await answer.json())["movements"]
    assert [row["amount_minor"] for row in movements if row["kind"] == "refund"] == [105_00]


async def test_a_second_attempt_s_money_for_a_paid_intent_is_late_money(town):
    intent = await town.intent()
    await town.start(intent)
    first = (await town.attempt_of(intent))["id"]
    await town.pay(intent, card="4000000000000002")
    await town.work()
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    paid = PaymentReport(Outcome.SUCCEEDED, "x", captured=Money(105_00, "AED"))
    await apply_reports(town.deps, [Finding(first, paid)])
    document = await town.read(intent)
    assert (document["status"], document["late_payment"]) == ("paid", True)
    assert await town.journals(intent) == ["payment_captured", "late_payment_captured"]
