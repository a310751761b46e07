"""What is open in the ledger past its due date, and which files never came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

from reconciliation.store import Connection, Record

PREFETCH: Final = 1000


def open_since(connection: Connection, account: str, until: date, *, side: int) -> AsyncIterator[Record]:
    """Stream an account's items without a break, opened up to `until`; side 1 is debits, -1 credits, 0 is both."""
    found: AsyncIterator[Record] = connection.cursor(
        """
        SELECT o.account, o.currency, o.item, o.amount_minor, o.business_date, o.payment, o.provider_reference
        FROM ledger.open_items o
        WHERE o.account = $1 AND o.business_date <= $2 AND $3::integer IN (0, sign(o.amount_minor)::integer)
          AND NOT EXISTS (SELECT FROM reconciliation.break b WHERE b.closed_at IS NULL AND b.account = o.account
                            AND b.item = o.item AND b.currency = o.currency)
        ORDER BY o.business_date, o.item
        """,
        account,
        until,
        side,
        prefetch=PREFETCH,
    )
    return found


async def batches_at_provider(connection: Connection) -> list[Record]:
    """Read the batches no bank statement has shown in full, with what their file says of the date."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT o.account, o.currency, o.item, o.amount_minor, f.provider, f.business_date, f.expected_credit_date
        FROM ledger.open_items o
        JOIN reconciliation.settlement_file f ON o.account = 'provider:' || f.provider || ':in_transit'
          AND f.batch_reference = o.item AND f.currency = o.currency AND f.status = 'accepted'
        WHERE o.amount_minor <> 0 ORDER BY f.file_no
        """
    )
    return rows


async def payouts_under_way(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT o.account, o.currency, o.item, -o.amount_minor AS amount_minor, l.department, p.execution_date
        FROM ledger.open_items o
        JOIN reconciliation.payout_line l ON l.id = o.item
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id
        WHERE o.account = 'department:' || l.department || ':payout_in_transit' AND o.amount_minor < 0
        ORDER BY p.execution_date, o.item
        """
    )
    return rows


async def days_without_file(connection: Connection, provider: str, account: str, until: date) -> list[date]:
    """Return the business dates with money still at the provider for which it sent no file."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT o.business_date FROM ledger.open_items o
        WHERE o.account = $2 AND o.business_date <= $3 AND o.amount_minor > 0
          AND NOT EXISTS (SELECT FROM reconciliation.settlement_file f WHERE f.provider = $1
                            AND f.business_date = o.business_date AND f.status = 'accepted')
        ORDER BY o.business_date
        """,
        provider,
        account,
        until,
    )
    return [row["business_date"] for row in rows]


async def last_statement_date(connection: Connection, bank_account: str) -> date | None:
    found: date | None = await connection.fetchval(
        "SELECT max(closed_on) FROM reconciliation.statement WHERE bank_account = $1 AND status = 'accepted'",
        bank_account,
    )
    return found


async def providers_with_items(connection: Connection) -> list[str]:
    """Name every provider the books hold something against, wired tonight or not."""
    rows = await connection.fetch(
        "SELECT DISTINCT split_part(account, ':', 2) AS provider FROM ledger.balances"
        " WHERE account LIKE 'provider:%' ORDER BY 1"
    )
    return [row["provider"] for row in rows]


async def to_requery(connection: Connection, limit: int, after: str) -> list[Record]:
    """Read the payments whose standing breaks only their provider's own word can settle, a page by the break's id."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT b.id, b.type, b.provider, b.currency, b.amount_minor, b.item, l.reference,
               coalesce(l.provider_reference, i.provider_reference) AS provider_reference, i.payment
        FROM reconciliation.break b
        LEFT JOIN reconciliation.settlement_line l ON b.leg = 'provider' AND l.file_no = b.file_no AND l.number = b.line
        LEFT JOIN ledger.open_items i ON i.account = b.account AND i.item = b.item AND i.currency = b.currency
        WHERE b.closed_at IS NULL AND b.type IN ('missing_in_books', 'missing_at_provider', 'refund_not_settled',
                                                 'settled_not_captured') AND b.id > $2
        ORDER BY b.id LIMIT $1
        """,
        limit,
        after,
    )
    return rows
