"""Intents and their lines: read, list, lock, move on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from gateway.domain.contact import KeptContact
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from gateway.domain.tariff import Applied, Tariff
from gateway.store import tariffs
from gateway.store.connections import Connection, Row, from_json, to_json
from ledger.money import Money


class Intent(msgspec.Struct, frozen=True):
    id: str
    department: str
    reference: str
    amount: Money
    status: IntentStatus
    late_payment: bool
    language: str
    contact: KeptContact
    return_url: str | None
    metadata: Mapping[str, Any]
    live: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    paid_attempt: str | None
    receipt_number: str | None
    duplicate_of: str | None = None
    bundle: str | None = None
    capture_later: bool = False
    authorised_minor: int | None = None
    capture_asked_at: datetime | None = None

    @property
    def is_reserved(self) -> bool:
        """Whether its payer's bank holds the amount for us: nobody is to begin anything else."""
        return self.authorised_minor is not None and self.paid_at is None

    @property
    def awaits_capture(self) -> bool:
        """Whether its department has asked for what is reserved, and the provider has not said that it is taken."""
        return self.capture_asked_at is not None and self.paid_at is None


class IntentLine(msgspec.Struct, frozen=True):
    """One line as it was priced. `shared` is a part of another department's intent."""

    number: int
    department: str
    service: str | None
    names: Names
    revenue_code: str
    quantity: int
    amount_minor: int
    vat_minor: int
    applied: Applied | None = None
    shared: bool = False


COLUMNS: Final = """id, department, reference, amount_minor, currency, status, late_payment, language, contact,
  payer_email, payer_mobile, return_url, metadata, live, created_at, updated_at, expires_at, paid_at, paid_attempt,
  receipt_number, duplicate_of, bundle, capture_later, authorised_minor, capture_asked_at"""


def intent_of(row: Row) -> Intent:
    return Intent(
        id=row["id"],
        department=row["department"],
        reference=row["reference"],
        amount=Money(row["amount_minor"], row["currency"]),
        status=IntentStatus(row["status"]),
        late_payment=row["late_payment"],
        language=row["language"],
        contact=KeptContact(row["contact"], row["payer_email"], row["payer_mobile"]),
        return_url=row["return_url"],
        metadata=from_json(row["metadata"]),
        live=row["live"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        expires_at=row["expires_at"],
        paid_at=row["paid_at"],
        paid_attempt=row["paid_attempt"],
        receipt_number=row["receipt_number"],
        duplicate_of=row["duplicate_of"],
        bundle=row["bundle"],
        capture_later=row["capture_later"],
        authorised_minor=row["authorised_minor"],
        capture_asked_at=row["capture_asked_at"],
    )


async def read(connection: Connection, intent_id: str) -> Intent | None:
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM gateway.intent WHERE id = $1", intent_id)
    return intent_of(row) if row else None


async def by_receipt(connection: Connection, number: str) -> Intent | None:
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM gateway.intent WHERE receipt_number = $1", number)
    return intent_of(row) if row else None


async def read_many(connection: Connection, intent_ids: Iterable[str]) -> dict[str, Intent]:
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM gateway.intent WHERE id = ANY ($1::text[])", sorted(set(intent_ids))
    )
    return {row["id"]: intent_of(row) for row in rows}


async def lock(connection: Connection, intent_ids: Iterable[str]) -> dict[str, Intent]:
    """Lock intents in the order of their ids: everybody locks in this order, intents before attempts."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM gateway.intent WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE",
        sorted(set(intent_ids)),
    )
    return {row["id"]: intent_of(row) for row in rows}


async def set_metadata(connection: Connection, intent_id: str, metadata: Mapping[str, str], at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.intent SET metadata = $2::jsonb, updated_at = $3 WHERE id = $1",
        intent_id,
        to_json(metadata),
        at,
    )


LINE_COLUMNS: Final = """number, department, service, name_ar, name_en, revenue_code, quantity, amount_minor,
  vat_minor, tariff, base_minor, discount_minor, concession, shared"""


async def lines(
    connection: Connection, intent_ids: Sequence[str], *, with_tariffs: bool = True
) -> dict[str, list[IntentLine]]:
    """Return intents' lines; whoever books them needs no word of how they were priced."""
    rows = await connection.fetch(
        f"""SELECT {LINE_COLUMNS}, intent FROM gateway.intent_line
             WHERE intent = ANY ($1::text[]) ORDER BY intent, number""",
        list(intent_ids),
    )
    cited = {row["tariff"] for row in rows if row["tariff"]} if with_tariffs else set()
    priced_by = await tariffs.read_many(connection, cited)
    found: dict[str, list[IntentLine]] = defaultdict(list)
    for row in rows:
        found[row["intent"]].append(line_of(row[:-1], priced_by))
    return found


def line_of(values: Sequence[Any], priced_by: Mapping[str, Tariff]) -> IntentLine:
    """Return the line with these values of `LINE_COLUMNS`: rows inside a row come without names."""
    (
        number, department, service, name_ar, name_en, revenue_code, quantity, amount_minor,
        vat_minor, tariff, base_minor, discount_minor, concession, shared,
    ) = values  # fmt: skip
    law = priced_by.get(tariff)
    return IntentLine(
        number=number,
        department=department,
        service=service,
        names=Names(name_ar, name_en),
        revenue_code=revenue_code,
        quantity=quantity,
        amount_minor=amount_minor,
        vat_minor=vat_minor,
        applied=None if law is None else Applied(law, base_minor, discount_minor, concession),
        shared=shared,
    )


