"""Ratings of payments: one number per paid intent."""

from __future__ import annotations

from datetime import datetime

from gateway.store.connections import Connection


async def save(connection: Connection, intent_id: str, score: int, at: datetime) -> bool:
    """Store or change the rating; False when the intent is not paid."""
    tag = await connection.execute(
        """INSERT INTO gateway.rating (intent, score, given_at)
           SELECT id, $2, $3 FROM gateway.intent WHERE id = $1 AND status = 'paid'
               ON CONFLICT (intent) DO UPDATE SET score = excluded.score, given_at = excluded.given_at""",
        intent_id,
        score,
        at,
    )
    return bool(tag == "INSERT 0 1")


async def read(connection: Connection, intent_id: str) -> int | None:
    found: int | None = await connection.fetchval("SELECT score FROM gateway.rating WHERE intent = $1", intent_id)
    return found
