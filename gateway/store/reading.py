"""Intents with everything a department is shown of them: in one statement, however many read at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from gateway.store import attempts, disputes, intents, tariffs
from gateway.store.attempts import Attempt
from gateway.store.connections import Connection, Row
from gateway.store.intents import Intent, IntentLine


class WholeIntent(msgspec.Struct, frozen=True):
    """One intent, its lines, what was given back of it and its last attempt."""

    intent: Intent
    lines: Sequence[IntentLine]
    refunded_minor: int
    disputed_minor: int
    last_attempt: Attempt | None
    paid_before: str | None = None


# Rows inside a row come without names. What refunds have used of the amount: open ones too, late money not.
_BELONGING: Final = f"""
  ARRAY(SELECT ROW({intents.LINE_COLUMNS}) FROM gateway.intent_line l WHERE l.intent = i.id ORDER BY number) AS lines,
  (SELECT sum(amount_minor)::bigint FROM gateway.refund r
    WHERE r.intent = i.id AND status <> 'failed' AND NOT late) AS refunded_minor,
  (SELECT ROW({attempts.COLUMNS}) FROM gateway.attempt a
    WHERE a.intent = i.id ORDER BY id DESC LIMIT 1) AS last_attempt"""
_READ: Final = f"""
SELECT {intents.COLUMNS}, {_BELONGING},
  CASE WHEN i.paid_at IS NULL THEN ({intents.PAID_BEFORE}) END AS paid_before
  FROM gateway.intent i WHERE id = ANY ($1::text[])"""
_READ_BELONGING: Final = f"""
SELECT {_BELONGING} FROM unnest($1::text[]) WITH ORDINALITY AS i (id, place) ORDER BY place"""

_TARIFF: Final = intents.LINE_COLUMNS.replace(",", " ").split().index("tariff")
_ATTEMPT_NAMES: Final = attempts.COLUMNS.replace(",", " ").split()


async def read_whole(connection: Connection, intent_ids: Sequence[str]) -> list[WholeIntent | None]:
    """Return one for each id, in order; None where there is none."""
    rows = await connection.fetch(_READ, sorted(set(intent_ids)))
    before = {row["id"]: row["paid_before"] for row in rows}
    read = await _together(connection, [intents.intent_of(row) for row in rows], rows, before)
    found = {each.intent.id: each for each in read}
    return [found.get(each) for each in intent_ids]


async def whole(connection: Connection, found: Sequence[Intent]) -> list[WholeIntent]:
    """Put to each intent what belongs to it."""
    if not found:
        return []
    rows = await connection.fetch(_READ_BELONGING, [each.id for each in found])
    unpaid = [intent for intent in found if intent.paid_at is None]
    before = await intents.paid_before(connection, unpaid) if unpaid else {}
    return await _together(connection, found, rows, before)


async def _together(
    connection: Connection, found: Sequence[Intent], rows: Sequence[Row], before: Mapping[str, str | None]
) -> list[WholeIntent]:
    lines = [row["lines"] for row in rows]
    cited = {tariff for own in lines for line in own if (tariff := line[_TARIFF]) is not None}
    priced_by = await tariffs.read_many(connection, cited)
    last = [
        None if (values := row["last_attempt"]) is None
        else attempts.attempt_of(dict(zip(_ATTEMPT_NAMES, values, strict=True)))
        for row in rows
    ]  # fmt: skip
    disputed = await _disputed(connection, found, [attempt for attempt in last if attempt is not None])
    return [
        WholeIntent(
            intent,
            [intents.line_of(line, priced_by) for line in own],
            row["refunded_minor"] or 0,
            disputed.get(intent.paid_attempt or "", 0),
            attempt,
            before.get(intent.id),
        )
        for intent, own, row, attempt in zip(found, lines, rows, last, strict=True)
    ]


async def _disputed(connection: Connection, found: Sequence[Intent], last: Sequence[Attempt]) -> Mapping[str, int]:
    """Return what is disputed, by the attempt that paid; where nothing is paid nobody is asked."""
    paid = [intent.paid_attempt for intent in found if intent.paid_attempt is not None]
    known = {attempt.id: attempt for attempt in last}
    missing = [attempt_id for attempt_id in paid if attempt_id not in known]
    if missing:  # somebody tried again after it was paid
        known |= await attempts.read_many(connection, missing)
    return await disputes.taken_back(connection, [known[attempt_id] for attempt_id in paid])
