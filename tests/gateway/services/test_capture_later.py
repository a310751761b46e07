"""Payments that are reserved first and captured when the department says so: in whole, in part, once, or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import jsonschema
import pytest

from adapters.contract import Method
from gateway.api.openapi import describe
from gateway.domain.idempotency import Claim
from gateway.domain.intent import IntentStatus
from gateway.services.attempts.sweep import sweep
from gateway.services.intents.cancel_intent import cancel_for_department
from gateway.services.intents.expire_intents import expire_intents
from gateway.services.providers import ask_provider
from gateway.store import attempts, intents

LATER = {"capture": "manual"}


def aed(minor):
    return {"amount": minor, "currency": "AED"}


async def reserved(town, **changes):
    """Let a payer's bank reserve a fee."""
    intent = await town.intent(**LATER, **changes)
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    return await town.read(intent)


async def capture(town, intent, amount=None, key=None):
    body = {} if amount is None else {"amount": amount}
    return await town.ask("POST", f"/v1/payment-intents/{intent['id']}/capture", body, key=key)


async def test_what_is_reserved_is_in_nobody_s_books(town):
    intent = await reserved(town)
    assert (intent["status"], intent["capture"]) == ("requires_capture", "manual")
    assert intent["amount_authorised"] == aed(105_00)
    assert intent["amount_refundable"] == aed(0)
    assert intent["receipt_number"] is None
    assert intent["expires_at"] == "2026-11-28T06:00:00.000Z"
    assert await town.books() == {}
    assert await town.charges(intent) == 0
    assert (await town.events(intent))[-1] == "payment_intent.requires_capture"
    found = await town.ask("GET", "/v1/payment-intents?status=requires_capture")
    assert [one["id"] for one in found.body["data"]] == [intent["id"]]
    schema = {"$ref": "#/components/schemas/PaymentIntent", "components": describe()["components"]}
    jsonschema.validate(intent, schema)


async def test_it_is_captured_when_its_department_says_so_and_once(town):
    intent = await reserved(town)
    asked = await capture(town, intent, key="k")
    assert (asked.status, asked.body["status"]) == (202, "processing")
    again = await capture(town, intent, key="k")
    assert (again.status, again.body) == (202, asked.body)
    await town.work()
    paid = await town.read(intent)
    assert (paid["status"], paid["amount"], paid["amount_refundable"]) == ("paid", aed(105_00), aed(105_00))
    assert await town.charges(intent) == 105_00
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }
    assert (await town.events(intent))[-4:] == [
        "payment_intent.requires_capture",
        "payment_intent.processing",
        "payment_attempt.succeeded",
        "payment_intent.paid",
    ]
    other = await capture(town, intent)
    assert (other.status, other.body["code"]) == (409, "state_conflict")


async def test_hc18_a_part_is_captured_and_everything_knows_one_amount(town):
    fine = {"service": "fine", "amount": aed(400_00)}
    intent = await reserved(town, bundle="delivery", lines=[{"service": "licence"}, fine])
    asked = await capture(town, intent, aed(100_01))
    assert (asked.status, asked.body["amount"], asked.body["amount_authorised"]) == (202, aed(100_01), aed(505_00))
    assert [line["amount"]["amount"] for line in asked.body["lines"]] == [20_79, 79_22]
    await town.work()
    paid = await town.read(intent)
    assert (paid["status"], paid["amount"], paid["amount_refundable"]) == ("paid", aed(100_01), aed(100_01))
    assert await town.charges(intent) == 100_01
    assert await town.books() == {
        "provider:ngenius:receivable": 100_01,
        "department:economy:payable": -(20_79 - 99),
        "tax:vat_payable": -99,
        "department:roads:payable": -79_22,
    }
    refund = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "x"})
    assert (refund.status, refund.body["amount"]) == (201, aed(100_01))
    await town.work()
    assert (await town.read(intent))["amount_refunded"] == aed(100_01)


