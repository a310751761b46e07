"""Standard notifications: each item carries an HMAC over its decisive fields, so it proves what it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import msgspec

from adapters.adyen.mapping import EVENTS, decline_of, read_instant
from adapters.adyen.wire import WireAmount
from adapters.calls import decode_json
from adapters.contract import CallbackNotice, Outcome, PaymentReport, RefundReport
from adapters.errors import CallbackRefusedError, OutcomeUnknownError

BODY_BYTES_MAX: Final = 256 * 1024
ITEMS_MAX: Final = 200
REFERENCE_CHARS_MAX: Final = 128


REFUND_OUTCOMES: Final = {
    ("REFUND", "true"): Outcome.SUCCEEDED,
    ("REFUND", "false"): Outcome.DECLINED,
    ("REFUND_FAILED", "true"): Outcome.DECLINED,
    ("REFUNDED_REVERSED", "true"): Outcome.DECLINED,
}
"""Event and `success` of those that say what became of a refund."""


class WireItem(msgspec.Struct, frozen=True, rename="camel"):
    psp_reference: str
    merchant_account_code: str
    merchant_reference: str
    event_code: str
    success: str
    amount: WireAmount
    original_reference: str = ""
    event_date: str | None = None
    reason: str | None = None
    payment_method: str | None = None
    additional_data: dict[str, str] = msgspec.field(default_factory=dict)


class WireWrapper(msgspec.Struct, frozen=True):
    item: WireItem = msgspec.field(name="NotificationRequestItem")


class WireNotification(msgspec.Struct, frozen=True, rename="camel"):
    notification_items: list[WireWrapper]
    live: str | None = None


def sign(item: WireItem, hmac_key: bytes) -> str:
    """Return the signature Adyen puts into `additionalData.hmacSignature`."""
    fields = (
        item.psp_reference,
        item.original_reference,
        item.merchant_account_code,
        item.merchant_reference,
        str(item.amount.value),
        item.amount.currency,
        item.event_code,
        item.success,
    )
    return base64.b64encode(hmac.digest(hmac_key, ":".join(fields).encode(), hashlib.sha256)).decode()


def read_callback(body: bytes, *, hmac_key: bytes, merchant_account: str) -> list[CallbackNotice]:
    """Verify every item; one that does not stand refuses the whole delivery."""
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the callback is longer than {BODY_BYTES_MAX} bytes")
    try:
        notification = decode_json(body, WireNotification)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CallbackRefusedError(f"the callback cannot be read: {error}") from None
    items = [wrapper.item for wrapper in notification.notification_items]
    if not 0 < len(items) <= ITEMS_MAX:
        raise CallbackRefusedError(f"the callback has {len(items)} items")
    for item in items:
        given = item.additional_data.get("hmacSignature", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), sign(item, hmac_key).encode()):
            raise CallbackRefusedError("an item's signature is missing or wrong")
        if item.merchant_account_code != merchant_account:
            raise CallbackRefusedError("the callback is for another merchant account")
        texts = (item.psp_reference, item.event_code, item.success)
        if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts):
            raise CallbackRefusedError("the callback carries an empty, overlong or unprintable reference")
    return [_notice(item) for item in items]


def _notice(item: WireItem) -> CallbackNotice:
    """An AUTHORISATION and the words of a refund prove what they say. Else the payment's own standing must be read."""
    report = _report(item) if item.event_code == "AUTHORISATION" else None
    return CallbackNotice(
        event_id=f"{item.psp_reference}:{item.event_code}:{item.success}"[:200],
        reference=item.merchant_reference or None,
        provider_reference=item.original_reference or item.psp_reference,
        word=item.event_code,
        proven=report is not None,
        report=report,
        unrecognised=item.event_code not in EVENTS,
        refund=_refund_report(item),
    )


def _refund_report(item: WireItem) -> RefundReport | None:
    """Read what became of a refund: Adyen tells it here and nowhere else. It may fail after it was done."""
    outcome = REFUND_OUTCOMES.get((item.event_code, item.success))
    if outcome is None:
        return None
    try:
        amount = item.amount.money()
    except OutcomeUnknownError:
        return None
    # Only the word that answers our request is sure to carry the refund's own reference at Adyen.
    own = item.psp_reference if item.event_code == "REFUND" else None
    return RefundReport(outcome, own, amount, word=f"{item.event_code}:{item.success}")


def _report(item: WireItem) -> PaymentReport | None:
    if item.success not in {"true", "false"}:
        return None
    approved = item.success == "true"
    try:
        captured = item.amount.money() if approved else None
    except OutcomeUnknownError:
        return None
    extra = item.additional_data
    facts = {
        "scheme": item.payment_method or "",
        "card": f"************{extra['cardSummary']}" if extra.get("cardSummary", "").isdecimal() else "",
        "authorisation_code": extra.get("authCode", ""),
        "reason": "" if approved else (item.reason or "")[:REFERENCE_CHARS_MAX],
    }
    return PaymentReport(
        # A refused card ends nothing: the payer may try another one on the same page.
        outcome=Outcome.SUCCEEDED if approved else Outcome.PENDING,
        # Only the payment that went through gets to name this attempt.
        provider_reference=item.psp_reference if approved else None,
        reference=item.merchant_reference,
        captured=captured,
        word=f"AUTHORISATION:{item.success}",
        decline=None if approved else decline_of(item.reason or ""),
        occurred_at=read_instant(item.event_date),
        facts={name: value for name, value in facts.items() if value},
    )
