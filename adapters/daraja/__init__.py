"""M-Pesa in Kenya, by Safaricom's Daraja API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from adapters.calls import read_json
from adapters.contract import PaymentReport
from adapters.daraja.client import Mpesa
from adapters.daraja.manifest import MANIFEST
from adapters.daraja.mapping import DECLINES, read_movement, read_outcome, read_started
from adapters.daraja.wire import read_page, read_prompt, read_result
from adapters.errors import OutcomeUnknownError
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction

__all__ = ["DECLINES", "MANIFEST", "Mpesa", "build", "read_answer"]

TYPES: Final = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,}")


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],  # noqa: ARG001 (every provider is made alike; this one mints nothing)
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> Mpesa:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    if not _KEY.fullmatch(values["callback_key"]):
        raise SettingsError(
            "daraja: setting 'callback_key' needs 16 or more letters and digits: it stands in an address"
        )
    if values["transaction_type"] not in TYPES:
        raise SettingsError(f"daraja: setting 'transaction_type' is one of {', '.join(TYPES)}")
    try:
        timeout_s = float(values["timeout_s"])
        zone = ZoneInfo(values["zone"])
        values["batch_pattern"].format(date=date.min, currency="KES")
    except (ValueError, LookupError, OSError) as error:
        raise SettingsError(f"daraja: 'timeout_s', 'zone' or 'batch_pattern' cannot be meant: {error}") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return Mpesa(wire, settings=values, zone=zone, clock=clock)


def read_answer(body: bytes) -> PaymentReport:
    """Read the answer to a push, a result, or a list of one payment, without a network."""
    document = read_json(body, object)
    if isinstance(document, dict) and "Response" in document:
        movements = read_page(body)
        if len(movements) != 1:
            raise OutcomeUnknownError(f"the list has {len(movements)} payments where one is read")
        return read_movement(movements[0], None, ZoneInfo("Africa/Nairobi"))
    if isinstance(document, dict) and "ResultCode" in document:
        return read_outcome(read_result(body))
    return read_started(read_prompt(body), None, None)