@pytest.mark.parametrize(
    ("amount", "pointer"),
    [
        (aed(105_01), "/amount/amount"),
        ({"amount": 100, "currency": "USD"}, "/amount/currency"),
        (aed(0), "/amount/amount"),
    ],
)
async def test_hc15_no_more_than_was_reserved_and_in_its_currency(town, amount, pointer):
    intent = await reserved(town)
    answer = await capture(town, intent, amount)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    assert (await town.read(intent))["status"] == "requires_capture"


@pytest.mark.parametrize("fault", ["drop", "http"])
async def test_hc17_a_capture_whose_answer_is_lost_is_made_once(town, fault):
    intent = await reserved(town)
    await town.fault("capture", fault, **({"status": 500} if fault == "http" else {}))
    await capture(town, intent, aed(60_00))
    await town.work()
    town.clock.advance(minutes=2)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 60_00


async def test_hc17_what_was_asked_for_is_captured_after_a_crash(town):
    """The request is answered and the process dies: the row says what is still to be done."""
    intent = await reserved(town)
    await capture(town, intent)
    assert await town.charges(intent) == 0  # nobody was called while the department waited for its answer
    assert await sweep(town.deps, 10) == 1
    assert (await town.read(intent))["status"] == "paid"


async def test_two_captures_at_once_are_one(town):
    intent = await reserved(town)
    answers = await asyncio.gather(*(capture(town, intent, aed(minor)) for minor in (50_00, 60_00, 70_00)))
    assert sorted(answer.status for answer in answers) == [202, 409, 409]
    await town.work()
    [won] = [answer for answer in answers if answer.status == 202]
    assert await town.charges(intent) == won.body["amount"]["amount"]


async def test_what_is_reserved_is_let_go_by_cancelling(town):
    intent = await reserved(town)
    cancelled = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert cancelled.body["last_attempt"]["status"] == "voided"
    assert (await capture(town, intent)).status == 409
    await town.work()
    assert await town.charges(intent) == 0
    assert await town.books() == {}


async def test_what_nobody_captures_is_let_go_before_the_bank_does(town):
    intent = await reserved(town)
    town.clock.advance(days=5)
    await town.work()
    assert (await town.read(intent))["status"] == "requires_capture"
    town.clock.advance(days=1, minutes=1)
    await town.work()
    expired = await town.read(intent)
    assert (expired["status"], expired["last_attempt"]["status"]) == ("expired", "voided")
    assert expired["amount_authorised"] is None
    assert await town.charges(intent) == 0


async def test_what_was_asked_for_outlives_the_deadline(town):
    """The provider is away when it passes: unknown is never taken for failed, and never voided by us."""
    intent = await reserved(town)
    town.clock.advance(days=5, hours=23)
    await town.fault("capture", "http", times=6, status=503)
    await capture(town, intent)
    await town.work()
    refused = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})
    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    town.clock.advance(hours=2)
    await town.work()
    assert (await town.read(intent))["status"] == "processing"
    for _ in range(60):
        town.clock.advance(hours=1)
        await town.work()
        if (await town.read(intent))["status"] != "processing":
            break
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00


async def test_a_payer_who_comes_back_lets_go_of_nothing(town):
    intent = await reserved(town)
    for method in (Method.CARD, Method.BANK, Method.MOBILE):
        started = await town.start(intent, method)
        assert (started.intent, started.next_step) == (IntentStatus.REQUIRES_CAPTURE, None)
    await capture(town, intent)
    assert (await town.start(intent, Method.MOBILE)).intent is IntentStatus.PROCESSING
    await town.work()
    assert await town.charges(intent) == 105_00


async def test_a_decline_leaves_it_payable_and_is_captured_later_all_the_same(town):
    intent = await town.intent(**LATER)
    await town.start(intent)
    await town.pay(intent, card="4000000000009995")
    await town.work()
    assert (await town.read(intent))["status"] == "requires_payment"
    await town.start(intent)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "requires_capture"


async def test_where_nobody_can_capture_later_it_is_refused_when_asked_for(open_town):
    town = await open_town(providers={})
    answer = await town.ask(
        "POST", "/v1/payment-intents", {"reference": "R", "lines": [{"service": "licence"}], **LATER}
    )
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/capture")


