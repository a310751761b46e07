"""What is inside a payout line: every journal since the line before, less what went to other accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from ledger.accounts import department_payable
from reconciliation.store import Connection, Record

PREFETCH: Final = 1000

# Everything posted since the payout before, plus what that one left out, less what this one leaves out. Payouts
# themselves are not part of what they pay; one that came back is.
_BEGIN: Final = """
  WITH later AS ("""
_WHOLE: Final = """)
  SELECT p.journal_id, p.business_date, p.kind, p.payment, p.reference,
         (-p.amount_minor - coalesce(later.amount_minor, 0))::bigint AS amount_minor
  FROM ledger.postings p LEFT JOIN later ON later.journal_id = p.journal_id
  WHERE p.account = $1 AND p.currency = $2 AND p.journal_id > $3 AND p.journal_id <= $4
    AND p.kind <> 'payout_instructed'
  UNION ALL
  SELECT p.journal_id, p.business_date, p.kind, p.payment, p.reference,
         (earlier.amount_minor - coalesce(later.amount_minor, 0))::bigint
  FROM (SELECT journal_id, sum(amount_minor) AS amount_minor FROM reconciliation.payout_deferred
        WHERE line_id = $5 GROUP BY journal_id) earlier
  JOIN ledger.postings p ON p.journal_id = earlier.journal_id AND p.account = $1 AND p.currency = $2
  LEFT JOIN later ON later.journal_id = p.journal_id
  ORDER BY journal_id"""
# The lines of one department in one file share what they deferred: it is kept with the greatest of them.
_DEFERRED: Final = """
    SELECT d.journal_id, sum(d.amount_minor) AS amount_minor FROM reconciliation.payout_deferred d
    WHERE d.line_id = (SELECT max(s.id) FROM reconciliation.payout_line l
                       JOIN reconciliation.payout_line s ON s.batch_id = l.batch_id AND s.department = l.department
                       WHERE l.id = $6) GROUP BY d.journal_id"""
_DEFERRED_NOW: Final = """
    SELECT journal_id, sum(amount_minor) AS amount_minor FROM deferred WHERE department = $6 GROUP BY journal_id"""
_OWN: Final = (
    "SELECT w.journal_id, w.business_date, w.kind, w.payment, w.reference,"
    " (w.amount_minor - coalesce(elsewhere.amount_minor, 0))::bigint AS amount_minor FROM ("
    + _BEGIN
    + _DEFERRED
    + _WHOLE
    + """) w
  LEFT JOIN (SELECT q.journal_id, sum(q.amount_minor) AS amount_minor FROM reconciliation.payout_line l
             JOIN reconciliation.payout_line s ON s.batch_id = l.batch_id AND s.department = l.department
             JOIN reconciliation.payout_part q ON q.line_id = s.id
             WHERE l.id = $6 GROUP BY q.journal_id) elsewhere USING (journal_id) ORDER BY w.journal_id"""
)
_OF_A_CODE: Final = """
  SELECT p.journal_id, p.business_date, p.kind, p.payment, p.reference, q.amount_minor
  FROM reconciliation.payout_part q
  JOIN ledger.postings p ON p.journal_id = q.journal_id AND p.account = $1 AND p.currency = $2
  WHERE q.line_id = $3 ORDER BY p.journal_id"""
_PAGE: Final = ") inside WHERE amount_minor <> 0 AND journal_id > "
_PAGE_OWN: Final = "SELECT * FROM (" + _OWN + _PAGE + "$7 ORDER BY journal_id LIMIT $8"
_PAGE_OF_A_CODE: Final = "SELECT * FROM (" + _OF_A_CODE + _PAGE + "$4 ORDER BY journal_id LIMIT $5"
_SUM_OWN: Final = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM (" + _OWN + ") inside"
_SUM_OF_A_CODE: Final = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM (" + _OF_A_CODE + ") inside"
_DRAFTED: Final = _BEGIN + _DEFERRED_NOW + _WHOLE


def _asked(department: str, line: Record) -> tuple[object, ...]:
    account, currency = department_payable(department), line["currency"]
    if line["revenue_code"]:
        return account, currency, line["id"]
    return account, currency, line["journal_from"], line["journal_through"], line["previous_line"], line["id"]


def stream(connection: Connection, department: str, line: Record) -> AsyncIterator[Record]:
    """Stream what a line pays, in the order it was posted."""
    statement = _OF_A_CODE if line["revenue_code"] else _OWN
    found: AsyncIterator[Record] = connection.cursor(statement, *_asked(department, line), prefetch=PREFETCH)
    return found


async def page(connection: Connection, department: str, line: Record, *, after: int, limit: int) -> list[Record]:
    """Read some of what a line pays, in the order it was posted."""
    statement = _PAGE_OF_A_CODE if line["revenue_code"] else _PAGE_OWN
    rows: list[Record] = await connection.fetch(statement, *_asked(department, line), after, limit)
    return rows


async def total(connection: Connection, department: str, line: Record) -> int:
    """Sum what a line pays, in minor units."""
    statement = _SUM_OF_A_CODE if line["revenue_code"] else _SUM_OWN
    sum_minor: int = await connection.fetchval(statement, *_asked(department, line))
    return sum_minor


async def drafted(connection: Connection, owed: Record, currency: str) -> AsyncIterator[Sequence[Record]]:
    """Stream, some at a time, what the payout being drafted will pay a department: what is deferred is known by now."""
    cursor = await connection.cursor(
        _DRAFTED, department_payable(owed["department"]), currency, owed["journal_from"], owed["journal_through"],
        owed["previous_line"], owed["department"],
    )  # fmt: skip
    while rows := await cursor.fetch(PREFETCH):
        yield rows
