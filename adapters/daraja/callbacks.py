"""Callbacks: unsigned, and with nothing of ours in them. The address they come to has our reference and a key."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from adapters.contract import CallbackNotice
from adapters.daraja.mapping import DECLINES, PROCESSING, SUCCESS
from adapters.daraja.wire import WireEnvelope
from adapters.errors import CallbackRefusedError

BODY_BYTES_MAX: Final = 64 * 1024
REFERENCE_CHARS_MAX: Final = 128


def read_callback(headers: Mapping[str, str], body: bytes, *, key: str) -> list[CallbackNotice]:
    """Check the key in the address and read which payment to ask about."""
    if len(body) > BODY_BYTES_MAX:
        raise CallbackRefusedError(f"the callback is longer than {BODY_BYTES_MAX} bytes")
    reference, given = _address(headers)
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode()):
        raise CallbackRefusedError("the key in the callback's address is missing or wrong")
    try:
        told = msgspec.json.decode(body, type=WireEnvelope).body.callback
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CallbackRefusedError("the callback cannot be read") from None
    code = str(told.result_code)
    texts = (reference, told.checkout_request_id, code)
    if any(not 0 < len(text) <= REFERENCE_CHARS_MAX or not text.isprintable() for text in texts):
        raise CallbackRefusedError("the callback carries an empty, overlong or unprintable reference")
    return [
        CallbackNotice(
            event_id=f"{told.checkout_request_id}:{code}"[:200],
            reference=reference,
            provider_reference=told.checkout_request_id,
            word=code,
            unrecognised=code not in DECLINES and code not in PROCESSING and code != SUCCESS,
        )
    ]


def _address(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the last two parts of the path the callback came to."""
    found = [value for name, value in headers.items() if name == ":path"]
    parts = found[0].split("/") if len(found) == 1 else []
    if len(parts) < 2:  # noqa: PLR2004 - our reference and the key
        return "", ""
    return unquote(parts[-2]), unquote(parts[-1])
