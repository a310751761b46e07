"""Which papers of a bank were heard already."""

from __future__ import annotations

from datetime import datetime

from gateway.store.connections import Connection


async def known(connection: Connection, provider: str, since: datetime) -> frozenset[str]:
    rows = await connection.fetch(
        "SELECT paper FROM gateway.announcement WHERE provider = $1 AND heard_at >= $2", provider, since
    )
    return frozenset(row["paper"] for row in rows)


async def keep(connection: Connection, provider: str, paper: str, at: datetime) -> bool:
    """Remember a paper; False when another worker was faster."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.announcement (provider, paper, heard_at) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING RETURNING 1""",
        provider,
        paper,
        at,
    )
    return row is not None


async def forget(connection: Connection, before: datetime) -> None:
    await connection.execute("DELETE FROM gateway.announcement WHERE heard_at < $1", before)
