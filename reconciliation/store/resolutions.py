"""What people propose about breaks, and what others decide."""

from __future__ import annotations

from datetime import datetime

from reconciliation.store import Connection, Record


async def insert(
    connection: Connection, resolution_id: str, break_id: str, action: str, reason: str,
    target: tuple[str, str, int] | None, maker: str, now: datetime,
) -> None:  # fmt: skip
    """Store a proposal; the target is the account, item and amount that a match by hand clears."""
    account, item, amount_minor = target or (None, None, None)
    await connection.execute(
        """
        INSERT INTO reconciliation.resolution (id, break_id, action, reason, account, item, amount_minor, maker,
                                               made_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
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
    )


async def read(connection: Connection, resolution_id: str) -> Record | None:
    return await connection.fetchrow(
        """
        SELECT id, break_id, action, reason, account, item, amount_minor, maker, made_at, decision
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