async def test_a_captured_payment_is_nothing_to_wait_for(town):
    """Nothing of it is left that a deadline could end."""
    intent = await reserved(town)
    await capture(town, intent)
    await town.work()
    town.clock.advance(days=8)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert timedelta(days=6) == town.deps.limits.reserved_for


async def test_what_was_to_be_captured_in_part_is_asked_for_whole_again_when_its_reservation_dies(town):
    """The bank let go of it before the capture came: the payer owes what they owed, until the day they were told."""
    fine = {"service": "fine", "amount": aed(400_00)}
    asked = await town.intent(**LATER, bundle="delivery", lines=[{"service": "licence"}, fine])
    await town.start(asked)
    await town.pay(asked)
    await town.work()
    async with town.deps.connection() as connection:
        held = (await attempts.last_of(connection, [asked["id"]]))[asked["id"]]
        intent = await intents.read(connection, asked["id"])
    assert (await ask_provider.void(town.deps, intent, held)).reversed
    assert (await capture(town, asked, aed(1_00))).status == 202
    await town.work()
    after = await town.read(asked)
    assert (after["status"], after["amount"], after["amount_authorised"]) == ("requires_payment", aed(505_00), None)
    assert [line["amount"] for line in after["lines"]] == [line["amount"] for line in asked["lines"]]
    assert [line["vat"] for line in after["lines"]] == [line["vat"] for line in asked["lines"]]
    assert after["expires_at"] == asked["expires_at"]
    await town.start(asked)
    await town.pay(asked)
    await town.work()
    await capture(town, asked)
    await town.work()
    assert (await town.read(asked))["amount_refundable"] == aed(505_00)
    assert sum((await town.books()).values()) == 0
    assert (await town.books())["provider:ngenius:receivable"] == 505_00


def holding(monkeypatch, town, call):
    """Let the provider's answers to a call come when the test says so; return (is being asked, go on)."""
    provider = town.deps.providers["ngenius"]
    real, asked, go_on = getattr(provider, call), asyncio.Event(), asyncio.Event()

    async def slow(*arguments):
        asked.set()
        await go_on.wait()
        return await real(*arguments)

    monkeypatch.setattr(provider, call, slow)
    return asked, go_on


async def cancel(town, intent):
    return await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel", {})


async def test_no_capture_is_accepted_behind_a_void(town, monkeypatch):
    intent = await reserved(town)
    asked, go_on = holding(monkeypatch, town, "void")
    cancelling = asyncio.create_task(cancel(town, intent))
    await asked.wait()
    refused = await capture(town, intent, aed(1_00))
    assert (refused.status, refused.headers["Retry-After"]) == (409, "60")
    go_on.set()
    assert (await cancelling).body["status"] == "cancelled"
    await town.work()
    assert await town.charges(intent) == 0


async def test_no_void_is_sent_behind_a_capture_that_was_accepted(town, monkeypatch):
    intent = await reserved(town)
    asked, go_on = holding(monkeypatch, town, "query")
    cancelling = asyncio.create_task(cancel(town, intent))
    await asked.wait()
    assert (await capture(town, intent)).status == 202
    go_on.set()
    refused = await cancelling
    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    assert "its capture is under way" in refused.body["detail"]
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00


async def test_hc17_a_void_whose_process_died_holds_no_capture_up_for_long(town, monkeypatch):
    intent = await reserved(town)
    asked, _ = holding(monkeypatch, town, "void")
    dying = asyncio.create_task(
        cancel_for_department(town.deps, "economy", intent["id"], Claim("c", "cancel", "k", b""))
    )
    await asked.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await capture(town, intent)).status == 409
    town.clock.advance(minutes=3)
    assert (await capture(town, intent)).status == 202
    await town.work()
    assert (await town.read(intent))["status"] == "paid"


async def test_a_deadline_that_passes_with_a_capture_voids_nothing(town, monkeypatch):
    intent = await reserved(town)
    town.clock.advance(days=6, minutes=1)
    asked, go_on = holding(monkeypatch, town, "query")
    expiring = asyncio.create_task(expire_intents(town.deps, 10))
    await asked.wait()
    assert (await capture(town, intent)).status == 202
    go_on.set()
    await expiring
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00
