"""Callbacks: signed over their time and body, so they prove what they say."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from adapters.contract import CallbackNotice
from adapters.errors import CallbackRefusedError, OutcomeUnknownError
from adapters.template.mapping import read_report
from adapters.template.wire import WirePayment

BODY_BYTES_MAX: Final = 64 * 1024
REFERENCE_CHARS_MAX: Final = 128
AGE_S_MAX: Final = 24 * 3600


class WireEvent(msgspec.Struct, frozen=True):
    event: str
    payment: WirePayment


def sign(secret: str, sent_at: str, body: bytes) -> str:
    signed = sent_at.encode("utf-8", "replace") + b"." + body
    return hmac.digest(secret.encode(), signed, hashlib.sha256).hex()


def read_callback(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> list[CallbackNotice]:
    """Verify signature and age, and read the payment."""
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the callback is longer than {BODY_BYTES_MAX} bytes")
    sent_at = _header(headers, "X-Timestamp")
    given = _header(headers, "X-Signature")
    if not sent_at.isascii() or not hmac.compare_digest(
        given.encode("utf-8", "replace"), sign(secret, sent_at, body).encode()
    ):
        raise CallbackRefusedError("the signature is missing or wrong")
    if not (sent_at.isascii() and sent_at.isdecimal()) or abs(now.timestamp() - int(sent_at[:12])) > AGE_S_MAX:
        raise CallbackRefusedError("the callback is too old or from the future")
    try:
        event = msgspec.json.decode(body, type=WireEvent)
        report = read_report(event.payment)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OutcomeUnknownError) as error:
        raise CallbackRefusedError(f"the callback cannot be read: {error}") from None
    texts = (event.event, event.payment.id, event.payment.reference)
    if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts):
        raise CallbackRefusedError("the callback carries an empty, overlong or unprintable reference")
    return [
        CallbackNotice(
            event_id=event.event,
            reference=event.payment.reference,
            provider_reference=event.payment.id,
            word=event.payment.status,
            proven=True,
            report=report,
            unrecognised=report.unrecognised,
        )
    ]


def _header(headers: Mapping[str, str], name: str) -> str:
    """Return the one value of a header; none or two of them are none."""
    found = [value for header, value in headers.items() if header.lower() == name.lower()]
    return found[0] if len(found) == 1 else ""
