"""What only this acquirer does: actions, captures, voids, tokens, links, and two orders under one reference."""

import asyncio
import json
from pathlib import Path

import pytest

from adapters import ngenius
from adapters.contract import Outcome, Redirect, RefundOrder
from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.manifest import SettingsError
from adapters.ngenius import build, read_answer
from adapters.ngenius.simulator import CHALLENGE_CODE, SETTINGS
from adapters.ngenius.wire import Endpoint
from ledger.money import Money

AED = Money(12_550, "AED")
SAMPLES = Path(ngenius.__file__).parent / "samples"


@pytest.fixture
async def stage(stages):
    async with stages("ngenius", timeout_s="1.5") as stage:
        yield stage


def operations(stage) -> list[str]:
    return [exchange.operation for exchange in stage.transcript]


async def test_the_payer_is_sent_to_the_page(stage):
    started = await stage.provider.start(stage.order())
    assert started.outcome is Outcome.PENDING
    assert isinstance(started.next_step, Redirect)
    async with stage.session.get(started.next_step.url) as page:
        assert "4111 1111 1111 1111" in await page.text()


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_hc09_the_payer_is_not_sent_to_a_page_that_asks_for_another_amount(stage, fault):
    await stage.fault("create", fault)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(stage.order())


@pytest.mark.parametrize(("action", "word"), [("SALE", "CAPTURED"), ("PURCHASE", "PURCHASED")])
async def test_actions_that_capture_at_once(stages, action, word):
    async with stages("ngenius", action=action) as stage:
        started = await stage.provider.start(stage.order())
        await stage.pay()
        report = await stage.provider.query(stage.order(), started.provider_reference)
        assert (report.outcome, report.word, report.captured) == (Outcome.SUCCEEDED, word, AED)
        made = await stage.provider.refund(RefundOrder("re_01", "pa_01", started.provider_reference, Money(550, "AED")))
        assert (made.outcome, made.amount) == (Outcome.SUCCEEDED, Money(550, "AED"))
        more = await stage.provider.refund(
            RefundOrder("re_02", "pa_01", started.provider_reference, Money(12_000, "AED"))
        )
        assert more.outcome is Outcome.SUCCEEDED
        assert (await stage.provider.query(stage.order(), started.provider_reference)).refunded == AED


@pytest.fixture
async def authorised(stages):
    async with stages("ngenius", action="AUTH", timeout_s="1.5") as stage:
        started = await stage.provider.start(stage.order())
        await stage.pay()
        yield stage, started.provider_reference


async def test_an_authorisation_is_pending_until_it_is_captured(authorised):
    stage, reference = authorised
    report = await stage.provider.query(stage.order(), reference)
    assert (report.outcome, report.authorised, report.captured) == (Outcome.PENDING, AED, None)
    captured = await stage.provider.capture("pa_01", reference, AED)
    assert (captured.outcome, captured.captured) == (Outcome.SUCCEEDED, AED)


async def test_hc08_a_partial_capture_reports_what_was_captured(authorised):
    stage, reference = authorised
    captured = await stage.provider.capture("pa_01", reference, Money(10_000, "AED"))
    assert (captured.outcome, captured.captured, captured.word) == (
        Outcome.SUCCEEDED,
        Money(10_000, "AED"),
        "PARTIALLY_CAPTURED",
    )


@pytest.mark.parametrize("fault", ["drop", "sleep", "malformed", "http"])
async def test_hc02_a_capture_whose_answer_was_lost_is_not_made_again(authorised, fault):
    stage, reference = authorised
    await stage.fault("capture", fault, seconds=4, status=500, acts=True)
    half = Money(5_000, "AED")
    if fault == "malformed":  # the answer to the capture is not needed: the order is read again
        assert (await stage.provider.capture("pa_01", reference, half)).captured == half
    else:
        with pytest.raises(OutcomeUnknownError):
            await stage.provider.capture("pa_01", reference, half)
    again = await stage.provider.capture("pa_01", reference, half)
    assert again.captured == half
    assert (await stage.charges())["captured_minor"] == 5_000


async def test_a_refused_capture_is_a_refusal(authorised):
    stage, reference = authorised
    with pytest.raises(RejectedError):
        await stage.provider.capture("pa_01", reference, Money(99_999, "AED"))


async def test_an_order_of_another_reference_is_not_taken_for_ours(authorised):
    stage, reference = authorised
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.capture("pa_other", reference, AED)


