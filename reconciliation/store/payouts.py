"""Payout batches and their lines: drafted from one snapshot of the books, released with their journals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from reconciliation.store import Connection, Record

_DEFERRED: Final = """
  CREATE TEMPORARY TABLE deferred (
    department text COLLATE "C", journal_id bigint, item text COLLATE "C", proof text, amount_minor bigint
  ) ON COMMIT DROP"""

# The departments' shares in a journal are looked up item by item, by key. OFFSET 0 keeps the planner from turning that
# into a join of its own choosing: tables just filled by the night look empty to it, and it would walk them all.
_SHARES_OF_JOURNAL: Final = """
  CROSS JOIN LATERAL (
    SELECT p.journal_id, p.account, -p.amount_minor AS amount_minor FROM ledger.postings p
    WHERE p.journal_id = o.journal_id AND p.currency = $1 AND p.amount_minor < 0 OFFSET 0) p"""
_SHARES_OF_ITEM: Final = """
  CROSS JOIN LATERAL (
    SELECT p.journal_id, p.account, -p.amount_minor AS amount_minor FROM ledger.postings p
    WHERE p.reference = ANY (ARRAY['capture:' || o.item, 'late_accepted:' || o.item]) AND p.currency = $1
      AND p.amount_minor < 0 OFFSET 0) p"""
_ACCEPTED_LATER: Final = """
  CROSS JOIN LATERAL (
    SELECT p.journal_id, p.account, -p.amount_minor AS amount_minor FROM ledger.postings p
    WHERE p.reference = 'late_accepted:' || o.item AND p.currency = $1 AND p.amount_minor < 0 OFFSET 0) p"""
_OPEN_RECEIVABLE: Final = """
  WHERE o.account LIKE 'provider:%:receivable' AND o.currency = $1 AND o.amount_minor > 0
    AND p.account LIKE 'department:%:payable'"""

# A capture whose receivable is open is not settled. Its departments wait for their shares, or for what is left open
# of it, if that is less. A late payment is owed by the journal that accepted it, not by its capture.
_UNSETTLED: Final = (
    """
  INSERT INTO deferred
  SELECT split_part(p.account, ':', 2), p.journal_id, o.item, 'settled', least(p.amount_minor, o.amount_minor)
  FROM ledger.open_items o"""
    + _SHARES_OF_JOURNAL
    + _OPEN_RECEIVABLE
)
_UNSETTLED_LATE: Final = (
    """
  INSERT INTO deferred
  SELECT split_part(p.account, ':', 2), p.journal_id, o.item, 'settled', least(p.amount_minor, o.amount_minor)
  FROM ledger.open_items o"""
    + _ACCEPTED_LATER
    + _OPEN_RECEIVABLE
)
# Cash in a drawer that is not counted yet is not settled either. What its shift took is known by the drawer's item.
_IN_DRAWERS: Final = """
  INSERT INTO deferred
  SELECT split_part(p.account, ':', 2), p.journal_id, p.payment, 'settled', p.amount_minor
  FROM ledger.open_items o
  JOIN ledger.postings c ON c.account = o.account AND c.item = o.item AND c.currency = $1 AND c.payment IS NOT NULL
  CROSS JOIN LATERAL (
    SELECT p.journal_id, p.account, p.payment, -p.amount_minor AS amount_minor FROM ledger.postings p
    WHERE p.journal_id = c.journal_id AND p.currency = $1 AND p.amount_minor < 0 OFFSET 0) p
  WHERE o.account LIKE 'centre:%:cash' AND o.currency = $1 AND o.amount_minor > 0
    AND p.account LIKE 'department:%:payable'"""
# Settled, but the bank has not shown the batch. Asked only where some department's terms want it shown.
_UNBANKED: Final = (
    """
  INSERT INTO deferred
  SELECT split_part(p.account, ':', 2), p.journal_id, o.item, 'banked', p.amount_minor
  FROM (
    SELECT m.item FROM ledger.open_items i
    JOIN reconciliation.settlement_file f ON f.batch_reference = i.item AND f.currency = i.currency
      AND f.status = 'accepted' AND i.account = 'provider:' || f.provider || ':in_transit'
    JOIN reconciliation.match m ON m.leg = 'provider' AND m.file_no = f.file_no
      AND m.outcome IN ('matched', 'amount') AND m.account = 'provider:' || f.provider || ':receivable'
    WHERE i.currency = $1 AND i.amount_minor > 0
      AND EXISTS (SELECT FROM reconciliation.payee WHERE proof = 'banked' AND currency = $1 AND revenue_code = '')
  ) o"""
    + _SHARES_OF_ITEM
    + """
  WHERE p.account LIKE 'department:%:payable'"""
)
_DISPUTED: Final = (
    """
  INSERT INTO deferred
  SELECT split_part(p.account, ':', 2), p.journal_id, o.item, 'disputed', least(p.amount_minor, o.amount_minor)
  FROM ledger.open_items o"""
    + _SHARES_OF_ITEM
    + """
  WHERE o.account = 'disputes:receivable' AND o.currency = $1 AND o.amount_minor > 0
    AND p.account LIKE 'department:%:payable'"""
)
# A payout that the bank debited although it had refused it or sent it back, and what it sent back less than it had
# taken: the department may have this money. What is owed again waits until two people say who has it.
_DEBITED: Final = """
  INSERT INTO deferred
  SELECT split_part(a.account, ':', 2),
         coalesce((SELECT min(p.journal_id) FROM ledger.postings p WHERE p.reference = 'payout_returned:' || o.item),
                  o.journal_id), o.item, 'debited', o.amount_minor
  FROM ledger.accounts a
  CROSS JOIN LATERAL (SELECT item, journal_id, amount_minor FROM ledger.open_items o
                      WHERE o.account = a.account AND o.currency = a.currency AND o.amount_minor > 0 OFFSET 0) o
  WHERE a.account LIKE 'department:%:payout_in_transit' AND a.currency = $1"""
# What a department's own terms do not ask to be proven does not wait.
_BY_TERMS: Final = """
  DELETE FROM deferred d USING (
    SELECT d.department, coalesce(y.proof, 'settled') AS asked
    FROM (SELECT DISTINCT department FROM deferred) d
    LEFT JOIN reconciliation.payee y ON y.department = d.department AND y.currency = $1 AND y.revenue_code = ''
  ) t
  WHERE t.department = d.department
    AND (d.proof = 'settled' AND t.asked = 'captured' OR d.proof = 'banked' AND t.asked <> 'banked')"""


async def owed_elsewhere(connection: Connection, currency: str) -> list[Record]:
    """Read what departments are owed in currencies that no payout leaves in."""
    rows: list[Record] = await connection.fetch(
        """
        SELECT split_part(account, ':', 2) AS department, currency, -amount_minor AS payable_minor
        FROM ledger.balances
        WHERE account LIKE 'department:%:payable' AND currency <> $1 AND amount_minor < 0 ORDER BY account, currency
        """,
        currency,
    )
    return rows


async def compute_owed(connection: Connection, currency: str) -> list[Record]:
    """Read, from one snapshot, what every department is owed, what of it is not proven, and its terms.

    While a rejection stands and the details are those the bank refused, the account is named: of a revenue code among
    `refused_codes`, the department's own as `account_refused`. Money would go to the same dead account every night.

    The transaction must be REPEATABLE READ: a capture recorded between two statements would else be paid unproven.
    """
    await connection.execute("DROP TABLE IF EXISTS pg_temp.deferred")
    await connection.execute(_DEFERRED)
    for statement in (_UNSETTLED, _UNSETTLED_LATE, _IN_DRAWERS, _UNBANKED, _DISPUTED, _DEBITED, _BY_TERMS):
        await connection.execute(statement, currency)
    rows: list[Record] = await connection.fetch(
        """
        SELECT split_part(b.account, ':', 2) AS department, -b.amount_minor AS payable_minor,
               coalesce(d.amount_minor, 0)::bigint AS unproven_minor, h.journal_id AS journal_through,
               y.legal_name, y.iban, y.bic, y.purpose, y.proof, y.schedule, y.weekday, y.minimum_minor,
               y.holdback_minor, before.id AS previous_line, coalesce(before.journal_through, 0) AS journal_from,
               coalesce('' = ANY (refused.codes), false) AS account_refused,
               coalesce(array_remove(refused.codes, ''), '{}') AS refused_codes
        FROM ledger.balances b
        CROSS JOIN ledger.head h
        LEFT JOIN (SELECT department, sum(amount_minor) AS amount_minor FROM deferred GROUP BY department) d
          ON d.department = split_part(b.account, ':', 2)
        LEFT JOIN reconciliation.payee y ON y.department = split_part(b.account, ':', 2) AND y.currency = $1
          AND y.revenue_code = ''
        LEFT JOIN LATERAL (
          SELECT l.id, l.journal_through FROM reconciliation.payout_line l
          JOIN reconciliation.payout_batch p ON p.id = l.batch_id
          WHERE l.department = split_part(b.account, ':', 2) AND p.currency = $1 AND p.released_at IS NOT NULL
          ORDER BY l.journal_through DESC, l.id DESC LIMIT 1
        ) before ON true
        CROSS JOIN LATERAL (
          SELECT array_agg(DISTINCT h.revenue_code) AS codes
          FROM reconciliation.break r
          JOIN reconciliation.payee h ON h.department = r.department AND h.currency = r.currency
          JOIN reconciliation.payee_change c ON c.id = h.change_id
          WHERE r.closed_at IS NULL AND r.type = 'rejected_payout' AND r.currency = $1
            AND r.department = split_part(b.account, ':', 2) AND r.detail->>'held' = h.iban
            AND c.applied_at <= r.raised_at
        ) refused
        WHERE b.account LIKE 'department:%:payable' AND b.currency = $1 ORDER BY b.account
        """,
        currency,
    )
    return rows


async def has_batch(connection: Connection, business_date: date, currency: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.payout_batch"
        " WHERE business_date = $1 AND currency = $2 AND status <> 'refused')",
        business_date,
        currency,
    )
    return found


async def has_unreleased(connection: Connection, currency: str) -> bool:
    """Say whether an earlier batch still waits for a person: what it holds must not be drafted a second time."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM reconciliation.payout_batch"
        " WHERE currency = $1 AND status IN ('draft', 'submitted', 'approved'))",
        currency,
    )
    return found


