"""What the night books is told to the departments it concerns: once, thin, and to nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.services.webhooks.tell_bookings import tell_bookings
from ledger.money import Money
from reconciliation.bank_postings import BankEvidence, Cleared, bank_entry
from reconciliation.dispute_loss import dispute_lost_entry
from reconciliation.payout_postings import PayoutEvidence, payout_entry, payout_returned_entry
from reconciliation.postings import LineEvidence, rematch_entry, settlement_entry

PAYOUT = "pl_" + "0" * 26
AED_100 = {"amount": 105_00, "currency": "AED"}


async def told(town, department="economy"):
    """Read the feed as a department does, without what payments themselves say."""
    await town.work()
    town.clock.advance(minutes=1)
    data = (await town.ask("GET", "/v1/events?limit=100", department=department)).body["data"]
    return [(one["type"], one["data"]) for one in data if not one["type"].startswith(("payment_intent", "payment_att"))]


async def test_a_settled_payment_is_told_once(town, night):
    intent = await town.paid()
    await night.line("payment", await town.attempt_of(intent), 105_00, "provider:ngenius:receivable")
    [(kind, data)] = await told(town)
    assert kind == "settlement.received"
    assert data == {
        "payment_intent": intent["id"],
        "payment_attempt": (await town.attempt_of(intent))["id"],
        "reference": intent["reference"],
        "amount": AED_100,
        "business_date": "2026-11-22",
    }
    assert len(await told(town)) == 1
    assert "settlement.received" in await town.events(intent)  # and it stands among what happened to the intent
    assert await told(town, "roads") == []


IN_TRANSIT = "provider:ngenius:refunds_in_transit"


async def refund(town, intent, minor=20_00):
    asked = {"reason": "entered twice", "amount": {"amount": minor, "currency": "AED"}}
    answer = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", asked)
    assert answer.status == 201, answer.body
    await town.work()
    return answer.body["id"]


async def test_a_settled_refund_is_told_once(town, night):
    intent = await town.paid()
    refund_id = await refund(town, intent)
    await night.line("refund", {"id": refund_id, "intent": intent["id"]}, -20_00, IN_TRANSIT)
    found = [(kind, data) for kind, data in await told(town) if kind == "refund.settled"]
    assert found == [
        (
            "refund.settled",
            {
                "refund": refund_id,
                "payment_intent": intent["id"],
                "status": "succeeded",
                "amount": {"amount": 20_00, "currency": "AED"},
                "business_date": "2026-11-22",
            },
        )
    ]
    assert [kind for kind, _ in await told(town)].count("refund.settled") == 1
    asked = await town.ask("GET", f"/v1/events?object={refund_id}")
    ids = [one["id"] for one in asked.body["data"] if one["type"] == "refund.settled"]
    assert len(ids) == 1
    assert await told(town, "roads") == []


async def test_a_refund_line_that_is_identified_later_is_told_then(town, night):
    intent = await town.paid()
    refund_id = await refund(town, intent)
    evidence = LineEvidence(
        "ngenius", 1, "file.csv", 1, "refund", "B-1", "AED", -20_00, 0, 0, -20_00, "suspense:unidentified",
        "ngenius:1:1",
    )  # fmt: skip
    await night.post(settlement_entry(evidence, night.booking))
    assert "refund.settled" not in [kind for kind, _ in await told(town)]
    named = replace(evidence, account=IN_TRANSIT, item=refund_id, payment=intent["id"])
    await night.post(rematch_entry(named, night.booking))
    assert "refund.settled" in [kind for kind, _ in await told(town)]


async def test_what_a_provider_took_back_unasked_is_no_refund(town, night):
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    await refund(town, intent, 105_00)  # something has to be in transit
    await night.line("refund", attempt, -20_00, IN_TRANSIT)
    assert "refund.settled" not in [kind for kind, _ in await told(town)]


async def test_each_department_of_a_bundle_hears_that_its_part_of_a_refund_is_settled(town, night):
    fine = {"service": "fine", "amount": {"amount": 400_00, "currency": "AED"}}
    intent = await town.paid(bundle="delivery", lines=[{"service": "licence"}, fine])
    refund_id = await refund(town, intent, 101_00)
    await night.line("refund", {"id": refund_id, "intent": intent["id"]}, -101_00, IN_TRANSIT)
    assert [kind for kind, _ in await told(town)][-1] == "refund.settled"
    [(_, part)] = [each for each in await told(town, "roads") if each[0] == "payment_part.refund_settled"]
    assert part["amount"] == {"amount": 80_00, "currency": "AED"}


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_hc19_a_dispute_is_told_from_its_opening_to_its_end(town, night, outcome):
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    await night.line("payment", attempt, 105_00, "provider:ngenius:receivable")
    await night.line("chargeback", attempt, -105_00, "disputes:receivable")
    if outcome == "won":
        await night.line("chargeback_reversed", attempt, 105_00, "disputes:receivable")
    else:
        shares = [("department:economy:payable", 100_00), ("tax:vat_payable", 5_00)]
        loss = Money(105_00, "AED")
        await night.post(dispute_lost_entry("br_1", attempt["id"], loss, shares, intent["id"], night.booking))
    found = await told(town)
    assert [kind for kind, _ in found] == ["settlement.received", "dispute.opened", f"dispute.{outcome}"]
    assert {data["payment_intent"] for _, data in found} == {intent["id"]}
    assert all(data["amount"] == AED_100 for _, data in found)


@pytest.mark.parametrize("outcome", ["paid", "returned"])
async def test_hc24_a_payout_is_told_to_its_department(town, night, outcome):
    await town.paid()
    payout = PayoutEvidence(PAYOUT, "po_1", "economy", Money(100_00, "AED"))
    await night.post(payout_entry(payout, night.booking))
    if outcome == "paid":
        evidence = BankEvidence(1, "ST-1", 1, "main", Money(-100_00, "AED"))
        cleared = Cleared("department:economy:payout_in_transit", PAYOUT, -100_00)
        await night.post(bank_entry(evidence, "payout_paid", (cleared,), night.booking))
    else:
        await night.post(payout_returned_entry(payout, night.booking, None))
    found = await told(town)
    assert [kind for kind, _ in found] == ["payout.instructed", f"payout.{outcome}"]
    assert found[-1][1] == {
        "payout": PAYOUT,
        "status": outcome,
        "amount": {"amount": 100_00, "currency": "AED"},
        "business_date": "2026-11-22",
    }
    assert await told(town, "roads") == []
    asked = await town.ask("GET", f"/v1/events?object={PAYOUT}")
    assert [one["type"] for one in asked.body["data"]] == [kind for kind, _ in found]


async def test_each_department_of_a_bundle_hears_of_its_part(town, night):
    fine = {"service": "fine", "amount": {"amount": 400_00, "currency": "AED"}}
    intent = await town.paid(bundle="delivery", lines=[{"service": "licence"}, fine])
    attempt = await town.attempt_of(intent)
    await night.line("payment", attempt, 505_00, "provider:ngenius:receivable")
    await night.line("chargeback", attempt, -505_00, "disputes:receivable")
    assert [kind for kind, _ in await told(town)] == ["settlement.received", "dispute.opened"]
    parts = await told(town, "roads")
    assert [kind for kind, _ in parts] == ["payment_part.paid", "payment_part.settled", "payment_part.dispute_opened"]
    assert {data["amount"]["amount"] for _, data in parts} == {400_00}
    assert "INV" not in repr(parts)


async def test_many_tell_at_once_and_it_is_told_once(town, night):
    for _ in range(3):
        intent = await town.paid()
        await night.line("payment", await town.attempt_of(intent), 105_00, "provider:ngenius:receivable")
    assert sum(await asyncio.gather(*(tell_bookings(town.deps, 2) for _ in range(6)))) > 0
    found = await told(town)
    assert [kind for kind, _ in found] == ["settlement.received"] * 3
    assert len({data["payment_intent"] for _, data in found}) == 3


async def test_what_nobody_of_ours_can_name_stops_nothing(town, night):
    """A line about an attempt that is not ours, and a department of the books alone, are passed by."""
    stranger = {"id": "pa_stranger", "intent": "pi_stranger"}
    await night.line("chargeback", stranger, -1_00, "disputes:receivable")
    await night.post(payout_entry(PayoutEvidence(PAYOUT, "po_1", "museum", Money(1, "AED")), night.booking))
    intent = await town.paid()
    await night.line("payment", await town.attempt_of(intent), 105_00, "provider:ngenius:receivable")
    assert [kind for kind, _ in await told(town)] == ["settlement.received"]
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.outbox") == 0
