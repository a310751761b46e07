"""Refunds of cash that wait for their citizen, and those an agent is handing out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection
from gateway.store.give_backs import GiveBack, give_back_of


@dataclass(frozen=True, slots=True)
class Handout:
    refund: str
    shift: str
    agent: str
    checker: str | None


async def insert(connection: Connection, refund_id: str, shift_id: str, agent: str, at: datetime) -> bool:
    """Note that an agent wants to hand a refund out; False while it is being handed out already."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.cash_handout (refund, shift, agent, asked_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (refund) DO NOTHING RETURNING 1""",
        refund_id,
        shift_id,
        agent,
        at,
    )
    return row is not None


async def read(connection: Connection, refund_id: str) -> Handout | None:
    row = await connection.fetchrow(
        "SELECT refund, shift, agent, checker FROM gateway.cash_handout WHERE refund = $1", refund_id
    )
    return Handout(**dict(row)) if row else None


async def check(connection: Connection, refund_id: str, checker: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.cash_handout SET checker = $2, checked_at = $3 WHERE refund = $1", refund_id, checker, at
    )


async def drop(connection: Connection, refund_id: str) -> None:
    """Let a refund that is not handed out after all wait again."""
    await connection.execute("DELETE FROM gateway.cash_handout WHERE refund = $1 AND checker IS NULL", refund_id)


async def waiting(connection: Connection, centre: str, limit: int) -> Sequence[GiveBack]:
    """Return what agents of a centre want to hand out, oldest first: a supervisor decides about it."""
    rows = await connection.fetch(
        """SELECT r.id, r.intent, i.reference, r.amount_minor, r.currency, r.reason, h.agent
             FROM gateway.cash_handout h
             JOIN gateway.shift s ON s.id = h.shift
             JOIN gateway.refund r ON r.id = h.refund
             JOIN gateway.intent i ON i.id = r.intent
            WHERE h.checker IS NULL AND s.centre = $1 ORDER BY h.refund LIMIT $2""",
        centre,
        limit,
    )
    return [give_back_of(row) for row in rows]


async def of_shift(connection: Connection, shift_id: str) -> int:
    """Count what is being handed out of one drawer."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM gateway.cash_handout WHERE shift = $1 AND checker IS NULL", shift_id
        )
    )


async def uncollected(connection: Connection, since: datetime, limit: int) -> list[str]:
    """Return refunds of cash nobody has come for since an instant, and nobody is handing out."""
    rows = await connection.fetch(
        """SELECT r.id FROM gateway.refund r
            WHERE r.status = 'awaiting_collection' AND r.updated_at <= $1
              AND NOT EXISTS (SELECT 1 FROM gateway.cash_handout h WHERE h.refund = r.id)
            ORDER BY r.updated_at LIMIT $2""",
        since,
        limit,
    )
    return [row["id"] for row in rows]