async def insert_batch(connection: Connection, values: Sequence[object]) -> None:
    await connection.execute(
        """
        INSERT INTO reconciliation.payout_batch (id, business_date, currency, bank_account, debtor_name, debtor_iban,
          debtor_bic, execution_date, line_count, total_minor, content_sha256, status, maker, made_at, submitted_at,
          checker, checked_at, auto_approve_limit_minor, moved_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $14)
        """,
        *values,
    )


async def insert_lines(connection: Connection, lines: Sequence[Sequence[object]]) -> None:
    """Store the lines, and what each department still waits for."""
    await connection.executemany(
        """
        INSERT INTO reconciliation.payout_line (id, batch_id, department, creditor_name, creditor_iban, creditor_bic,
          purpose, amount_minor, remittance, payable_minor, unproven_minor, holdback_minor, previous_line,
          journal_through, status, moved_at, revenue_code)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'draft', $15, $16)
        """,
        lines,
    )
    await connection.execute(
        """
        INSERT INTO reconciliation.payout_deferred (line_id, journal_id, item, amount_minor)
        SELECT l.id, d.journal_id, d.item, sum(d.amount_minor)
        FROM (SELECT department, max(id) AS id FROM reconciliation.payout_line WHERE batch_id = $1
              GROUP BY department) l
        JOIN deferred d USING (department) GROUP BY l.id, d.journal_id, d.item
        """,
        lines[0][1],
    )


