"""Up to which journal the departments have been told what the books say."""

from __future__ import annotations

from gateway.store.connections import Connection


async def hold(connection: Connection) -> int | None:
    """Return the last journal that was told, and keep it for this transaction; None while another worker tells."""
    told: int | None = await connection.fetchval(
        "SELECT journal_id FROM gateway.told_journal FOR NO KEY UPDATE SKIP LOCKED"
    )
    return told


async def advance(connection: Connection, journal_id: int) -> None:
    await connection.execute("UPDATE gateway.told_journal SET journal_id = $1", journal_id)
