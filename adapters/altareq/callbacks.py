"""What reaches us from outside: events (a signed token inside an encrypted one) and the payer's return."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec

from adapters.altareq.keys import Ring, Seal, SealError
from adapters.altareq.mapping import DECLINES, read_consent, read_payment
from adapters.altareq.wire import Derived, WireConsent, WirePayment, consent_of, read_message, reference_of
from adapters.contract import CallbackNotice, PaymentReport
from adapters.errors import CallbackRefusedError, OutcomeUnknownError

BODY_BYTES_MAX: Final = 256 * 1024
REFERENCE_CHARS_MAX: Final = 128
RETURN_CHARS_MAX: Final = 2_000


class _Meta(msgspec.Struct, frozen=True, rename="pascal"):
    event_date_time: str
    event_resource: str
    event_type: str
    consent_id: str


class _Event(msgspec.Struct, frozen=True, rename="pascal"):
    meta: _Meta
    data: msgspec.Raw = msgspec.Raw(b"{}")


def read_event(body: bytes, *, seal: Seal, ring: Ring, now: datetime) -> list[CallbackNotice]:
    """Open and verify an event, and read what it says of a payment or a consent."""
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the event is longer than {BODY_BYTES_MAX} bytes")
    try:
        compact = seal.open(body.decode("ascii").strip())
        event = read_message(ring.verify(compact, now), _Event)
        notice = _read(event)
    except (SealError, OutcomeUnknownError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise CallbackRefusedError(f"the event does not stand: {error}") from None
    texts = (notice.event_id, notice.word, notice.reference, notice.provider_reference)
    if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts if text is not None):
        raise CallbackRefusedError("the event carries an empty, overlong or unprintable reference")
    return [notice]


def _read(event: _Event) -> CallbackNotice:
    data = msgspec.json.decode(event.data, type=dict[str, Any])
    if "PaymentId" in data:
        payment = msgspec.json.decode(event.data, type=WirePayment)
        _same(payment.consent_id, event.meta.consent_id)
        report = read_payment(payment, reference_of(payment.consent_id))
        return _notice(f"payment:{payment.payment_id}:{payment.status}", report)
    if "ConsentId" in data:
        consent = msgspec.json.decode(event.data, type=WireConsent)
        _same(consent.consent_id, event.meta.consent_id)
        ours = consent.creditor_reference
        reference = ours if ours and consent_of(ours) == consent.consent_id else reference_of(consent.consent_id)
        return _notice(f"consent:{consent.consent_id}:{consent.status}", read_consent(consent, reference))
    # A deleted resource carries no data; whatever else is new is a reason to ask.
    meta = event.meta
    return CallbackNotice(
        event_id=f"event:{meta.consent_id}:{meta.event_type}:{meta.event_date_time}"[:REFERENCE_CHARS_MAX],
        reference=reference_of(meta.consent_id),
        provider_reference=None,
        word=meta.event_type,
        proven=False,
    )


def _same(named: str, announced: str) -> None:
    if named != announced:
        raise SealError("the event is about two consents")


def _notice(event_id: str, report: PaymentReport) -> CallbackNotice:
    return CallbackNotice(
        event_id=event_id,
        reference=report.reference,
        provider_reference=report.provider_reference,
        word=report.word,
        proven=True,
        report=report,
        unrecognised=report.unrecognised,
    )


def read_return(query: Mapping[str, str], *, derived: Derived) -> CallbackNotice:
    """Read what the payer's browser brought: whose it is, and the code where they consented. It decides nothing."""
    if any(len(value) > RETURN_CHARS_MAX or not value.isprintable() for value in query.values()):
        raise CallbackRefusedError("the return carries an overlong or unprintable value")
    reference = derived.reference(query.get("state", ""))
    if reference is None:
        raise CallbackRefusedError("the return's state is not one of ours")
    code, issuer, error = (query.get(name, "") for name in ("code", "iss", "error"))
    if not code and not error:
        raise CallbackRefusedError("the return carries neither a code nor an error")
    if code and not issuer:
        raise CallbackRefusedError("the return does not say who issued its code")
    brought = hashlib.sha256(f"{code}:{error}".encode()).hexdigest()[:32]
    return CallbackNotice(
        event_id=f"return:{reference}:{brought}",
        reference=reference,
        provider_reference=None,
        word="returned" if code else error[:100],
        unrecognised=not code and error not in DECLINES,
        continuation=urlencode({"code": code, "iss": issuer}) if code else None,
    )


def read_continuation(continuation: str) -> tuple[str, str]:
    """Return the code and its issuer."""
    found = parse_qs(continuation)
    try:
        return found["code"][0], found["iss"][0]
    except (KeyError, IndexError):
        raise OutcomeUnknownError("the continuation cannot be read") from None
