"""What people propose about breaks, and what others decide."""

from __future__ import annotations

from datetime import datetime

from ledger.accounts import DISPUTES_RECEIVABLE
from reconciliation.store import Connection, Record


async def insert(
    connection: Connection, resolution_id: str, break_id: str, action: str, reason: str,
    target: tuple[str, str] | None, amount_minor: int | None, foreseen: str | None, maker: str, now: datetime,
) -> None:  # fmt: skip
    """Store a proposal: the account and item a match by hand clears, how much it clears, and its journal."""
    account, item = target or (None, None)
    await connection.execute(
        """
        INSERT INTO reconciliation.resolution (id, break_id, action, reason, account, item, amount_minor, maker,
                                               made_at, foreseen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        resolution_id,
        break_id,
        action,
        reason,
        account,
        item,
        amount_minor,
        maker,
        now,
        foreseen,
    )


async def read(connection: Connection, resolution_id: str) -> Record | None:
    return await connection.fetchrow(
        """
        SELECT id, break_id, action, reason, account, item, amount_minor, maker, made_at, decision, foreseen
        FROM reconciliation.resolution WHERE id = $1 FOR UPDATE
        """,
        resolution_id,
    )


async def decide(connection: Connection, resolution_id: str, checker: str, decision: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.resolution SET checker = $2, decision = $3, checked_at = $4 WHERE id = $1",
        resolution_id,
        checker,
        decision,
        now,
    )


async def open_amount(connection: Connection, account: str, currency: str, item: str) -> int:
    """Return what is open of an item; zero when it is closed or never was."""
    found: int | None = await connection.fetchval(
        "SELECT amount_minor FROM ledger.open_items WHERE account = $1 AND currency = $2 AND item = $3",
        account,
        currency,
        item,
    )
    return found or 0


async def open_elsewhere(connection: Connection, account: str, currency: str, item: str) -> list[Record]:
    """Return what is open of an item in currencies other than this one."""
    rows: list[Record] = await connection.fetch(
        "SELECT currency, amount_minor FROM ledger.open_items WHERE account = $1 AND currency <> $2 AND item = $3"
        " ORDER BY currency",
        account,
        currency,
        item,
    )
    return rows


async def waiting(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT id, break_id, action, reason, account, item, maker FROM reconciliation.resolution
        WHERE decision IS NULL ORDER BY made_at, id
        """
    )
    return rows


async def credited(connection: Connection, attempt: str, currency: str) -> list[Record]:
    """Read the accounts a payment was credited to and how much each got, from its own journals."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT account, min(payment) AS payment, -sum(amount_minor)::bigint AS amount_minor FROM ledger.postings
        WHERE reference = ANY (ARRAY['capture:' || $1::text, 'late_accepted:' || $1::text]) AND currency = $2
          AND (account LIKE 'department:%:payable' OR account IN ('tax:vat_payable', 'treasury:gateway_fees'))
        GROUP BY account HAVING sum(amount_minor) < 0 ORDER BY account
        """,
        attempt,
        currency,
    )
    return rows


async def borne(connection: Connection, item: str, currency: str) -> list[Record]:
    """Read who has borne how much of a dispute by what people decided about it, less what they were given back."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT p.account, sum(p.amount_minor)::bigint AS amount_minor, max(p.payment) AS payment,
               max(p.journal_id) AS journal_id
        FROM reconciliation.break b JOIN ledger.postings p ON p.reference = 'resolution:' || b.id
        WHERE b.account = $1 AND b.item = $2 AND b.currency = $3 AND p.currency = $3 AND p.item IS NULL
          AND p.kind IN ('dispute_lost', 'dispute_loss_returned', 'break_written_off')
        GROUP BY p.account HAVING sum(p.amount_minor) <> 0 ORDER BY p.account
        """,
        DISPUTES_RECEIVABLE,
        item,
        currency,
    )
    return rows
