"""What is still open of an item whose break has ended is a break again, in the words of the one before it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from ledger import accounts
from ledger.money import Money
from reconciliation.breaks import BreakType
from reconciliation.store import Record
from reconciliation.store.breaks import NewBreak


def break_of_the_rest(row: Record) -> NewBreak:
    """Raise an open item again as what it was raised as last; one that never had a break by where it lies.

    In suspense and among disputes a break has the sign of the line or entry, so the other one than its item's.
    """
    if row["type"] is not None:
        return _again(row, -row["amount_minor"], row["amount_minor"], row["business_date"])
    amount = Money(abs(row["amount_minor"]), row["currency"])
    kind = BreakType.UNKNOWN_BANK_CREDIT if row["amount_minor"] < 0 else BreakType.UNKNOWN_BANK_DEBIT
    if row["account"] == accounts.DISPUTES_RECEIVABLE:
        kind = BreakType.CHARGEBACK
    return NewBreak(
        type=kind,
        subject=f"{row['account']}:{row['currency']}:{row['item']}",
        business_date=row["business_date"],
        amount_minor=-row["amount_minor"],
        currency=row["currency"],
        account=row["account"],
        item=row["item"],
        detail={"amount": str(amount), "reference": row["provider_reference"] or row["item"]},
    )


def break_after_part(found: Record, left_minor: int) -> NewBreak:
    """Raise what a decision left of a break's item, with the sign and the age the break had."""
    value_minor = abs(left_minor) if found["amount_minor"] > 0 else -abs(left_minor)
    return _again(found, value_minor, left_minor, found["business_date"])


def _again(before: Any, value_minor: int, open_minor: int, business_date: date) -> NewBreak:
    detail = msgspec.json.decode(before["detail"], type=dict[str, str])
    return NewBreak(
        type=BreakType(before["type"]),
        subject=before["subject"],
        business_date=business_date,
        amount_minor=value_minor,
        currency=before["currency"],
        provider=before["provider"],
        department=before["department"],
        account=before["account"],
        item=before["item"],
        leg=before["leg"],
        file_no=before["file_no"],
        line=before["line"],
        detail={**detail, "left": str(Money(abs(open_minor), before["currency"]))},
    )
