"""A bank statement in the contract's words, whatever the format it came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked entry of a bank statement; a credit is positive, a debit negative.

    `references` are those the entry names anywhere and that prove themselves by check digits or by shape: creditor
    references (ISO 11649), a virtual account that was credited, ids of ours in a payer's free text. They stand here
    without spaces and in capitals, or in our own spelling.
    """

    number: int
    amount: Money
    booked_on: date
    value_on: date
    bank_reference: str | None
    end_to_end_id: str | None
    batch_reference: str | None
    remittance: str
    counterparty: str | None = None
    counterparty_iban: str | None = None
    code: str | None = None
    returned: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; opening + entries = closing is proven by whoever read it."""

    account_iban: str
    identifier: str
    sequence: int | None
    currency: str
    opened_on: date
    closed_on: date
    opening: Money
    closing: Money
    entries: Sequence[StatementEntry]
    file_name: str
    sha256: str
    warnings: Sequence[str] = ()
