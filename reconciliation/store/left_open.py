"""Items that are open without a standing break, with what the last break about them said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from reconciliation.store import Connection, Record

_WITHOUT_BREAK: Final = """
  SELECT o.account, o.currency, o.item, o.amount_minor, o.business_date, o.provider_reference,
         l.type, l.subject, l.owner, l.provider, l.department, l.leg, l.file_no, l.line, l.detail
  FROM ledger.open_items o
  LEFT JOIN LATERAL (
    SELECT b.type, b.subject, b.owner, b.provider, b.department, b.leg, b.file_no, b.line, b.detail::text AS detail
    FROM reconciliation.break b WHERE b.account = o.account AND b.item = o.item AND b.currency = o.currency
    ORDER BY b.raised_at DESC, b.id DESC LIMIT 1
  ) l ON true
  WHERE o.account = ANY ($1::text[]) AND o.business_date <= $2
    AND NOT EXISTS (SELECT FROM reconciliation.break b WHERE b.closed_at IS NULL AND b.account = o.account
                      AND b.item = o.item AND b.currency = o.currency)
  ORDER BY o.account, o.business_date, o.item"""


async def without_break(connection: Connection, accounts: Sequence[str], until: date) -> list[Record]:
    rows: list[Record] = await connection.fetch(_WITHOUT_BREAK, list(accounts), until)
    return rows


async def has_break(connection: Connection, account: str, currency: str, item: str) -> bool:
    """Say whether an item has a standing break."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.break WHERE closed_at IS NULL AND account = $1 AND currency = $2"
        " AND item = $3)",
        account,
        currency,
        item,
    )
    return found
