"""Adyen: cards on a payment link's page, signed notifications, settlement details."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from adapters.adyen.client import AdyenLinks
from adapters.adyen.manifest import MANIFEST
from adapters.adyen.mapping import DECLINES, read_report
from adapters.adyen.wire import read_link
from adapters.contract import PaymentReport
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction

__all__ = ["DECLINES", "MANIFEST", "AdyenLinks", "build", "read_answer"]

HMAC_KEY_BYTES_MIN = 32


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],  # noqa: ARG001 (every provider is made alike; this one reads no clock)
    random_bytes: Callable[[int], bytes],  # noqa: ARG001
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> AdyenLinks:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    try:
        hmac_key = binascii.unhexlify(values["hmac_key"])
    except ValueError:
        hmac_key = b""
    if len(hmac_key) < HMAC_KEY_BYTES_MIN:
        raise SettingsError(f"adyen: setting 'hmac_key' must be {HMAC_KEY_BYTES_MIN} bytes or more in hexadecimal")
    try:
        timeout_s = float(values["timeout_s"])
    except ValueError:
        raise SettingsError("adyen: setting 'timeout_s' must be a number of seconds") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return AdyenLinks(wire, settings=values, hmac_key=hmac_key)


def read_answer(body: bytes) -> PaymentReport:
    """Read one link, without a network."""
    return read_report(read_link(body), None)
