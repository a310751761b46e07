"""The way of one fee, from the department's request to its books."""

from __future__ import annotations

import asyncio

from adapters.contract import Redirect
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.payers.read_receipt import read_receipt


async def test_a_fee_is_asked_for_paid_and_booked(town):
    intent = await town.intent(payer={"language": "ar"}, return_url="https://economy.example.ae/back")
    assert intent["status"] == "requires_payment"
    assert intent["amount"] == {"amount": 105_00, "currency": "AED"}
    token = intent["checkout_url"].rpartition("/")[2]
    view = await read_checkout(town.deps, token)
    assert (view.department.ar, view.lines[0].vat.amount_minor) == ("دائرة الاقتصاد", 5_00)

    started = await town.start(intent)
    assert started.intent is IntentStatus.PROCESSING
    assert isinstance(started.next_step, Redirect)
    await town.pay(intent)
    await town.work()

    paid = await town.read(intent)
    assert (paid["status"], paid["receipt_number"]) == ("paid", "ECONOMY-2026-0000001")
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }
    assert await town.journals(intent) == ["payment_captured"]
    assert await town.charges(intent) == 105_00
    assert await town.events(intent) == [
        "payment_intent.created",
        "payment_attempt.started",
        "payment_intent.processing",
        "payment_attempt.pending",
        "payment_attempt.succeeded",
        "payment_intent.paid",
    ]
    receipt = await read_receipt(town.deps, token)
    assert (receipt.total.amount_minor, receipt.vat.amount_minor) == (105_00, 5_00)
    assert receipt.card["card"].endswith("1111")
    [message] = town.mailbox.sent
    assert (message.recipient, message.language) == ("fatima@example.ae", "ar")
    assert links.checkout_url(town.deps, intent["id"]) in message.text


async def test_a_declined_card_lets_the_payer_try_another(town):
    intent = await town.intent()
    await town.start(intent)
    await town.pay(intent, card="4000000000009995")
    await town.work()
    declined = await town.read(intent)
    assert declined["status"] == "requires_payment"
    assert declined["last_attempt"]["decline"] == "insufficient_funds"

    await town.start(intent)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert len((await town.ask("GET", f"/v1/payment-intents/{intent['id']}/attempts")).body["data"]) == 2
    assert await town.charges(intent) == 105_00


async def test_an_acquirer_that_only_authorises_is_told_to_capture_once(open_town):
    town = await open_town(adapter={"action": "AUTH"})
    intent = await town.intent()
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }


async def test_a_capture_whose_answer_was_lost_is_found_and_made_once(open_town):
    town = await open_town(adapter={"action": "AUTH"})
    intent = await town.intent()
    await town.start(intent)
    await town.fault("capture", "drop")
    await town.pay(intent)
    await town.work()
    town.clock.advance(minutes=2)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00


async def test_what_is_authorised_is_given_up_with_its_intent_and_never_collected(open_town):
    town = await open_town(adapter={"action": "AUTH"})
    intent = await town.intent()
    await town.start(intent)
    await town.pay(intent)
    answer = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})
    assert answer.status == 200
    await town.work()
    assert (await town.read(intent))["status"] == "cancelled"
    assert await town.charges(intent) == 0


async def test_clicks_that_go_on_at_the_same_time_make_one_order(town):
    intent = await town.intent()
    await town.fault("create", "http", status=500)
    await town.start(intent)
    town.clock.advance(seconds=90)
    await asyncio.gather(*(town.start(intent) for _ in range(6)))
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        assert len((await answer.json())["orders"]) == 1
