"""Signed notifications: what stands, what is refused, and what an AUTHORISATION proves."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.adyen.callbacks import BODY_BYTES_MAX, WireItem, read_callback, sign
from adapters.adyen.mapping import EVENTS
from adapters.contract import DeclineReason, Outcome
from adapters.errors import CallbackRefusedError
from ledger.money import Money

KEY = bytes.fromhex("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056")
ACCOUNT = "Government"
ITEM = {
    "pspReference": "QFQTPCQ8HXSKGK82",
    "merchantAccountCode": ACCOUNT,
    "merchantReference": "pa_01",
    "eventCode": "AUTHORISATION",
    "eventDate": "2026-11-22T10:00:00+04:00",
    "success": "true",
    "amount": {"currency": "AED", "value": 12_550},
    "paymentMethod": "visa",
    "reason": "033899:1111:03/2030",
    "additionalData": {"cardSummary": "1111", "authCode": "033899"},
}


def signed(**changes) -> dict:
    item = {**ITEM, **changes}
    import msgspec

    signature = sign(msgspec.convert(item, WireItem), KEY)
    return {**item, "additionalData": {**item["additionalData"], "hmacSignature": signature}}


def wrap(*items: dict) -> bytes:
    return json.dumps(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": item} for item in items]}
    ).encode()


def read(*items: dict):
    return read_callback(wrap(*items), hmac_key=KEY, merchant_account=ACCOUNT)


def test_an_approved_authorisation_proves_the_payment():
    (notice,) = read(signed())
    assert (notice.proven, notice.reference, notice.provider_reference) == (True, "pa_01", "QFQTPCQ8HXSKGK82")
    report = notice.report
    assert (report.outcome, report.captured) == (Outcome.SUCCEEDED, Money(12_550, "AED"))
    assert (report.reference, report.provider_reference) == ("pa_01", "QFQTPCQ8HXSKGK82")
    assert report.facts == {"scheme": "visa", "card": "************1111", "authorisation_code": "033899"}


def test_a_refused_card_ends_nothing_and_names_no_payment():
    (notice,) = read(signed(success="false", reason="Not enough balance"))
    report = notice.report
    assert (report.outcome, report.decline) == (Outcome.PENDING, DeclineReason.INSUFFICIENT_FUNDS)
    assert (report.provider_reference, report.captured) == (None, None)


def test_a_reason_with_a_code_in_front_is_understood():
    (notice,) = read(signed(success="false", reason="51 : Not enough balance"))
    assert notice.report.decline is DeclineReason.INSUFFICIENT_FUNDS


@pytest.mark.parametrize("event", sorted(EVENTS - {"AUTHORISATION"}))
def test_every_other_event_is_a_hint(event):
    (notice,) = read(signed(eventCode=event, originalReference="QFQTPCQ8HXSKGK82", pspReference="MOD1"))
    assert (notice.proven, notice.report, notice.unrecognised) == (False, None, False)
    assert notice.provider_reference == "QFQTPCQ8HXSKGK82"


@pytest.mark.parametrize(
    ("event", "success", "outcome"),
    [
        ("REFUND", "true", Outcome.SUCCEEDED),
        ("REFUND", "false", Outcome.DECLINED),
        ("REFUND_FAILED", "true", Outcome.DECLINED),
        ("REFUNDED_REVERSED", "true", Outcome.DECLINED),
    ],
)
def test_what_became_of_a_refund_is_proven_and_says_nothing_of_its_payment(event, success, outcome):
    (notice,) = read(
        signed(
            eventCode=event, success=success, merchantReference="re_01", pspReference="MOD1",
            originalReference="QFQTPCQ8HXSKGK82", reason="Refund Failed",
        )
    )  # fmt: skip
    assert (notice.reference, notice.proven, notice.report) == ("re_01", False, None)
    assert (notice.refund.outcome, notice.refund.amount) == (outcome, Money(12_550, "AED"))
    assert notice.refund.word == f"{event}:{success}"
    assert notice.refund.provider_reference == ("MOD1" if event == "REFUND" else None)


@pytest.mark.parametrize(("event", "success"), [("REFUND", "maybe"), ("REFUND_FAILED", "false"), ("CAPTURE", "true")])
def test_every_other_word_says_nothing_of_a_refund(event, success):
    assert read(signed(eventCode=event, success=success))[0].refund is None


def test_hc11_an_unknown_event_or_an_odd_success_is_a_hint_and_never_a_payment():
    assert read(signed(eventCode="MOON_PHASE"))[0].unrecognised
    (odd,) = read(signed(success="maybe"))
    assert (odd.proven, odd.report) == (False, None)
    (strange,) = read(signed(amount={"currency": "ZZZ", "value": 1}))
    assert (strange.proven, strange.report) == (False, None)


def test_a_replay_has_the_same_event_id_and_another_outcome_another():
    assert read(signed())[0].event_id == read(signed())[0].event_id
    assert read(signed())[0].event_id != read(signed(success="false"))[0].event_id


def test_several_items_come_one_by_one():
    assert [notice.reference for notice in read(signed(), signed(merchantReference="pa_02"))] == ["pa_01", "pa_02"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pspReference", "OTHER"),
        ("originalReference", "OTHER"),
        ("merchantReference", "pa_02"),
        ("eventCode", "REFUND"),
        ("success", "false"),
        ("amount", {"currency": "AED", "value": 92_550}),
        ("amount", {"currency": "USD", "value": 12_550}),
        ("additionalData", {}),
        ("additionalData", {"hmacSignature": ""}),
        ("additionalData", {"hmacSignature": "\udcff"}),
    ],
)
def test_hc07_a_change_to_anything_signed_is_refused(field, value):
    with pytest.raises(CallbackRefusedError):
        read({**signed(), field: value})


def test_hc07_one_forged_item_refuses_the_whole_delivery():
    with pytest.raises(CallbackRefusedError):
        read(signed(), {**signed(), "success": "false"})


def test_hc07_another_account_or_another_key_is_refused():
    with pytest.raises(CallbackRefusedError):
        read(signed(merchantAccountCode="Somebody"))
    with pytest.raises(CallbackRefusedError):
        read_callback(wrap(signed()), hmac_key=bytes(32), merchant_account=ACCOUNT)


@pytest.mark.parametrize(
    "body",
    [
        wrap(),
        wrap(*[signed()] * 201),
        wrap(signed(pspReference="")),
        wrap(signed(pspReference="a\nb")),
        wrap(signed()) + b" " * BODY_BYTES_MAX,
        b'{"notificationItems": null}',
    ],
)
def test_hc32_what_cannot_be_meant_is_refused(body):
    with pytest.raises(CallbackRefusedError):
        read_callback(body, hmac_key=KEY, merchant_account=ACCOUNT)


@given(st.binary(max_size=600))
def test_no_bytes_crash_the_reader(body):
    with pytest.raises(CallbackRefusedError):
        read_callback(body, hmac_key=KEY, merchant_account=ACCOUNT)


@given(st.dictionaries(st.sampled_from([*ITEM, "originalReference"]), st.text(max_size=8), max_size=4))
def test_no_signed_document_crashes_the_reader(changes):
    changes = {key: value for key, value in changes.items() if key not in {"amount", "additionalData"}}
    try:
        (notice,) = read(signed(**changes))
    except CallbackRefusedError:
        return
    if notice.report and notice.report.captured:
        assert notice.report.captured == Money(12_550, "AED")
