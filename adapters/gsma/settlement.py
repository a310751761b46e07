"""The daily report, made from the account's transactions: the API offers no file.

The provider pays the day's net into the bank under a text that is agreed with it (`batch_pattern`), so the batch is
named by that pattern.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.contract import LineKind, SettlementFile, SettlementLine
from adapters.errors import OutcomeUnknownError
from adapters.gsma.mapping import read_instant
from adapters.gsma.wire import WireTransaction, read_amount
from ledger.errors import MoneyError
from ledger.money import Money, total

KINDS: Final[dict[str, LineKind]] = {
    "merchantpay": LineKind.PAYMENT,
    "billpay": LineKind.PAYMENT,
    "reversal": LineKind.REFUND,
    "adjustment": LineKind.ADJUSTMENT,
}

VAT_WORDS: Final = frozenset({"vat", "tax"})
"""Fee types that are tax on the others."""


def day_of(business_date: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of the day and of the next."""
    start = datetime.combine(business_date, time(), zone)
    return start, datetime.combine(business_date + timedelta(days=1), time(), zone)


def settlement_files(
    transactions: Sequence[WireTransaction], business_date: date, *, batch_pattern: str
) -> list[SettlementFile]:
    """Make one report per currency. A transaction that cannot be read is listed with its reason."""
    by_currency: dict[str, list[tuple[int, WireTransaction]]] = defaultdict(list)
    for number, transaction in enumerate(transactions, start=1):
        by_currency[transaction.currency or ""].append((number, transaction))
    files = []
    for currency, numbered in sorted(by_currency.items()):
        lines: list[SettlementLine] = []
        refused: list[tuple[int, str]] = []
        for number, transaction in numbered:
            try:
                lines.append(_line(number, transaction, currency))
            except (MoneyError, OutcomeUnknownError, ValueError) as error:
                refused.append((number, f"{transaction.transaction_reference}: {error}"))
        if not lines:
            continue
        batch = batch_pattern.format(date=business_date, currency=currency)
        content = b"\n".join(msgspec.json.encode(transaction) for _, transaction in numbered)
        files.append(
            SettlementFile(
                provider="gsma",
                name=f"transactions_{business_date.isoformat()}_{currency}.json",
                sha256=hashlib.sha256(content).hexdigest(),
                business_date=business_date,
                batch_reference=batch,
                currency=currency,
                lines=tuple(lines),
                total_net=total((line.net for line in lines), currency),
                refused_lines=tuple(refused),
            )
        )
    return files


def _line(number: int, transaction: WireTransaction, currency: str) -> SettlementLine:
    amount = transaction.money()
    if amount is None:
        raise ValueError("the transaction carries no amount")
    kind = KINDS.get(transaction.type, LineKind.OTHER)
    gross = -amount if kind is LineKind.REFUND else amount
    fee, fee_vat = Money(0, currency), Money(0, currency)
    for charged in transaction.fees:
        part = read_amount(charged.fee_amount, charged.fee_currency)
        if charged.fee_type.lower() in VAT_WORDS:
            fee_vat += part
        else:
            fee += part
    return SettlementLine(
        number=number,
        kind=kind,
        reference=transaction.requesting_organisation_transaction_reference,
        provider_reference=transaction.transaction_reference,
        gross=gross,
        fee=fee,
        fee_vat=fee_vat,
        net=gross - fee - fee_vat,
        transaction_at=read_instant(transaction.creation_date),
        raw_kind=transaction.type,
    )
