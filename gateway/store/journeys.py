"""Where the money of one payment has got to, read from the ledger's published views."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.store.connections import Connection

# What a provider settles is posted with the line it came in, or together with thousands of others; then the item of
# the payment says which journal moved it last.
_SETTLED: Final = """
  WITH settling AS (
    SELECT journal_id FROM ledger.postings WHERE payment = $1 AND kind = 'payment_settled'
    UNION
    SELECT i.moved_by FROM ledger.postings captured
    JOIN ledger.items i ON i.account = captured.account AND i.currency = captured.currency
                       AND i.item = captured.item AND i.amount_minor = 0
    WHERE captured.payment = $1 AND captured.kind IN ('payment_captured', 'late_payment_captured')
      AND captured.account LIKE 'provider:%:receivable'
  ), settled AS (
    SELECT p.* FROM settling s
    CROSS JOIN LATERAL (SELECT * FROM ledger.postings p WHERE p.journal_id = s.journal_id
                          AND p.kind = 'payment_settled' AND p.account LIKE 'provider:%:in\\_transit' OFFSET 0) p
  )"""
_SETTLED_AT: Final = _SETTLED + " SELECT min(effective_at) FROM settled"
_RECEIVED: Final = (
    _SETTLED
    + """
  SELECT min(received.effective_at) AS effective_at, min(received.recorded_at) AS recorded_at
    FROM settled
    JOIN ledger.postings received
      ON received.account = settled.account AND received.currency = settled.currency
     AND received.item = settled.item AND received.kind = 'settlement_received'"""
)


async def reached_treasury(connection: Connection, intent_id: str) -> tuple[datetime, datetime] | None:
    """Return when this payment's money stood on the bank's statement: its effect, and our writing.

    It came with its provider's batch, or straight from the payer: then it is all there when its last part is.
    """
    row = await connection.fetchrow(_RECEIVED, intent_id)
    if row is None or row["effective_at"] is None:
        row = await connection.fetchrow(_TRANSFERRED, intent_id)
    return (row["effective_at"], row["recorded_at"]) if row and row["effective_at"] else None


_TRANSFERRED: Final = """
  SELECT max(received.effective_at) AS effective_at, max(received.recorded_at) AS recorded_at
    FROM ledger.postings captured
    JOIN ledger.postings received
      ON received.account = captured.account AND received.currency = captured.currency
     AND received.item = captured.item AND received.kind IN ('transfer_received', 'transfer_identified')
   WHERE captured.payment = $1 AND captured.kind IN ('payment_captured', 'late_payment_captured')
     AND captured.account LIKE 'provider:%:receivable'
     AND NOT EXISTS (SELECT FROM ledger.open_items o WHERE o.account = captured.account AND o.item = captured.item
                       AND o.currency = captured.currency)"""


async def settled_at(connection: Connection, intent_id: str) -> datetime | None:
    """Return when the provider's report said that this payment is on its way to us."""
    found: datetime | None = await connection.fetchval(_SETTLED_AT, intent_id)
    if found is None and (transferred := await connection.fetchrow(_TRANSFERRED, intent_id)) is not None:
        found = transferred["effective_at"]  # no provider between: settled is when it stood on the statement
    return found


async def passed_on(connection: Connection, department: str, currency: str, since: datetime) -> datetime | None:
    """Return when the department's first payout after `since` left our account.

    A payout pays all that is owed and proven, so the first one after the money reached us carries it.
    """
    found: datetime | None = await connection.fetchval(
        """WITH instructed AS (
             SELECT account, item FROM ledger.postings
              WHERE account = 'department:' || $1 || ':payout_in_transit' AND currency = $2
                AND kind = 'payout_instructed' AND recorded_at >= $3
              ORDER BY recorded_at LIMIT 1)
           SELECT min(paid.effective_at) FROM instructed
             JOIN ledger.postings paid
               ON paid.account = instructed.account AND paid.item = instructed.item AND paid.kind = 'payout_paid'
            WHERE paid.currency = $2""",
        department,
        currency,
        since,
    )
    return found