_BATCH: Final = """
  SELECT id, business_date, currency, bank_account, debtor_name, debtor_iban, debtor_bic, execution_date, line_count,
         total_minor, content_sha256, status, maker, made_at, checker, checked_at, released_at, book_date, sends, reason
  FROM reconciliation.payout_batch WHERE """
_IN_STATUS: Final = _BATCH + "status = ANY ($1::text[]) ORDER BY made_at, id"
_ONE: Final = _BATCH + "id = $1 FOR UPDATE"


async def in_status(connection: Connection, statuses: Sequence[str]) -> list[Record]:
    rows: list[Record] = await connection.fetch(_IN_STATUS, list(statuses))
    return rows


async def read_locked(connection: Connection, batch_id: str) -> Record | None:
    return await connection.fetchrow(_ONE, batch_id)


async def read_lines(connection: Connection, batch_id: str) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT id, department, creditor_name, creditor_iban, creditor_bic, purpose, amount_minor, remittance, status,
               journal_id, reason
        FROM reconciliation.payout_line WHERE batch_id = $1 ORDER BY id
        """,
        batch_id,
    )
    return rows


async def decide(connection: Connection, batch_id: str, status: str, checker: str, now: datetime, reason: str) -> None:
    await connection.execute(
        "UPDATE reconciliation.payout_batch SET status = $2, checker = $3, checked_at = $4, reason = $5, moved_at = $4"
        " WHERE id = $1",
        batch_id,
        status,
        checker,
        now,
        reason,
    )


async def refuse(connection: Connection, batch_id: str, reason: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.payout_batch SET status = 'refused', reason = $2, moved_at = $3 WHERE id = $1",
        batch_id,
        reason,
        now,
    )


async def release(
    connection: Connection, batch_id: str, journals: Sequence[tuple[str, int]], book_date: date, now: datetime
) -> None:
    """Mark a batch and its lines released; their journals are posted in this same transaction."""
    await connection.execute(
        """
        UPDATE reconciliation.payout_line l SET status = 'released', journal_id = j.journal_id, moved_at = $3
        FROM unnest($1::text[], $2::bigint[]) AS j(line_id, journal_id) WHERE l.id = j.line_id
        """,
        [line for line, _ in journals],
        [journal for _, journal in journals],
        now,
    )
    await connection.execute(
        "UPDATE reconciliation.payout_batch SET status = 'released', released_at = $2, book_date = $3, moved_at = $2"
        " WHERE id = $1",
        batch_id,
        now,
        book_date,
    )


async def count_send(connection: Connection, batch_id: str) -> None:
    """Remember that a send begins, before it does."""
    await connection.execute("UPDATE reconciliation.payout_batch SET sends = sends + 1 WHERE id = $1", batch_id)


async def set_status(connection: Connection, batch_id: str, status: str, reason: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.payout_batch SET status = $2, reason = $3, answered_at = $4, moved_at = $4"
        " WHERE id = $1",
        batch_id,
        status,
        reason,
        now,
    )


async def set_accepted(connection: Connection, line_ids: Sequence[str], now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.payout_line SET status = 'accepted', moved_at = $2"
        " WHERE id = ANY ($1::text[]) AND status = 'released'",
        list(line_ids),
        now,
    )


async def mark_paid(connection: Connection, line_id: str, paid_on: date, now: datetime) -> None:
    """Record the debit the statement shows. A line rejected or returned before keeps its word; its break speaks."""
    await connection.execute(
        """
        UPDATE reconciliation.payout_line SET status = 'paid', paid_on = $2, moved_at = $3
        WHERE id = $1 AND status IN ('released', 'accepted')
        """,
        line_id,
        paid_on,
        now,
    )
    await settle_batch(connection, line_id, now)


async def mark_returned(connection: Connection, line_id: str, status: str, reason: str, now: datetime) -> int | None:
    """Record a rejection or a return, and give the journal that the reversing entry corrects."""
    journal_id: int | None = await connection.fetchval(
        "UPDATE reconciliation.payout_line SET status = $2, reason = $3, moved_at = $4 WHERE id = $1"
        " RETURNING journal_id",
        line_id,
        status,
        reason,
        now,
    )
    await settle_batch(connection, line_id, now)
    return journal_id


async def settle_batch(connection: Connection, line_id: str, now: datetime) -> None:
    """Close a batch when the last of its lines is final."""
    await connection.execute(
        """
        UPDATE reconciliation.payout_batch p
        SET moved_at = $2, status = CASE WHEN EXISTS (SELECT FROM reconciliation.payout_line l
                                       WHERE l.batch_id = p.id AND l.status <> 'rejected')
                          THEN 'confirmed' ELSE 'rejected' END
        WHERE p.id = (SELECT batch_id FROM reconciliation.payout_line WHERE id = $1)
          AND NOT EXISTS (SELECT FROM reconciliation.payout_line l
                          WHERE l.batch_id = p.id AND l.status NOT IN ('paid', 'rejected', 'returned'))
        """,
        line_id,
        now,
    )


_OF_DEPARTMENT: Final = """
  SELECT l.id, l.status, l.amount_minor, p.currency, p.business_date, p.released_at, l.paid_on, l.creditor_iban,
         l.remittance, l.reason, l.journal_through, l.previous_line, l.revenue_code,
         coalesce(before.journal_through, 0) AS journal_from
  FROM reconciliation.payout_line l
  JOIN reconciliation.payout_batch p ON p.id = l.batch_id
  LEFT JOIN reconciliation.payout_line before ON before.id = l.previous_line
  WHERE l.department = $1 AND p.status <> 'refused'"""
_PAGE_OF_DEPARTMENT: Final = _OF_DEPARTMENT + " AND ($2::text IS NULL OR l.id < $2) ORDER BY l.id DESC LIMIT $3"
_ONE_OF_DEPARTMENT: Final = _OF_DEPARTMENT + " AND l.id = $2"


async def of_department(connection: Connection, department: str, *, before: str | None, limit: int) -> list[Record]:
    """Read a department's payouts, newest first; a draft that was refused is computed anew under another id."""
    rows: list[Record] = await connection.fetch(_PAGE_OF_DEPARTMENT, department, before, limit)
    return rows


async def one_of_department(connection: Connection, department: str, line_id: str) -> Record | None:
    return await connection.fetchrow(_ONE_OF_DEPARTMENT, department, line_id)
