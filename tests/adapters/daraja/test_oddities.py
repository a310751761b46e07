"""What is ugly about M-Pesa's API, each oddity as its wire words it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import ApproveOnPhone, DeclineReason, LineKind, Outcome
from adapters.daraja.mapping import DECLINES, read_outcome
from adapters.daraja.wire import WireResult, account_of, read_amount, refusal, write_amount
from adapters.errors import CallbackRefusedError, NotSentError, OutcomeUnknownError, RejectedError
from ledger.money import EXPONENTS, Money


@pytest.fixture
async def till(stages):
    async with stages("daraja", timeout_s="1.5") as stage:
        yield stage


def requests(stage, operation: str) -> list[dict]:
    return [msgspec.json.decode(each.request_body) for each in stage.transcript if each.operation == operation]


@given(st.integers(-(10**9), 10**9), st.sampled_from(sorted(EXPONENTS)))
def test_only_whole_shillings_are_ever_written(minor, currency):
    amount = Money(minor, currency)
    if refusal(amount) is None:
        assert (currency, minor % 100) == ("KES", 0)
        assert Money(write_amount(amount) * 100, "KES") == amount
    else:
        with pytest.raises(ValueError, match="M-Pesa takes"):
            write_amount(amount)


@pytest.mark.parametrize(
    "amount", [Money(12_550, "KES"), Money(12_500, "AED"), Money(0, "KES"), Money(99, "KES"), Money(250_001_00, "KES")]
)
async def test_an_amount_that_cannot_be_written_is_refused_before_it_leaves(till, amount):
    assert till.provider.refusal(amount)
    with pytest.raises(RejectedError):
        await till.provider.start(replace(till.order(), amount=amount))
    assert till.transcript == []


async def test_a_push_is_worded_as_the_api_wants_it(till):
    report = await till.provider.start(till.order(description="Trade licence: renewal №7 <b>"))
    assert report.next_step == ApproveOnPhone("+971501234567")
    assert report.provider_reference.startswith("ws_CO_")
    (body,) = requests(till, "create")
    assert body["Amount"] == 125
    assert body["AccountReference"] == account_of("pa_01")
    assert len(body["AccountReference"]) == 12
    assert body["TransactionDesc"] == "Trade licence"
    assert body["Timestamp"] == "20261122090000"  # Nairobi's clock


@given(st.text(min_size=1), st.text(min_size=1))
def test_account_references_are_short_plain_and_tell_payments_apart(one, other):
    assert account_of(one).isalnum()
    assert account_of(one).isascii()
    assert (account_of(one) == account_of(other)) is (one == other)


@pytest.mark.parametrize(("code", "reason"), sorted(DECLINES.items()))
@pytest.mark.parametrize("as_number", [False, True])
def test_a_result_is_a_number_or_a_text(code, reason, as_number):
    report = read_outcome(WireResult("ws_CO_1", int(code) if as_number else code))
    assert (report.outcome, report.decline) == (Outcome.DECLINED, reason)


async def test_not_yet_is_told_as_a_server_error_and_is_no_failure(till):
    started = await till.provider.start(till.order())
    report = await till.provider.query(till.order(), started.provider_reference)
    assert (report.outcome, report.word, report.unrecognised) == (Outcome.PENDING, "PROCESSING", False)


@pytest.mark.parametrize("words", ["[MerchantValidate] - Wrong credentials", "Unable to lock subscriber", ""])
async def test_the_same_code_with_other_words_says_nothing_about_a_prompt(till, words):
    started = await till.provider.start(till.order())
    body = msgspec.json.encode({"requestId": "1", "errorCode": "500.001.1001", "errorMessage": words}).decode()
    await till.fault("query", "http", status=500, body=body)
    with pytest.raises(OutcomeUnknownError):
        await till.provider.query(till.order(), started.provider_reference)


@pytest.mark.parametrize(
    ("status", "code", "words", "reason"),
    [
        (500, "500.001.1001", "Unable to lock subscriber, a transaction is already in process", DeclineReason.OTHER),
        (400, "400.002.02", "Bad Request - Invalid PhoneNumber", DeclineReason.INVALID_DETAILS),
    ],
)
async def test_a_payer_who_cannot_be_asked_is_told_so(till, status, code, words, reason):
    body = msgspec.json.encode({"requestId": "1", "errorCode": code, "errorMessage": words}).decode()
    await till.fault("create", "http", status=status, body=body)
    report = await till.provider.start(till.order())
    assert (report.outcome, report.decline) == (Outcome.DECLINED, reason)


async def test_a_server_error_nobody_can_read_leaves_the_start_unknown(till):
    await till.fault("create", "http", status=500, body='{"errorCode": "500.003.02", "errorMessage": "System is busy"}')
    with pytest.raises(OutcomeUnknownError):
        await till.provider.start(till.order())


async def test_a_dead_token_is_told_by_404_and_fetched_anew_once(till):
    await till.provider.start(till.order())
    body = '{"requestId": "1", "errorCode": "404.001.03", "errorMessage": "Invalid Access Token"}'
    await till.fault("create", "http", status=404, body=body)
    await till.provider.start(till.order("pa_02"))
    assert [each.operation for each in till.transcript] == ["token", "create", "create", "token", "create"]
    assert (await till.charges("pa_02"))["charges"] == 0
    assert len((await till.book())["prompts"]) == 2


async def test_a_token_is_shared_and_renewed_before_it_dies(till, clock):
    await till.provider.start(till.order())
    await till.provider.start(till.order("pa_02"))
    clock.advance(seconds=3_560)
    await till.provider.start(till.order("pa_03"))
    assert [each.operation for each in till.transcript].count("token") == 2


async def test_without_a_token_nothing_about_money_has_left(till):
    await till.fault("token", "http", status=503)
    with pytest.raises(NotSentError):
        await till.provider.start(till.order())


async def test_a_success_waits_for_the_list_to_show_it(till):
    """The result alone names no amount, and an amount of ours is never put in the provider's mouth."""
    started = await till.provider.start(till.order())
    await till.pay()
    await till.fault("query", "ok")
    empty = '{"ResponseCode": "1001", "ResponseMessage": "none", "Response": "[[]]"}'
    await till.fault("query", "http", status=200, body=empty)
    report = await till.provider.query(till.order(), started.provider_reference)
    assert (report.outcome, report.captured, report.word) == (Outcome.PENDING, None, "0")
    again = await till.provider.query(till.order(), started.provider_reference)
    assert (again.outcome, again.captured) == (Outcome.SUCCEEDED, Money(12_500, "KES"))
    assert len(again.provider_reference) == 10


