"""The part of the contract about money out: what goes to the bank, and its word on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One credit transfer. `end_to_end_id` is the payout line's own id, at most 35 characters."""

    end_to_end_id: str
    creditor_name: str
    creditor_iban: str
    creditor_bic: str | None
    amount: Money
    remittance: str
    purpose: str = "GOS"


@dataclass(frozen=True, slots=True)
class PayoutFile:
    """What goes to the bank. `message_id` is fixed and stored before the first send; a resend carries it again."""

    message_id: str
    created_at: datetime
    execution_date: date
    debtor_name: str
    debtor_iban: str
    debtor_bic: str | None
    lines: Sequence[PayoutLine]


class PayoutStatus(StrEnum):
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PayoutReport:
    """The bank's word on a file: for the whole, and per line (by end-to-end id) where it gives one."""

    status: PayoutStatus
    lines: Mapping[str, PayoutStatus] = field(default_factory=dict)
    reason: str = ""