async def test_an_authorisation_is_voided_once(authorised):
    stage, reference = authorised
    await stage.fault("void", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.void(stage.order(), reference)
    assert operations(stage).count("void") == 1  # a PUT aiohttp would have sent again
    report = await stage.provider.void(stage.order(), reference)
    assert (report.outcome, report.word) == (Outcome.SUCCEEDED, "REVERSED")
    assert operations(stage).count("void") == 1
    with pytest.raises(RejectedError):
        await stage.provider.refund(RefundOrder("re_01", "pa_01", reference, AED))


async def test_a_payment_held_by_the_issuer_is_not_proven_dead(stage):
    started = await stage.provider.start(stage.order())
    await stage.pay(card="4000000000000077")
    report = await stage.provider.void(stage.order(), started.provider_reference)
    assert report.outcome is Outcome.PENDING
    await stage.control("resolve", {"reference": "pa_01", "state": "CAPTURED"})
    with pytest.raises(RejectedError):
        await stage.provider.void(stage.order(), started.provider_reference)


@pytest.mark.parametrize(("code", "outcome"), [(CHALLENGE_CODE, Outcome.SUCCEEDED), ("000000", Outcome.DECLINED)])
async def test_three_d_secure_decides_on_the_page(stage, code, outcome):
    started = await stage.provider.start(stage.order())
    page = started.next_step.url
    async with stage.session.post(page, data={"card": "4000 0000 0000 3220"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"].split("?")[0]) == (303, page.split(stage.base_url)[1])
    waiting = await stage.provider.query(stage.order(), started.provider_reference)
    assert (waiting.outcome, waiting.next_step) == (Outcome.PENDING, Redirect(page))
    async with stage.session.post(f"{page}/challenge", data={"code": code}, allow_redirects=False) as answer:
        assert answer.headers["Location"].endswith(f"token=t&ref={started.provider_reference}")
    report = await stage.provider.query(stage.order(), started.provider_reference)
    assert report.outcome is outcome
    assert report.facts["three_d_secure"] == ("Y" if outcome is Outcome.SUCCEEDED else "N")


async def test_hc16_two_captured_orders_under_one_reference_add_up(stage):
    """Two pages seen by one payer: the sum is not what was asked for, so the caller stops and looks."""
    await stage.provider.start(stage.order())
    await stage.pay()
    blind = build(
        {**stage.settings, "order_lookup": "no"},
        session=stage.session,
        clock=stage.clock,
        random_bytes=bytes,
    )
    second = await blind.start(stage.order())
    await stage.pay(order=second.provider_reference)
    report = await stage.provider.query(stage.order(), None)
    assert report.captured == Money(25_100, "AED")
    assert report.facts["other_orders"]
    assert (await blind.query(stage.order(), None)).word == "NOT_FOUND"


async def test_of_a_failed_and_a_captured_order_the_captured_one_counts(stage):
    blind = build(
        {**stage.settings, "order_lookup": "no"}, session=stage.session, clock=stage.clock, random_bytes=bytes
    )
    first = await blind.start(stage.order())
    await stage.pay(order=first.provider_reference, card="4000000000000002")
    second = await blind.start(stage.order())
    pending = await stage.provider.query(stage.order(), None)
    assert (pending.outcome, pending.provider_reference) == (Outcome.PENDING, second.provider_reference)
    await stage.pay(order=second.provider_reference)
    report = await stage.provider.query(stage.order(), None)
    assert (report.outcome, report.captured) == (Outcome.SUCCEEDED, AED)


async def test_one_token_serves_many_calls_and_is_renewed_before_its_end(stage, clock):
    await asyncio.gather(*(stage.provider.start(stage.order(f"pa_{number}")) for number in range(10)))
    assert operations(stage).count("token") == 1
    clock.advance(seconds=239)
    await stage.provider.query(stage.order("pa_1"), None)
    assert operations(stage).count("token") == 1
    clock.advance(seconds=4)
    await stage.provider.query(stage.order("pa_1"), None)
    assert operations(stage).count("token") == 2


async def test_a_token_the_gateway_forgot_is_replaced_once(stage):
    await stage.provider.start(stage.order())
    await stage.fault("create", "http", status=401)
    report = await stage.provider.start(stage.order("pa_02"))
    assert report.outcome is Outcome.PENDING
    assert operations(stage).count("token") == 2
    await stage.fault("create", "http", times=2, status=401)
    with pytest.raises(RejectedError):
        await stage.provider.start(stage.order("pa_03"))


@pytest.mark.parametrize("fault", ["drop", "sleep", "http", "malformed"])
async def test_without_a_token_nothing_about_money_has_left(stage, fault):
    await stage.fault("token", fault, seconds=4, status=500)
    with pytest.raises(NotSentError):
        await stage.provider.start(stage.order())
    assert operations(stage) == ["token"]


async def test_an_order_search_that_fails_keeps_the_order_from_being_made(stage):
    await stage.fault("lookup", "http", status=500)
    with pytest.raises(NotSentError):
        await stage.provider.start(stage.order())
    assert "create" not in operations(stage)


async def test_a_refund_made_later_is_pending_until_the_scheme_confirms(stage):
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.fault("refund", "pending")
    order = RefundOrder("re_01", "pa_01", started.provider_reference, Money(50, "AED"))
    made = await stage.provider.refund(order)
    assert (made.outcome, made.word) == (Outcome.PENDING, "REQUESTED")
    later = RefundOrder(
        "re_01", "pa_01", started.provider_reference, Money(50, "AED"), refund_reference=made.provider_reference
    )
    assert (await stage.provider.query_refund(later)).outcome is Outcome.PENDING
    await stage.control("resolve", {"refund": made.provider_reference, "state": "FAILED"})
    assert (await stage.provider.query_refund(later)).outcome is Outcome.DECLINED


async def test_our_token_goes_to_the_gateways_host_only():
    endpoint = Endpoint("https://gateway.example", "outlet")
    with pytest.raises(OutcomeUnknownError):
        endpoint.refund("token", "https://evil.example/refund", AED)
    with pytest.raises(OutcomeUnknownError):
        endpoint.close_order("token", "http://gateway.example/cancel")


@pytest.mark.parametrize("reference", ["../../identity", "a/b", "..", ".", "", "x?y=1#z"])
def test_a_reference_cannot_leave_its_place_in_the_address(reference):
    endpoint = Endpoint("https://gateway.example", "outlet")
    try:
        url = endpoint.read("token", reference).url
    except OutcomeUnknownError:
        return
    tail = url.removeprefix("https://gateway.example/transactions/outlets/outlet/orders/")
    assert not set(tail) & set("/?#")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("action", "BUY"),
        ("order_lookup", "maybe"),
        ("webhook_header_value", "short"),
        ("timeout_s", "soon"),
        ("settlement_profile", '{"gross": 1}'),
        ("settlement_profile", '{"no_such": "x"}'),
        ("settlement_profile", '{"zone": "Nowhere/City"}'),
        ("settlement_profile", '{"delimiter": ";;"}'),
    ],
)
async def test_a_setting_that_cannot_be_meant_is_named(stage, key, value):
    with pytest.raises(SettingsError, match=key if key != "settlement_profile" else "profile"):
        build(
            {**SETTINGS, "base_url": "https://gateway.example", key: value},
            session=stage.session,
            clock=stage.clock,
            random_bytes=bytes,
        )


async def test_starts_of_one_reference_at_the_same_time_make_one_order(stage):
    reports = await asyncio.gather(*(stage.provider.start(stage.order()) for _ in range(8)))
    assert len({report.provider_reference for report in reports}) == 1
    assert len((await stage.book())["orders"]) == 1


@pytest.mark.parametrize("action", ["SALE", "AUTH", "PURCHASE"])
def test_the_facts_of_a_dispute_are_kept(action):
    answer = json.loads((SAMPLES / "order_captured.json").read_text())["answer"]
    payment = answer["_embedded"]["payment"][0]
    payment["authResponse"]["systemAuditTraceNumber"] = 4711
    payment["3ds2"] = {
        "eci": "05", "transStatus": "Y", "messageVersion": "2.2.0", "threeDSServerTransID": "server-1",
        "dsTransID": "directory-1", "acsURL": "https://acs.example",
    }  # fmt: skip
    facts = read_answer(json.dumps({**answer, "action": action}).encode()).facts
    assert facts["audit_trace_number"] == "4711"
    assert (facts["eci"], facts["three_d_secure"], facts["three_d_secure_version"]) == ("05", "Y", "2.2.0")
    assert (facts["three_d_secure_transaction"], facts["directory_server_transaction"]) == ("server-1", "directory-1")