async def test_a_receipt_of_another_payment_proves_nothing(till):
    theirs = await till.collect("pa_theirs")
    report = await till.provider.query(till.order(), theirs)
    assert (report.outcome, report.captured) == (Outcome.PENDING, None)


async def test_another_payments_prompt_proves_nothing(till):
    theirs = await till.provider.start(till.order("pa_theirs"))
    await till.pay("pa_theirs")
    report = await till.provider.query(till.order(), theirs.provider_reference)
    assert (report.outcome, report.reference) == (Outcome.PENDING, None)


async def test_the_list_is_read_page_by_page(till, clock):
    for number in range(130):
        order = till.order(f"pa_{number:03d}")
        await till.provider.start(order)
        await till.pay(f"pa_{number:03d}")
    last = await till.provider.query(till.order("pa_129"), None)
    assert last.outcome is Outcome.SUCCEEDED
    clock.advance(days=1)
    (file,) = [file async for file in till.provider.settlement_files(date(2026, 11, 22))]
    assert len(file.lines) == 130
    assert file.total_net == Money(130 * 12_500, "KES")


async def test_a_day_is_nairobis_and_an_unknown_kind_is_kept(till, clock):
    clock.set(clock() + timedelta(hours=15, minutes=30))  # 21:30 UTC: the 23rd in Nairobi
    await till.collect()
    clock.advance(days=2)
    assert [file async for file in till.provider.settlement_files(date(2026, 11, 22))] == []
    await till.fault("settlement", "unknown_type")
    (file,) = [file async for file in till.provider.settlement_files(date(2026, 11, 23))]
    assert [line.kind for line in file.lines] == [LineKind.PAYMENT, LineKind.OTHER]


CALLBACK = b'{"Body":{"stkCallback":{"MerchantRequestID":"1","CheckoutRequestID":"ws_CO_1","ResultCode":1032}}}'


@pytest.mark.parametrize(
    "path", ["", "/", "/callbacks/daraja", "/callbacks/daraja/pa_01/wrongCallbackKey", "/callbacks/daraja/pa_01/", "é"]
)
async def test_a_callback_to_another_address_is_refused(till, path):
    with pytest.raises(CallbackRefusedError):
        till.provider.read_callback({":path": path}, CALLBACK)


async def test_a_callback_names_our_reference_by_its_address_alone(till):
    path = f"/callbacks/daraja/pa_01/{till.settings['callback_key']}"
    (notice,) = till.provider.read_callback({":path": path}, CALLBACK)
    assert (notice.reference, notice.provider_reference, notice.word) == ("pa_01", "ws_CO_1", "1032")
    assert not notice.proven
    with pytest.raises(CallbackRefusedError):
        till.provider.read_callback({":path": path.replace("pa_01", "pa_%00")}, CALLBACK)


@given(body=st.binary(max_size=200), path=st.text(max_size=60))
def test_no_callback_crashes_the_reader(body, path):
    from adapters.daraja.callbacks import read_callback

    with pytest.raises(CallbackRefusedError):
        read_callback({":path": path}, body, key="k" * 20)


@pytest.mark.parametrize("value", ["168.00", "168", 168, 168.0, "168.5", 233.8])
def test_listed_amounts_are_read_exactly(value):
    assert read_amount(value) == Money(round(float(value) * 100), "KES")


@pytest.mark.parametrize("value", ["1.234", "", "x", "1e5", 1.23456, float("inf")])
def test_listed_amounts_that_cannot_be_booked_are_unknown(value):
    with pytest.raises(OutcomeUnknownError):
        read_amount(value)


async def test_the_check_looks_at_what_a_payment_needs(till):
    assert (await till.provider.check()).available
    await till.fault("query", "http", status=403)
    health = await till.provider.check()
    assert (health.available, "403" in health.detail) == (False, True)


async def test_a_mobile_number_is_needed(till):
    with pytest.raises(RejectedError):
        await till.provider.start(replace(till.order(), payer_mobile=None))
