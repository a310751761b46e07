"""Cash that is to be given back at the counter where it was taken: asked for there, and by no caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.connections import Connection, Row
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class GiveBack:
    """One request, as a supervisor sees it."""

    refund: str
    intent: str
    reference: str
    amount: Money
    reason: str
    agent: str


def give_back_of(row: Row) -> GiveBack:
    amount = Money(row["amount_minor"], row["currency"])
    return GiveBack(row["id"], row["intent"], row["reference"], amount, row["reason"], row["agent"])


async def waiting(connection: Connection, centre: str, limit: int) -> Sequence[GiveBack]:
    """Return what waits for a supervisor of a centre, oldest first."""
    rows = await connection.fetch(
        """SELECT r.id, r.intent, i.reference, r.amount_minor, r.currency, r.reason, r.asked_by AS agent
             FROM gateway.refund r
             JOIN gateway.counter_payment c ON c.attempt = r.attempt
             JOIN gateway.shift s ON s.id = c.shift
             JOIN gateway.intent i ON i.id = r.intent
            WHERE r.status = 'awaiting_approval' AND r.provider = 'counter' AND r.asked_with IS NULL AND s.centre = $1
            ORDER BY r.id LIMIT $2""",
        centre,
        limit,
    )
    return [give_back_of(row) for row in rows]


async def of_shift(connection: Connection, shift_id: str) -> int:
    """Count what waits of one drawer."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM gateway.refund r JOIN gateway.counter_payment c ON c.attempt = r.attempt
                WHERE r.status = 'awaiting_approval' AND r.provider = 'counter' AND r.asked_with IS NULL
                  AND c.shift = $1""",
            shift_id,
        )
    )
