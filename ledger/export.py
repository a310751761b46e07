"""Writing the books for others to check: JSON lines with every hashed byte, CSV, and plain-text accounting.

Everything is streamed page by page; memory is that of one page and of the chart, however long the books are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from ledger.errors import SealError
from ledger.money import Money
from ledger.pages import page_end
from ledger.plain_text import Beancount, Hledger
from ledger.seal import Seal
from ledger.store import Connection

PAGE_JOURNALS: Final = 2_000
PAGE_POSTINGS: Final = 10_000

_ACCOUNTS: Final = """
SELECT id, path, currency, type, side, by_item, opened_by, opened_at
  FROM ledger.account WHERE opened_by <= $1 ORDER BY id
"""
_JOURNALS: Final = """
SELECT id, reference, kind, business_date, effective_at, recorded_at, payment, provider, provider_reference, file, line,
       corrects, late_for, below_floor, description, fingerprint, hash
  FROM ledger.journal WHERE id > $1 AND id <= $2 ORDER BY id
"""
# The page is materialized for the same reason as the audit's.
_POSTINGS: Final = """
WITH page AS MATERIALIZED (SELECT recorded_at FROM ledger.journal WHERE id > $1 AND id <= $2)
SELECT journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq, currency, item
  FROM ledger.all_postings
 WHERE journal_id > $1 AND journal_id <= $2
   AND recorded_at >= (SELECT min(recorded_at) FROM page) AND recorded_at <= (SELECT max(recorded_at) FROM page)
 ORDER BY journal_id, seq
"""
_DECISIONS: Final = """
SELECT id, kind, path, currency, floor_minor, closed_until, closed_before, reason, decided_by, recorded_at, journal_id,
       hash
  FROM ledger.decision WHERE id > $1 AND id <= $2 ORDER BY id
"""


class Form(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    BEANCOUNT = "beancount"
    HLEDGER = "hledger"


@dataclass(slots=True)
class Extent:
    """Which part of the chain is exported: journals after `after` up to `until`, between two seals for one day."""

    after: int = 0
    until: int = 0
    decisions_after: int = 0
    decisions_until: int = 0
    before: Seal | None = None
    seals: list[Seal] = field(default_factory=list)


async def whole(connection: Connection) -> Extent:
    """Return everything recorded so far, with every seal."""
    head = await connection.fetchrow("SELECT journal_id, decision_id FROM ledger.head")
    seals = [Seal.from_row(row) for row in await connection.fetch("SELECT * FROM ledger.seal ORDER BY number")]
    if head is None:
        raise SealError("the ledger has no head row")
    return Extent(until=head["journal_id"], decisions_until=head["decision_id"], seals=seals)


async def sealed_day(connection: Connection, business_date: date) -> Extent:
    """Return what one seal added to the seal before it."""
    rows = await connection.fetch(
        "SELECT * FROM ledger.seal WHERE business_date <= $1 ORDER BY business_date DESC LIMIT 2", business_date
    )
    if not rows or rows[0]["business_date"] != business_date:
        raise SealError(f"{business_date} is not sealed")
    seal = Seal.from_row(rows[0])
    before = Seal.from_row(rows[1]) if len(rows) > 1 else None
    return Extent(
        after=before.journal_id if before else 0,
        until=seal.journal_id,
        decisions_after=before.decision_id if before else 0,
        decisions_until=seal.decision_id,
        before=before,
        seals=[seal],
    )


async def _pages(connection: Connection, extent: Extent) -> AsyncGenerator[list[tuple[Any, list[Any]]], None]:
    """Yield pages of (journal, its postings)."""
    until = extent.after
    while until < extent.until:
        after = until
        until = await page_end(connection, after, min(after + PAGE_JOURNALS, extent.until), PAGE_POSTINGS)
        page: dict[int, tuple[Any, list[Any]]] = {
            row["id"]: (row, []) for row in await connection.fetch(_JOURNALS, after, until)
        }
        for posting in await connection.fetch(_POSTINGS, after, until):
            page[posting["journal_id"]][1].append(posting)
        yield list(page.values())


async def export(connection: Connection, form: Form, extent: Extent) -> AsyncGenerator[str, None]:
    """Stream the books as text; write the pieces one after the other."""
    accounts = {row["id"]: row for row in await connection.fetch(_ACCOUNTS, extent.until)}
    match form:
        case Form.JSONL:
            pieces = _jsonl(connection, extent, accounts)
        case Form.CSV:
            pieces = _csv(connection, extent, accounts)
        case Form.BEANCOUNT:
            pieces = _plain_text(connection, extent, Beancount(accounts))
        case Form.HLEDGER:
            pieces = _plain_text(connection, extent, Hledger(accounts))
    async for piece in pieces:
        yield piece


def _plain(value: Any) -> Any:
    """Return a value as JSON says it: instants in UTC to the microsecond, bytes in hexadecimal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else value


