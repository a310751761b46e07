"""Searching a department's intents: pages along an index, newest first, each at a bounded cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.domain.intent import IntentStatus, Search
from gateway.store.connections import Connection, to_json
from gateway.store.intents import COLUMNS, Intent, intent_of

SEARCHED_MAX: Final = 20_000
"""How many intents one page of a search looks at, at most: whatever is asked for, it costs no more than this."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search. `next_before` is where to go on; a page may be short and yet not be the last."""

    intents: list[Intent]
    next_before: str | None


_FIRST: Final = "pi_"
_LAST: Final = "pi_~"


async def search(
    connection: Connection, department: str, wanted: Search, *, before: str | None, after: str | None, limit: int
) -> Found:
    """Return a department's intents, newest first, below a cursor. Identifiers sort by time, so they are the cursor.

    `after` and `before` bound the walk along an index; what it meets is filtered, and it ends after so many.
    """
    walk: tuple[str, ...] = (department, before or _LAST, after or _FIRST)
    statements, status, reference = _BY_TIME, wanted.status, wanted.reference
    if wanted.receipt_number is not None:
        statements, walk = _BY_RECEIPT, (*walk, wanted.receipt_number)
    elif reference is not None:
        statements, walk, reference = _BY_REFERENCE, (*walk, reference), None
    elif status is not None and status is not IntentStatus.REQUIRES_PAYMENT:
        statements, walk, status = _BY_STATUS, (*walk, status.value), None
    filters = (
        status.value if status else None,
        wanted.created_from,
        wanted.created_before,
        wanted.amount_minor,
        wanted.currency,
        None if wanted.metadata is None else to_json(dict([wanted.metadata])),
        wanted.paid_from,
        wanted.paid_before,
        reference,
        wanted.service,
        wanted.duplicate,
    )
    page, looked_at = statements
    rows = await connection.fetch(page, *walk, *filters, limit + 1, SEARCHED_MAX)
    found = [intent_of(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Found(found, found[-1].id)
    if not any(value is not None for value in filters):
        return Found(found, None)
    return Found(found, await connection.fetchval(looked_at, *walk, SEARCHED_MAX - 1))


def _statements(walk: str, n: int) -> tuple[str, str]:
    """Write the statement that fills a page, and the one that tells how far it looked.

    The walk has its bounds as plain comparisons, so that every plan of it starts where the page starts; the parameters
    behind its own begin at `n`. A line is looked for intent by intent: joined, it could be sought in all there are.
    """
    return (
        f"""
SELECT {COLUMNS} FROM (SELECT * FROM gateway.intent WHERE {walk} ORDER BY id DESC LIMIT ${n + 12}) looked_at
 WHERE (${n}::text IS NULL OR status = ${n}) AND (${n + 1}::timestamptz IS NULL OR created_at >= ${n + 1})
   AND (${n + 2}::timestamptz IS NULL OR created_at < ${n + 2})
   AND (${n + 3}::bigint IS NULL OR amount_minor = ${n + 3}) AND (${n + 4}::text IS NULL OR currency = ${n + 4})
   AND (${n + 5}::jsonb IS NULL OR metadata @> ${n + 5})
   AND (${n + 6}::timestamptz IS NULL OR paid_at >= ${n + 6}) AND (${n + 7}::timestamptz IS NULL OR paid_at < ${n + 7})
   AND (${n + 8}::text IS NULL OR reference = ${n + 8})
   AND (${n + 9}::text IS NULL OR (SELECT true FROM gateway.intent_line line
                                    WHERE line.intent = looked_at.id AND line.service = ${n + 9} LIMIT 1))
   AND (${n + 10}::boolean IS NULL OR (duplicate_of IS NOT NULL) = ${n + 10})
 ORDER BY id DESC LIMIT ${n + 11}""",
        f"SELECT id FROM gateway.intent WHERE {walk} ORDER BY id DESC OFFSET ${n} LIMIT 1",
    )


_BY_TIME: Final = _statements("department = $1 AND id < $2 AND id > $3", 4)
_BY_REFERENCE: Final = _statements("department = $1 AND id < $2 AND id > $3 AND reference = $4", 5)
_BY_RECEIPT: Final = _statements("department = $1 AND id < $2 AND id > $3 AND receipt_number = $4", 5)
# Said twice, so that the planner sees that the index of these statuses has them all.
_BY_STATUS: Final = _statements(
    "department = $1 AND id < $2 AND id > $3 AND status = $4 AND status <> 'requires_payment'", 5
)
