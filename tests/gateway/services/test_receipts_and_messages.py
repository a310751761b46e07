"""Receipts: one per payment, gapless per department and year, sent once, checked by number."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.domain.errors import NotFoundError, NothingToPayError
from gateway.services import links
from gateway.services.housekeeping import forget_idempotency_keys
from gateway.services.payers.find_receipt import find_receipt
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.payers.read_receipt import read_receipt


def token_of(intent):
    return intent["checkout_url"].rpartition("/")[2]


async def test_there_is_no_receipt_before_the_money(town):
    intent = await town.intent()
    with pytest.raises(NothingToPayError):
        await read_receipt(town.deps, token_of(intent))


async def test_a_receipt_is_found_by_its_number_only(town):
    intent = await town.paid()
    found = await find_receipt(town.deps, intent["receipt_number"])
    assert found is not None
    assert found.intent_id == intent["id"]
    for other in ("ECONOMY-2026-0000002", "", "x" * 300, "a\x00b", "إيصال"):
        assert await find_receipt(town.deps, other) is None


async def test_the_number_s_year_is_the_year_in_the_government_s_zone(town):
    town.clock.set(datetime(2026, 12, 31, 19, 59, tzinfo=UTC))
    last = await town.paid()
    town.clock.set(datetime(2026, 12, 31, 20, 1, tzinfo=UTC))
    first = await town.paid()
    assert [last["receipt_number"], first["receipt_number"]] == ["ECONOMY-2026-0000001", "ECONOMY-2027-0000001"]


async def test_a_link_opens_one_intent_and_a_forged_one_nothing(town):
    intent = await town.intent()
    token = token_of(intent)
    assert links.intent_of(town.deps, token) == intent["id"]
    other = token_of(await town.intent())
    for forged in (other[:26] + token[26:], token[:-1], token + "0", token.upper(), "", "é" * 58, "0" * 58):
        with pytest.raises(NotFoundError):
            await read_checkout(town.deps, forged)


async def test_a_carrier_that_is_away_gets_the_same_message_again(town):
    town.mailbox.failures = 2
    intent = await town.paid()
    assert town.mailbox.sent == []
    for _ in range(4):
        town.clock.advance(minutes=2)
        await town.work()
    [message] = town.mailbox.sent
    assert intent["receipt_number"] in message.subject


async def test_many_paid_at_once_have_numbers_without_a_gap(town):
    intents = await asyncio.gather(*(town.intent() for _ in range(12)))
    for intent in intents:
        await town.start(intent)
        await town.pay(intent)
    await town.work()
    numbers = sorted([(await town.read(intent))["receipt_number"] for intent in intents])
    assert numbers == [f"ECONOMY-2026-{n:07d}" for n in range(1, 13)]


async def test_old_keys_are_forgotten(town):
    await town.intent()
    assert await forget_idempotency_keys(town.deps, 10) == 0
    town.clock.advance(days=91)
    assert await forget_idempotency_keys(town.deps, 10) == 1
