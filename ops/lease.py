"""Leases with fencing: at most one holder of a name at a time, and a number that tells old work from new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    fence: int
    expires_at: datetime


async def take(
    connection: asyncpg.Connection[Any], name: str, holder: str, *, now: datetime, duration_s: float
) -> Lease | None:
    """Take or renew a lease; None when another holder's has not run out. A new holder gets a higher fence."""
    row = await connection.fetchrow(
        """
        INSERT INTO ops.lease AS held (name, holder, fence, expires_at) VALUES ($1, $2, 1, $4)
        ON CONFLICT (name) DO UPDATE
          SET holder = $2, expires_at = $4, fence = held.fence + (held.holder <> $2 OR held.expires_at <= $3)::integer
          WHERE held.holder = $2 OR held.expires_at <= $3
        RETURNING fence, expires_at
        """,
        name,
        holder,
        now,
        now + timedelta(seconds=duration_s),
    )
    return Lease(name, holder, row["fence"], row["expires_at"]) if row else None


async def give_back(connection: asyncpg.Connection[Any], lease: Lease, *, now: datetime) -> None:
    """Let the next holder in at once."""
    await connection.execute(
        "UPDATE ops.lease SET expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3",
        lease.name,
        lease.holder,
        lease.fence,
        now,
    )
