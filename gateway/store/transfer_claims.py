"""Credits that two people give to a bill, and the bills that still wait for a transfer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection, Row
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment that waits for its transfer."""

    attempt: str
    intent: str
    bill: str
    reference: str | None
    amount: Money


async def waiting(connection: Connection, amount: Money, limit: int) -> list[Waiting]:
    """Return payments of this currency that wait for a transfer, those of this very amount first, then the newest."""
    rows = await connection.fetch(
        """SELECT a.id, a.intent, i.reference AS bill, a.provider_reference, a.amount_minor, a.currency
             FROM gateway.attempt a JOIN gateway.intent i ON i.id = a.intent
            WHERE a.method = 'bank_transfer' AND a.currency = $2 AND a.review IS NULL
              AND a.status IN ('starting', 'pending', 'unknown')
            ORDER BY (a.amount_minor = $1) DESC, a.id DESC LIMIT $3""",
        amount.amount_minor,
        amount.currency,
        limit,
    )
    return [
        Waiting(
            attempt=row["id"],
            intent=row["intent"],
            bill=row["bill"],
            reference=row["provider_reference"],
            amount=Money(row["amount_minor"], row["currency"]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Claim:
    """A proposal that a credit pays a bill."""

    id: str
    attempt: str
    credit: str
    amount: Money
    reason: str
    maker: str
    made_at: datetime


async def insert(connection: Connection, claim: Claim) -> bool:
    """Store a proposal; False when the bill has been given a credit already."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.transfer_claim (id, attempt, credit, amount_minor, currency, reason, maker, made_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (attempt) WHERE decision IS DISTINCT FROM 'refused' DO NOTHING RETURNING 1""",
        claim.id, claim.attempt, claim.credit, claim.amount.amount_minor, claim.amount.currency, claim.reason,
        claim.maker, claim.made_at,
    )  # fmt: skip
    return row is not None


async def given_of(connection: Connection, credit: str) -> int:
    """Return how much of a credit was given to bills, decided or not."""
    given: int = await connection.fetchval(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM gateway.transfer_claim"
        " WHERE credit = $1 AND decision IS DISTINCT FROM 'refused'",
        credit,
    )
    return given


async def lock(connection: Connection, claim_id: str) -> Row | None:
    return await connection.fetchrow(
        """SELECT c.attempt, c.credit, c.amount_minor, c.currency, c.maker, c.decision, a.provider
             FROM gateway.transfer_claim c JOIN gateway.attempt a ON a.id = c.attempt
            WHERE c.id = $1 FOR UPDATE OF c""",
        claim_id,
    )


async def decide(connection: Connection, claim_id: str, checker: str, decision: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.transfer_claim SET checker = $2, decision = $3, checked_at = $4 WHERE id = $1",
        claim_id,
        checker,
        decision,
        at,
    )
