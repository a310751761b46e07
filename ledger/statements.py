"""Reading the books: balances, trial balance, account statements and open items, at any past instant.

`at` is the effective instant asked about, inclusive; `known_at` hides what was recorded after it. Without either the
answer is the present one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from ledger.money import Money, exponent_of
from ledger.store import Connection

PREFETCH_ROWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One account of a trial balance: total debits, total credits, and the balance (debit above zero)."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int
    balance: Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting of an account, with the account's balance after it in order of effect."""

    journal_id: int
    reference: str
    kind: str
    business_date: date
    effective_at: datetime
    recorded_at: datetime
    amount: Money
    balance: Money
    item: str | None
    payment: str | None
    provider_reference: str | None
    description: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is not cleared on an account kept item by item; its age is counted from `opened_at`."""

    account: str
    currency: str
    item: str
    amount: Money
    opened_at: datetime
    journal_id: int
    payment: str | None
    provider_reference: str | None


# The totals of one account at an effective instant: the hours before that of the instant, and that hour's postings.
_TOTALS_AT: Final = """
SELECT coalesce(h.debit_minor, 0) + coalesce(p.debit, 0) AS debit_minor,
       coalesce(h.credit_minor, 0) + coalesce(p.credit, 0) AS credit_minor
  FROM (SELECT) one
  LEFT JOIN LATERAL (
    SELECT t.debit_minor, t.credit_minor FROM ledger.hourly t
     WHERE t.account_id = a.id AND t.hour < date_bin('1 hour', $1, '2000-01-01 00:00:00+00')
     ORDER BY t.hour DESC LIMIT 1) h ON true
  LEFT JOIN LATERAL (
    SELECT sum(t.amount_minor) FILTER (WHERE t.amount_minor > 0) AS debit,
           -sum(t.amount_minor) FILTER (WHERE t.amount_minor < 0) AS credit
      FROM ledger.all_postings t
     WHERE t.account_id = a.id AND t.effective_at <= $1
       AND t.effective_at >= date_bin('1 hour', $1, '2000-01-01 00:00:00+00')) p ON true
"""
_TOTALS_NOW: Final = "SELECT b.debit_minor, b.credit_minor FROM ledger.balance b WHERE b.account_id = a.id"
# What was not known yet.
_UNKNOWN: Final = """
SELECT coalesce(sum(t.amount_minor) FILTER (WHERE t.amount_minor > 0), 0) AS debit_minor,
       coalesce(-sum(t.amount_minor) FILTER (WHERE t.amount_minor < 0), 0) AS credit_minor
  FROM ledger.all_postings t
 WHERE t.account_id = a.id AND t.recorded_at > $2 AND ($1::timestamptz IS NULL OR t.effective_at <= $1)
"""
_NOTHING_UNKNOWN: Final = "SELECT 0::bigint AS debit_minor, 0::bigint AS credit_minor WHERE $2::timestamptz IS NULL"


def _totals(at: datetime | None, known_at: datetime | None) -> str:
    known = _NOTHING_UNKNOWN if known_at is None else _UNKNOWN
    stands = _TOTALS_NOW if at is None else _TOTALS_AT
    return (
        "SELECT a.path AS account, a.currency, (s.debit_minor - u.debit_minor)::bigint AS debit_minor,"
        " (s.credit_minor - u.credit_minor)::bigint AS credit_minor"
        f" FROM ledger.account a CROSS JOIN LATERAL ({stands}) s CROSS JOIN LATERAL ({known}) u"
        " WHERE $1::timestamptz IS NOT DISTINCT FROM $1"
    )


async def balance(
    connection: Connection,
    account: str,
    currency: str,
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> Money:
    """Return an account's balance, debit above zero; an account never posted to stands at zero."""
    exponent_of(currency)
    statement = _totals(at, known_at) + " AND a.path = $3 AND a.currency = $4"
    row = await connection.fetchrow(statement, at, known_at, account, currency)
    return Money.of_total(row["debit_minor"] - row["credit_minor"] if row else 0, currency)


async def trial_balance(
    connection: Connection,
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    currency: str | None = None,
) -> list[TrialLine]:
    """Return every account that had been posted to, by currency and path; the balances sum to zero per currency."""
    statement = _totals(at, known_at) + " AND ($3::text IS NULL OR a.currency = $3) ORDER BY a.currency, a.path"
    return [
        TrialLine(
            row["account"],
            row["currency"],
            row["debit_minor"],
            row["credit_minor"],
            Money.of_total(row["debit_minor"] - row["credit_minor"], row["currency"]),
        )
        for row in await connection.fetch(statement, at, known_at, currency)
        if row["debit_minor"] or row["credit_minor"]
    ]


_LINES: Final = """
SELECT p.journal_id, j.reference, j.kind, j.business_date, p.effective_at, p.recorded_at, p.amount_minor, p.item,
       j.payment, j.provider_reference, j.description, ({opening}) AS opening_minor
  FROM ledger.all_postings p JOIN ledger.journal j ON j.id = p.journal_id
 WHERE p.account_id = $3 AND p.effective_at > $1 AND p.effective_at < $4
   AND ($2::timestamptz IS NULL OR p.recorded_at <= $2)
 ORDER BY p.account_id, p.effective_at, p.journal_id, p.seq
"""


# The months' indexes are merged as they stand. A plan for these very instants costs more than a day's lines to make,
# and might sort a year of them before it gives the first.
_STREAM: Final = """
SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off
"""


def _lines(start: datetime, known_at: datetime | None) -> str:
    totals = _totals(start, known_at)
    return _LINES.format(opening=f"SELECT o.debit_minor - o.credit_minor FROM ({totals} AND a.id = $3) o")


