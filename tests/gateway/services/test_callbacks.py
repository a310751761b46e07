"""Callbacks twice, at once, half way, in any order, early, forged."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from adapters.contract import DeclineReason, Outcome, PaymentReport
from adapters.ngenius.simulator import HEADER_NAME, HEADER_VALUE, OUTLET
from gateway.services.attempts.apply_events import apply_events
from gateway.services.attempts.apply_reports import Finding, apply_reports
from ledger.money import Money

AED = Money(105_00, "AED")


async def inbox(town):
    return await town.deps.pool.fetch("SELECT event, status, tries FROM gateway.inbox ORDER BY event")


@pytest.mark.parametrize(("fault", "count"), [("duplicate", 2), ("concurrent", 10)])
async def test_hc04_a_callback_many_times_is_one_journal(town, fault, count):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", fault, count=count, times=5)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.journals(intent) == ["payment_captured"]
    assert {row["status"] for row in await inbox(town)} == {"applied"}
    assert len(town.mailbox.sent) == 1


async def test_hc04_a_worker_that_dies_half_way_is_finished_by_the_next(town):
    intent = await town.intent()
    await town.start(intent)
    await town.pay(intent)
    await town.control("drain", {})
    await town.fault("query", "sleep", seconds=3)
    dying = asyncio.create_task(apply_events(town.deps, 10))
    await asyncio.sleep(0.2)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert {row["status"] for row in await inbox(town)} == {"waiting"}
    assert await town.journals(intent) == []
    town.clock.advance(minutes=3)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"
    assert await town.journals(intent) == ["payment_captured"]


async def test_hc04_many_workers_at_once_apply_each_notice_once(town):
    intents = [await town.intent() for _ in range(6)]
    for intent in intents:
        await town.start(intent)
        await town.pay(intent)
    await town.control("drain", {})
    await asyncio.gather(*(apply_events(town.deps, 2) for _ in range(8)))
    await town.work()
    for intent in intents:
        assert await town.journals(intent) == ["payment_captured"]
    numbers = [(await town.read(intent))["receipt_number"] for intent in intents]
    assert sorted(numbers) == [f"ECONOMY-2026-{n:07d}" for n in range(1, 7)]


REPORTS = {
    "authorised": PaymentReport(Outcome.PENDING, "order-1", authorised=AED, word="AUTHORISED"),
    "captured": PaymentReport(Outcome.SUCCEEDED, "order-1", captured=AED, word="CAPTURED"),
    "failed": PaymentReport(Outcome.DECLINED, "order-1", word="FAILED", decline=DeclineReason.INSUFFICIENT_FUNDS),
    "refunded": PaymentReport(Outcome.SUCCEEDED, "order-1", captured=AED, refunded=AED, word="REFUNDED"),
    "expired": PaymentReport(Outcome.DECLINED, "order-1", word="EXPIRED", decline=DeclineReason.TIMED_OUT),
}


async def test_hc05_any_order_ends_in_the_same_state_and_the_same_books(town):
    orders = list(itertools.permutations(REPORTS))
    for order in orders:
        intent = await town.intent()
        await town.start(intent)
        attempt_id = (await town.attempt_of(intent))["id"]
        for name in order:
            await apply_reports(town.deps, [Finding(attempt_id, REPORTS[name])])
        assert (await town.read(intent))["status"] == "paid", order
        assert (await town.attempt_of(intent))["status"] == "succeeded", order
        assert await town.journals(intent) == ["payment_captured"], order
    assert (await town.books())["provider:ngenius:receivable"] == 105_00 * len(orders)


async def test_hc05_a_whole_batch_in_any_order_is_one_transaction_with_the_same_end(town):
    intent = await town.intent()
    await town.start(intent)
    attempt_id = (await town.attempt_of(intent))["id"]
    findings = [Finding(attempt_id, REPORTS[name]) for name in ("expired", "captured", "failed", "authorised")]
    await apply_reports(town.deps, [*findings, Finding("pa_00000000000000000000000000", REPORTS["captured"])])
    assert (await town.read(intent))["status"] == "paid"
    assert await town.journals(intent) == ["payment_captured"]


@pytest.mark.parametrize("fault", ["bad_signature", "unknown_reference"])
async def test_hc07_a_callback_that_is_not_ours_changes_nothing(town, fault):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("callback", fault, times=5)
    await town.pay(intent)
    await town.work()
    assert (await town.read(intent))["status"] == "processing"
    assert await town.books() == {}
    assert {row["status"] for row in await inbox(town)} <= {"unmatched"}


async def post_callback(town, body, headers=None):
    url = f"{town.url}/callbacks/ngenius"
    sent = {HEADER_NAME: HEADER_VALUE, **(headers or {})}
    async with town.session.post(url, json=body, headers=sent) as answer:
        return answer.status


@pytest.mark.parametrize("heard_of_it", [True, False])
async def test_hc07_a_callback_that_lies_is_only_a_hint(town, heard_of_it):
    honest, robbed = await town.paid(), await town.intent()
    if not heard_of_it:  # we do not know the provider's reference yet, and the liar names somebody else's order
        await town.fault("create", "http", status=500)
    await town.start(robbed)
    paid_order = (await town.attempt_of(honest))["provider_reference"]
    attempt = await town.attempt_of(robbed)
    for order in filter(None, (attempt["provider_reference"], paid_order)):
        event = {
            "eventId": f"forged-{order}",
            "eventName": "CAPTURED",
            "outletId": OUTLET,
            "order": {
                "reference": order,
                "merchantOrderReference": attempt["id"],
                "_embedded": {"payment": [{"_id": "urn:payment:1", "state": "CAPTURED"}]},
            },
        }
        assert await post_callback(town, event) == 200
    await town.work()
    assert (await town.read(robbed))["status"] == "processing"
    assert (await town.books())["provider:ngenius:receivable"] == 105_00
    assert (await town.attempt_of(robbed))["review"] is None


async def test_hc07_an_old_callback_again_changes_nothing(town):
    intent = await town.paid()
    books = await town.books()
    await town.deps.pool.execute("UPDATE gateway.inbox SET status = 'waiting', next_try_at = $1", town.clock())
    town.clock.advance(days=400)
    await town.work()
    assert await town.books() == books
    assert await town.journals(intent) == ["payment_captured"]


async def test_a_callback_that_is_put_is_stored_and_answered_without_a_body(town):
    """The mobile money standard puts its callbacks and wants a 204."""
    event = {"eventId": "event-put", "eventName": "CAPTURED", "order": {"reference": "order-put"}}
    url = f"{town.url}/callbacks/ngenius"
    async with town.session.put(url, json=event, headers={HEADER_NAME: HEADER_VALUE}) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    assert [row["event"] for row in await inbox(town)] == ["event-put"]


async def test_a_provider_nobody_knows_is_not_found(town):
    async with town.session.post(f"{town.url}/callbacks/nobody", data=b"{}") as answer:
        assert answer.status == 404
