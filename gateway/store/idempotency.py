"""The first answer to each Idempotency-Key, kept as long as we publish."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import asyncpg

from gateway.domain.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.store.connections import Connection

KEPT: Final = timedelta(days=90)
"""Published: a key may be used for something else after ninety days."""


async def claim(connection: Connection, claimed: Claim, answer: StoredAnswer, at: datetime) -> bool:
    """Store the answer with its key, in the transaction of its effect; False when the key is already used.

    While another transaction holds the key uncommitted, this waits for it, at most the session's lock_timeout.
    """
    try:
        tag = await connection.execute(
            """INSERT INTO gateway.idempotency
                      (caller, route, key, body_sha256, resource, status, answer, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
            claimed.caller, claimed.route, claimed.key, claimed.body_sha256, answer.resource, answer.status,
            answer.answer, at, at + KEPT,
        )  # fmt: skip
    except asyncpg.LockNotAvailableError:
        raise IdempotencyInFlightError(retry_after_s=1) from None  # its first request takes long, in another process
    return bool(tag == "INSERT 0 1")


async def replay(connection: Connection, claimed: Claim) -> StoredAnswer | None:
    """Return the first answer to this key, or None when it was never used; another body is refused."""
    row = await connection.fetchrow(
        """SELECT body_sha256, resource, status, answer FROM gateway.idempotency
            WHERE caller = $1 AND route = $2 AND key = $3""",
        claimed.caller,
        claimed.route,
        claimed.key,
    )
    if row is None:
        return None
    if row["body_sha256"] != claimed.body_sha256:
        raise IdempotencyKeyReusedError
    return StoredAnswer(row["resource"], row["status"], row["answer"], replayed=True)


async def forget_expired(connection: Connection, at: datetime, limit: int) -> int:
    rows = await connection.fetch(
        """DELETE FROM gateway.idempotency WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM gateway.idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)) RETURNING 1""",
        at,
        limit,
    )
    return len(rows)
