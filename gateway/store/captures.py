"""Reservations: what a payer has authorised, until it is captured, given up or lapses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a bank holds for an intent, and until when that is counted on."""

    intent: str
    authorised_minor: int
    until: datetime


async def mark(connection: Connection, intent_ids: Sequence[str]) -> None:
    """Say of new intents that they are captured later."""
    await connection.execute(
        "UPDATE gateway.intent SET capture_later = true WHERE id = ANY ($1::text[])", list(intent_ids)
    )


async def keep(connection: Connection, reservations: Sequence[Reservation]) -> None:
    """Write what became reserved, with its deadline; the intents are locked."""
    if not reservations:
        return
    await connection.execute(
        """UPDATE gateway.intent i
              SET authorised_minor = r.authorised_minor, expires_at = r.until, next_close_at = r.until
             FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS r (id, authorised_minor, until)
            WHERE i.id = r.id""",
        [each.intent for each in reservations],
        [each.authorised_minor for each in reservations],
        [each.until for each in reservations],
    )


async def end(connection: Connection, intent_ids: Sequence[str]) -> None:
    """Forget what is not reserved any more; the intents are locked."""
    if not intent_ids:
        return
    await connection.execute(
        "UPDATE gateway.intent SET authorised_minor = NULL, capture_asked_at = NULL WHERE id = ANY ($1::text[])",
        list(intent_ids),
    )


async def ask(connection: Connection, intent_id: str, at: datetime) -> None:
    await connection.execute("UPDATE gateway.intent SET capture_asked_at = $2 WHERE id = $1", intent_id, at)


async def reduce(
    connection: Connection, intent_id: str, attempt_id: str, amount_minor: int, lines: Sequence[tuple[int, int, int]]
) -> None:
    """Write the smaller amount that is to be captured: on the intent, its attempt, and its lines with their VAT."""
    await connection.execute("UPDATE gateway.intent SET amount_minor = $2 WHERE id = $1", intent_id, amount_minor)
    await connection.execute("UPDATE gateway.attempt SET amount_minor = $2 WHERE id = $1", attempt_id, amount_minor)
    await connection.execute(
        """UPDATE gateway.intent_line l SET amount_minor = r.amount_minor, vat_minor = r.vat_minor
             FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS r (number, amount_minor, vat_minor)
            WHERE l.intent = $1 AND l.number = r.number""",
        intent_id,
        [number for number, _, _ in lines],
        [minor for _, minor, _ in lines],
        [vat for _, _, vat in lines],
    )
