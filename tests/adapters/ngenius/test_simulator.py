"""The simulated acquirer itself: its page, its webhooks, its end of day, its book."""

import json
import sqlite3
from datetime import date, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.contract import LineKind, Outcome, RefundOrder
from adapters.errors import FileRefusedError
from adapters.ngenius.simulator import HEADER_NAME, HEADER_VALUE, TEST_CARDS
from adapters.redaction import passes_luhn
from adapters.simulation.faults import FAULTS
from ledger.money import Money

TODAY = date(2026, 11, 22)


@pytest.fixture
async def stage(stages):
    async with stages("ngenius") as stage:
        yield stage


@pytest.fixture
async def bank():
    """Take credited as the simulated bank does, or refuse while `down` holds."""
    credited: list[dict] = []
    state = {"down": False}

    async def take(request: web.Request) -> web.Response:
        if state["down"]:
            return web.Response(status=503)
        credited.append(await request.json())
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/simulator/credits", take)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/"), credited, state
    await server.close()


async def paid(stage, reference="pa_01", minor=12_550, currency="AED") -> str:
    started = await stage.provider.start(stage.order(reference, Money(minor, currency)))
    await stage.pay(reference)
    return started.provider_reference


async def files(stage, business_date=TODAY) -> list:
    return [file async for file in stage.provider.settlement_files(business_date)]


def test_the_test_cards_are_valid_numbers_told_in_both_languages():
    assert all(passes_luhn(card.number) and card.english and card.arabic for card in TEST_CARDS)
    assert len({card.number for card in TEST_CARDS}) == len(TEST_CARDS)


@pytest.mark.parametrize("card", TEST_CARDS, ids=lambda card: card.number)
async def test_every_test_card_does_on_the_page_what_the_table_says(stage, card):
    started = await stage.provider.start(stage.order())
    async with stage.session.post(started.next_step.url, data={"card": card.spaced}, allow_redirects=False) as page:
        assert page.status == (200 if card.behaviour == "silent" else 303)
    report = await stage.provider.query(stage.order(), started.provider_reference)
    expected = {
        "approve": Outcome.SUCCEEDED,
        "silent": Outcome.SUCCEEDED,
        "decline": Outcome.DECLINED,
        "challenge": Outcome.PENDING,
        "pending": Outcome.PENDING,
    }
    assert report.outcome is expected[card.behaviour]


@pytest.mark.parametrize(("language", "direction", "word"), [("ar", "rtl", "ادفع"), ("en", "ltr", "Pay")])
async def test_the_page_speaks_both_languages_without_script(stage, language, direction, word):
    order = stage.order("<script>alert(1)</script>", language=language)
    started = await stage.provider.start(order)
    async with stage.session.get(started.next_step.url) as answer:
        text = await answer.text()
    assert f"<html lang='{language}' dir='{direction}'>" in text
    assert f">{word}</button>" in text
    assert "<script" not in text
    other = "en" if language == "ar" else "ar"
    async with stage.session.get(f"{started.next_step.url}?lang={other}") as answer:
        assert f"lang='{other}'" in await answer.text()


async def test_hc16_a_page_takes_a_card_once(stage):
    started = await stage.provider.start(stage.order())
    for _ in range(3):
        async with stage.session.post(
            started.next_step.url, data={"card": "4111111111111111"}, allow_redirects=False
        ) as page:
            assert page.status == 303
    assert await stage.charges() == {
        "charges": 1, "refunds": 0, "captured_minor": 12_550, "refunded_minor": 0, "currency": "AED",
    }  # fmt: skip
    async with stage.session.get(started.next_step.url) as page:
        assert "closed" in await page.text()


async def test_an_unknown_page_is_not_found(stage):
    async with stage.session.get(f"{stage.base_url}/page/nothing") as page:
        assert page.status == 404


@pytest.mark.parametrize(
    ("fault", "arguments", "count"),
    [
        ("none", {}, 0),
        ("after", {"seconds": 0}, 2),
        ("duplicate", {"count": 3}, 6),
        ("concurrent", {"count": 4}, 8),
        ("reordered", {}, 2),
        ("stale", {}, 3),
        ("unknown_reference", {}, 2),
        ("bad_signature", {}, 2),
    ],
)
async def test_the_menu_of_callbacks(stage, listener, fault, arguments, count):
    await stage.fault("callback", fault, **arguments)
    await stage.provider.start(stage.order())
    await stage.pay()
    await stage.drain()
    names = [json.loads(body)["eventName"] for _, body in listener.received]
    assert len(names) == count
    if fault == "reordered":
        assert names == ["CAPTURED", "AUTHORISED"]
    proofs = {headers[HEADER_NAME] for headers, _ in listener.received}
    assert proofs <= ({HEADER_VALUE} if fault != "bad_signature" else {"forged-header-value"})


