"""Refunds and the lines they take from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.refund import Failure, RefundableLine, RefundLine, RefundStatus, failure
from gateway.store import intents
from gateway.store.connections import Connection, Row
from ledger.accounts import provider_refunds_in_transit
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    intent: str
    attempt: str
    department: str
    provider: str
    amount: Money
    reason: str
    status: RefundStatus
    late: bool
    provider_reference: str | None
    word: str
    review: str | None
    created_at: datetime
    updated_at: datetime
    booked_at: datetime | None
    sent_at: datetime | None
    checks: int
    next_check_at: datetime
    asked_by: str = "system"
    asked_with: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    batch: str | None = None

    @property
    def failure(self) -> Failure | None:
        return failure(self.status, self.word, sent=self.sent_at is not None, booked=self.booked_at is not None)


_COLUMNS: Final = """id, intent, attempt, department, provider, amount_minor, currency, reason, status, late,
  provider_reference, word, review, created_at, updated_at, booked_at, sent_at, checks, next_check_at,
  asked_by, asked_with, decided_by, decided_at, batch"""


def _refund(row: Row) -> Refund:
    return Refund(
        id=row["id"],
        intent=row["intent"],
        attempt=row["attempt"],
        department=row["department"],
        provider=row["provider"],
        amount=Money(row["amount_minor"], row["currency"]),
        reason=row["reason"],
        status=RefundStatus(row["status"]),
        late=row["late"],
        provider_reference=row["provider_reference"],
        word=row["word"],
        review=row["review"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        booked_at=row["booked_at"],
        sent_at=row["sent_at"],
        checks=row["checks"],
        next_check_at=row["next_check_at"],
        asked_by=row["asked_by"],
        asked_with=row["asked_with"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        batch=row["batch"],
    )


async def insert(connection: Connection, refund: Refund, lines: Sequence[RefundLine]) -> None:
    await connection.execute(
        """INSERT INTO gateway.refund
                  (id, intent, attempt, department, provider, amount_minor, currency, reason, status, late, word,
                   created_at, updated_at, checks, next_check_at, asked_by, asked_with, batch)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $11, 0, $11, $12, $13, $14)""",
        refund.id, refund.intent, refund.attempt, refund.department, refund.provider, refund.amount.amount_minor,
        refund.amount.currency, refund.reason, refund.status.value, refund.late, refund.created_at,
        refund.asked_by, refund.asked_with, refund.batch,
    )  # fmt: skip
    await connection.executemany(
        """INSERT INTO gateway.refund_line (refund, number, department, amount_minor, vat_minor)
           VALUES ($1, $2, $3, $4, $5)""",
        [(refund.id, line.number, line.department, line.amount_minor, line.vat_minor) for line in lines],
    )


async def read(connection: Connection, refund_id: str) -> Refund | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.refund WHERE id = $1", refund_id)
    return _refund(row) if row else None


async def read_many(connection: Connection, refund_ids: Iterable[str]) -> dict[str, Refund]:
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM gateway.refund WHERE id = ANY ($1::text[])", sorted(set(refund_ids))
    )
    return {row["id"]: _refund(row) for row in rows}


async def of_intent(connection: Connection, intent_id: str) -> list[Refund]:
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM gateway.refund WHERE intent = $1 ORDER BY id", intent_id)
    return [_refund(row) for row in rows]


async def of_intents(connection: Connection, intent_ids: Sequence[str]) -> list[Refund]:
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM gateway.refund WHERE intent = ANY ($1::text[]) ORDER BY id", list(intent_ids)
    )
    return [_refund(row) for row in rows]


async def search(
    connection: Connection,
    department: str,
    *,
    status: RefundStatus | None,
    batch: str | None,
    before: str | None,
    limit: int,
) -> list[Refund]:
    """Return a department's refunds, newest first, below a cursor."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.refund
             WHERE department = $1 AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3)
               AND ($4::text IS NULL OR batch = $4)
             ORDER BY id DESC LIMIT $5""",
        department,
        before,
        status.value if status else None,
        batch,
        limit,
    )
    return [_refund(row) for row in rows]


async def awaiting(connection: Connection, department: str | None, limit: int) -> list[Refund]:
    """Return the refunds that wait for a second person, oldest first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.refund
             WHERE status = 'awaiting_approval' AND ($1::text IS NULL OR department = $1) ORDER BY id LIMIT $2""",
        department,
        limit,
    )
    return [_refund(row) for row in rows]


async def decide(connection: Connection, refund: Refund) -> None:
    """Write what a second person decided about a refund this transaction has locked."""
    await connection.execute(
        """UPDATE gateway.refund
              SET status = $2, word = $3, decided_by = $4, decided_at = $5, updated_at = $5, next_check_at = $5
            WHERE id = $1""",
        refund.id, refund.status.value, refund.word, refund.decided_by, refund.decided_at,
    )  # fmt: skip


async def known_references(connection: Connection, refund: Refund) -> frozenset[str]:
    """Return the provider's ids of the other refunds of the same payment."""
    rows = await connection.fetch(
        """SELECT provider_reference FROM gateway.refund
            WHERE intent = $1 AND attempt = $2 AND id <> $3 AND provider_reference IS NOT NULL""",
        refund.intent,
        refund.attempt,
        refund.id,
    )
    return frozenset(row["provider_reference"] for row in rows)


