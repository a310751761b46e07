"""Breaks: raised once a subject, cured when the item they are about closes, closed by people otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import msgspec

from ledger.ids import mint
from reconciliation.breaks import MEANINGS, BreakType
from reconciliation.store import Connection, Record

NIGHT: Final = "night"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBreak:
    """A difference just found. `subject` tells it from every other of its type."""

    type: BreakType
    subject: str
    business_date: date
    amount_minor: int = 0
    currency: str | None = None
    provider: str | None = None
    department: str | None = None
    account: str | None = None
    item: str | None = None
    leg: str | None = None
    file_no: int | None = None
    line: int | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


async def raise_breaks(
    connection: Connection, found: Sequence[NewBreak], *, now: datetime, random_bytes: Callable[[int], bytes],
    actor: str = NIGHT,
) -> int:  # fmt: skip
    """Store what is new among the found and return how many that were; a standing break is not raised again."""
    if not found:
        return 0
    columns = list(
        zip(
            *(
                (
                    mint("br", now, random_bytes), b.type.value, b.subject, MEANINGS[b.type].owner.value, b.provider,
                    b.department, b.currency, b.amount_minor, b.account, b.item, b.leg, b.file_no, b.line,
                    b.business_date, msgspec.json.encode(dict(b.detail)).decode(),
                )
                for b in found
            ),
            strict=True,
        )
    )  # fmt: skip
    raised: int = await connection.fetchval(
        """
        WITH raised AS (
          INSERT INTO reconciliation.break (id, type, subject, status, owner, provider, department, currency,
            amount_minor, account, item, leg, file_no, line, business_date, raised_at, detail)
          SELECT id, type, subject, 'open', owner, provider, department, currency, amount_minor, account, item, leg,
                 file_no, line, business_date, $1, detail::jsonb
          FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                      $10::text[], $11::text[], $12::text[], $13::integer[], $14::integer[], $15::date[], $16::text[])
            AS f(id, type, subject, owner, provider, department, currency, amount_minor, account, item, leg, file_no,
                 line, business_date, detail)
          ON CONFLICT (type, subject) WHERE closed_at IS NULL OR (status = 'resolved' AND item IS NULL) DO NOTHING
          RETURNING id
        ), told AS (
          INSERT INTO reconciliation.break_event (break_id, at, sequence, actor, action)
          SELECT id, $1, 1, $17, 'raised' FROM raised
        )
        SELECT count(*) FROM raised
        """,
        now,
        *columns,
        actor,
    )
    return raised


_CURE: Final = """
  WITH cured AS (
    UPDATE reconciliation.break b SET status = 'cured', closed_at = $1
    WHERE b.closed_at IS NULL AND """
_TELL: Final = """
    RETURNING b.id
  ), told AS (
    INSERT INTO reconciliation.break_event (break_id, at, sequence, actor, action)
    SELECT c.id, $1, (SELECT count(*) + 1 FROM reconciliation.break_event e WHERE e.break_id = c.id), 'night', 'cured'
    FROM cured c
  )
  SELECT count(*) FROM cured
