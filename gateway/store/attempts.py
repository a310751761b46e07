"""Attempts: saved before the provider is called, moved only by what a provider has said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.contract import ApproveOnPhone, DeclineReason, Method, NextStep, PayReference, Redirect
from gateway.domain.attempt import AttemptStatus
from gateway.domain.contact import KeptContact
from gateway.store.connections import Connection, Row, from_json, to_json
from ledger.money import Money

_STEPS: Final[Mapping[str, type[NextStep]]] = {
    "redirect": Redirect,
    "approve_on_phone": ApproveOnPhone,
    "pay_reference": PayReference,
}
_STEP_NAMES: Final = {step: name for name, step in _STEPS.items()}


class Attempt(msgspec.Struct, frozen=True):
    id: str
    intent: str
    provider: str
    method: Method
    status: AttemptStatus
    amount: Money
    contact: KeptContact
    bank: str | None
    provider_reference: str | None
    next_step: NextStep | None
    decline: DeclineReason | None
    word: str
    facts: Mapping[str, str]
    captured: Money | None
    captured_at: datetime | None
    late: bool
    resolution: str | None
    review: str | None
    started_at: datetime
    updated_at: datetime
    asked_at: datetime
    checks: int
    next_check_at: datetime


COLUMNS: Final = """id, intent, provider, method, status, amount_minor, currency, contact, payer_email, payer_mobile,
  payer_bank, provider_reference, next_step, decline, word, facts, captured_minor, captured_currency, captured_at, late,
  resolution, review, started_at, updated_at, asked_at, checks, next_check_at"""


def attempt_of(row: Row | Mapping[str, Any]) -> Attempt:
    captured = None if row["captured_minor"] is None else Money(row["captured_minor"], row["captured_currency"])
    return Attempt(
        id=row["id"],
        intent=row["intent"],
        provider=row["provider"],
        method=Method(row["method"]),
        status=AttemptStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        contact=KeptContact(row["contact"], row["payer_email"], row["payer_mobile"]),
        bank=row["payer_bank"],
        provider_reference=row["provider_reference"],
        next_step=read_step(row["next_step"]),
        decline=DeclineReason(row["decline"]) if row["decline"] else None,
        word=row["word"],
        facts=from_json(row["facts"]),
        captured=captured,
        captured_at=row["captured_at"],
        late=row["late"],
        resolution=row["resolution"],
        review=row["review"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        asked_at=row["asked_at"],
        checks=row["checks"],
        next_check_at=row["next_check_at"],
    )


def read_step(text: str | None) -> NextStep | None:
    if text is None:
        return None
    fields = from_json(text)
    return msgspec.convert(fields, _STEPS[fields.pop("kind")])


def write_step(step: NextStep | None) -> str | None:
    """Write a step down; the number of a phone stands with the attempt's contact, sealed, and not here again."""
    if step is None:
        return None
    if isinstance(step, ApproveOnPhone):
        step = ApproveOnPhone("")
    return to_json({"kind": _STEP_NAMES[type(step)], **msgspec.to_builtins(step)})


async def insert(connection: Connection, attempt: Attempt) -> None:
    await connection.execute(
        """INSERT INTO gateway.attempt
                  (id, intent, provider, method, status, amount_minor, currency, contact, payer_bank,
                   word, facts, late, started_at, updated_at, asked_at, checks, next_check_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '{}', false, $10, $10, $10, 0, $11)""",
        attempt.id, attempt.intent, attempt.provider, attempt.method.value, attempt.status.value,
        attempt.amount.amount_minor, attempt.amount.currency, attempt.contact.sealed, attempt.bank,
        attempt.started_at, attempt.next_check_at,
    )  # fmt: skip


async def read(connection: Connection, attempt_id: str) -> Attempt | None:
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM gateway.attempt WHERE id = $1", attempt_id)
    return attempt_of(row) if row else None


async def read_many(connection: Connection, attempt_ids: Iterable[str]) -> dict[str, Attempt]:
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM gateway.attempt WHERE id = ANY ($1::text[])", sorted(set(attempt_ids))
    )
    return {row["id"]: attempt_of(row) for row in rows}


async def last_of(connection: Connection, intent_ids: Sequence[str]) -> dict[str, Attempt]:
    """Return the newest attempt of each intent."""
    rows = await connection.fetch(
        f"""SELECT DISTINCT ON (intent) {COLUMNS} FROM gateway.attempt
             WHERE intent = ANY ($1::text[]) ORDER BY intent, id DESC""",
        list(intent_ids),
    )
    return {row["intent"]: attempt_of(row) for row in rows}


async def of_intent(connection: Connection, intent_id: str) -> list[Attempt]:
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM gateway.attempt WHERE intent = $1 ORDER BY id", intent_id)
    return [attempt_of(row) for row in rows]


async def of_intents(connection: Connection, intent_ids: Sequence[str]) -> list[Attempt]:
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM gateway.attempt WHERE intent = ANY ($1::text[]) ORDER BY id", list(intent_ids)
    )
    return [attempt_of(row) for row in rows]


