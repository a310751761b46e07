"""Payment links and the intents they made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.domain.department import Names
from gateway.domain.payment_link import PaymentLink
from gateway.store.connections import Connection, Row, from_json, to_json
from ledger.money import Money

_COLUMNS: Final = """id, department, reference, service, name_ar, name_en, revenue_code, quantity, base_minor, answers,
  currency, amount_minor, amount_min_minor, amount_max_minor, single_use, language, return_url, metadata, live,
  created_at, expires_at, disabled_at"""


def _link(row: Row) -> PaymentLink:
    def money(name: str) -> Money | None:
        return None if row[name] is None else Money(row[name], row["currency"])

    return PaymentLink(
        id=row["id"],
        department=row["department"],
        reference=row["reference"],
        service=row["service"],
        names=Names(row["name_ar"], row["name_en"]),
        revenue_code=row["revenue_code"],
        quantity=row["quantity"],
        base_minor=row["base_minor"],
        answers=from_json(row["answers"]),
        currency=row["currency"],
        amount=money("amount_minor"),
        least=money("amount_min_minor"),
        most=money("amount_max_minor"),
        single_use=row["single_use"],
        language=row["language"],
        return_url=row["return_url"],
        metadata=from_json(row["metadata"]),
        live=row["live"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        disabled_at=row["disabled_at"],
    )


async def insert(connection: Connection, link: PaymentLink) -> None:
    def minor(amount: Money | None) -> int | None:
        return None if amount is None else amount.amount_minor

    await connection.execute(
        """INSERT INTO gateway.payment_link
                  (id, department, reference, service, name_ar, name_en, revenue_code, quantity, currency, amount_minor,
                   amount_min_minor, amount_max_minor, single_use, language, return_url, metadata, live, created_at,
                   expires_at, base_minor, answers)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17, $18, $19, $20,
                   $21::jsonb)""",
        link.id, link.department, link.reference, link.service, link.names.ar, link.names.en, link.revenue_code,
        link.quantity, link.currency, minor(link.amount), minor(link.least), minor(link.most), link.single_use,
        link.language, link.return_url, to_json(link.metadata), link.live, link.created_at, link.expires_at,
        link.base_minor, to_json(link.answers),
    )  # fmt: skip


async def read(connection: Connection, link_id: str) -> PaymentLink | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.payment_link WHERE id = $1", link_id)
    return _link(row) if row else None


async def page(connection: Connection, department: str, *, before: str | None, limit: int) -> list[PaymentLink]:
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.payment_link
             WHERE department = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        department,
        before,
        limit,
    )
    return [_link(row) for row in rows]


async def disable(connection: Connection, link_id: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.payment_link SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1", link_id, at
    )


async def usable_for(connection: Connection, services: Sequence[str], at: datetime) -> dict[str, int]:
    """Return how many links somebody may still open there are for each service."""
    rows = await connection.fetch(
        """SELECT service, count(*) AS links FROM gateway.payment_link
            WHERE service = ANY ($1::text[]) AND disabled_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
            GROUP BY service""",
        services,
        at,
    )
    return {row["service"]: row["links"] for row in rows}


async def last_use(connection: Connection, link_id: str) -> tuple[int, str] | None:
    """Return the number and the intent of the latest use of a link for one use."""
    row = await connection.fetchrow(
        """SELECT number, intent FROM gateway.payment_link_use WHERE link = $1 AND number IS NOT NULL
            ORDER BY number DESC LIMIT 1""",
        link_id,
    )
    return (row["number"], row["intent"]) if row else None


async def note_use(connection: Connection, link_id: str, intent_id: str, number: int | None) -> None:
    await connection.execute(
        "INSERT INTO gateway.payment_link_use (link, intent, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        link_id,
        intent_id,
        number,
    )


async def paid(connection: Connection, link_ids: list[str]) -> dict[str, int]:
    """Return how often each link was paid."""
    rows = await connection.fetch(
        """SELECT u.link, count(*) AS times FROM gateway.payment_link_use u
             JOIN gateway.intent i ON i.id = u.intent AND i.status = 'paid'
            WHERE u.link = ANY ($1::text[]) GROUP BY u.link""",
        link_ids,
    )
    return {row["link"]: row["times"] for row in rows}
