"""The audit trail of people's decisions; it is only ever added to."""

from __future__ import annotations

from ledger.ids import mint
from reconciliation.deps import Deps
from reconciliation.store import Connection


async def insert(
    connection: Connection, deps: Deps, actor: str, action: str, subject: str,
    *, before: bytes | None = None, after: bytes | None = None,
) -> None:  # fmt: skip
    """Record a decision in the transaction that makes it."""
    now = deps.clock()
    await connection.execute(
        """
        INSERT INTO reconciliation.audit (id, at, actor, action, subject, before, after)
        VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)
        """,
        mint("au", now, deps.random_bytes),
        now,
        actor,
        action,
        subject,
        before.decode() if before else None,
        after.decode() if after else None,
    )
