"""Transfers that payers send from their own bank to our account, found by a reference with check digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from adapters.bank_channel import Papers
from adapters.bank_transfer.client import BankTransfers
from adapters.bank_transfer.manifest import MANIFEST
from adapters.bank_transfer.mapping import read_report, total_of
from adapters.bank_transfer.papers import of_the_day, read_paper
from adapters.bank_transfer.wire import VIRTUAL_DIGITS_MIN, Beneficiary
from adapters.calls import read_json
from adapters.contract import DeclineReason, PaymentReport
from adapters.errors import FileRefusedError, OutcomeUnknownError
from adapters.formats.creditor_reference import is_valid
from adapters.http import Exchange, WireClient
from adapters.manifest import SettingsError
from adapters.redaction import Redaction
from ledger.errors import MoneyError
from ledger.money import Money, exponent_of

__all__ = ["DECLINES", "MANIFEST", "BankTransfers", "build", "read_answer"]

DECLINES: Final[Mapping[str, DeclineReason]] = {}
"""Nobody declines a transfer: it comes or it does not."""


def build(
    settings: Mapping[str, str],
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],  # noqa: ARG001 (every provider is made alike; references are derived)
    transcript: Callable[[Exchange], None] | None = None,
    correlation: Callable[[], str | None] | None = None,
) -> BankTransfers:
    """Make the provider from its settings; an error names the key and what it expects."""
    values = MANIFEST.read(settings)
    account_iban = values["account_iban"].replace(" ", "").upper()
    if not is_valid(account_iban):
        raise SettingsError("bank_transfer: setting 'account_iban' is not a valid IBAN")
    beneficiary = Beneficiary(account_iban, values["beneficiary"], values["virtual_prefix"])
    if values["virtual_prefix"] and beneficiary.free_digits < VIRTUAL_DIGITS_MIN:
        raise SettingsError(
            f"bank_transfer: setting 'virtual_prefix' leaves {beneficiary.free_digits} digits; "
            f"{VIRTUAL_DIGITS_MIN} are needed to give every payment an account of its own"
        )
    try:
        exponent_of(values["currency"])
        timeout_s, refresh_s = float(values["timeout_s"]), float(values["refresh_s"])
        look_back_days, zone = int(values["look_back_days"]), ZoneInfo(values["zone"])
    except (ValueError, LookupError, OSError, MoneyError) as error:
        raise SettingsError(f"bank_transfer: a setting cannot be meant: {error}") from None
    wire = WireClient(
        session,
        name=MANIFEST.name,
        timeout_s=timeout_s,
        redact=Redaction(MANIFEST.secrets(values)),
        transcript=transcript,
        correlation=correlation,
    )
    return BankTransfers(
        wire,
        Papers(values["base_url"], values["api_key"]),
        beneficiary,
        currency=values["currency"],
        look_back_days=look_back_days,
        refresh_s=refresh_s,
        zone=zone,
        clock=clock,
    )


class _Sample(msgspec.Struct):
    """One paper and the payment it is read for, without a network."""

    attempt: str
    account_iban: str
    amount_minor: int
    currency: str
    paper: str


def read_answer(body: bytes) -> PaymentReport:
    """Read what one paper of the bank says of one payment."""
    sample = read_json(body, _Sample)
    try:
        asked = Money(sample.amount_minor, sample.currency)
        beneficiary = Beneficiary(sample.account_iban, "")
        paper = read_paper(sample.paper.encode(), sample.account_iban, beneficiary.is_key)
    except (MoneyError, FileRefusedError) as error:
        raise OutcomeUnknownError(f"the paper cannot be read: {error}") from None
    key = beneficiary.key_of(sample.attempt)
    received = total_of(of_the_day([paper]).values(), key, sample.currency)
    return read_report(sample.attempt, key, asked, received)
