"""N-Genius webhooks: unsigned and sent once, so each is a hint which order to read, never a proof."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.contract import CallbackNotice
from adapters.errors import CallbackRefusedError
from adapters.ngenius.mapping import EVENTS

BODY_BYTES_MAX: Final = 256 * 1024
REFERENCE_CHARS_MAX: Final = 128


class WireEventOrder(msgspec.Struct, frozen=True, rename="camel"):
    reference: str
    outlet_id: str | None = None
    merchant_order_reference: str | None = None


class WireEvent(msgspec.Struct, frozen=True, rename="camel"):
    event_id: str
    event_name: str
    order: WireEventOrder
    outlet_id: str | None = None


def read_callback(
    headers: Mapping[str, str], body: bytes, *, header_name: str, header_value: str, outlet: str
) -> list[CallbackNotice]:
    """Check the static header in constant time and read which order to ask about."""
    _check_header(headers, header_name, header_value)
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the callback is longer than {BODY_BYTES_MAX} bytes")
    try:
        event = msgspec.json.decode(body, type=WireEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CallbackRefusedError(f"the callback cannot be read: {error}") from None
    for named in (event.outlet_id, event.order.outlet_id):
        if named is not None and named != outlet:
            raise CallbackRefusedError("the callback is for another outlet")
    texts = (event.event_id, event.event_name, event.order.reference, event.order.merchant_order_reference)
    if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts if text is not None):
        raise CallbackRefusedError("the callback carries an empty, overlong or unprintable reference")
    return [
        CallbackNotice(
            event_id=event.event_id,
            reference=event.order.merchant_order_reference,
            provider_reference=event.order.reference,
            word=event.event_name,
            unrecognised=event.event_name not in EVENTS,
        )
    ]


def _check_header(headers: Mapping[str, str], name: str, expected: str) -> None:
    sent = [value for header, value in headers.items() if header.lower() == name.lower()]
    # A second header of the same name would let a proxy and us look at different ones.
    given = sent[0] if len(sent) == 1 else ""
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode()):
        raise CallbackRefusedError("the webhook header is missing or wrong")
