"""What the books owe a department, read from the ledger's published views."""

from __future__ import annotations

from gateway.store.connections import Connection, Row


async def of_department(connection: Connection, department: str) -> list[Row]:
    """Return one row for each currency; what is owed is positive."""
    rows: list[Row] = await connection.fetch(
        """SELECT currency,
                  coalesce(-sum(amount_minor) FILTER (WHERE account = $1 || ':payable'), 0)::bigint AS payable_minor,
                  coalesce(-sum(amount_minor) FILTER (WHERE account = $1 || ':holdback'), 0)::bigint AS held_back_minor,
                  coalesce(-sum(amount_minor) FILTER (WHERE account = $1 || ':payout_in_transit'), 0)::bigint
                    AS in_transit_minor
             FROM ledger.balances
            WHERE account = ANY (ARRAY[$1 || ':payable', $1 || ':holdback', $1 || ':payout_in_transit'])
            GROUP BY currency ORDER BY currency""",
        f"department:{department}",
    )
    return rows