"""

_ITEM_CLOSED: Final = (
    _CURE
    # What is found while a file is read stands before its posting opens the item.
    + """b.item IS NOT NULL AND NOT EXISTS (
      SELECT FROM ledger.open_items o WHERE o.account = b.account AND o.currency = b.currency AND o.item = b.item)
    AND (b.file_no IS NULL
      OR b.leg = 'provider' AND EXISTS (SELECT FROM reconciliation.settlement_file f
                                        WHERE f.file_no = b.file_no AND f.posted_through >= b.line)
      OR b.leg = 'bank' AND EXISTS (SELECT FROM reconciliation.statement s
                                    WHERE s.statement_no = b.file_no AND s.posted_through >= b.line))"""
    + _TELL
)
# A file that was kept in quarantine is made good by its batch; one that never came, or could not be read, by any
# file of its date that came afterwards.
_FILE_CAME: Final = (
    _CURE
    + """b.leg = 'provider' AND b.type IN ('file_missing', 'file_refused', 'total_not_lines') AND EXISTS (
      SELECT FROM reconciliation.settlement_file f
      LEFT JOIN reconciliation.settlement_file refused ON refused.file_no = b.file_no
      WHERE f.provider = b.provider AND f.status = 'accepted' AND f.imported_at >= b.raised_at
        AND f.file_no IS DISTINCT FROM b.file_no
        AND f.business_date = b.business_date
        AND f.batch_reference = coalesce(refused.batch_reference, f.batch_reference))"""
    + _TELL
)
_STATEMENT_CAME: Final = (
    _CURE
    + """b.leg = 'bank' AND (
      (b.type IN ('file_missing', 'file_refused') AND EXISTS (
        SELECT FROM reconciliation.statement s WHERE s.bank_account = b.provider AND s.status = 'accepted'
          AND s.accepted_at >= b.raised_at AND b.business_date BETWEEN s.opened_on AND s.closed_on))
      OR (b.type = 'file_sequence' AND EXISTS (
        SELECT FROM reconciliation.statement s WHERE s.statement_no = b.file_no AND s.status = 'accepted')))"""
    + _TELL
)
_PAYEE_KNOWN: Final = (
    _CURE
    + """b.type = 'payee_missing' AND EXISTS (
      SELECT FROM reconciliation.payee p
      WHERE p.department = b.department AND p.currency = b.currency AND p.revenue_code = '')"""
    + _TELL
)

# What the bank rejected or sent back is made good by a later payout to the same account of the department; or the
# bank paid it after all, as two people said.
_PAID_LATER: Final = (
    _CURE
    + """b.type IN ('rejected_payout', 'returned_payout') AND (EXISTS (
      SELECT FROM reconciliation.payout_line failed WHERE failed.id = b.detail->>'reference' AND failed.status = 'paid')
    OR EXISTS (
      SELECT FROM reconciliation.payout_line failed
      JOIN reconciliation.payout_line l ON l.department = failed.department AND l.revenue_code = failed.revenue_code
        AND l.id <> failed.id AND l.status = 'paid'
      JOIN reconciliation.payout_batch p ON p.id = l.batch_id AND p.currency = b.currency AND p.made_at >= b.raised_at
      WHERE failed.id = b.detail->>'reference'))"""
    + _TELL
)


_OWED_NO_MORE: Final = (
    _CURE
    + """b.type = 'owed_in_other_currency' AND NOT EXISTS (
      SELECT FROM ledger.balances l WHERE l.account = 'department:' || b.department || ':payable'
        AND l.currency = b.currency AND l.amount_minor < 0)"""
    + _TELL
)


async def cure(connection: Connection, now: datetime) -> int:
    """Close every break whose cause is gone: its item cleared, its file came, its payee is known, it was paid later."""
    cured = 0
    for statement in (_ITEM_CLOSED, _FILE_CAME, _STATEMENT_CAME, _PAYEE_KNOWN, _PAID_LATER, _OWED_NO_MORE):
        cured += await connection.fetchval(statement, now)
    return cured


async def read(connection: Connection, break_id: str, *, lock: bool = False) -> Record | None:
    return await connection.fetchrow(
        _READ_LOCKED if lock else _READ,
        break_id,
    )


_READ: Final = """
  SELECT id, type, subject, status, owner, provider, department, currency, amount_minor, account, item, leg, file_no,
         line, business_date, raised_at, closed_at, detail::text
  FROM reconciliation.break WHERE id = $1"""
_READ_LOCKED: Final = _READ + " FOR UPDATE"


async def read_open(connection: Connection, *, limit: int, after: str = "") -> list[Record]:
    """Read standing breaks in the order of their ids, a page at a time."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT id, type, subject, status, owner, provider, department, currency, amount_minor, account, item,
               business_date, raised_at, detail::text
        FROM reconciliation.break WHERE closed_at IS NULL AND id > $1 ORDER BY id LIMIT $2
        """,
        after,
        limit,
    )
    return rows


async def read_history(connection: Connection, break_id: str) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT at, actor, action, note FROM reconciliation.break_event WHERE break_id = $1 ORDER BY sequence", break_id
    )
    return rows


async def tell(connection: Connection, break_id: str, actor: str, action: str, note: str, now: datetime) -> None:
    """Add a line to a break's history; the caller holds the break's row."""
    await connection.execute(
        """
        INSERT INTO reconciliation.break_event (break_id, at, sequence, actor, action, note)
        SELECT $1, $2, count(*) + 1, $3, $4, $5 FROM reconciliation.break_event WHERE break_id = $1
        """,
        break_id,
        now,
        actor,
        action,
        note,
    )


async def set_status(connection: Connection, break_id: str, status: str, now: datetime) -> None:
    await connection.execute(
        """
        UPDATE reconciliation.break
        SET status = $2, closed_at = CASE WHEN $2 IN ('resolved', 'cured') THEN $3::timestamptz END WHERE id = $1
        """,
        break_id,
        status,
        now,
    )


async def end_standing(
    connection: Connection, account: str, currency: str, item: str, actor: str, now: datetime
) -> None:
    """Cure the breaks about an item, which another break is to speak for as a whole."""
    rows = await connection.fetch(
        """
        UPDATE reconciliation.break SET status = 'cured', closed_at = $4
        WHERE closed_at IS NULL AND account = $1 AND currency = $2 AND item = $3 RETURNING id
        """,
        account,
        currency,
        item,
        now,
    )
    for row in rows:
        await tell(connection, row["id"], actor, "cured", "", now)
