"""What a payout's draft, its release and its end need beside its rows: dates drafted, what changed, what was paid."""

from __future__ import annotations

from datetime import date, datetime

from reconciliation.store import Connection, Record, remittances
from reconciliation.store.payouts import settle_batch


async def remember_draft(connection: Connection, business_date: date, currency: str, now: datetime) -> None:
    """Write down that what everybody is owed was computed for a date, with the batch that came of it, if one did."""
    await connection.execute(
        """
        INSERT INTO reconciliation.payout_draft (business_date, currency, batch_id, drafted_at)
        VALUES ($1, $2, (SELECT id FROM reconciliation.payout_batch
                         WHERE business_date = $1 AND currency = $2 AND status <> 'refused'), $3)
        ON CONFLICT (business_date, currency) DO UPDATE
          SET batch_id = excluded.batch_id, drafted_at = excluded.drafted_at
        """,
        business_date,
        currency,
        now,
    )


async def last_drafted(connection: Connection, business_date: date, currency: str) -> date | None:
    """Return the last date before this one that was drafted; a refused draft paid nobody and does not count."""
    found: date | None = await connection.fetchval(
        """
        SELECT max(d.business_date) FROM reconciliation.payout_draft d
        LEFT JOIN reconciliation.payout_batch p ON p.id = d.batch_id
        WHERE d.business_date < $1 AND d.currency = $2 AND p.status IS DISTINCT FROM 'refused'
        """,
        business_date,
        currency,
    )
    return found


async def paid_to(connection: Connection, batch_id: str) -> dict[str, int]:
    """Sum what a batch pays each department, in minor units."""
    rows = await connection.fetch(
        "SELECT department, sum(amount_minor)::bigint AS amount_minor FROM reconciliation.payout_line"
        " WHERE batch_id = $1 GROUP BY department ORDER BY department",
        batch_id,
    )
    return {row["department"]: row["amount_minor"] for row in rows}


async def short_departments(connection: Connection, batch_id: str, currency: str) -> list[str]:
    """Name the departments whose balance no longer covers their lines."""
    rows = await connection.fetch(
        """
        SELECT l.department FROM (SELECT department, sum(amount_minor) AS amount_minor FROM reconciliation.payout_line
                                  WHERE batch_id = $1 GROUP BY department) l
        LEFT JOIN ledger.balances b ON b.account = 'department:' || l.department || ':payable' AND b.currency = $2
        WHERE coalesce(-b.amount_minor, 0) < l.amount_minor ORDER BY l.department
        """,
        batch_id,
        currency,
    )
    return [row["department"] for row in rows]


async def changed_accounts(connection: Connection, batch_id: str) -> list[str]:
    """Name the departments that are paid elsewhere by now: a line's account changed, or a revenue code got its own."""
    rows = await connection.fetch(
        """
        SELECT l.department FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id
        LEFT JOIN reconciliation.payee y ON y.department = l.department AND y.currency = p.currency
          AND y.revenue_code = l.revenue_code
        WHERE p.id = $1 AND (y.legal_name, y.iban, y.bic, y.purpose)
          IS DISTINCT FROM (l.creditor_name, l.creditor_iban, l.creditor_bic, l.purpose)
        UNION
        SELECT l.department FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id
        JOIN reconciliation.payee y ON y.department = l.department AND y.currency = p.currency AND y.revenue_code <> ''
        JOIN reconciliation.payee_change c ON c.id = y.change_id AND c.applied_at > p.made_at
        WHERE p.id = $1 ORDER BY department
        """,
        batch_id,
    )
    return [row["department"] for row in rows]


async def mark_booked_paid(connection: Connection, found: Record, paid_minor: int, now: datetime) -> None:
    """Let a line be paid that was rejected or returned, when its break's debit was for the whole of it."""
    moved = await connection.fetchval(
        """
        UPDATE reconciliation.payout_line SET status = 'paid', moved_at = $5, paid_on = (
          SELECT booked_on FROM reconciliation.statement_entry WHERE statement_no = $2 AND number = $3)
        WHERE id = $1 AND amount_minor = $4 AND status IN ('rejected', 'returned') RETURNING true
        """,
        found["item"],
        found["file_no"],
        found["line"],
        paid_minor,
        now,
    )
    if moved:
        await settle_batch(connection, found["item"], now)
        await remittances.correct(connection, [found["item"]], now)
