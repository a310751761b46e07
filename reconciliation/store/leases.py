"""One night at a time: a lease with a fencing token, checked inside every transaction the night commits."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciliation.errors import LeaseLostError
from reconciliation.store import Connection

NIGHT = "night"


async def take(connection: Connection, holder: str, *, now: datetime, duration_s: float) -> int | None:
    """Take the lease and return its fence; `None` while another holder's has not run out."""
    fence: int | None = await connection.fetchval(
        """
        INSERT INTO reconciliation.lease AS held (name, holder, fence, expires_at) VALUES ($1, $2, 1, $4)
        ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $4, fence = held.fence + 1
          WHERE held.expires_at <= $3
        RETURNING fence
        """,
        NIGHT,
        holder,
        now,
        now + timedelta(seconds=duration_s),
    )
    return fence


async def hold(connection: Connection, fence: int, *, now: datetime, duration_s: float) -> None:
    """Prove that the lease is still ours and renew it; the row stays locked until the transaction ends."""
    held = await connection.fetchval(
        "UPDATE reconciliation.lease SET expires_at = $3 WHERE name = $1 AND fence = $2 RETURNING true",
        NIGHT,
        fence,
        now + timedelta(seconds=duration_s),
    )
    if not held:
        raise LeaseLostError


async def give_back(connection: Connection, fence: int, *, now: datetime) -> None:
    """Let the next night in at once."""
    await connection.execute(
        "UPDATE reconciliation.lease SET expires_at = $3 WHERE name = $1 AND fence = $2", NIGHT, fence, now
    )


async def running_since(connection: Connection, now: datetime) -> datetime | None:
    """Return when the night that holds the lease began; `None` when nobody holds it."""
    began: datetime | None = await connection.fetchval(
        """
        SELECT max(r.started_at) FROM reconciliation.lease l JOIN reconciliation.run r ON r.fence = l.fence
        WHERE l.name = $1 AND l.expires_at > $2
        """,
        NIGHT,
        now,
    )
    return began


async def keep_away(connection: Connection, now: datetime) -> bool:
    """Let no night begin until this transaction ends; false when one is running."""
    running = await connection.fetchval(
        "SELECT expires_at > $2 FROM reconciliation.lease WHERE name = $1 FOR UPDATE", NIGHT, now
    )
    return not running
