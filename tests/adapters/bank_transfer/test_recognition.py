"""HC-10 by day: what payers transfer, well or badly written, and what is known of their payment afterwards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters import bank_transfer
from adapters.bank_transfer.wire import reference_of
from adapters.contract import RECEIVED_MINOR, Announces, DeclineReason, Outcome
from adapters.formats.creditor_reference import in_fours, is_valid
from adapters.manifest import SettingsError
from ledger.money import Money

ACCOUNT = "AE070331234567890123456"
RF = reference_of("pa_01")


@pytest.fixture
async def till(stages) -> AsyncIterator:
    async with stages("bank_transfer") as stage:
        yield stage


async def transfer(stage, amount_minor: int, text: str, *, credit: str | None = None, **known) -> None:
    body = {"credit_id": credit or f"{amount_minor}:{text}", "amount_minor": amount_minor, "remittance": text, **known}
    await stage.control("credits", body)


async def ask(stage, reference: str = "pa_01", **changes):
    return await stage.provider.query(stage.order(reference, **changes), None)


async def test_the_payer_is_told_an_account_a_name_and_a_reference_of_four_groups(till):
    report = await till.provider.start(till.order())
    assert report.outcome is Outcome.PENDING
    assert (report.next_step.iban, report.next_step.beneficiary) == (ACCOUNT, "Treasury")
    assert report.next_step.reference == report.provider_reference == RF
    assert is_valid(RF)
    assert [len(group) for group in in_fours(RF).split()] == [4, 4, 4, 4]
    assert till.transcript == []  # nobody was asked


async def test_a_payment_in_another_currency_than_the_accounts_is_declined_before_it_starts(till):
    report = await till.provider.start(till.order(amount=Money(5_000, "KWD")))
    assert (report.outcome, report.decline) == (Outcome.DECLINED, DeclineReason.NOT_SUPPORTED)


@pytest.mark.parametrize(
    ("sent", "outcome", "word", "received"),
    [
        ([], Outcome.PENDING, "waiting", None),
        ([12_549], Outcome.PENDING, "received_in_part", "12549"),
        ([12_550], Outcome.SUCCEEDED, "received", "12550"),
        ([5_000, 7_550], Outcome.SUCCEEDED, "received", "12550"),
        ([12_551], Outcome.SUCCEEDED, "received_too_much", "12551"),
        ([12_550, 12_550], Outcome.SUCCEEDED, "received_too_much", "25100"),
    ],
)
async def test_hc10_under_over_split_and_repeated_transfers(till, sent, outcome, word, received):
    for number, amount_minor in enumerate(sent):
        await transfer(till, amount_minor, in_fours(RF), credit=f"c{number}")
    report = await ask(till)
    assert (report.outcome, report.word, report.facts.get(RECEIVED_MINOR)) == (outcome, word, received)
    # What pays the bill is what was asked, never the excess.
    assert report.captured == (Money(12_550, "AED") if outcome is Outcome.SUCCEEDED else None)


@pytest.mark.parametrize(
    "text",
    ["", "trade licence 125.50 AED", f"{RF[:-2]}{RF[-1]}{RF[-2]}", f"{RF[:5]}{RF[6:]}", RF[2:], "pa_01"],
    ids=["nothing", "words", "characters changed places", "one left out", "without RF", "our own id"],
)
async def test_hc10_a_missing_or_mistyped_reference_pays_nothing(till, text):
    await transfer(till, 12_550, text)
    assert (await ask(till)).outcome is Outcome.PENDING


async def test_hc10_one_transfer_that_names_two_bills_pays_neither_by_guess(till):
    await transfer(till, 25_100, f"{RF} + {reference_of('pa_02')}")
    assert [(await ask(till, name)).outcome for name in ("pa_01", "pa_02")] == [Outcome.PENDING] * 2
    [announcement] = [found async for found in till.provider.announcements(())]
    assert {notice.provider_reference for notice in announcement.notices} == {RF, reference_of("pa_02")}


async def test_a_credit_told_of_by_notification_and_statement_is_one(till, clock):
    order = till.order(started_at=clock())
    await transfer(till, 10_000, RF)
    before = await till.provider.query(order, None)
    seen = {one.identifier: one.notices async for one in till.provider.announcements(())}
    clock.advance(days=1)
    after = await till.provider.query(order, None)
    assert before.facts == after.facts == {RECEIVED_MINOR: "10000"}
    [statement] = [found async for found in till.provider.announcements(seen)]
    assert [notice.event_id for notice in statement.notices] == [
        notice.event_id for notices in seen.values() for notice in notices
    ]


async def test_parts_of_different_days_add_up_and_old_days_are_read_once(till, clock):
    order = till.order(started_at=clock())
    await transfer(till, 5_000, RF)
    clock.advance(days=3)
    await transfer(till, 7_550, RF)
    assert (await till.provider.query(order, None)).outcome is Outcome.SUCCEEDED
    till.transcript.clear()
    await till.provider.query(order, None)
    # Days whose statement is read are known for good; only today is asked about again.
    assert {exchange.url.rpartition("/")[2] for exchange in till.transcript} == {"2026-11-25"}


async def test_what_is_known_of_today_is_asked_again_only_when_it_is_old(stages, clock):
    async with stages("bank_transfer", refresh_s="10") as stage:
        order = stage.order()
        await stage.provider.query(order, None)
        await transfer(stage, 12_550, RF)
        assert (await stage.provider.query(order, None)).outcome is Outcome.PENDING
        clock.advance(seconds=10)
        assert (await stage.provider.query(order, None)).outcome is Outcome.SUCCEEDED


async def test_a_late_transfer_is_found_as_long_as_we_look_back(stages, clock):
    async with stages("bank_transfer", look_back_days="5") as stage:
        order = stage.order(started_at=clock())
        clock.advance(days=4)
        await transfer(stage, 12_550, RF)
        assert (await stage.provider.query(order, None)).outcome is Outcome.SUCCEEDED
        clock.advance(days=6)
        assert (await stage.provider.query(order, None)).outcome is Outcome.PENDING


async def test_a_debit_and_a_returned_credit_count_for_nothing(till):
    await transfer(till, -12_550, RF)
    assert (await ask(till)).word == "waiting"


async def test_a_virtual_account_of_its_own_needs_no_reference(stages):
    async with stages("bank_transfer", virtual_prefix="0339") as stage:
        step = (await stage.provider.start(stage.order())).next_step
        other = (await stage.provider.start(stage.order("pa_02"))).next_step
        assert step.reference == ""
        assert is_valid(step.iban)
        assert step.iban[4:8] == "0339"
        assert step.iban != other.iban
        await transfer(stage, 12_550, "whatever I like", creditor_iban=step.iban)
        assert (await ask(stage)).outcome is Outcome.SUCCEEDED
        assert (await ask(stage, "pa_02")).outcome is Outcome.PENDING


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("account_iban", "AE070331234567890123457"),
        ("virtual_prefix", "03312345"),
        ("currency", "ZZZ"),
        ("zone", "Here"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(setting, value):
    whole = {"base_url": "http://127.0.0.1:9", "api_key": "k", "account_iban": ACCOUNT, "beneficiary": "Treasury"}
    with pytest.raises(SettingsError, match="bank_transfer"):
        bank_transfer.build({**whole, setting: value}, session=None, clock=None, random_bytes=None)


async def test_a_file_of_another_account_or_of_no_sense_is_left_out_and_told(till, clock):
    await till.control("faults", {"on": "statement", "kind": "wrong_account", "day": "2026-11-22", "iban": "AE1"})
    order = till.order(started_at=clock())
    await transfer(till, 12_550, RF)
    clock.advance(days=1)
    # The statement cannot be trusted, so the notifications still speak.
    assert (await till.provider.query(order, None)).outcome is Outcome.SUCCEEDED
    health = await till.provider.check()
    assert (health.available, "camt053" in health.detail) == (True, True)


async def test_a_statement_that_leaves_a_credit_out_is_believed_over_the_notice(till, clock):
    """Nothing is captured on a notice the bank did not stand by."""
    await till.control("faults", {"on": "statement", "kind": "omit_line", "day": "2026-11-22", "line": 0})
    order = till.order(started_at=clock())
    await transfer(till, 12_550, RF)
    clock.advance(days=1)
    assert (await till.provider.query(order, None)).word == "waiting"


async def test_a_held_transfer_is_told_of_when_it_is_booked(till, clock):
    assert isinstance(till.provider, Announces)
    await transfer(till, 12_550, RF, delay_s=600)
    assert [found async for found in till.provider.announcements(())] == []
    clock.advance(seconds=600)
    assert len([found async for found in till.provider.announcements(())]) == 1


def test_a_reference_follows_from_the_attempt_alone():
    given = {reference_of(f"pa_{number}") for number in range(5_000)}
    assert len(given) == 5_000
    assert all(is_valid(reference) for reference in given)


async def test_the_order_of_long_ago_is_asked_from_its_first_day_only(till, clock):
    order = replace(till.order(), started_at=clock() + timedelta(days=3))  # a clock that ran ahead
    assert (await till.provider.query(order, None)).outcome is Outcome.PENDING
