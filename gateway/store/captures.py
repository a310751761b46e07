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


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for before it was reserved. `lines` are (number, amount, VAT), in minor units."""

    amount_minor: int
    expires_at: datetime
    lines: tuple[tuple[int, int, int], ...]


async def mark(connection: Connection, intent_ids: Sequence[str]) -> None:
    """Say of new intents that they are captured later."""
    await connection.execute(
        "UPDATE gateway.intent SET capture_later = true WHERE id = ANY ($1::text[])", list(intent_ids)
    )


async def keep(connection: Connection, reservations: Sequence[Reservation]) -> None:
    """Write what became reserved, with its deadline, and what stood there before; the intents are locked."""
    if not reservations:
        return
    await connection.execute(
        """INSERT INTO gateway.reservation (intent, amount_minor, expires_at, numbers, amounts_minor, vats_minor)
           SELECT i.id, i.amount_minor, i.expires_at, array_agg(l.number ORDER BY l.number),
                  array_agg(l.amount_minor ORDER BY l.number), array_agg(l.vat_minor ORDER BY l.number)
             FROM gateway.intent i
             JOIN gateway.intent_line l ON l.intent = i.id
            WHERE i.id = ANY ($1::text[])
            GROUP BY i.id
           ON CONFLICT (intent) DO UPDATE SET letting_go_at = NULL""",
        [each.intent for each in reservations],
    )
    await connection.execute(
        """UPDATE gateway.intent i
              SET authorised_minor = r.authorised_minor, expires_at = r.until, next_close_at = r.until
             FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS r (id, authorised_minor, until)
            WHERE i.id = r.id""",
        [each.intent for each in reservations],
        [each.authorised_minor for each in reservations],
        [each.until for each in reservations],
    )


async def asked(connection: Connection, intent_ids: Sequence[str]) -> dict[str, Asked]:
    """Return what reserved intents asked for before a part of it was to be captured."""
    rows = await connection.fetch(
        """SELECT intent, amount_minor, expires_at, numbers, amounts_minor, vats_minor
             FROM gateway.reservation WHERE intent = ANY ($1::text[])""",
        list(intent_ids),
    )
    return {
        row["intent"]: Asked(
            row["amount_minor"],
            row["expires_at"],
            tuple(zip(row["numbers"], row["amounts_minor"], row["vats_minor"], strict=True)),
        )
        for row in rows
    }


async def end(connection: Connection, intent_ids: Sequence[str]) -> None:
    """Forget what is not reserved any more and ask again for what was asked for before; the intents are locked."""
    if not intent_ids:
        return
    ended = list(intent_ids)
    await connection.execute(
        """UPDATE gateway.intent i
              SET authorised_minor = NULL, capture_asked_at = NULL,
                  amount_minor = coalesce(r.amount_minor, i.amount_minor),
                  expires_at = coalesce(r.expires_at, i.expires_at),
                  next_close_at = coalesce(r.expires_at, i.next_close_at)
             FROM unnest($1::text[]) AS ended (intent)
             LEFT JOIN gateway.reservation r USING (intent)
            WHERE i.id = ended.intent""",
        ended,
    )
    await connection.execute(
        """UPDATE gateway.attempt a SET amount_minor = r.amount_minor
             FROM gateway.reservation r
            WHERE r.intent = ANY ($1::text[]) AND a.intent = r.intent AND a.amount_minor < r.amount_minor""",
        ended,
    )
    await connection.execute(
        """UPDATE gateway.intent_line l SET amount_minor = w.amount_minor, vat_minor = w.vat_minor
             FROM gateway.reservation r,
                  unnest(r.numbers, r.amounts_minor, r.vats_minor) AS w (number, amount_minor, vat_minor)
            WHERE r.intent = ANY ($1::text[]) AND l.intent = r.intent AND l.number = w.number
              AND (l.amount_minor, l.vat_minor) <> (w.amount_minor, w.vat_minor)""",
        ended,
    )


async def let_go(connection: Connection, intent_id: str, at: datetime) -> None:
    """Note that a reservation is being given up at its provider; the intent is locked."""
    await connection.execute("UPDATE gateway.reservation SET letting_go_at = $2 WHERE intent = $1", intent_id, at)


async def letting_go_since(connection: Connection, intent_id: str) -> datetime | None:
    """Return since when a reservation is being given up, if it is; the intent is locked."""
    since: datetime | None = await connection.fetchval(
        "SELECT letting_go_at FROM gateway.reservation WHERE intent = $1", intent_id
    )
    return since


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
