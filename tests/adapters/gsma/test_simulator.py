"""The simulated wallet: the phone, expiry, paging, payouts, and what may be wrong with a day's list."""

from datetime import date, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.contract import ApproveOnPhone, DeclineReason, LineKind, Outcome
from adapters.errors import RejectedError
from adapters.gsma import client as gsma_client
from ledger.money import Money

TODAY = date(2026, 11, 22)


@pytest.fixture
async def stage(stages):
    async with stages("gsma") as stage:
        yield stage


async def files(stage, business_date=TODAY) -> list:
    return [file async for file in stage.provider.settlement_files(business_date)]


async def paid(stage, reference: str, minor: int = 12_550) -> None:
    await stage.provider.start(stage.order(reference, Money(minor, "AED")))
    await stage.pay(reference)


async def test_the_payer_is_asked_on_the_phone(stage):
    started = await stage.provider.start(stage.order())
    assert (started.outcome, started.next_step) == (Outcome.PENDING, ApproveOnPhone("+971501234567"))
    again = await stage.provider.query(stage.order(), None)
    assert again.next_step == started.next_step


async def test_a_payment_without_a_mobile_number_is_refused_before_it_is_sent(stage):
    with pytest.raises(RejectedError):
        await stage.provider.start(stage.order(payer_mobile=None))
    assert stage.transcript == []


@pytest.mark.parametrize(
    ("decision", "outcome", "reason"),
    [
        ("approve", Outcome.SUCCEEDED, None),
        ("requestDeclined", Outcome.DECLINED, DeclineReason.CANCELLED_BY_PAYER),
        ("insufficientFunds", Outcome.DECLINED, DeclineReason.INSUFFICIENT_FUNDS),
        ("nothing", Outcome.PENDING, None),
    ],
)
async def test_the_phone_decides(stage, decision, outcome, reason):
    await stage.provider.start(stage.order(description="<script>alert(1)</script>"))
    for language, title in (("en", "Payer's phone"), ("ar", "هاتف الدافع")):
        async with stage.session.get(f"{stage.base_url}/phone?lang={language}") as page:
            text = await page.text()
        assert title in text
        assert "<script" not in text
    server_id = (await stage.book())["requests"][0]["server_id"]
    async with stage.session.post(f"{stage.base_url}/phone/{server_id}", data={"decision": decision}) as page:
        assert ("Approve" in await page.text()) == (outcome is Outcome.PENDING)
    report = await stage.provider.query(stage.order(), None)
    assert (report.outcome, report.decline) == (outcome, reason)


async def test_a_prompt_nobody_answers_expires_at_the_provider(stage, clock):
    await stage.provider.start(stage.order())
    clock.advance(seconds=301)
    report = await stage.provider.query(stage.order(), None)
    assert report.outcome is Outcome.DECLINED
    await stage.pay()
    assert (await stage.charges())["charges"] == 0


async def test_a_long_day_is_read_page_by_page(stage, clock, monkeypatch):
    monkeypatch.setattr(gsma_client, "PAGE_LINES", 3)
    for number in range(7):
        await paid(stage, f"pa_{number}", 1_000 + number)
    clock.advance(days=1)
    (file,) = await files(stage)
    assert sorted(line.gross.amount_minor for line in file.lines) == [1_000 + number for number in range(7)]
    assert [exchange.operation for exchange in stage.transcript].count("statement") == 3


async def test_a_day_is_paid_to_the_bank_once_under_the_agreed_text(stages, clock):
    credited: list[dict] = []

    async def take(request: web.Request) -> web.Response:
        credited.append(await request.json())
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/simulator/credits", take)
    bank = TestServer(app)
    await bank.start_server()
    async with stages("gsma", simulator={"bank_url": str(bank.make_url("")).rstrip("/")}) as stage:
        await paid(stage, "pa_01")
        clock.advance(days=1)
        (file,) = await files(stage)
        await files(stage)
    await bank.close()
    (credit,) = credited
    assert (credit["remittance"], credit["amount_minor"]) == (file.batch_reference, file.total_net.amount_minor)
    assert file.batch_reference == "MM-20261122-AED"


@pytest.mark.parametrize(
    ("fault", "count"), [("omit", 2), ("duplicate", 4), ("extra", 4), ("unknown_type", 4), ("fee_changed", 3)]
)
async def test_hc23_the_menu_of_faults_in_a_days_list(stage, clock, fault, count):
    for number in range(3):
        await paid(stage, f"pa_{number}")
    await stage.fault("settlement", fault)
    clock.advance(days=1)
    (file,) = await files(stage)
    assert len(file.lines) == count
    assert any(line.kind is LineKind.OTHER for line in file.lines) == (fault == "unknown_type")
    assert await files(stage) == [file]


async def test_the_book_outlives_the_process(stages, tmp_path):
    path = str(tmp_path / "book.sqlite")
    async with stages("gsma", simulator={"book_path": path}) as stage:
        await paid(stage, "pa_01")
    async with stages("gsma", simulator={"book_path": path}) as stage:
        assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.SUCCEEDED
        assert await files(stage, TODAY + timedelta(days=1)) == []