async def find(connection: Connection, provider: str, reference: str | None, own: str | None) -> str | None:
    """Find the refund a provider's word is about: by our reference, or else by the one it gave the refund."""
    found: str | None = await connection.fetchval(
        """SELECT id FROM gateway.refund WHERE provider = $1 AND (id = $2 OR provider_reference = $3)
            ORDER BY id = $2 DESC NULLS LAST LIMIT 1""",
        provider,
        reference,
        own,
    )
    return found


async def is_settled(connection: Connection, refund: Refund) -> bool:
    """Tell whether a booked refund is no longer in transit in the books: the provider's report has named it."""
    in_transit = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM ledger.open_items WHERE account = $1 AND currency = $2 AND item = $3)",
        provider_refunds_in_transit(refund.provider),
        refund.amount.currency,
        refund.id,
    )
    return not in_transit


async def of_attempts(connection: Connection, attempt_ids: Sequence[str]) -> dict[str, int]:
    """Return how much of each attempt its refunds have used, open ones included."""
    rows = await connection.fetch(
        """SELECT attempt, sum(amount_minor)::bigint AS used_minor FROM gateway.refund
            WHERE intent = ANY (SELECT intent FROM gateway.attempt WHERE id = ANY ($1::text[]))
              AND attempt = ANY ($1::text[]) AND status <> 'failed' GROUP BY attempt""",
        list(attempt_ids),
    )
    return {row["attempt"]: row["used_minor"] for row in rows}


async def refundable_lines(connection: Connection, intent_id: str) -> list[RefundableLine]:
    """Return the intent's lines with what their refunds have taken, failed and late ones left out."""
    rows = await connection.fetch(
        """SELECT l.number, l.department, l.amount_minor, l.vat_minor,
                  coalesce(sum(t.amount_minor), 0)::bigint AS refunded_minor,
                  coalesce(sum(t.vat_minor), 0)::bigint AS refunded_vat_minor
             FROM gateway.intent_line l
             LEFT JOIN gateway.refund r ON r.intent = l.intent AND r.status <> 'failed' AND NOT r.late
             LEFT JOIN gateway.refund_line t ON t.refund = r.id AND t.number = l.number
            WHERE l.intent = $1 GROUP BY l.number, l.department, l.amount_minor, l.vat_minor ORDER BY l.number""",
        intent_id,
    )
    return [
        RefundableLine(
            number=row["number"],
            department=row["department"],
            amount_minor=row["amount_minor"],
            vat_minor=row["vat_minor"],
            refunded_minor=row["refunded_minor"],
            refunded_vat_minor=row["refunded_vat_minor"],
        )
        for row in rows
    ]


