"""The books as they stood at the end of a business date and as they were known at an instant.

What stands now is known at once; what came later is taken off again, so that a look back costs what came since and not
the whole history.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Final

from reconciliation.store import Connection, Record

PREFETCH: Final = 1000

_MOVEMENTS: Final = """
  WITH moved AS (
    SELECT account, currency,
           sum(amount_minor) FILTER (WHERE business_date > $1 OR recorded_at > $4) AS later,
           sum(amount_minor) FILTER (WHERE business_date BETWEEN $2 AND $1 AND recorded_at <= $4
                                       AND amount_minor > 0) AS debit,
           sum(amount_minor) FILTER (WHERE business_date BETWEEN $2 AND $1 AND recorded_at <= $4
                                       AND amount_minor < 0) AS credit
    FROM ledger.postings WHERE recorded_at >= $3 AND (business_date >= $2 OR recorded_at > $4) AND account LIKE $5
    GROUP BY account, currency
  )
  SELECT b.account, b.currency, (b.amount_minor - coalesce(m.later, 0))::bigint AS closing_minor,
         coalesce(m.debit, 0)::bigint AS debit_minor, (-coalesce(m.credit, 0))::bigint AS credit_minor
  FROM ledger.balances b
  JOIN ledger.accounts a ON a.account = b.account AND a.currency = b.currency AND a.opened_at <= $4
  LEFT JOIN moved m ON m.account = b.account AND m.currency = b.currency
  WHERE b.account LIKE $5 ORDER BY b.currency, b.account"""


async def currencies(connection: Connection, account: str, known: datetime) -> list[str]:
    """Name the currencies an account was opened in, as known at an instant."""
    rows = await connection.fetch(
        "SELECT currency FROM ledger.accounts WHERE account = $1 AND opened_at <= $2 ORDER BY currency", account, known
    )
    return [row["currency"] for row in rows]


async def movements(
    connection: Connection, until: date, since: date, recorded_since: datetime, known: datetime, pattern: str = "%"
) -> list[Record]:
    """Read each account's debits and credits in a period of business dates, and where it stood at the end."""
    rows: list[Record] = await connection.fetch(_MOVEMENTS, until, since, recorded_since, known, pattern)
    return rows


_OPEN_ITEMS: Final = """
  WITH later AS (
    SELECT account, currency, item, sum(amount_minor) AS amount_minor FROM ledger.postings
    WHERE recorded_at >= $2 AND (business_date > $1 OR recorded_at > $3) AND account LIKE $4 AND item IS NOT NULL
    GROUP BY account, currency, item
  ), stood AS (
    SELECT o.account, o.currency, o.item, (o.amount_minor - coalesce(l.amount_minor, 0))::bigint AS amount_minor,
           o.business_date, o.payment, o.provider_reference
    FROM ledger.open_items o LEFT JOIN later l USING (account, currency, item) WHERE o.account LIKE $4
    UNION ALL
    SELECT i.account, i.currency, i.item, (-l.amount_minor)::bigint, i.business_date, i.payment, i.provider_reference
    FROM later l JOIN ledger.items i USING (account, currency, item) WHERE i.amount_minor = 0
  )
  SELECT * FROM stood WHERE amount_minor <> 0"""
_OPEN_ITEMS_IN_ORDER: Final = _OPEN_ITEMS + " ORDER BY account, currency, business_date, item"
_OPEN_SUMS: Final = (
    "SELECT account, currency, business_date, count(*) AS items, sum(amount_minor)::bigint AS amount_minor FROM ("
    + _OPEN_ITEMS
    + ") i GROUP BY account, currency, business_date ORDER BY account, currency, business_date"
)


def open_items(
    connection: Connection, pattern: str, until: date, recorded_since: datetime, known: datetime
) -> AsyncIterator[Record]:
    """Stream the items of some accounts that were open at the end of a business date, oldest first."""
    found: AsyncIterator[Record] = connection.cursor(
        _OPEN_ITEMS_IN_ORDER, until, recorded_since, known, pattern, prefetch=PREFETCH
    )
    return found


async def open_sums(
    connection: Connection, pattern: str, until: date, recorded_since: datetime, known: datetime
) -> list[Record]:
    """Read how much was open of each business date."""
    rows: list[Record] = await connection.fetch(_OPEN_SUMS, until, recorded_since, known, pattern)
    return rows


STANDING: Final = """
  FROM reconciliation.break b
  LEFT JOIN LATERAL (SELECT e.owner, e.reason FROM reconciliation.break_explanation e
                     WHERE e.break_id = b.id AND e.at <= $1 ORDER BY e.sequence DESC LIMIT 1) e ON true
  WHERE b.raised_at <= $1 AND (b.closed_at IS NULL OR b.closed_at > $1)"""
_STANDING_PAGE: Final = (
    """
  SELECT b.id, b.type, b.leg, b.subject, coalesce(e.owner, b.owner) AS owner, b.currency, b.amount_minor,
         b.business_date, b.raised_at, b.detail::text, e.reason,
         CASE WHEN EXISTS (SELECT FROM reconciliation.resolution r WHERE r.break_id = b.id AND r.made_at <= $1
                             AND (r.checked_at IS NULL OR r.checked_at > $1)) THEN 'proposed' ELSE 'open' END AS status
"""
    + STANDING
    + " AND b.id > $2 AND b.type SIMILAR TO $4 ORDER BY b.id LIMIT $3"
)
_STANDING_BY_TYPE: Final = (
    "SELECT b.type, b.currency, count(*) AS breaks, sum(abs(b.amount_minor))::bigint AS value_minor,"
    " min(b.business_date) AS oldest" + STANDING + " GROUP BY 1, 2 ORDER BY 1, 2"
)


async def standing_breaks(
    connection: Connection, known: datetime, *, limit: int, after: str = "", pattern: str = "%"
) -> list[Record]:
    """Read the breaks that stood at an instant in the order of their ids, a page at a time."""
    rows: list[Record] = await connection.fetch(_STANDING_PAGE, known, after, limit, pattern)
    return rows


async def standing_by_type(connection: Connection, known: datetime) -> list[Record]:
    rows: list[Record] = await connection.fetch(_STANDING_BY_TYPE, known)
    return rows


async def knows_department(connection: Connection, department: str) -> bool:
    """Say whether anything was ever owed to a department, or its bank details were proposed."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM ledger.balances WHERE account = 'department:' || $1 || ':payable')
            OR EXISTS (SELECT FROM reconciliation.payee_change WHERE department = $1)
        """,
        department,
    )
    return found
