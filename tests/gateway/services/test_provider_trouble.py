"""The provider does not answer, answers late, or was never reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters import registry
from adapters.contract import Method, Redirect
from adapters.http import open_session
from gateway.domain.attempt import AttemptStatus
from gateway.domain.intent import IntentStatus

PAID_BOOKS = {
    "provider:ngenius:receivable": 105_00,
    "department:economy:payable": -100_00,
    "tax:vat_payable": -5_00,
}


async def test_hc01_a_provider_that_answers_after_our_timeout_is_unknown_until_it_tells(open_town):
    town = await open_town(adapter={"timeout_s": "0.5"})
    intent = await town.intent()
    await town.fault("create", "sleep", seconds=1)
    started = await town.start(intent)
    assert (started.intent, started.attempt, started.next_step) == (
        IntentStatus.PROCESSING,
        AttemptStatus.UNKNOWN,
        None,
    )
    await town.fault("callback", "none")
    await town.pay(intent)  # the order exists: the provider acted, only its answer was too late for us
    await town.work()
    assert (await town.read(intent))["status"] == "processing"

    town.clock.advance(seconds=90)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.books() == PAID_BOOKS
    assert await town.charges(intent) == 105_00


async def test_hc01_silence_is_never_taken_for_failure(town):
    intent = await town.intent(expires_at="2026-12-01T06:00:00Z")
    await town.fault("create", "http", status=503)
    await town.start(intent)
    await town.fault("lookup", "http", times=1_000, status=500)
    for _ in range(30):
        town.clock.advance(hours=12)
        await town.work()
        attempt = await town.attempt_of(intent)
        assert attempt["status"] == "unknown"
    assert (await town.read(intent))["status"] == "processing"
    assert attempt["next_check_at"] - town.clock() <= timedelta(days=1)


@pytest.mark.parametrize("fault", ["drop", "malformed", "http"])
async def test_hc02_a_lost_answer_leads_to_one_order_and_one_charge(town, fault):
    intent = await town.intent()
    await town.fault("create", fault, status=500, acts=True)
    assert (await town.start(intent)).attempt is AttemptStatus.UNKNOWN
    town.clock.advance(seconds=10)
    again = await town.start(intent)
    assert isinstance(again.next_step, Redirect)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        assert len((await answer.json())["orders"]) == 1
    assert await town.charges(intent) == 105_00
    assert await town.books() == PAID_BOOKS


async def test_hc02_a_request_the_provider_never_knew_is_sent_again_under_its_own_key(town):
    intent = await town.intent()
    await town.fault("create", "http", status=500)
    await town.start(intent)
    first = await town.attempt_of(intent)
    town.clock.advance(seconds=30)
    assert (await town.start(intent)).next_step is None  # too early: the request may still be under way
    town.clock.advance(seconds=60)
    assert isinstance((await town.start(intent)).next_step, Redirect)
    assert (await town.attempt_of(intent))["id"] == first["id"]
    await town.pay(intent)
    await town.work()
    assert await town.charges(intent) == 105_00


async def test_hc03_a_request_that_never_left_fails_over_at_once(open_town, clock, random_bytes):
    values = {"base_url": "http://127.0.0.1:9", **registry.PROVIDERS["ngenius"].simulator_settings}
    async with open_session() as session:
        away = registry.build("ngenius", values, session=session, clock=clock, random_bytes=random_bytes)
        town = await open_town()
        providers = {"away": away, **town.deps.providers}
        town.deps = replace(town.deps, providers=providers, routing={Method.CARD: ("away", "ngenius")})
        intent = await town.intent()
        started = await town.start(intent)
        assert isinstance(started.next_step, Redirect)
        rows = await town.deps.pool.fetch("SELECT provider, status, decline FROM gateway.attempt ORDER BY id")
        assert [tuple(row) for row in rows] == [
            ("away", "declined", "provider_outage"),
            ("ngenius", "pending", None),
        ]


async def test_a_start_the_provider_refuses_is_declined_and_may_be_tried_again(town):
    intent = await town.intent()
    await town.fault("create", "decline")
    started = await town.start(intent)
    assert (started.intent, started.attempt) == (IntentStatus.REQUIRES_PAYMENT, AttemptStatus.DECLINED)
    assert isinstance((await town.start(intent)).next_step, Redirect)


async def test_hc06_a_callback_before_the_answer_is_stored_and_applied(open_town):
    town = await open_town(adapter={"timeout_s": "0.5"})
    intent = await town.intent()
    await town.fault("create", "sleep", seconds=1)
    await town.start(intent)
    assert (await town.attempt_of(intent))["provider_reference"] is None
    await town.pay(intent)
    await town.work()  # no time has passed for the sweep: the callback alone did it
    assert (await town.read(intent))["status"] == "paid"
    assert (await town.attempt_of(intent))["provider_reference"] is not None
    assert await town.books() == PAID_BOOKS


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_hc09_another_amount_is_never_a_success(town, fault):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("query", fault, times=20)
    await town.pay(intent)
    await town.work()
    attempt = await town.attempt_of(intent)
    assert (attempt["status"], attempt["review"]) == ("unknown", "amount_differs")
    assert (await town.read(intent))["status"] == "processing"
    assert await town.journals(intent) == ["payment_captured_for_review"]
    assert sum((await town.books()).values()) == 0
    assert "department:economy:payable" not in await town.books()
    assert "payment_attempt.review_required" in await town.events(intent)


async def test_hc11_a_word_nobody_knows_stays_pending(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("query", "unknown_status")
    await town.pay(intent)
    await town.work()
    assert (await town.attempt_of(intent))["status"] == "pending"
    town.clock.advance(seconds=90)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
