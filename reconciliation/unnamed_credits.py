"""What a bank entry says that nobody could name: for people who know more than its reference does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class UnnamedCredit:
    """One credit in suspense. `item` is its place there, and what finance calls it by."""

    break_id: str
    item: str
    amount: Money
    booked_on: date
    payer: str
    text: str


async def unnamed_credits(connection: asyncpg.Connection[Any], item: str | None = None) -> list[UnnamedCredit]:
    """Read the credits that wait for a name, or one of them; the amount is what is still in suspense."""
    rows = await connection.fetch(
        """
        SELECT b.id, b.item, -o.amount_minor AS amount_minor, o.currency, e.booked_on, e.counterparty, e.remittance
        FROM reconciliation.break b
        JOIN ledger.open_items o ON o.account = b.account AND o.item = b.item AND o.currency = b.currency
        JOIN reconciliation.statement_entry e ON e.statement_no = b.file_no AND e.number = b.line
        WHERE b.type IN ('unknown_bank_credit', 'transfer_waiting') AND b.closed_at IS NULL AND o.amount_minor < 0
          AND ($1::text IS NULL OR b.item = $1)
        ORDER BY e.booked_on, b.item
        """,
        item,
    )
    return [
        UnnamedCredit(
            row["id"], row["item"], Money(row["amount_minor"], row["currency"]), row["booked_on"],
            row["counterparty"] or "", row["remittance"],
        )
        for row in rows
    ]  # fmt: skip