async def account_statement(
    connection: Connection,
    account: str,
    currency: str,
    *,
    start: datetime,
    end: datetime,
    known_at: datetime | None = None,
) -> AsyncGenerator[StatementLine, None]:
    """Stream an account's postings effective from `start` to before `end`, in order of effect.

    One statement is one snapshot, and memory stays that of one page. Close the iterator (`contextlib.aclosing`) when
    leaving it early.
    """
    exponent_of(currency)
    account_id = await connection.fetchval(
        "SELECT id FROM ledger.account WHERE path = $1 AND currency = $2", account, currency
    )
    if account_id is None:
        return
    running: int | None = None
    before = start - timedelta(microseconds=1)
    alone = not connection.is_in_transaction()
    async with connection.transaction():
        if alone:
            await connection.execute(_STREAM)
        async for row in connection.cursor(
            _lines(before, known_at), before, known_at, account_id, end, prefetch=PREFETCH_ROWS
        ):
            running = (row["opening_minor"] if running is None else running) + row["amount_minor"]
            yield StatementLine(
                row["journal_id"],
                row["reference"],
                row["kind"],
                row["business_date"],
                row["effective_at"],
                row["recorded_at"],
                Money(row["amount_minor"], currency),
                Money.of_total(running, currency),
                row["item"],
                row["payment"],
                row["provider_reference"],
                row["description"],
            )


_OPEN_NOW: Final = """
SELECT item, amount_minor, opened_at, journal_id, payment, provider_reference
  FROM ledger.open_items WHERE account = $1 AND currency = $2 ORDER BY opened_at, item
"""
# Items untouched since the instant stand as they are; those moved later are summed from their postings.
_OPEN_AT: Final = """
WITH live AS MATERIALIZED (
  SELECT i.account_id, i.item, i.amount_minor, i.opened_at, i.moved_at, i.journal_id, i.payment, i.provider_reference
    FROM ledger.item i JOIN ledger.account a ON a.id = i.account_id
   WHERE a.path = $1 AND a.currency = $2 AND i.opened_at <= $3 AND (i.amount_minor <> 0 OR i.moved_at > $3)
), moved AS (
  SELECT p.item, sum(p.amount_minor)::bigint AS amount_minor
    FROM ledger.all_postings p
   WHERE p.account_id = (SELECT id FROM ledger.account WHERE path = $1 AND currency = $2)
     AND p.effective_at >= (SELECT min(l.opened_at) FROM live l WHERE l.moved_at > $3) AND p.effective_at <= $3
     AND p.item IN (SELECT l.item FROM live l WHERE l.moved_at > $3)
   GROUP BY p.item
)
SELECT l.item, coalesce(m.amount_minor, l.amount_minor) AS amount_minor, l.opened_at, l.journal_id, l.payment,
       l.provider_reference
  FROM live l LEFT JOIN moved m ON l.moved_at > $3 AND m.item = l.item
 WHERE coalesce(m.amount_minor, l.amount_minor) <> 0
 ORDER BY l.opened_at, l.item
"""


async def open_items(
    connection: Connection, account: str, currency: str, *, at: datetime | None = None
) -> AsyncGenerator[OpenItem, None]:
    """Stream the items of an account that did not sum to zero at an instant, oldest first."""
    exponent_of(currency)
    arguments = (account, currency) if at is None else (account, currency, at)
    async with connection.transaction():
        async for row in connection.cursor(_OPEN_NOW if at is None else _OPEN_AT, *arguments, prefetch=PREFETCH_ROWS):
            yield OpenItem(
                account,
                currency,
                row["item"],
                Money.of_total(row["amount_minor"], currency),
                row["opened_at"],
                row["journal_id"],
                row["payment"],
                row["provider_reference"],
            )


@dataclass(frozen=True, slots=True)
class JournalPosting:
    """One line of a journal that was posted."""

    account: str
    amount: Money
    balance: Money
    item: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as it was posted, with its place in the chain."""

    journal_id: int
    reference: str
    kind: str
    business_date: date
    effective_at: datetime
    recorded_at: datetime
    payment: str | None
    provider: str | None
    provider_reference: str | None
    file: str | None
    line: int | None
    corrects: int | None
    late_for: date | None
    below_floor: bool
    description: str
    hash: bytes
    postings: tuple[JournalPosting, ...]


async def journal(connection: Connection, number_or_reference: int | str) -> Journal | None:
    """Return one journal by its number, or by its reference."""
    text = str(number_or_reference)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004 - a bigint
    head = await connection.fetchrow(
        "SELECT id AS journal_id, reference, kind, business_date, effective_at, recorded_at, payment, provider,"
        " provider_reference, file, line, corrects, late_for, below_floor, description, hash"
        " FROM ledger.journal WHERE id = $1 OR reference = $2 ORDER BY id = $1 DESC LIMIT 1",
        number,
        text,
    )
    if head is None:
        return None
    rows = await connection.fetch(
        "SELECT a.path, p.amount_minor, p.balance_minor, p.currency, p.item"
        " FROM ledger.all_postings p JOIN ledger.account a ON a.id = p.account_id"
        " WHERE p.journal_id = $1 AND p.recorded_at = $2 ORDER BY p.seq",
        head["journal_id"],
        head["recorded_at"],
    )
    postings = tuple(
        JournalPosting(
            row["path"],
            Money(row["amount_minor"], row["currency"]),
            Money.of_total(row["balance_minor"], row["currency"]),
            row["item"],
        )
        for row in rows
    )
    return Journal(**dict(head), postings=postings)


async def account_currencies(connection: Connection, account: str) -> list[str]:
    """Return the currencies an account has been posted to in."""
    rows = await connection.fetch("SELECT currency FROM ledger.account WHERE path = $1 ORDER BY currency", account)
    return [row["currency"] for row in rows]
