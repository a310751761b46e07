"""The versions of each provider's contract, and the changes two people make to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from reconciliation.store import Connection, Record

TERMS: Final = (
    "file_days", "settlement_days", "credit_days", "fee_basis_points", "fee_fixed_minor", "fee_vat_basis_points",
    "fee_tolerance_minor", "currency", "tolerance_above_minor", "tolerance_below_minor",
    "tolerance_above_basis_points", "tolerance_below_basis_points", "settles",
)  # fmt: skip
"""The columns of a contract's terms, in the order in which `insert` takes them."""


async def insert(
    connection: Connection,
    contract_id: str,
    provider: str,
    begins_on: date,
    terms: Sequence[object],
    *,
    reason: str,
    maker: str,
    now: datetime,
) -> None:
    """Store a proposed version."""
    await connection.execute(
        """
        INSERT INTO reconciliation.provider_contract (id, provider, begins_on, reason, maker, made_at, file_days,
          settlement_days, credit_days, fee_basis_points, fee_fixed_minor, fee_vat_basis_points, fee_tolerance_minor,
          currency, tolerance_above_minor, tolerance_below_minor, tolerance_above_basis_points,
          tolerance_below_basis_points, settles)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        """,
        contract_id,
        provider,
        begins_on,
        reason,
        maker,
        now,
        *terms,
    )


async def read_locked(connection: Connection, contract_id: str) -> Record | None:
    return await connection.fetchrow(
        "SELECT id, provider, begins_on, maker, decision FROM reconciliation.provider_contract WHERE id = $1"
        " FOR UPDATE",
        contract_id,
    )


async def decide(connection: Connection, contract_id: str, checker: str, decision: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.provider_contract SET checker = $2, decision = $3, checked_at = $4 WHERE id = $1",
        contract_id,
        checker,
        decision,
        now,
    )


async def approved(connection: Connection) -> list[Record]:
    """Read every version in force on some day, a provider's oldest first.

    Of two that begin on one day the one approved later holds.
    """
    rows: list[Record] = await connection.fetch(
        """
        SELECT DISTINCT ON (provider, begins_on) * FROM reconciliation.provider_contract WHERE decision = 'approved'
        ORDER BY provider, begins_on, checked_at DESC, id DESC
        """
    )
    return rows


async def waiting(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT * FROM reconciliation.provider_contract WHERE decision IS NULL ORDER BY made_at, id"
    )
    return rows
