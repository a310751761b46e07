"""A batch of new intents in one statement: keys, intents, lines, events and outbox, or none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from gateway.domain.idempotency import Claim, StoredAnswer
from gateway.store import captures, messages
from gateway.store.connections import Connection
from gateway.store.idempotency import KEPT, replay
from gateway.store.messages import Message


class NewLine(msgspec.Struct, frozen=True):
    department: str
    service: str | None
    name_ar: str
    name_en: str
    revenue_code: str
    quantity: int
    amount_minor: int
    vat_minor: int
    tariff: str | None = None
    base_minor: int | None = None
    discount_minor: int = 0
    concession: str | None = None
    shared: bool = False


class NewIntent(msgspec.Struct, frozen=True):
    """Everything one creation writes, decided before the database is asked."""

    id: str
    claim: Claim
    answer: StoredAnswer
    department: str
    reference: str
    amount_minor: int
    currency: str
    language: str
    contact: bytes | None
    return_url: str | None
    metadata: str
    live: bool
    created_at: datetime
    expires_at: datetime
    event_id: str
    event_data: str
    lines: tuple[NewLine, ...]
    reminders: tuple[Message, ...] = ()
    bundle: str | None = None
    capture_later: bool = False


# Named columns of the arrays, so that a reader can hold the statement against the table. What another request has
# already claimed falls out at `claimed`, and nothing of it is written. Answers come ending in `"paid_before":null}`:
# where the bill is paid already, by whichever intent, that is put in the place of null here, in what is kept too.
_CREATE: Final = """
WITH asked AS (
  SELECT a.id, a.caller, a.route, a.key, a.body_sha256, a.status, a.answer, a.department, a.reference, a.amount_minor,
         a.currency, a.language, a.contact, a.return_url, a.metadata, a.live, a.created_at,
         a.expires_at, a.event_id, a.event_data, a.bundle,
         (SELECT i.id FROM gateway.intent i
           WHERE i.department = a.department AND i.reference = a.reference AND i.status = 'paid'
           ORDER BY i.paid_at, i.id LIMIT 1) AS paid_before
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::smallint[], $7::bytea[], $8::text[],
                $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[],
                $16::boolean[], $17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::text[])
      AS a (id, caller, route, key, body_sha256, status, answer, department, reference, amount_minor, currency,
            language, contact, return_url, metadata, live, created_at, expires_at, event_id, event_data, bundle)
), claimed AS (
  INSERT INTO gateway.idempotency
         (caller, route, key, body_sha256, resource, status, answer, created_at, expires_at)
  SELECT caller, route, key, body_sha256, id, status,
         CASE WHEN paid_before IS NULL THEN answer
              ELSE substr(answer, 1, length(answer) - 5) || convert_to('"' || paid_before || '"}', 'UTF8') END,
         created_at, created_at + $31::interval
    FROM asked ORDER BY caller, route, key
      ON CONFLICT DO NOTHING
  RETURNING resource AS id
), created AS (
  INSERT INTO gateway.intent
         (id, department, reference, amount_minor, currency, status, late_payment, language, contact,
          return_url, metadata, live, created_at, updated_at, expires_at, next_close_at, bundle)
  SELECT id, department, reference, amount_minor, currency, 'requires_payment', false, language, contact,
         return_url, metadata::jsonb, live, created_at, created_at, expires_at, expires_at, bundle
    FROM asked JOIN claimed USING (id)
), lines AS (
  INSERT INTO gateway.intent_line
         (intent, number, department, service, name_ar, name_en, revenue_code, quantity, amount_minor, vat_minor,
          tariff, base_minor, discount_minor, concession, shared)
  SELECT l.intent, l.number, l.department, l.service, l.name_ar, l.name_en, l.revenue_code, l.quantity,
         l.amount_minor, l.vat_minor, l.tariff, l.base_minor, l.discount_minor, l.concession, l.shared
    FROM unnest($22::text[], $23::smallint[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[],
                $29::integer[], $30::bigint[], $32::bigint[], $33::text[], $34::bigint[], $35::bigint[], $36::text[],
                $37::boolean[])
      AS l (intent, number, department, service, name_ar, name_en, revenue_code, quantity, amount_minor, vat_minor,
            tariff, base_minor, discount_minor, concession, shared)
    JOIN claimed ON claimed.id = l.intent
), events AS (
  INSERT INTO gateway.event (id, department, type, object, data, created_at)
  SELECT event_id, department, 'payment_intent.created', id, event_data::jsonb, created_at
    FROM asked JOIN claimed USING (id)
), queued AS (
  INSERT INTO gateway.outbox (event, department)
  SELECT event_id, department FROM asked JOIN claimed USING (id)
)
SELECT id, paid_before FROM asked JOIN claimed USING (id)"""


async def create(connection: Connection, intents: Sequence[NewIntent]) -> list[StoredAnswer | Exception]:
    """Create what is new and answer what is not: one result each, in order."""
    if any(intent.reminders or intent.capture_later for intent in intents):
        async with connection.transaction():
            created = await _create(connection, intents)
            wanted = [message for intent in intents if intent.id in created for message in intent.reminders]
            await messages.queue(connection, wanted, intents[0].created_at)
            await captures.mark(connection, [intent.id for intent in intents if intent.capture_later])
    else:
        created = await _create(connection, intents)
    answers: list[StoredAnswer | Exception] = []
    for intent in intents:
        if intent.id in created:
            answers.append(_told(intent.answer, created[intent.id]))
            continue
        try:
            stored = await replay(connection, intent.claim)
        except Exception as error:  # noqa: BLE001 - it belongs to this caller, not to the batch
            answers.append(error)
        else:
            answers.append(stored or LookupError("the key vanished between two statements"))
    return answers


def _told(answer: StoredAnswer, paid_before: str | None) -> StoredAnswer:
    """Return an answer as the statement has kept it."""
    if paid_before is None:
        return answer
    return replace(answer, answer=answer.answer.removesuffix(b"null}") + f'"{paid_before}"}}'.encode())


async def _create(connection: Connection, intents: Sequence[NewIntent]) -> dict[str, str | None]:
    """Return what was created, each with the intent its bill was paid through before, if any."""
    amounts, more = _line_columns(intents)
    rows = await connection.fetch(_CREATE, *_intent_columns(intents), *amounts, *more)
    return {row["id"]: row["paid_before"] for row in rows}


def _intent_columns(intents: Sequence[NewIntent]) -> tuple[list[object], ...]:
    rows = [
        (
            i.id, i.claim.caller, i.claim.route, i.claim.key, i.claim.body_sha256, i.answer.status, i.answer.answer,
            i.department, i.reference, i.amount_minor, i.currency, i.language, i.contact,
            i.return_url, i.metadata, i.live, i.created_at, i.expires_at, i.event_id, i.event_data, i.bundle,
        )
        for i in intents
    ]  # fmt: skip
    return tuple(list(column) for column in zip(*rows, strict=True))


def _line_columns(intents: Sequence[NewIntent]) -> tuple[tuple[object, ...], tuple[object, ...]]:
    rows = [
        (
            intent.id, number, line.department, line.service, line.name_ar, line.name_en, line.revenue_code,
            line.quantity, line.amount_minor, line.vat_minor, line.tariff, line.base_minor, line.discount_minor,
            line.concession, line.shared,
        )
        for intent in intents
        for number, line in enumerate(intent.lines, start=1)
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    return (*columns[:9], KEPT, columns[9]), tuple(columns[10:])
