"""How much waits, and since when: one row a queue, read from the partial indexes of what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Backlog:
    queue: str
    waiting: int
    oldest: datetime | None


async def read(connection: Connection, at: datetime) -> list[Backlog]:
    rows = await connection.fetch(
        """SELECT 'undecided_attempts' AS queue, count(*) AS waiting, min(started_at) AS oldest FROM gateway.attempt
            WHERE status IN ('starting', 'pending', 'unknown') AND review IS NULL
           UNION ALL
           SELECT 'overdue_intents', count(*), min(expires_at) FROM gateway.intent
            WHERE status IN ('requires_payment', 'processing', 'requires_capture') AND next_close_at <= $1
           UNION ALL
           SELECT 'open_refunds', count(*), min(created_at) FROM gateway.refund
            WHERE status IN ('requested', 'pending', 'unknown') AND review IS NULL
           UNION ALL
           SELECT 'late_payments', count(*), min(captured_at) FROM gateway.attempt WHERE late AND resolution IS NULL
           UNION ALL
           SELECT 'callbacks', count(*), min(received_at) FROM gateway.inbox WHERE status = 'waiting'
           UNION ALL
           SELECT 'webhooks', count(*), min(created_at) FROM gateway.webhook_delivery WHERE status = 'waiting'
           UNION ALL
           SELECT 'messages', count(*), min(CASE WHEN tries > 0 THEN created_at ELSE next_try_at END)
             FROM gateway.message WHERE status = 'waiting' AND (tries > 0 OR next_try_at <= $1)
           UNION ALL
           SELECT 'undeliverable_messages', count(*), min(created_at) FROM gateway.message
            WHERE status = 'dead' AND created_at >= $1 - interval '7 days'""",
        at,
    )
    return [Backlog(row["queue"], row["waiting"], row["oldest"]) for row in rows]
