"""The books and the payments: one transaction, neighbours apart, closed days closed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from adapters.contract import Outcome, PaymentReport
from gateway.services.attempts.apply_reports import Finding, apply_reports
from ledger.accounts import SUSPENSE_UNIDENTIFIED, bank_cash
from ledger.decisions import close_period
from ledger.entry import Entry, credit, debit
from ledger.journal import post_within
from ledger.money import Money

AED = Money(105_00, "AED")
DUBAI = ZoneInfo("Asia/Dubai")


async def pending(town):
    intent = await town.intent(expires_at=(town.clock() + timedelta(days=30)).isoformat())
    await town.start(intent)
    return intent, (await town.attempt_of(intent))["id"]


def captured(**changes):
    return PaymentReport(Outcome.SUCCEEDED, "order", captured=AED, **changes)


async def close_until(town, day, ends_at):
    async with town.deps.pool.acquire() as connection, connection.transaction():
        await close_period(
            connection, until=day, ends_at=ends_at, reason="month end", decided_by="finance", recorded_at=town.clock()
        )


async def test_a_capture_of_a_closed_day_is_booked_in_the_open_one_and_refers_back(town):
    (late, late_attempt), (timely, timely_attempt) = await pending(town), await pending(town)
    moment = town.clock()
    town.clock.advance(days=2)
    await close_until(town, date(2026, 11, 22), moment.replace(hour=20, minute=0))
    results = await apply_reports(
        town.deps, [Finding(late_attempt, captured(occurred_at=moment)), Finding(timely_attempt, captured())]
    )
    assert [result.error for result in results] == [None, None]
    assert (await town.read(late))["status"] == (await town.read(timely))["status"] == "paid"
    assert (await town.read(late))["paid_at"] == "2026-11-22T06:00:00.000Z"
    row = await town.deps.pool.fetchrow(
        "SELECT DISTINCT business_date FROM ledger.postings WHERE payment = $1", late["id"]
    )
    assert row["business_date"] == date(2026, 11, 24)


async def test_a_capture_the_ledger_refuses_changes_nothing_and_fails_no_neighbour(town):
    """Its reference is already in the books with other content: a person must look."""
    (broken, broken_attempt), (sound, sound_attempt) = await pending(town), await pending(town)
    entry = Entry(
        reference=f"capture:{broken_attempt}",
        kind="sabotage",
        business_date=town.clock().astimezone(DUBAI).date(),
        effective_at=town.clock(),
        postings=(debit(bank_cash("main"), AED), credit(SUSPENSE_UNIDENTIFIED, AED, "x")),
    )
    async with town.deps.pool.acquire() as connection, connection.transaction():
        await post_within(connection, [entry], recorded_at=town.clock())
    results = await apply_reports(town.deps, [Finding(broken_attempt, captured()), Finding(sound_attempt, captured())])
    assert [result.error for result in results] == ["reference_reused", None]
    assert (await town.read(sound))["receipt_number"] == "ECONOMY-2026-0000001"
    assert (await town.read(broken))["status"] == "processing"
    attempt = await town.attempt_of(broken)
    assert (attempt["status"], attempt["review"], attempt["captured_minor"]) == ("pending", "books_refused", None)
    assert await town.events(broken) == [*(await town.events(sound))[:4], "payment_attempt.review_required"]


async def test_a_report_the_database_cannot_store_fails_alone(town):
    (broken, broken_attempt), (sound, sound_attempt) = await pending(town), await pending(town)
    await town.deps.pool.execute("UPDATE gateway.attempt SET provider_reference = NULL WHERE id = $1", broken_attempt)
    poisoned = PaymentReport(Outcome.SUCCEEDED, "a\x00b", captured=AED)
    results = await apply_reports(town.deps, [Finding(broken_attempt, poisoned), Finding(sound_attempt, captured())])
    assert results[0].error is not None
    assert (await town.read(sound))["status"] == "paid"
    assert (await town.read(broken))["status"] == "processing"
    [alone] = await apply_reports(town.deps, [Finding(broken_attempt, poisoned)])
    assert alone.error is not None


async def test_a_provider_s_words_are_kept_printable_and_short(town):
    intent, attempt_id = await pending(town)
    report = captured(word="CAP\x00TURED\u202e" + "x" * 500, facts={"scheme": "VISA\x00\n"})
    await apply_reports(town.deps, [Finding(attempt_id, report)])
    attempt = await town.attempt_of(intent)
    assert attempt["word"].startswith("CAPTURED")
    assert len(attempt["word"]) == 200
    assert json.loads(attempt["facts"])["scheme"] == "VISA"


async def test_hc16_the_second_payment_of_one_bill_is_flagged(town):
    first = await town.paid(reference="BILL-9")
    second = await town.paid(reference="BILL-9")
    other = await town.paid(reference="BILL-10")
    assert (first["duplicate_of"], second["duplicate_of"], other["duplicate_of"]) == (None, first["id"], None)
    assert "payment_intent.paid_twice" in await town.events(second)


async def test_hc16_two_payments_of_one_bill_in_one_batch_are_flagged(town):
    intents = [await town.intent(reference="BILL-9") for _ in range(3)]
    for intent in intents:
        await town.start(intent)
        await town.pay(intent)
    await town.work()
    flags = [(await town.read(intent))["duplicate_of"] for intent in intents]
    assert sorted(flags, key=str) == sorted([None, intents[0]["id"], intents[0]["id"]], key=str)


async def test_a_bundle_credits_every_department_its_share(town):
    await town.paid(
        bundle="delivery",
        lines=[
            {"service": "licence", "quantity": 2},
            {"service": "fine", "amount": {"amount": 40_00, "currency": "AED"}},
        ],
    )
    assert await town.books() == {
        "provider:ngenius:receivable": 250_00,
        "department:economy:payable": -200_00,
        "tax:vat_payable": -10_00,
        "department:roads:payable": -40_00,
    }