async def lock(connection: Connection, attempt_ids: Iterable[str]) -> dict[str, Attempt]:
    """Lock attempts in the order of their ids, after their intents."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM gateway.attempt WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE",
        sorted(set(attempt_ids)),
    )
    return {row["id"]: attempt_of(row) for row in rows}


async def find(
    connection: Connection, provider: str, pairs: Sequence[tuple[str | None, str | None]]
) -> list[str | None]:
    """Find the attempts callbacks are about: by our reference first, then by the provider's."""
    rows = await connection.fetch(
        """SELECT coalesce(ours.id, theirs.id) AS id
             FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS asked (reference, provider_reference, place)
             LEFT JOIN gateway.attempt ours ON ours.id = asked.reference AND ours.provider = $1
             LEFT JOIN LATERAL (
               SELECT id FROM gateway.attempt a
                WHERE a.provider = $1 AND a.provider_reference = asked.provider_reference
                ORDER BY id DESC LIMIT 1) theirs ON ours.id IS NULL
            ORDER BY asked.place""",
        provider,
        [reference for reference, _ in pairs],
        [provider_reference for _, provider_reference in pairs],
    )
    return [row["id"] for row in rows]


async def move(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Write new states of attempts this transaction has locked."""
    if not attempts:
        return
    await connection.execute(
        """UPDATE gateway.attempt a
              SET status = m.status, provider_reference = m.provider_reference, next_step = m.next_step::jsonb,
                  decline = m.decline, word = m.word, facts = m.facts::jsonb, captured_minor = m.captured_minor,
                  captured_currency = m.captured_currency, captured_at = m.captured_at, late = m.late,
                  review = m.review, updated_at = m.updated_at
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::bigint[], $9::text[], $10::timestamptz[], $11::boolean[], $12::text[], $13::timestamptz[])
               AS m (id, status, provider_reference, next_step, decline, word, facts, captured_minor,
                     captured_currency, captured_at, late, review, updated_at)
            WHERE a.id = m.id""",
        [a.id for a in attempts],
        [a.status.value for a in attempts],
        [a.provider_reference for a in attempts],
        [write_step(a.next_step) for a in attempts],
        [a.decline.value if a.decline else None for a in attempts],
        [a.word for a in attempts],
        [to_json(a.facts) for a in attempts],
        [a.captured.amount_minor if a.captured else None for a in attempts],
        [a.captured.currency if a.captured else None for a in attempts],
        [a.captured_at for a in attempts],
        [a.late for a in attempts],
        [a.review for a in attempts],
        [a.updated_at for a in attempts],
    )


async def hold(connection: Connection, attempt: Attempt, until: datetime) -> bool:
    """Take an attempt for asking its provider until an instant; False when somebody else has just taken it."""
    changed = await connection.execute(
        """UPDATE gateway.attempt SET asked_at = $3, checks = checks + 1, next_check_at = $3
            WHERE id = $1 AND asked_at = $2""",
        attempt.id,
        attempt.asked_at,
        until,
    )
    return str(changed) == "UPDATE 1"


async def release(connection: Connection, attempt_id: str, at: datetime) -> None:
    """Let an attempt that was held go: its provider has been asked."""
    await connection.execute("UPDATE gateway.attempt SET asked_at = $2 WHERE id = $1", attempt_id, at)


async def claim_stale(connection: Connection, at: datetime, again_at: datetime, limit: int) -> list[Attempt]:
    """Take undecided attempts whose check is due, and put them aside for others until `again_at`."""
    rows = await connection.fetch(
        f"""UPDATE gateway.attempt SET asked_at = $1, checks = checks + 1, next_check_at = $2
             WHERE id = ANY (ARRAY(
               SELECT id FROM gateway.attempt
                WHERE status IN ('starting', 'pending', 'unknown') AND review IS NULL AND next_check_at <= $1
                ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED))
            RETURNING {COLUMNS}""",
        at,
        again_at,
        limit,
    )
    return [attempt_of(row) for row in rows]


async def count_live(connection: Connection, provider: str) -> int:
    """Count undecided attempts of a provider."""
    return int(
        await connection.fetchval(
            """SELECT count(*) FROM gateway.attempt
                WHERE provider = $1 AND status IN ('starting', 'pending', 'unknown')""",
            provider,
        )
    )


async def schedule(connection: Connection, checks: Mapping[str, datetime]) -> None:
    """Set when undecided attempts are asked about next."""
    await connection.execute(
        """WITH locked AS (  -- in the order everybody locks in
             SELECT a.id, s.at FROM gateway.attempt a
               JOIN unnest($1::text[], $2::timestamptz[]) AS s (id, at) ON s.id = a.id
              ORDER BY a.id FOR UPDATE OF a)
           UPDATE gateway.attempt a SET next_check_at = locked.at FROM locked WHERE a.id = locked.id""",
        list(checks),
        list(checks.values()),
    )


async def undecided(connection: Connection, limit: int) -> list[Attempt]:
    """Return late captures nobody has decided about, oldest first; one that is being refunded is decided."""
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM gateway.attempt a
             WHERE late AND resolution IS NULL AND a.review IS DISTINCT FROM 'reversed_by_provider'
               AND NOT EXISTS (SELECT 1 FROM gateway.refund r
                                WHERE r.intent = a.intent AND r.attempt = a.id AND r.status <> 'failed')
             ORDER BY id LIMIT $1""",
        limit,
    )
    return [attempt_of(row) for row in rows]


async def resolve_late(connection: Connection, attempt_id: str, resolution: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE gateway.attempt SET resolution = $2, updated_at = $3 WHERE id = $1", attempt_id, resolution, at
    )
