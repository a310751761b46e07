"""Callbacks (PUT): unsigned, so a hint. The shared key, the content hash and the date are checked; then we ask."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.contract import CallbackNotice
from adapters.errors import CallbackRefusedError
from adapters.gsma.mapping import DECLINES, STATUSES, read_instant
from adapters.gsma.wire import WireError, WireTransaction, reference_of

BODY_BYTES_MAX: Final = 256 * 1024
REFERENCE_CHARS_MAX: Final = 256
AGE_MAX: Final = timedelta(hours=24)
AHEAD_MAX: Final = timedelta(minutes=5)


def read_callback(headers: Mapping[str, str], body: bytes, *, key: str, now: datetime) -> list[CallbackNotice]:
    """Check what can be checked and read which payment or refund to ask about."""
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the callback is longer than {BODY_BYTES_MAX} bytes")
    if not _equal(_header(headers, "X-API-Key"), key):
        raise CallbackRefusedError("the X-API-Key header is missing or wrong")
    digest = _header(headers, "X-Content-Hash")
    if digest and not _equal(digest.lower(), hashlib.sha256(body).hexdigest()):
        raise CallbackRefusedError("the body is not what X-Content-Hash says")
    _check_date(_header(headers, "X-Date"), now)
    correlation = _header(headers, "X-CorrelationID")
    notice = _transaction_notice(body) or _error_notice(body, correlation)
    if notice is None:
        raise CallbackRefusedError("the callback is neither a transaction nor an error")
    texts = (notice.event_id, notice.word, notice.reference, notice.provider_reference)
    if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts if text is not None):
        raise CallbackRefusedError("the callback carries an empty, overlong or unprintable reference")
    return [notice]


def _transaction_notice(body: bytes) -> CallbackNotice | None:
    try:
        transaction = msgspec.json.decode(body, type=WireTransaction)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    status = transaction.transaction_status
    return CallbackNotice(
        event_id=f"{transaction.transaction_reference[:120]}:{status[:50]}",
        reference=transaction.requesting_organisation_transaction_reference,
        provider_reference=transaction.transaction_reference,
        word=status,
        unrecognised=status.lower() not in STATUSES,
    )


def _error_notice(body: bytes, correlation: str) -> CallbackNotice | None:
    """Read a failure: its body names no payment, only the correlation id of the request does."""
    try:
        error = msgspec.json.decode(body, type=WireError)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    reference = reference_of(correlation, "pa")
    if reference is None:
        return None
    return CallbackNotice(
        event_id=f"{correlation}:{error.error_code[:100]}",
        reference=reference,
        provider_reference=None,
        word=error.error_code,
        unrecognised=error.error_code not in DECLINES,
    )


def _check_date(text: str, now: datetime) -> None:
    if not text:
        return
    sent_at = read_instant(text)
    if sent_at is None or not now - AGE_MAX <= sent_at <= now + AHEAD_MAX:
        raise CallbackRefusedError("the callback is too old, from the future, or its X-Date cannot be read")


def _header(headers: Mapping[str, str], name: str) -> str:
    """Return the one value of a header; none or two of them are none."""
    found = [value for header, value in headers.items() if header.lower() == name.lower()]
    return found[0] if len(found) == 1 else ""


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