async def shared_with(connection: Connection, department: str, *, before: str | None, limit: int) -> list[str]:
    """Return other departments' intents that hold lines of this one, newest first, below a cursor."""
    rows = await connection.fetch(
        """SELECT DISTINCT intent FROM gateway.intent_line
            WHERE department = $1 AND shared AND ($2::text IS NULL OR intent < $2)
            ORDER BY intent DESC LIMIT $3""",
        department,
        before,
        limit,
    )
    return [row["intent"] for row in rows]


async def same_bill_elsewhere(connection: Connection, intent: Intent) -> bool:
    """Tell whether another intent for the same bill is paid or being paid."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT 1 FROM gateway.intent
                WHERE department = $1 AND reference = $2 AND id <> $3
                  AND status IN ('paid', 'processing', 'requires_capture'))""",
            intent.department,
            intent.reference,
            intent.id,
        )
    )


PAID_BEFORE: Final = """SELECT paid.id FROM gateway.intent paid
  WHERE paid.department = i.department AND paid.reference = i.reference AND paid.id <> i.id AND paid.status = 'paid'
  ORDER BY paid.paid_at, paid.id LIMIT 1"""
"""The other intent through which the bill of the intent `i` was first paid."""


async def paid_before(connection: Connection, intents: Sequence[Intent]) -> dict[str, str]:
    """Return, for each of these intents whose bill is paid already, the intent it was first paid through."""
    rows = await connection.fetch(
        f"""SELECT i.id, ({PAID_BEFORE}) AS other
              FROM unnest($1::text[], $2::text[], $3::text[]) AS i (id, department, reference)""",
        [intent.id for intent in intents],
        [intent.department for intent in intents],
        [intent.reference for intent in intents],
    )
    return {row["id"]: row["other"] for row in rows if row["other"] is not None}


async def paid_for(
    connection: Connection, department: str, service: str, since: datetime, before: datetime, limit: int
) -> list[str]:
    """Return a department's intents paid for a service in a stretch of time, oldest first."""
    rows = await connection.fetch(
        """SELECT i.id FROM gateway.intent i
            WHERE i.department = $1 AND i.status = 'paid' AND i.paid_at >= $3 AND i.paid_at < $4
              AND EXISTS (SELECT 1 FROM gateway.intent_line l WHERE l.intent = i.id AND l.service = $2)
            ORDER BY i.id LIMIT $5""",
        department,
        service,
        since,
        before,
        limit,
    )
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an intent goes; the paid facts are set exactly when it becomes paid."""

    id: str
    status: IntentStatus
    late_payment: bool
    paid_at: datetime | None = None
    paid_attempt: str | None = None
    receipt_number: str | None = None
    duplicate_of: str | None = None


async def move(connection: Connection, progress: Sequence[Progress], at: datetime) -> None:
    """Write new states of intents this transaction has locked."""
    if not progress:
        return
    await connection.execute(
        """UPDATE gateway.intent i
              SET status = p.status, late_payment = p.late_payment, updated_at = $8,
                  paid_at = coalesce(p.paid_at, i.paid_at), paid_attempt = coalesce(p.paid_attempt, i.paid_attempt),
                  receipt_number = coalesce(p.receipt_number, i.receipt_number),
                  duplicate_of = coalesce(p.duplicate_of, i.duplicate_of)
             FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
               AS p (id, status, late_payment, paid_at, paid_attempt, receipt_number, duplicate_of)
            WHERE i.id = p.id""",
        [p.id for p in progress],
        [p.status.value for p in progress],
        [p.late_payment for p in progress],
        [p.paid_at for p in progress],
        [p.paid_attempt for p in progress],
        [p.receipt_number for p in progress],
        [p.duplicate_of for p in progress],
        at,
    )


async def claim_overdue(connection: Connection, at: datetime, again_at: datetime, limit: int) -> list[str]:
    """Take intents whose time is over, departments in turn, and put them aside for others until `again_at`."""
    rows = await connection.fetch(
        """WITH due AS (
             SELECT o.id, row_number() OVER (PARTITION BY d.code ORDER BY o.next_close_at, o.id) AS turn
               FROM gateway.department d
               CROSS JOIN LATERAL (
                 SELECT i.id, i.next_close_at FROM gateway.intent i
                  WHERE i.department = d.code AND i.status IN ('requires_payment', 'processing', 'requires_capture')
                    AND i.next_close_at <= $1
                  ORDER BY i.next_close_at LIMIT $3 FOR UPDATE SKIP LOCKED) o)
           UPDATE gateway.intent SET next_close_at = $2
            WHERE id = ANY (ARRAY(SELECT id FROM due ORDER BY turn, id LIMIT $3))
           RETURNING id""",
        at,
        again_at,
        limit,
    )
    return sorted(row["id"] for row in rows)


async def next_receipts(connection: Connection, wanted: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Take runs of receipt numbers per department and year; return the first of each run."""
    first: dict[tuple[str, int], int] = {}
    for department, year in sorted(wanted):
        count = wanted[department, year]
        last = await connection.fetchval(
            """INSERT INTO gateway.receipt_counter AS c (department, year, last) VALUES ($1, $2, $3)
               ON CONFLICT (department, year) DO UPDATE SET last = c.last + excluded.last RETURNING last""",
            department,
            year,
            count,
        )
        first[department, year] = last - count + 1
    return first