async def test_a_webhook_nobody_takes_is_not_sent_again(stages, unused_tcp_port):
    options = {"callback_url": f"http://127.0.0.1:{unused_tcp_port}/callbacks/x"}
    async with stages("ngenius", simulator=options) as stage:
        await stage.provider.start(stage.order())
        await stage.pay()
        await stage.drain()
        async with stage.session.get(f"{stage.base_url}/simulator/callbacks") as answer:
            sent = await answer.json()
    assert [entry["answer"] for entry in sent] == ["ClientConnectorError", "ClientConnectorError"]


async def test_a_day_is_closed_once_and_late_money_goes_into_the_next_batch(stage, clock):
    first = await paid(stage)
    closed = await stage.control("close", {"date": TODAY.isoformat()})
    late = await paid(stage, "pa_02")
    again = await stage.control("close", {"date": TODAY.isoformat()})
    assert closed == again
    clock.advance(days=2)
    (today,), (tomorrow,) = await files(stage), await files(stage, TODAY + timedelta(days=1))
    assert [line.provider_reference for line in today.lines] == [first]
    assert [line.provider_reference for line in tomorrow.lines] == [late]
    assert today.batch_reference != tomorrow.batch_reference


async def test_asking_for_a_later_day_closes_the_days_before_it(stage, clock):
    await paid(stage)
    clock.advance(days=1)
    await paid(stage, "pa_02")
    clock.advance(days=1)
    assert len((await files(stage, TODAY + timedelta(days=1)))[0].lines) == 1
    assert len((await files(stage))[0].lines) == 1


async def test_the_business_day_ends_at_midnight_in_dubai(stage, clock):
    clock.set(clock().replace(hour=19, minute=59, second=59))
    await paid(stage)
    clock.advance(seconds=1)
    await paid(stage, "pa_02")
    assert len((await files(stage))[0].lines) == 1
    clock.advance(days=1)
    assert len((await files(stage, TODAY + timedelta(days=1)))[0].lines) == 1


async def test_each_currency_has_its_own_report(stage, clock):
    await paid(stage)
    await paid(stage, "pa_02", 1_234_567, "KWD")
    clock.advance(days=1)
    assert {(file.currency, file.lines[0].gross.amount_minor) for file in await files(stage)} == {
        ("AED", 12_550),
        ("KWD", 1_234_567),
    }


async def test_the_fee_carries_vat_and_a_refund_gives_back_no_fee(stage, clock):
    reference = await paid(stage)
    await stage.provider.refund(RefundOrder("re_01", "pa_01", reference, Money(550, "AED")))
    clock.advance(days=1)
    payment, refund = (await files(stage))[0].lines
    assert (payment.fee, payment.fee_vat) == (Money(151, "AED"), Money(8, "AED"))
    assert (refund.kind, refund.net, refund.fee) == (LineKind.REFUND, Money(-550, "AED"), Money(0, "AED"))


async def test_more_given_back_than_taken_is_carried_forward(stage, clock):
    reference = await paid(stage)
    clock.advance(days=1)
    await files(stage)
    await stage.provider.refund(RefundOrder("re_01", "pa_01", reference, Money(12_550, "AED")))
    clock.advance(days=1)
    assert await files(stage, TODAY + timedelta(days=1)) == []
    await paid(stage, "pa_02", 50_000)
    clock.advance(days=1)
    (file,) = await files(stage, TODAY + timedelta(days=2))
    assert [line.kind for line in file.lines] == [LineKind.REFUND, LineKind.PAYMENT]


async def test_each_batch_is_credited_once_whenever_the_bank_can_be_reached(stages, clock, bank):
    url, credited, state = bank
    async with stages("ngenius", simulator={"bank_url": url}) as stage:
        await paid(stage)
        state["down"] = True
        clock.advance(days=1)
        (file,) = await files(stage)
        assert credited == []
        state["down"] = False
        await files(stage)
        await files(stage)
    assert credited == [
        {
            "credit_id": file.batch_reference,
            "amount_minor": file.total_net.amount_minor,
            "currency": "AED",
            "remittance": file.batch_reference,
            "booked_on": "2026-11-22",
            "debtor": "Network International LLC",
        }
    ]


