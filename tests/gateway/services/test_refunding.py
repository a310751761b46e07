"""Giving money back: never more than came, never twice, never believed before it is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapters.contract import Method
from adapters.errors import OutcomeUnknownError
from gateway.domain.refund import RefundStatus
from gateway.services.refunds.apply_refunds import apply_refunds


async def ask_refund(town, intent, key=None, **body):
    path = f"/v1/payment-intents/{intent['id']}/refunds"
    return await town.ask("POST", path, {"reason": "entered twice", **body}, key=key)


def aed(minor):
    return {"amount": minor, "currency": "AED"}


async def refund_row(town, refund_id):
    return await town.deps.pool.fetchrow("SELECT * FROM gateway.refund WHERE id = $1", refund_id)


async def acquirer_refunds(town):
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        movements = (await answer.json())["movements"]
    return [row["amount_minor"] for row in movements if row["kind"] == "refund" and row["state"] != "FAILED"]


async def test_a_full_refund_takes_back_department_share_and_vat(town):
    intent = await town.paid()
    answer = await ask_refund(town, intent)
    assert (answer.status, answer.body["status"]) == (201, "requested")
    await town.work()
    refund = (await town.ask("GET", f"/v1/refunds/{answer.body['id']}")).body
    assert refund["status"] == "succeeded"
    assert await town.journals(intent) == ["payment_captured", "refund_accepted"]
    assert await town.books() == {
        "provider:ngenius:receivable": 105_00,
        "provider:ngenius:refunds_in_transit": -105_00,
    }
    assert await acquirer_refunds(town) == [105_00]
    document = await town.read(intent)
    assert (document["amount_refunded"], document["amount_refundable"]) == (aed(105_00), aed(0))
    stored = await refund_row(town, refund["id"])
    journal = await town.deps.pool.fetchrow(
        "SELECT DISTINCT reference, provider_reference FROM ledger.postings WHERE kind = 'refund_accepted'"
    )
    assert tuple(journal) == (f"refund:{refund['id']}", stored["provider_reference"])


async def test_hc14_a_refund_over_the_rest_is_refused_and_says_what_is_left(town):
    intent = await town.paid()
    assert (await ask_refund(town, intent, amount=aed(100_00))).status == 201
    refused = await ask_refund(town, intent, amount=aed(5_01))
    assert (refused.status, refused.body["code"]) == (422, "refund_exceeds_captured")
    assert refused.body["errors"][0]["pointer"] == "/amount"
    assert (await ask_refund(town, intent, amount=aed(5_00))).status == 201
    assert (await ask_refund(town, intent)).status == 422


async def test_hc14_twenty_refunds_at_once_never_exceed_what_was_captured(town):
    intent = await town.paid()
    answers = await asyncio.gather(*(ask_refund(town, intent, amount=aed(10_00)) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 10 + [422] * 10
    await town.work()
    assert sum(await acquirer_refunds(town)) == 100_00
    assert (await town.books())["provider:ngenius:refunds_in_transit"] == -100_00


async def test_hc14_two_equal_refunds_are_both_legitimate_when_their_keys_differ(town):
    intent = await town.paid()
    first, second, repeated = (
        await ask_refund(town, intent, key="one", amount=aed(10_00)),
        await ask_refund(town, intent, key="two", amount=aed(10_00)),
        await ask_refund(town, intent, key="one", amount=aed(10_00)),
    )
    assert first.body["id"] != second.body["id"]
    assert (repeated.status, repeated.body["id"]) == (201, first.body["id"])
    await town.work()
    assert await acquirer_refunds(town) == [10_00, 10_00]


async def test_hc18_a_refund_of_one_line_moves_only_that_department_s_money(town):
    lines = [{"service": "licence"}, {"service": "fine", "amount": aed(40_00)}]
    intent = await town.paid(lines=lines, bundle="delivery")
    await ask_refund(town, intent, lines=[{"number": 2, "amount": aed(15_00)}])
    await town.work()
    books = await town.books()
    assert books["department:roads:payable"] == -25_00
    assert books["department:economy:payable"] == -100_00


async def test_hc02_a_refund_whose_answer_was_lost_is_not_made_again(town):
    intent = await town.paid()
    await town.fault("refund", "drop")
    refund_id = (await ask_refund(town, intent)).body["id"]
    await town.work()
    assert (await refund_row(town, refund_id))["status"] == "unknown"
    assert await town.journals(intent) == ["payment_captured"]
    town.clock.advance(minutes=5)
    await town.work()
    assert (await refund_row(town, refund_id))["status"] == "succeeded"
    assert await acquirer_refunds(town) == [105_00]
    assert await town.journals(intent) == ["payment_captured", "refund_accepted"]


class Forgetful:
    """A provider that takes refunds and never answers for them: whatever is sent twice is paid twice."""

    name = "ngenius"
    methods = frozenset({Method.CARD})

    def __init__(self):
        self.sent = 0
        self.asked = 0

    async def start(self, order): ...

    async def query(self, order, provider_reference): ...

    def read_callback(self, headers, body): ...

    async def check(self): ...

    async def refund(self, _order):
        self.sent += 1
        raise OutcomeUnknownError("reset after the write")

    async def query_refund(self, _order):
        self.asked += 1
        raise OutcomeUnknownError("no answer")


async def test_hc02_a_refund_that_may_have_been_sent_is_only_asked_about(town):
    intent = await town.paid()
    provider = Forgetful()
    town.deps = replace(town.deps, providers={"ngenius": provider})
    await ask_refund(town, intent)
    for _ in range(40):
        await apply_refunds(town.deps, 10)
        town.clock.advance(hours=3)
    assert provider.sent == 1
    assert provider.asked > 10
    assert (await ask_refund(town, intent)).status == 422  # its money still counts


async def test_a_refund_the_provider_declines_says_so_in_its_words(town):
    intent = await town.paid()
    await town.fault("refund", "http", status=422)
    refund_id = (await ask_refund(town, intent)).body["id"]
    await town.work()
    refund = (await town.ask("GET", f"/v1/refunds/{refund_id}")).body
    assert (refund["status"], refund["failure"]["code"]) == ("failed", "declined_by_provider")
    assert refund["failure"]["detail"]
    listed = (await town.ask("GET", "/v1/refunds?status=failed")).body["data"]
    assert [each["failure"] for each in listed] == [refund["failure"]]
    town.clock.advance(minutes=1)
    feed = (await town.ask("GET", f"/v1/events?object={refund_id}")).body["data"]
    assert [event["data"]["failure"] for event in feed] == [None, refund["failure"]]


async def test_a_refund_the_provider_never_knew_is_sent_again_after_an_hour(town):
    intent = await town.paid()
    await town.fault("refund", "http", status=500)
    refund_id = (await ask_refund(town, intent)).body["id"]
    await town.work()
    assert await acquirer_refunds(town) == []
    for _ in range(20):
        town.clock.advance(minutes=10)
        await town.work()
    assert (await refund_row(town, refund_id))["status"] == "succeeded"
    assert await acquirer_refunds(town) == [105_00]


async def test_a_pending_refund_counts_and_is_booked_when_the_provider_took_it(town):
    intent = await town.paid()
    await town.fault("refund", "pending")
    refund_id = (await ask_refund(town, intent)).body["id"]
    await town.work()
    row = await refund_row(town, refund_id)
    assert row["status"] == "pending"
    assert (await ask_refund(town, intent)).status == 422
    assert await town.journals(intent) == ["payment_captured", "refund_accepted"]
    await town.control("resolve", {"refund": row["provider_reference"], "state": "FAILED"})
    town.clock.advance(minutes=5)
    await town.work()
    assert (await refund_row(town, refund_id))["status"] == "failed"
    failed = (await town.ask("GET", f"/v1/refunds/{refund_id}")).body["failure"]
    assert failed == {"code": "returned_to_provider", "detail": "FAILED"}
    assert await town.journals(intent) == ["payment_captured", "refund_accepted", "refund_failed"]
    assert (await town.books())["department:economy:payable"] == -100_00
    assert (await ask_refund(town, intent)).status == 201


@pytest.mark.parametrize("status", ["requires_payment", "cancelled"])
async def test_hc14_only_a_paid_intent_is_refunded(town, status):
    intent = await town.intent()
    if status == "cancelled":
        await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel")
    assert (await ask_refund(town, intent)).status == 409


async def test_hc14_a_cancel_after_payment_is_refused(town):
    intent = await town.paid()
    answer = await town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel")
    assert (answer.status, answer.body["code"]) == (409, "state_conflict")


async def test_hc14_a_cancel_racing_the_payment_ends_in_one_of_them(town):
    intent = await town.intent()
    await town.start(intent)
    await asyncio.gather(
        town.pay(intent), town.ask("POST", f"/v1/payment-intents/{intent['id']}/cancel"), return_exceptions=True
    )
    town.clock.advance(minutes=2)
    await town.work()
    status = (await town.read(intent))["status"]
    charged = await town.charges(intent)
    assert (status, charged) in {("paid", 105_00), ("cancelled", 0)}
    assert sum((await town.books()).values()) == 0


def test_every_status_of_a_refund_is_one_the_database_knows():
    assert {status.value for status in RefundStatus} == {
        "awaiting_approval", "awaiting_collection", "requested", "pending", "unknown", "succeeded", "failed",
    }  # fmt: skip
