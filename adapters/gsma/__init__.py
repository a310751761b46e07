"""Mobile wallets and carriers that speak the GSMA Mobile Money API 1.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import aiohttp

from adapters.calls import read_json
from adapters.contract import PaymentReport
from adapters.gsma.client import MobileMoney
from adapters.gsma.manifest import MANIFEST
from adapters.gsma.mapping import DECLINES, read_payment, read_waiting
from adapters.gsma.wire import read_state, read_transaction
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction

__all__ = ["DECLINES", "MANIFEST", "MobileMoney", "build", "read_answer"]

KEY_CHARS_MIN = 16
"""A callback key shorter than this could be guessed."""


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],  # noqa: ARG001 (every provider is made alike; this one mints nothing)
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> MobileMoney:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    if len(values["callback_key"]) < KEY_CHARS_MIN:
        raise SettingsError(f"gsma: setting 'callback_key' needs {KEY_CHARS_MIN} characters or more")
    try:
        timeout_s = float(values["timeout_s"])
        zone = ZoneInfo(values["zone"])
        values["batch_pattern"].format(date=date.min, currency="AED")
    except (ValueError, LookupError, OSError) as error:
        raise SettingsError(f"gsma: 'timeout_s', 'zone' or 'batch_pattern' cannot be meant: {error}") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return MobileMoney(wire, settings=values, zone=zone, clock=clock)


def read_answer(body: bytes) -> PaymentReport:
    """Read a transaction or a request state, without a network."""
    document = read_json(body, object)
    if isinstance(document, dict) and "serverCorrelationId" in document:
        return read_waiting(read_state(body), None, None)
    return read_payment(read_transaction(body))
