"""One payment's way through the files and the bank, and one payout line's, each step read by the key of the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciliation.store import Connection, Record


async def payments_of(connection: Connection, asked: str) -> list[str]:
    """Return the payment of an id: the payment itself, or that of one of its attempts or refunds."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT payment FROM ledger.postings WHERE payment = $1
        UNION SELECT DISTINCT payment FROM ledger.postings
        WHERE reference = ANY (ARRAY['capture:' || $1::text, 'late_accepted:' || $1::text, 'refund:' || $1::text])
          AND payment IS NOT NULL
        """,
        asked,
    )
    return [row["payment"] for row in rows]


async def journals_of_payment(connection: Connection, payment: str) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT journal_id, reference, kind, business_date, account, currency, amount_minor, item
        FROM ledger.postings WHERE payment = $1 ORDER BY journal_id, seq
        """,
        payment,
    )
    return rows


async def journals_named(connection: Connection, references: Sequence[str]) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT journal_id, reference, kind, business_date, account, currency, amount_minor, item
        FROM ledger.postings WHERE reference = ANY ($1::text[]) ORDER BY journal_id, seq
        """,
        list(references),
    )
    return rows


# A line found by the provider's reference is found again by it, in the index that is there for it. An index over every
# line's item would cost each night more than a third of what keeping its lines costs.
LINES_OF_ITEMS: Final = """
  WITH named AS MATERIALIZED (
    SELECT i.item, i.provider_reference
    FROM unnest($1::text[], $2::text[]) asked (account, item)
    JOIN ledger.items i ON i.account = asked.account AND i.item = asked.item
  ), found AS (
    SELECT l.file_no, l.number FROM named n
    CROSS JOIN LATERAL (SELECT file_no, number, rule, item FROM reconciliation.settlement_line l
                        WHERE l.provider_reference = n.provider_reference OFFSET 0) l
    WHERE l.rule = 'provider_reference' AND l.item = n.item
    UNION
    SELECT l.file_no, l.number FROM named n
    JOIN reconciliation.settlement_line l ON l.item = n.item AND l.rule = 'our_reference'
    UNION
    SELECT m.file_no, m.line FROM named n JOIN reconciliation.match_entry m ON m.item = n.item AND m.leg = 'provider'
  )
  SELECT f.file_no, f.provider, f.name, f.business_date, f.batch_reference, f.currency, m.line, m.item, m.outcome,
         l.gross_minor, l.net_minor, 'provider:' || f.provider || ':in_transit' AS transit
  FROM found
  CROSS JOIN LATERAL (SELECT line, item, outcome FROM reconciliation.current_match c
                      WHERE c.leg = 'provider' AND c.file_no = found.file_no AND c.line = found.number OFFSET 0) m
  JOIN reconciliation.settlement_file f ON f.file_no = found.file_no
  JOIN reconciliation.settlement_line l ON l.file_no = found.file_no AND l.number = found.number
  WHERE m.item = ANY ($2::text[]) ORDER BY f.file_no, m.line"""


async def settlement_lines(connection: Connection, items: Sequence[tuple[str, str]]) -> list[Record]:
    """Read the settlement lines that items, each by its account, stand matched to, with their files and batches."""
    accounts, names = [account for account, _ in items], [item for _, item in items]
    rows: list[Record] = await connection.fetch(LINES_OF_ITEMS, accounts, names)
    return rows


async def bank_entries(connection: Connection, account: str, item: str) -> list[Record]:
    """Read the statement entries that cleared an item: those matched to it, and those booked for a whole file of it."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT s.statement_no, s.file_name, s.identifier, s.currency, e.number, e.amount_minor, e.booked_on
        FROM reconciliation.statement_entry e
        JOIN reconciliation.statement s ON s.statement_no = e.statement_no
        JOIN (SELECT file_no, line FROM reconciliation.current_match WHERE leg = 'bank' AND account = $1 AND item = $2
              UNION
              SELECT split_part(i.reference, ':', 2)::integer, split_part(i.reference, ':', 3)::integer
              FROM ledger.postings i
              WHERE i.account = $1 AND i.item = $2 AND i.reference ~ '^bank:[0-9]+:[0-9]+$') b
          ON b.file_no = e.statement_no AND b.line = e.number
        ORDER BY s.statement_no, e.number
        """,
        account,
        item,
    )
    return rows


_LINE = """
  SELECT l.id, l.batch_id, l.department, l.amount_minor, l.status, l.reason, l.revenue_code, l.creditor_iban,
         p.currency, p.business_date
  FROM reconciliation.payout_line l JOIN reconciliation.payout_batch p ON p.id = l.batch_id """
_PAYING = (
    _LINE
    + """
  WHERE p.id = (
    SELECT p.id FROM reconciliation.payout_line l JOIN reconciliation.payout_batch p ON p.id = l.batch_id
    WHERE l.department = $1 AND p.currency = $2 AND p.released_at IS NOT NULL AND l.journal_through >= $3
      AND NOT EXISTS (SELECT FROM reconciliation.payout_line o
                      JOIN reconciliation.payout_deferred d ON d.line_id = o.id
                      WHERE o.batch_id = p.id AND o.department = $1 AND d.journal_id = $3)
    ORDER BY l.journal_through, l.id LIMIT 1)
    AND l.department = $1
  ORDER BY l.id"""
)
_ONE = _LINE + "WHERE l.id = $1"


async def payout_lines(connection: Connection, department: str, currency: str, journal_id: int) -> list[Record]:
    """Read the lines of the first payout that left nothing of a department's journal out."""
    rows: list[Record] = await connection.fetch(_PAYING, department, currency, journal_id)
    return rows


async def payout_line(connection: Connection, line_id: str) -> Record | None:
    return await connection.fetchrow(_ONE, line_id)