def _record(kind: str, fields: Any) -> dict[str, Any]:
    return {"record": kind, **{name: _plain(value) for name, value in fields.items()}}


async def _jsonl(connection: Connection, extent: Extent, accounts: dict[int, Any]) -> AsyncGenerator[str, None]:
    """Write seal before, accounts, decisions, journals with their postings, seals: one record a line."""

    def line(record: dict[str, Any]) -> str:
        return msgspec.json.encode(record).decode() + "\n"

    def sealed(seal: Seal) -> str:
        return line(_record("seal", {name: getattr(seal, name) for name in Seal.__dataclass_fields__}))

    if extent.before is not None:
        yield sealed(extent.before)
    yield "".join(line(_record("account", row)) for row in accounts.values())
    for row in await connection.fetch(_DECISIONS, extent.decisions_after, extent.decisions_until):
        yield line(_record("decision", row))
    waiting = list(extent.seals)
    while waiting and waiting[0].journal_id <= extent.after:  # days without a journal
        yield sealed(waiting.pop(0))
    async for page in _pages(connection, extent):
        lines = []
        for journal, postings in page:
            record = _record("journal", journal)
            record["postings"] = [
                {
                    "seq": posting["seq"],
                    "account_id": posting["account_id"],
                    "account": accounts[posting["account_id"]]["path"],
                    "currency": posting["currency"],
                    "amount_minor": posting["amount_minor"],
                    "balance_minor": posting["balance_minor"],
                    "item": posting["item"],
                }
                for posting in postings
            ]
            lines.append(line(record))
            while waiting and waiting[0].journal_id == journal["id"]:
                lines.append(sealed(waiting.pop(0)))
        yield "".join(lines)


_CSV_COLUMNS: Final = (
    "journal", "reference", "kind", "business_date", "effective_at", "recorded_at", "account", "currency", "debit",
    "credit", "item", "payment", "provider", "provider_reference", "file", "line", "corrects", "late_for",
    "description",
)  # fmt: skip
_CSV_HEAD: Final = ("id", *_CSV_COLUMNS[1:6])
_CSV_TAIL: Final = _CSV_COLUMNS[11:]


async def _csv(connection: Connection, extent: Extent, accounts: dict[int, Any]) -> AsyncGenerator[str, None]:
    """Write one row a posting, amounts as decimals on the debit or the credit side."""
    yield ",".join(_CSV_COLUMNS) + "\r\n"
    async for page in _pages(connection, extent):
        text = io.StringIO()
        rows = csv.writer(text)
        for journal, postings in page:
            head = [
                _plain(journal[n]) for n in ("id", "reference", "kind", "business_date", "effective_at", "recorded_at")
            ]
            tail = [_plain(journal[name]) for name in _CSV_TAIL]
            for posting in postings:
                amount = Money.of_total(abs(posting["amount_minor"]), posting["currency"]).decimal()
                sides = (amount, "") if posting["amount_minor"] > 0 else ("", amount)
                path = accounts[posting["account_id"]]["path"]
                rows.writerow([*head, path, posting["currency"], *sides, posting["item"], *tail])
        yield text.getvalue()


async def _plain_text(connection: Connection, extent: Extent, book: Beancount | Hledger) -> AsyncGenerator[str, None]:
    """Write declarations, transactions, and at the end the balance every account must have come to."""
    yield book.opening()
    sums: dict[int, int] = {}
    last = date.min
    async for page in _pages(connection, extent):
        text = []
        for journal, postings in page:
            text.append(book.transaction(journal, postings))
            last = max(last, journal["business_date"])
            for posting in postings:
                account = posting["account_id"]
                sums[account] = sums.get(account, 0) + posting["amount_minor"]
        yield "".join(text)
    if sums:
        yield book.closing(last + timedelta(days=1), sums)
