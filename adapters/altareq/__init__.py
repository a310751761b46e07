"""AlTareq, the UAE's Open Finance: payments from the payer's bank account to ours, consented at their bank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import msgspec

from adapters.altareq.calls import Endpoint
from adapters.altareq.client import OpenFinance
from adapters.altareq.directory import Directory
from adapters.altareq.keys import Ring, Seal, SealError, private_key, read_text, tls_context
from adapters.altareq.manifest import MANIFEST
from adapters.altareq.mapping import DECLINES, read_consent, read_payment
from adapters.altareq.wire import Derived, Party, WireConsentMessage, WirePaymentMessage
from adapters.calls import read_json
from adapters.contract import PayerBank, PaymentReport
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction

__all__ = ["DECLINES", "MANIFEST", "OpenFinance", "build", "read_answer"]

STATE_KEY_CHARS_MIN = 32


class _Bank(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    en: str
    ar: str


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> OpenFinance:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    if len(values["state_key"]) < STATE_KEY_CHARS_MIN:
        raise SettingsError(f"altareq: setting 'state_key' needs {STATE_KEY_CHARS_MIN} characters or more")
    try:
        timeout_s, abandon_after = float(values["timeout_s"]), timedelta(seconds=float(values["abandon_after_s"]))
    except (ValueError, OverflowError):
        raise SettingsError("altareq: 'timeout_s' and 'abandon_after_s' must be numbers of seconds") from None
    seal = Seal(
        private_key(values["signing_key"], "signing_key"),
        private_key(values["encryption_key"], "encryption_key"),
        values["signing_kid"],
    )
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction([*MANIFEST.secrets(values), values["creditor_iban"]]),
        tls=tls_context(values["client_certificate"], values["client_key"], values["ca_certificate"]),
        transcript=transcript,
        correlation=correlation,
    )
    party = Party(
        client_id=values["client_id"],
        iban=values["creditor_iban"],
        name_en=values["creditor_name_en"],
        name_ar=values["creditor_name_ar"],
        purpose_code=values["purpose_code"],
        billing_type=values["billing_type"],
        merchant_id=values["merchant_id"],
    )
    events = Ring()
    if values["event_keys"]:
        try:
            events.learn(read_text(values["event_keys"], "event_keys"))
        except SealError:
            raise SettingsError("altareq: setting 'event_keys' must be a JWKS with RSA keys") from None
    endpoint = Endpoint(
        party=party, seal=seal, derived=Derived(values["state_key"]), clock=clock, random_bytes=random_bytes
    )
    return OpenFinance(
        wire,
        Directory(wire, values["base_url"], clock, events),
        endpoint,
        banks=_banks(values["banks"]),
        seal=seal,
        events=events,
        clock=clock,
        client_id=values["client_id"],
        abandon_after=abandon_after,
    )


def _banks(text: str) -> tuple[PayerBank, ...]:
    try:
        banks = msgspec.json.decode(text, type=list[_Bank])
    except msgspec.MsgspecError:
        banks = []
    if not banks or any(not each.code or not each.en or not each.ar for each in banks):
        raise SettingsError('altareq: setting \'banks\' must be a list such as [{"code": "…", "en": "…", "ar": "…"}]')
    return tuple(PayerBank(each.code, each.ar, each.en) for each in banks)


def read_answer(body: bytes) -> PaymentReport:
    """Read a payment or a consent as it stands inside a verified token, without a network."""
    data = read_json(body, dict[str, Any]).get("Data")
    if isinstance(data, dict) and "PaymentId" in data:
        return read_payment(read_json(body, WirePaymentMessage).data, None)
    return read_consent(read_json(body, WireConsentMessage).data, None)
