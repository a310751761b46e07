"""What a department knows its payments by, for the payments inside a payout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Known:
    """A payment as its department knows it, and which of the department's own services were paid."""

    reference: str
    receipt_number: str | None
    services: Sequence[tuple[str | None, str]]


async def known_by(connection: Connection, department: str, intent_ids: Sequence[str]) -> dict[str, Known]:
    """Return what is known of a page of payments, in one statement; of a bundle only the department's own services."""
    if not intent_ids:
        return {}
    rows = await connection.fetch(
        """SELECT i.id, i.reference, i.receipt_number, l.service, l.revenue_code
             FROM gateway.intent i LEFT JOIN gateway.intent_line l ON l.intent = i.id AND l.department = $1
            WHERE i.id = ANY ($2::text[]) ORDER BY i.id, l.number""",
        department,
        list(intent_ids),
    )
    found: dict[str, Known] = {}
    for row in rows:
        service = () if row["revenue_code"] is None else ((row["service"], row["revenue_code"]),)
        before = found[row["id"]].services if row["id"] in found else ()
        services = tuple(dict.fromkeys((*before, *service)))
        found[row["id"]] = Known(row["reference"], row["receipt_number"], services)
    return found


async def references(connection: Connection, intent_ids: Sequence[str]) -> dict[str, str]:
    """Return what their departments call payments."""
    rows = await connection.fetch(
        "SELECT id, reference FROM gateway.intent WHERE id = ANY ($1::text[])", list(intent_ids)
    )
    return {row["id"]: row["reference"] for row in rows}
