"""The part of the contract about settlement: what a provider's report of one business date says, in our signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ledger.money import Money


class LineKind(StrEnum):
    """What one line of a settlement report says. A kind we do not know is OTHER, and an exception for finance."""

    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """One line of a provider's settlement report, in our signs.

    `gross` is positive for money collected and negative for money given back; `fee` and `fee_vat` are positive when
    the provider keeps them; `net` is what the line adds to the payout: gross - fee - fee_vat.
    """

    number: int
    kind: LineKind
    reference: str | None
    provider_reference: str | None
    gross: Money
    fee: Money
    fee_vat: Money
    net: Money
    transaction_at: datetime | date | None
    raw_kind: str = ""


@dataclass(frozen=True, slots=True)
class SettlementFile:
    """A provider's report of one business date: its lines, its own totals, the batch the bank credit will name."""

    provider: str
    name: str
    sha256: str
    business_date: date
    batch_reference: str
    currency: str
    lines: Sequence[SettlementLine]
    total_net: Money
    expected_credit_date: date | None = None
    refused_lines: Sequence[tuple[int, str]] = ()