@pytest.mark.parametrize("fault", sorted(FAULTS["settlement"] - {"late", "wrong_total"}))
async def test_hc23_the_menu_of_settlement_faults(stages, clock, bank, fault):
    url, credited, _ = bank
    async with stages("ngenius", simulator={"bank_url": url}) as stage:
        for number in range(4):
            await paid(stage, f"pa_{number}")
        await stage.fault("settlement", fault)
        clock.advance(days=1)
        found = await files(stage)
    lines = [line for file in found for line in file.lines]
    references = [line.provider_reference for line in lines]
    expected = {"omit": 3, "duplicate": 5, "extra": 5, "unknown_type": 5, "fee_changed": 4, "split": 4}
    assert len(lines) == expected[fault]
    assert len(found) == (2 if fault == "split" else 1)
    assert (len(set(references)) < len(references)) == (fault in {"duplicate", "unknown_type"})
    assert any(line.kind is LineKind.OTHER for line in lines) == (fault == "unknown_type")
    assert any(line.fee != Money(151, "AED") for line in lines if line.kind is LineKind.PAYMENT) == (
        fault == "fee_changed"
    )
    assert sum(credit["amount_minor"] for credit in credited) == sum(file.total_net.amount_minor for file in found)


async def test_hc23_a_report_whose_total_is_wrong_is_refused(stage, clock):
    await paid(stage)
    await stage.fault("settlement", "wrong_total")
    clock.advance(days=1)
    with pytest.raises(FileRefusedError, match="totals cannot be read: net"):
        await files(stage)


async def test_hc25_a_late_report_appears_days_later_under_its_own_date(stage, clock):
    await paid(stage)
    await stage.fault("settlement", "late", days=2)
    clock.advance(days=1)
    assert await files(stage) == []
    clock.advance(days=2)
    assert (await files(stage))[0].business_date == TODAY


async def test_the_book_outlives_the_process(stages, tmp_path):
    path = str(tmp_path / "book.sqlite")
    async with stages("ngenius", simulator={"book_path": path}) as stage:
        reference = await paid(stage)
    async with stages("ngenius", simulator={"book_path": path}) as stage:
        report = await stage.provider.query(stage.order(), reference)
        assert report.outcome is Outcome.SUCCEEDED
    with sqlite3.connect(path) as book:
        assert book.execute("SELECT card FROM orders").fetchall() == [("411111******1111",)]
    book.close()


@pytest.mark.parametrize(
    "body",
    [
        {"call": "create", "fault": "explode"},
        {"call": "teleport", "fault": "drop"},
        {"call": "create"},
        {"call": "callback", "fault": "drop"},
        {"call": "create", "fault": "drop", "times": 0},
        {"call": "create", "fault": "drop", "times": "many"},
    ],
)
async def test_a_fault_that_is_not_on_the_menu_is_refused(stage, body):
    async with stage.session.post(f"{stage.base_url}/simulator/faults", json=body) as answer:
        assert answer.status == 422


async def test_faults_are_used_up_in_order_and_ok_lets_one_pass(stage):
    await stage.fault("query", "http", status=500)
    await stage.fault("query", "ok")
    await stage.fault("query", "unknown_status")
    started = await stage.provider.start(stage.order())
    words = []
    for _ in range(4):
        try:
            words.append((await stage.provider.query(stage.order(), started.provider_reference)).word)
        except Exception as error:  # noqa: BLE001 (the kind of the error is the answer here)
            words.append(type(error).__name__)
    assert words == ["OutcomeUnknownError", "STARTED", "UNDER_NEW_REVIEW", "STARTED"]


async def test_the_api_wants_a_token_and_shows_an_outlet_only_its_own(stage):
    started = await stage.provider.start(stage.order())
    orders = f"{stage.base_url}/transactions/outlets/{stage.settings['outlet']}/orders"
    async with stage.session.get(f"{orders}/{started.provider_reference}") as answer:
        assert answer.status == 401
    async with stage.session.post(
        f"{stage.base_url}/identity/auth/access-token", headers={"Authorization": f"Basic {stage.settings['api_key']}"}
    ) as answer:
        token = (await answer.json(content_type=None))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    elsewhere = orders.replace(stage.settings["outlet"], "other")
    for url, status in ((orders, 200), (elsewhere, 404)):
        async with stage.session.get(f"{url}/{started.provider_reference}", headers=bearer) as answer:
            assert answer.status == status
    for amount in (0, -1, 1.5, True, "100", 10**18):
        body = {"action": "SALE", "amount": {"currencyCode": "AED", "value": amount}}
        async with stage.session.post(orders, headers=bearer, json=body) as answer:
            assert answer.status == 422
