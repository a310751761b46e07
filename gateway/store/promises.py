"""Payers who were told that they will hear from us, whatever the bank's answer is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.store.connections import Connection


async def make(connection: Connection, attempt_id: str, at: datetime) -> bool:
    """Remember the promise while the attempt is undecided; False when the answer has come in the meantime.

    Locks the attempt as its settlement does, so that the promise is either seen there or refused here.
    """
    undecided = await connection.fetchval(
        """SELECT true FROM gateway.attempt
            WHERE id = $1 AND status IN ('starting', 'pending', 'unknown') FOR UPDATE""",
        attempt_id,
    )
    if not undecided:
        return False
    await connection.execute(
        "INSERT INTO gateway.promise (attempt, made_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", attempt_id, at
    )
    return True


async def made(connection: Connection, attempt_ids: Sequence[str]) -> set[str]:
    """Return which of the attempts' payers were promised a word."""
    rows = await connection.fetch(
        "SELECT attempt FROM gateway.promise WHERE attempt = ANY ($1::text[])", list(attempt_ids)
    )
    return {row["attempt"] for row in rows}