async def lines(connection: Connection, refund_ids: Sequence[str]) -> dict[str, list[RefundLine]]:
    rows = await connection.fetch(
        """SELECT refund, number, department, amount_minor, vat_minor FROM gateway.refund_line
            WHERE refund = ANY ($1::text[]) ORDER BY refund, number""",
        list(refund_ids),
    )
    found: dict[str, list[RefundLine]] = defaultdict(list)
    for row in rows:
        found[row["refund"]].append(RefundLine(row["number"], row["department"], row["amount_minor"], row["vat_minor"]))
    return found


async def of_department_lines(connection: Connection, department: str, intent_ids: Sequence[str]) -> dict[str, int]:
    """Return how much of each intent's lines of one department its refunds have used, open ones included."""
    rows = await connection.fetch(
        """SELECT r.intent, sum(l.amount_minor)::bigint AS refunded_minor
             FROM gateway.refund r JOIN gateway.refund_line l ON l.refund = r.id
            WHERE r.intent = ANY ($2::text[]) AND l.department = $1 AND r.status <> 'failed' AND NOT r.late
            GROUP BY r.intent""",
        department,
        list(intent_ids),
    )
    return {row["intent"]: row["refunded_minor"] for row in rows}


async def lock(connection: Connection, refund_ids: Iterable[str]) -> dict[str, Refund]:
    """Lock refunds in the order of their ids, after their intents."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM gateway.refund WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE",
        sorted(set(refund_ids)),
    )
    return {row["id"]: _refund(row) for row in rows}


async def lock_with_intent(connection: Connection, refund_id: str) -> Refund | None:
    """Lock one refund, its intent first as everybody does; None where there is no such refund."""
    seen = await read(connection, refund_id)
    if seen is None:
        return None
    await intents.lock(connection, [seen.intent])
    return (await lock(connection, [refund_id]))[refund_id]


async def claim_due(connection: Connection, at: datetime, again_at: datetime, limit: int) -> list[Refund]:
    """Take refunds that are to be sent or asked about, departments in turn, of each payment only the oldest unknown.

    Some providers take no key with a refund. While one of a payment may or may not have been made, another of the
    same amount could not be told from it.

    The send is noted in the same statement, so that after a crash nobody mistakes a refund that may have been sent
    for one that was not. What is returned carries `sent_at` as it was before: None means that this is the first send.
    """
    rows = await connection.fetch(
        f"""WITH own AS (
              SELECT o.*, row_number() OVER (PARTITION BY d.code ORDER BY o.next_check_at, o.due_id) AS turn
                FROM gateway.department d
                CROSS JOIN LATERAL (
                  SELECT r.id AS due_id, r.sent_at AS sent_before, r.next_check_at FROM gateway.refund r
                   WHERE r.department = d.code AND r.status IN ('requested', 'pending', 'unknown')
                     AND r.review IS NULL AND r.next_check_at <= $1
                     AND NOT EXISTS (SELECT 1 FROM gateway.refund older
                                      WHERE older.intent = r.intent AND older.attempt = r.attempt AND older.id < r.id
                                        AND older.status IN ('requested', 'unknown') AND older.review IS NULL)
                   ORDER BY r.next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED) o),
            due AS (SELECT due_id, sent_before FROM own ORDER BY turn, due_id LIMIT $3),
            taken AS (
              UPDATE gateway.refund SET sent_at = coalesce(sent_at, $1), checks = checks + 1, next_check_at = $2
                FROM due WHERE id = due_id RETURNING {_COLUMNS})
            SELECT t.*, due.sent_before FROM taken t JOIN due ON due.due_id = t.id""",
        at,
        again_at,
        limit,
    )
    return [_refund({**row, "sent_at": row["sent_before"]}) for row in rows]


async def move(connection: Connection, refund: Refund) -> None:
    """Write the new state of a refund this transaction has locked."""
    await connection.execute(
        """UPDATE gateway.refund
              SET status = $2, provider_reference = $3, word = $4, review = $5, updated_at = $6, booked_at = $7,
                  sent_at = $8, next_check_at = $9
            WHERE id = $1""",
        refund.id, refund.status.value, refund.provider_reference, refund.word, refund.review, refund.updated_at,
        refund.booked_at, refund.sent_at, refund.next_check_at,
    )  # fmt: skip
