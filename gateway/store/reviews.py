"""Attempts that were put before a person, and what two people decide about each."""

from __future__ import annotations

from datetime import datetime

from gateway.store.connections import Connection, Row


async def undecided(connection: Connection, limit: int) -> list[Row]:
    """Return attempts in review that no approved decision has ended, oldest first, with the proposal that waits."""
    rows: list[Row] = await connection.fetch(
        """SELECT a.id, a.intent, a.provider, a.provider_reference, a.review, a.status, a.amount_minor, a.currency,
                  a.captured_minor, a.captured_currency, a.updated_at, p.id AS proposal, p.outcome, p.maker
             FROM gateway.attempt a
             LEFT JOIN gateway.review_decision p ON p.attempt = a.id AND p.decision IS NULL
            WHERE a.review IS NOT NULL
              AND NOT EXISTS (SELECT FROM gateway.review_decision d
                               WHERE d.attempt = a.id AND d.review = a.review AND d.decision = 'approved'
                                 AND d.outcome <> 'ask_again')
            ORDER BY a.id LIMIT $1""",
        limit,
    )
    return rows


async def insert(
    connection: Connection, decision_id: str, attempt: str, review: str, outcome: str, reason: str, maker: str,
    at: datetime,
) -> bool:  # fmt: skip
    """Store a proposal; False when one waits for this attempt already."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.review_decision (id, attempt, review, outcome, reason, maker, made_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (attempt) WHERE decision IS NULL DO NOTHING RETURNING 1""",
        decision_id, attempt, review, outcome, reason, maker, at,
    )  # fmt: skip
    return row is not None


async def lock(connection: Connection, decision_id: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        "SELECT id, attempt, review, outcome, maker, decision FROM gateway.review_decision WHERE id = $1 FOR UPDATE",
        decision_id,
    )
    return row


async def decide(connection: Connection, decision_id: str, checker: str, decision: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.review_decision SET checker = $2, checked_at = $3, decision = $4 WHERE id = $1",
        decision_id,
        checker,
        at,
        decision,
    )


async def let_machines_ask(connection: Connection, attempt: str, at: datetime) -> None:
    """End a review: the provider is asked again, and its word is taken as any other."""
    await connection.execute(
        "UPDATE gateway.attempt SET review = NULL, next_check_at = $2, updated_at = $2 WHERE id = $1", attempt, at
    )
