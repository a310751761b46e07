"""A payment the payer's bank takes back is not refunded as well: the payer gets the money once."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.errors import DisputedError
from gateway.services.refunds.create_refund import refund_suspended
from gateway.services.refunds.decide_refund import decide_refund
from gateway.store import intents
from ledger.money import Money
from reconciliation.resolution_postings import cleared_by_hand_entry
from tests.gateway.services.test_refunding import acquirer_refunds, aed, ask_refund

PAID = 105_00


async def shown(town, intent):
    document = await town.read(intent)
    names = ("amount_refunded", "amount_disputed", "amount_refundable")
    return tuple(document[name]["amount"] for name in names)


@pytest.mark.parametrize("ends", [None, "lost"])
@pytest.mark.parametrize("told", [False, True])
async def test_hc14_a_payment_the_bank_takes_back_is_not_refunded_too(town, night, ends, told):
    intent = await town.paid()
    await night.dispute(await town.attempt_of(intent), PAID, ends=ends)
    if told:
        await town.work()
    assert await shown(town, intent) == (0, PAID, 0)
    for body in ({}, {"amount": aed(1)}, {"lines": [{"number": 1, "amount": aed(PAID)}]}):
        refused = await ask_refund(town, intent, **body)
        assert (refused.status, refused.body["code"]) == (409, "payment_disputed"), refused.body
        assert "bank" in refused.body["detail"]
    await town.work()
    assert await acquirer_refunds(town) == []


async def test_hc14_a_loss_the_government_writes_off_stays_with_the_payer(town, night):
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    await night.dispute(attempt, PAID)
    item = ("disputes:receivable", attempt["id"])
    loss = ("treasury:write_offs", None)
    open_minor = Money(PAID, "AED")
    await night.post(cleared_by_hand_entry("br_1", "break_written_off", item, loss, open_minor, night.booking))
    assert await shown(town, intent) == (0, PAID, 0)
    assert (await ask_refund(town, intent)).status == 409


async def test_a_dispute_that_is_won_can_be_refunded_again(town, night):
    intent = await town.paid()
    await night.dispute(await town.attempt_of(intent), PAID, ends="won")
    assert await shown(town, intent) == (0, 0, PAID)
    assert (await ask_refund(town, intent)).status == 201
    await town.work()
    assert await acquirer_refunds(town) == [PAID]


async def test_hc14_of_a_payment_disputed_in_part_the_rest_is_refunded(town, night):
    intent = await town.paid()
    await night.dispute(await town.attempt_of(intent), 40_00)
    assert await shown(town, intent) == (0, 40_00, 65_00)
    refused = await ask_refund(town, intent, amount=aed(65_01))
    assert (refused.status, refused.body["code"]) == (409, "payment_disputed")
    assert "6500" in refused.body["detail"]
    assert (await ask_refund(town, intent, amount=aed(PAID + 1))).status == 422, "more than was ever paid"
    assert (await ask_refund(town, intent)).body["amount"] == aed(65_00)
    await town.work()
    assert await shown(town, intent) == (65_00, 40_00, 0)
    assert await acquirer_refunds(town) == [65_00]


async def test_hc14_a_dispute_the_file_names_by_the_providers_order_counts_too(town, night):
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    await night.dispute({"id": attempt["provider_reference"], "intent": None}, PAID)
    assert (await ask_refund(town, intent)).status == 409


async def test_hc14_a_dispute_booked_while_a_refund_waits_for_the_lock_is_seen(town, night):
    """The refund is asked first and decided after: no moment lies between the cap and the books."""
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with town.deps.pool.acquire() as connection, connection.transaction():
        await intents.lock(connection, [intent["id"]])
        asked = asyncio.create_task(ask_refund(town, intent))
        while not await connection.fetchval(waiting):  # noqa: ASYNC110 - what is awaited happens in the server
            await asyncio.sleep(0.01)
        await night.dispute(attempt, PAID)
    assert (await asked).body["code"] == "payment_disputed"


async def test_hc14_a_dispute_racing_twenty_refunds_leaves_the_payer_no_more_than_was_paid(town, night):
    intent = await town.paid()
    attempt = await town.attempt_of(intent)
    refunds = [ask_refund(town, intent, amount=aed(10_00)) for _ in range(20)]
    await asyncio.gather(*refunds[:10], night.dispute(attempt, 55_00), *refunds[10:])
    await town.work()
    town.clock.advance(minutes=5)
    await town.work()
    assert sum(await acquirer_refunds(town)) == 50_00
    assert await shown(town, intent) == (50_00, 55_00, 0)


async def test_hc14_a_refund_that_was_not_sent_yet_is_stopped(town, night):
    intent = await town.paid()
    refund = await ask_refund(town, intent)
    assert refund.status == 201
    await night.dispute(await town.attempt_of(intent), PAID)
    await town.work()
    stopped = (await town.ask("GET", f"/v1/refunds/{refund.body['id']}")).body
    assert (stopped["status"], stopped["failure"]["code"]) == ("failed", "disputed")
    assert await acquirer_refunds(town) == []
    assert await shown(town, intent) == (0, PAID, 0)
    assert await town.journals(intent) == ["payment_captured", "dispute_opened"]


async def test_hc14_a_second_person_cannot_approve_what_the_bank_takes_back(town, night):
    intent = await town.paid()
    refund = (await ask_refund(town, intent)).body["id"]
    await town.deps.pool.execute("UPDATE gateway.refund SET status = 'awaiting_approval' WHERE id = $1", refund)
    await night.dispute(await town.attempt_of(intent), PAID)
    with pytest.raises(DisputedError):
        await decide_refund(town.deps, refund, by="hassan", approve=True)
    assert (await decide_refund(town.deps, refund, by="hassan", approve=False, why="disputed"))["status"] == "failed"


async def test_hc14_late_money_the_bank_takes_back_is_not_sent_back_too(town, night):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent)
    await town.deps.pool.execute("UPDATE gateway.intent SET status = 'cancelled' WHERE id = $1", intent["id"])
    town.clock.advance(minutes=2)
    await town.work()
    attempt = await town.attempt_of(intent)
    assert attempt["late"], "the money came after the intent had ended"
    await night.dispute(attempt, PAID)
    with pytest.raises(DisputedError):
        await refund_suspended(town.deps, attempt["id"], reason="late")
