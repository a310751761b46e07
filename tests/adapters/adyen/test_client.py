"""What only payment links do: pages that outlive a refusal, keys that find links, refunds that need the PSP's name."""

from datetime import date

import pytest

from adapters.adyen import build
from adapters.adyen.simulator import SETTINGS
from adapters.contract import LineKind, Outcome, Redirect, RefundOrder
from adapters.errors import FileRefusedError, OutcomeUnknownError, RejectedError
from adapters.manifest import SettingsError
from adapters.simulation.faults import FAULTS
from ledger.money import Money

TODAY = date(2026, 11, 22)


@pytest.fixture
async def stage(stages):
    async with stages("adyen", timeout_s="2") as stage:
        yield stage


async def test_a_payer_whose_card_is_refused_pays_with_another_on_the_same_page(stage):
    started = await stage.provider.start(stage.order(language="ar"))
    assert isinstance(started.next_step, Redirect)
    page = started.next_step.url
    async with stage.session.post(page, data={"card": "4000 0400 0000 0008"}) as answer:
        assert "جرّب بطاقة أخرى" in await answer.text()
    waiting = await stage.provider.query(stage.order(language="ar"), None)
    assert (waiting.outcome, waiting.next_step) == (Outcome.PENDING, started.next_step)
    async with stage.session.post(page, data={"card": "4111111111111111"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, stage.order().return_url)
    report = await stage.provider.query(stage.order(language="ar"), None)
    assert report.captured == Money(12_550, "AED")
    async with stage.session.get(page) as answer:
        assert "مغلق" in await answer.text()


async def test_a_link_that_ran_out_is_declined(stage, clock):
    order = stage.order()
    await stage.provider.start(order)
    clock.advance(hours=2)
    assert (await stage.provider.query(order, None)).outcome is Outcome.DECLINED
    await stage.pay()
    assert (await stage.charges())["charges"] == 0


async def test_a_creation_that_never_arrived_is_not_found_once_its_time_is_over(stage, clock):
    order = stage.order()
    await stage.fault("create", "refuse")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(order)
    clock.advance(hours=2)
    report = await stage.provider.query(order, None)
    assert (report.outcome, report.word) == (Outcome.PENDING, "NOT_FOUND")


async def test_a_link_that_cannot_be_read_after_it_was_made_is_still_used(stage):
    await stage.fault("query", "http", status=500)
    started = await stage.provider.start(stage.order())
    assert isinstance(started.next_step, Redirect)


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_hc09_the_payer_is_not_sent_to_a_page_that_asks_for_another_amount(stage, fault):
    await stage.fault("create", fault)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(stage.order())


async def test_a_refund_before_the_payment_is_named_is_refused_before_it_is_sent(stage):
    with pytest.raises(RejectedError):
        await stage.provider.refund(RefundOrder("re_01", "pa_01", "", Money(50, "AED")))
    assert stage.transcript == []


async def test_hc02_a_voided_link_is_voided_once(stage):
    await stage.provider.start(stage.order())
    await stage.fault("void", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.void(stage.order(), "")
    report = await stage.provider.void(stage.order(), "")
    assert (report.outcome, report.word) == (Outcome.SUCCEEDED, "expired")
    assert [exchange.operation for exchange in stage.transcript].count("void") == 1


async def test_a_currency_with_another_minor_unit_is_refused_before_it_is_sent(stage):
    with pytest.raises(RejectedError):
        await stage.provider.start(stage.order(amount=Money(100, "IDR")))
    assert stage.transcript == []


@pytest.mark.parametrize("key", ["", "xyz", "00" * 31])
def test_a_key_that_cannot_be_one_is_refused(stage, key):
    with pytest.raises(SettingsError, match="hmac_key"):
        build(
            {**SETTINGS, "base_url": "https://x.example", "hmac_key": key},
            session=stage.session,
            clock=stage.clock,
            random_bytes=bytes,
        )


@pytest.mark.parametrize("fault", sorted(FAULTS["settlement"] - {"late", "wrong_total"}))
async def test_hc23_the_menu_of_settlement_faults(stage, clock, fault):
    for number in range(4):
        await stage.provider.start(stage.order(f"pa_{number}"))
        await stage.pay(f"pa_{number}")
    await stage.fault("settlement", fault)
    clock.advance(days=1)
    found = [file async for file in stage.provider.settlement_files(TODAY)]
    lines = [line for file in found for line in file.lines]
    expected = {"omit": 3, "duplicate": 5, "extra": 5, "unknown_type": 5, "fee_changed": 4, "split": 4}
    assert (len(lines), len(found)) == (expected[fault], 2 if fault == "split" else 1)
    assert any(line.kind is LineKind.OTHER for line in lines) == (fault == "unknown_type")


async def test_hc23_a_report_whose_payout_is_wrong_is_refused(stage, clock):
    await stage.collect()
    await stage.fault("settlement", "wrong_total")
    clock.advance(days=1)
    with pytest.raises(FileRefusedError, match="sum to"):
        [file async for file in stage.provider.settlement_files(TODAY)]


async def test_the_book_outlives_the_process(stages, tmp_path):
    path = str(tmp_path / "book.sqlite")
    async with stages("adyen", simulator={"book_path": path}) as stage:
        await stage.provider.start(stage.order())
        await stage.pay()
    async with stages("adyen", simulator={"book_path": path}) as stage:
        assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.SUCCEEDED
