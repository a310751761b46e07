"""Where each department is paid, and the changes two people make to it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from reconciliation.store import Connection, Record

_FIELDS: Final = (
    "department, currency, legal_name, iban, bic, purpose, proof, schedule, weekday, minimum_minor, holdback_minor,"
    " fee_bearer, chargebacks_by_treasury, remittance_email, revenue_code"
)


async def insert_change(
    connection: Connection,
    change_id: str,
    fields: tuple[object, ...],
    reason: str,
    maker: str,
    now: datetime,
    *,
    confirmation: str | None,
    confirmed_name: str | None,
) -> None:
    """Store a proposed change; `fields` are in the order of the payee's columns."""
    await connection.execute(
        f"""
        INSERT INTO reconciliation.payee_change (id, {_FIELDS}, reason, maker, made_at, confirmation,
          confirmed_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        """,
        change_id,
        *fields,
        reason,
        maker,
        now,
        confirmation,
        confirmed_name,
    )


async def read_change(connection: Connection, change_id: str) -> Record | None:
    return await connection.fetchrow(
        "SELECT id, department, currency, maker, decision, effective_at, applied_at, confirmation, confirmed_name"
        " FROM reconciliation.payee_change"
        " WHERE id = $1 FOR UPDATE",
        change_id,
    )


async def in_force(connection: Connection, department: str, currency: str, revenue_code: str) -> Record | None:
    """Read what stands for an account: name, bank details and terms."""
    return await connection.fetchrow(
        f"SELECT {_FIELDS} FROM reconciliation.payee WHERE department = $1 AND currency = $2 AND revenue_code = $3",
        department,
        currency,
        revenue_code,
    )


async def read_proposed(connection: Connection, change_id: str) -> Record | None:
    """Read a change with everything it would set, who proposed it and why."""
    return await connection.fetchrow(
        f"SELECT id, {_FIELDS}, reason, maker, decision, applied_at, confirmation, confirmed_name"
        " FROM reconciliation.payee_change WHERE id = $1",
        change_id,
    )


async def exists(connection: Connection, department: str, currency: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.payee WHERE department = $1 AND currency = $2)",
        department,
        currency,
    )
    return found


async def decide_change(
    connection: Connection, change_id: str, checker: str, decision: str, now: datetime, effective_at: datetime | None
) -> None:
    await connection.execute(
        """
        UPDATE reconciliation.payee_change SET checker = $2, decision = $3, checked_at = $4, effective_at = $5
        WHERE id = $1
        """,
        change_id,
        checker,
        decision,
        now,
        effective_at,
    )


async def apply_due(connection: Connection, now: datetime) -> list[str]:
    """Put into force every approved change whose waiting time is over; return their ids."""
    due = await connection.fetch(
        """
        UPDATE reconciliation.payee_change SET applied_at = $1
        WHERE decision = 'approved' AND applied_at IS NULL AND effective_at <= $1 RETURNING id
        """,
        now,
    )
    ids = [row["id"] for row in due]
    await connection.execute(
        f"""
        INSERT INTO reconciliation.payee (change_id, {_FIELDS})
        SELECT id, {_FIELDS} FROM reconciliation.payee_change WHERE id = ANY ($1::text[])
        ON CONFLICT (department, currency, revenue_code) DO UPDATE SET change_id = excluded.change_id,
          legal_name = excluded.legal_name, iban = excluded.iban, bic = excluded.bic, purpose = excluded.purpose,
          proof = excluded.proof, schedule = excluded.schedule, weekday = excluded.weekday,
          minimum_minor = excluded.minimum_minor, holdback_minor = excluded.holdback_minor,
          fee_bearer = excluded.fee_bearer, chargebacks_by_treasury = excluded.chargebacks_by_treasury,
          remittance_email = excluded.remittance_email
        """,
        ids,
    )
    return ids


async def read_all(connection: Connection) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT department, currency, revenue_code, iban, legal_name, schedule, weekday, proof, minimum_minor,"
        " holdback_minor, fee_bearer, chargebacks_by_treasury, remittance_email FROM reconciliation.payee"
        " ORDER BY 1, 2, 3"
    )
    return rows


async def read_waiting(connection: Connection) -> list[Record]:
    """Read the changes nobody decided yet, and those whose waiting time runs."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT id, department, revenue_code, iban, maker, reason, effective_at, confirmation, confirmed_name
        FROM reconciliation.payee_change
        WHERE decision IS NULL OR (decision = 'approved' AND applied_at IS NULL) ORDER BY made_at
        """
    )
    return rows


async def by_revenue_code(connection: Connection, currency: str) -> list[Record]:
    """Read the accounts that departments have for single revenue codes."""
    rows: list[Record] = await connection.fetch(
        "SELECT department, revenue_code, legal_name, iban, bic, purpose FROM reconciliation.payee"
        " WHERE currency = $1 AND revenue_code <> '' ORDER BY department, revenue_code",
        currency,
    )
    return rows


async def spared_chargebacks(connection: Connection, currency: str) -> set[str]:
    """Name the departments whose contract lets the treasury bear lost disputes."""
    rows = await connection.fetch(
        "SELECT department FROM reconciliation.payee WHERE currency = $1 AND revenue_code = ''"
        " AND chargebacks_by_treasury",
        currency,
    )
    return {row["department"] for row in rows}
