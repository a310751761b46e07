"""Citizens click twice, open tabs, go back, change their minds, and pay the same bill again."""

from __future__ import annotations

import asyncio

from adapters.contract import Redirect
from gateway.services.payers.read_checkout import read_checkout


async def orders(town):
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        return (await answer.json())["orders"]


def token_of(intent):
    return intent["checkout_url"].rpartition("/")[2]


async def test_hc16_a_double_click_is_one_order(town):
    intent = await town.intent()
    await asyncio.gather(*(town.start(intent) for _ in range(10)))
    assert len(await orders(town)) == 1
    again = await town.start(intent)
    assert isinstance(again.next_step, Redirect)
    await town.pay(intent)
    await town.work()
    assert (await town.start(intent)).intent.value == "paid"
    assert await town.charges(intent) == 105_00


async def test_hc16_the_back_button_returns_to_the_same_page_of_the_provider(town):
    intent = await town.intent()
    first = await town.start(intent)
    town.clock.advance(minutes=5)
    second = await town.start(intent)
    assert first.next_step == second.next_step
    assert len(await orders(town)) == 1


async def test_hc16_a_click_after_paying_learns_of_the_payment_before_the_callback(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent)
    town.clock.advance(seconds=10)
    assert (await town.start(intent)).intent.value == "paid"
    assert len(await orders(town)) == 1


async def test_hc16_after_a_decline_a_click_starts_anew(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent, card="4000000000000002")
    town.clock.advance(seconds=10)
    again = await town.start(intent)
    assert isinstance(again.next_step, Redirect)
    assert len(await orders(town)) == 2
    await town.pay(intent)
    town.clock.advance(minutes=2)
    await town.work()
    assert await town.charges(intent) == 105_00


async def test_hc16_the_same_bill_through_two_intents_is_warned_of(town):
    first = await town.intent(reference="BILL-7")
    second = await town.intent(reference="BILL-7")
    assert not (await read_checkout(town.deps, token_of(second))).already_paid_elsewhere
    await town.start(first)
    await town.pay(first)
    await town.work()
    assert (await read_checkout(town.deps, token_of(second))).already_paid_elsewhere
    other = await town.ask(
        "POST",
        "/v1/payment-intents",
        {"reference": "BILL-7", "lines": [{"service": "fine", "amount": {"amount": 1, "currency": "AED"}}]},
        department="roads",
    )
    assert not (await read_checkout(town.deps, token_of(other.body))).already_paid_elsewhere


async def test_an_intent_whose_time_is_over_cannot_be_paid(town):
    intent = await town.intent()
    town.clock.advance(hours=25)
    started = await town.start(intent)
    assert (started.attempt, started.next_step) == (None, None)
    assert (await read_checkout(town.deps, token_of(intent))).status.value == "expired"
    assert await orders(town) == []


async def test_hc16_a_bill_paid_before_is_named_when_it_is_asked_for_again(town):
    body = {"reference": "INV-7", "lines": [{"service": "licence"}]}
    first = await town.ask("POST", "/v1/payment-intents", body, key="first")
    assert first.body["paid_before"] is None
    await town.start(first.body)
    await town.pay(first.body)
    await town.work()
    again = await town.ask("POST", "/v1/payment-intents", body, key="first")
    assert again.body == first.body, "a repetition has the first answer"
    second = await town.ask("POST", "/v1/payment-intents", body, key="second")
    assert (second.status, second.body["paid_before"]) == (201, first.body["id"])
    replayed = await town.ask("POST", "/v1/payment-intents", body, key="second")
    assert (replayed.body, replayed.headers["Idempotency-Replayed"]) == (second.body, "true")
    assert await town.read(second.body) == second.body
    together = await asyncio.gather(*(town.intent(reference=f"INV-{number % 2 + 7}") for number in range(10)))
    assert {(each["reference"], each["paid_before"]) for each in together} == {
        ("INV-7", first.body["id"]), ("INV-8", None),
    }  # fmt: skip


async def test_hc16_another_department_s_bill_of_the_same_number_is_not_told_of(town):
    await town.paid(reference="INV-7")
    line = {"service": "fine", "amount": {"amount": 100, "currency": "AED"}}
    body = {"reference": "INV-7", "lines": [line]}
    other = await town.ask("POST", "/v1/payment-intents", body, department="roads")
    assert (other.status, other.body["paid_before"]) == (201, None)


async def test_hc16_a_bill_paid_before_is_named_to_its_department(town):
    first = await town.paid(reference="INV-7")
    second = await town.intent(reference="INV-7")
    other = await town.intent(reference="INV-8")
    assert (await town.read(second))["paid_before"] == first["id"]
    assert (await town.read(other))["paid_before"] is None
    await town.start(second)
    await town.pay(second)
    await town.work()
    paid = await town.read(second)
    assert (paid["duplicate_of"], paid["paid_before"]) == (first["id"], None)
    for query, found in (("duplicate=true", [second]), ("duplicate=true&reference=INV-7", [second])):
        listed = (await town.ask("GET", f"/v1/payment-intents?{query}")).body["data"]
        assert [each["id"] for each in listed] == [each["id"] for each in found]
    others = (await town.ask("GET", "/v1/payment-intents?duplicate=false")).body["data"]
    assert {each["id"] for each in others} == {first["id"], other["id"]}
    assert (await town.ask("GET", "/v1/payment-intents?duplicate=perhaps")).status == 422
