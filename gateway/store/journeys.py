"""Where the money of one payment has got to, read from the ledger's published views."""

from __future__ import annotations

from datetime import datetime

from gateway.store.connections import Connection


async def reached_treasury(connection: Connection, intent_id: str) -> tuple[datetime, datetime] | None:
    """Return when the batch that carried this payment stood on the bank's statement: its effect, and our writing."""
    row = await connection.fetchrow(
        """SELECT min(received.effective_at) AS effective_at, min(received.recorded_at) AS recorded_at
             FROM ledger.postings settled
             JOIN ledger.postings received
               ON received.account = settled.account AND received.currency = settled.currency
              AND received.item = settled.item AND received.kind = 'settlement_received'
            WHERE settled.payment = $1 AND settled.kind = 'payment_settled'
              AND settled.account LIKE 'provider:%:in\\_transit'""",
        intent_id,
    )
    return (row["effective_at"], row["recorded_at"]) if row and row["effective_at"] else None


async def settled_at(connection: Connection, intent_id: str) -> datetime | None:
    """Return when the provider's report said that this payment is on its way to us."""
    found: datetime | None = await connection.fetchval(
        "SELECT min(effective_at) FROM ledger.postings WHERE payment = $1 AND kind = 'payment_settled'", intent_id
    )
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
