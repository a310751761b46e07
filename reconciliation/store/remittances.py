"""The remittance advices that departments are owed: queued with the payout's release, claimed, settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reconciliation.store import Connection, Record


async def queue(connection: Connection, batch_id: str, now: datetime) -> None:
    """Owe each department of a released payout its advice, where its terms say where that goes."""
    await connection.execute(
        """
        INSERT INTO reconciliation.remittance (batch_id, department, recipient, status, next_try_at, made_at)
        SELECT DISTINCT p.id, l.department, y.remittance_email, 'waiting', $2::timestamptz, $2::timestamptz
        FROM reconciliation.payout_batch p JOIN reconciliation.payout_line l ON l.batch_id = p.id
        JOIN reconciliation.payee y ON y.department = l.department AND y.currency = p.currency AND y.revenue_code = ''
        WHERE p.id = $1 AND y.remittance_email IS NOT NULL
        """,
        batch_id,
        now,
    )


async def claim(connection: Connection, now: datetime, until: datetime, limit: int) -> list[Record]:
    """Take what is due and keep others off it until an instant: whoever took it may die."""
    rows: list[Record] = await connection.fetch(
        """
        WITH due AS (
          SELECT batch_id, department FROM reconciliation.remittance
          WHERE status = 'waiting' AND next_try_at <= $1 ORDER BY next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        UPDATE reconciliation.remittance r SET tries = r.tries + 1, next_try_at = $2
        FROM due JOIN reconciliation.payout_batch p ON p.id = due.batch_id
        WHERE r.batch_id = due.batch_id AND r.department = due.department
        RETURNING r.batch_id, r.department, r.recipient, r.tries, r.corrections, p.business_date
        """,
        now,
        until,
        limit,
    )
    return rows


async def correct(connection: Connection, line_ids: Sequence[str], now: datetime) -> None:
    """Owe a correction to whom an advice has, or may have, told otherwise of these lines."""
    await connection.execute(
        """
        UPDATE reconciliation.remittance r SET corrections = corrections + 1, status = 'waiting', tries = 0,
          next_try_at = $2, sent_at = NULL, error = ''
        FROM (SELECT DISTINCT batch_id, department FROM reconciliation.payout_line WHERE id = ANY ($1::text[])) l
        WHERE r.batch_id = l.batch_id AND r.department = l.department AND r.tries > 0
        """,
        list(line_ids),
        now,
    )


async def mark_sent(connection: Connection, batch_id: str, department: str, corrections: int, now: datetime) -> None:
    """Settle an advice, unless what it says has become wrong while it was on its way."""
    await connection.execute(
        "UPDATE reconciliation.remittance SET status = 'sent', sent_at = $3, error = ''"
        " WHERE batch_id = $1 AND department = $2 AND status = 'waiting' AND corrections = $4",
        batch_id,
        department,
        now,
        corrections,
    )


async def postpone(
    connection: Connection, batch_id: str, department: str, corrections: int, at: datetime | None, error: str
) -> None:
    """Try again at an instant, or give up."""
    await connection.execute(
        "UPDATE reconciliation.remittance SET status = CASE WHEN $3::timestamptz IS NULL THEN 'dead' ELSE status END,"
        " next_try_at = coalesce($3, next_try_at), error = $4"
        " WHERE batch_id = $1 AND department = $2 AND status = 'waiting' AND corrections = $5",
        batch_id,
        department,
        at,
        error[:300],
        corrections,
    )


async def again(connection: Connection, batch_id: str, department: str, now: datetime) -> bool:
    """Send one again from the beginning; return whether there is one."""
    found = await connection.fetchval(
        "UPDATE reconciliation.remittance SET status = 'waiting', tries = 0, next_try_at = $3, sent_at = NULL"
        " WHERE batch_id = $1 AND department = $2 RETURNING batch_id",
        batch_id,
        department,
        now,
    )
    return found is not None


_LATEST: Final = """
  SELECT r.batch_id, r.department, r.recipient, r.status, r.tries, r.sent_at, r.error, p.business_date
  FROM reconciliation.remittance r JOIN reconciliation.payout_batch p ON p.id = r.batch_id
  ORDER BY r.made_at DESC, r.department LIMIT $1"""


async def latest(connection: Connection, limit: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(_LATEST, limit)
    return rows
