"""Shifts at counters, what was taken in them, and whose identity was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.shift import Shift
from gateway.store.connections import Connection, Row
from ledger.money import Money

_COLUMNS: Final = """id, centre, agent, currency, float_minor, opened_at, expected_minor, counted_minor, counted_at,
  deposit_reference, checker, closed_at"""


def _shift(row: Row) -> Shift:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money.of_total(minor, row["currency"])

    return Shift(
        id=row["id"],
        centre=row["centre"],
        agent=row["agent"],
        float=Money(row["float_minor"], row["currency"]),
        opened_at=row["opened_at"],
        expected=money(row["expected_minor"]),
        counted=money(row["counted_minor"]),
        counted_at=row["counted_at"],
        deposit_reference=row["deposit_reference"],
        checker=row["checker"],
        closed_at=row["closed_at"],
    )


async def insert(connection: Connection, shift: Shift) -> bool:
    """Store a shift; False when its agent has one open."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.shift (id, centre, agent, currency, float_minor, opened_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agent) WHERE counted_at IS NULL DO NOTHING RETURNING 1""",
        shift.id, shift.centre, shift.agent, shift.float.currency, shift.float.amount_minor, shift.opened_at,
    )  # fmt: skip
    return row is not None


async def open_of(connection: Connection, agent: str) -> Shift | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM gateway.shift WHERE agent = $1 AND counted_at IS NULL", agent
    )
    return _shift(row) if row else None


async def lock_open_of(connection: Connection, agent: str) -> Shift | None:
    """Hold an agent's open shift, so that nothing is taken while its cash is counted."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM gateway.shift WHERE agent = $1 AND counted_at IS NULL FOR UPDATE", agent
    )
    return _shift(row) if row else None


async def lock(connection: Connection, shift_id: str) -> Shift | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM gateway.shift WHERE id = $1 FOR UPDATE", shift_id)
    return _shift(row) if row else None


async def waiting(connection: Connection, centre: str, limit: int) -> list[Shift]:
    """Return shifts that were counted and differ, oldest first: a supervisor decides about them."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM gateway.shift
             WHERE centre = $1 AND counted_at IS NOT NULL AND closed_at IS NULL ORDER BY counted_at LIMIT $2""",
        centre,
        limit,
    )
    return [_shift(row) for row in rows]


async def count(connection: Connection, shift_id: str, expected: Money, counted: Money, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.shift SET expected_minor = $2, counted_minor = $3, counted_at = $4 WHERE id = $1",
        shift_id,
        expected.amount_minor,
        counted.amount_minor,
        at,
    )


async def close(
    connection: Connection, shift_id: str, deposit_reference: str | None, checker: str | None, at: datetime
) -> None:
    await connection.execute(
        "UPDATE gateway.shift SET deposit_reference = $2, checker = $3, closed_at = $4 WHERE id = $1",
        shift_id,
        deposit_reference,
        checker,
        at,
    )


async def cash_in(connection: Connection, account: str, shift_id: str, currency: str) -> int:
    """Return what the books say lies in a drawer."""
    minor: int | None = await connection.fetchval(
        "SELECT amount_minor FROM ledger.open_items WHERE account = $1 AND item = $2 AND currency = $3",
        account,
        shift_id,
        currency,
    )
    return minor or 0


async def being_booked(connection: Connection, shift_id: str) -> int:
    """Count what was taken and is not in the books yet."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM gateway.counter_payment c JOIN gateway.attempt a ON a.id = c.attempt
                WHERE c.shift = $1 AND a.status IN ('starting', 'pending', 'unknown')""",
            shift_id,
        )
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What one method brought in a shift."""

    method: str
    payments: int
    amount_minor: int


async def taken_in(connection: Connection, shift_id: str) -> Sequence[Taken]:
    rows = await connection.fetch(
        """SELECT a.method, count(*) AS payments, sum(a.captured_minor)::bigint AS amount_minor
             FROM gateway.counter_payment c JOIN gateway.attempt a ON a.id = c.attempt
            WHERE c.shift = $1 AND a.captured_minor IS NOT NULL GROUP BY a.method ORDER BY a.method""",
        shift_id,
    )
    return [Taken(row["method"], row["payments"], row["amount_minor"]) for row in rows]


async def insert_payment(
    connection: Connection, attempt_id: str, shift: Shift, provider: str, terminal_reference: str | None, at: datetime
) -> bool:
    """Store what was taken; False when the terminal's slip has paid another bill."""
    row = await connection.fetchrow(
        """INSERT INTO gateway.counter_payment (attempt, shift, agent, provider, terminal_reference, taken_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (provider, terminal_reference) WHERE terminal_reference IS NOT NULL DO NOTHING RETURNING 1""",
        attempt_id, shift.id, shift.agent, provider, terminal_reference, at,
    )  # fmt: skip
    return row is not None


async def set_payer(
    connection: Connection, intent_id: str, digest: bytes, ending: str, agent: str, at: datetime
) -> None:
    """Record whose card was shown last for an intent, which is locked."""
    await connection.execute(
        """INSERT INTO gateway.counter_payer (intent, id_digest, id_ending, agent, recorded_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (intent) DO UPDATE
             SET id_digest = excluded.id_digest, id_ending = excluded.id_ending, agent = excluded.agent,
                 recorded_at = excluded.recorded_at""",
        intent_id,
        digest,
        ending,
        agent,
        at,
    )


async def was_taken(connection: Connection, intent_id: str) -> bool:
    """Tell whether a counter has taken money for an intent."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT 1 FROM gateway.attempt a
                               JOIN gateway.counter_payment p ON p.attempt = a.id WHERE a.intent = $1)""",
            intent_id,
        )
    )


async def payer_ending(connection: Connection, intent_id: str) -> str | None:
    ending: str | None = await connection.fetchval(
        "SELECT id_ending FROM gateway.counter_payer WHERE intent = $1", intent_id
    )
    return ending


async def payer_digest(connection: Connection, intent_id: str) -> bytes | None:
    digest: bytes | None = await connection.fetchval(
        "SELECT id_digest FROM gateway.counter_payer WHERE intent = $1", intent_id
    )
    return digest


async def payable(connection: Connection, department: str, reference: str, limit: int) -> list[str]:
    """Return a department's intents under a reference that are unpaid, or whose cash is to be collected."""
    rows = await connection.fetch(
        """SELECT id FROM gateway.intent WHERE department = $1 AND reference = $2
              AND (status IN ('requires_payment', 'processing')
                   OR EXISTS (SELECT 1 FROM gateway.refund r
                               WHERE r.intent = intent.id AND r.status = 'awaiting_collection'))
            ORDER BY id DESC LIMIT $3""",
        department,
        reference,
        limit,
    )
    return [row["id"] for row in rows]
