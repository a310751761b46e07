"""The simulated bank's own book, in SQLite: what really moved, whatever its files may say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bookings (
  number INTEGER PRIMARY KEY, booked_on TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
  kind TEXT NOT NULL, bank_reference TEXT NOT NULL UNIQUE, credit_id TEXT UNIQUE, end_to_end_id TEXT,
  batch_reference TEXT, remittance TEXT NOT NULL, counterparty TEXT, counterparty_iban TEXT, return_reason TEXT,
  creditor_iban TEXT, told_at TEXT);
CREATE TABLE IF NOT EXISTS payment_files (
  message_id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, received_at TEXT NOT NULL, debit_on TEXT NOT NULL,
  one_debit INTEGER NOT NULL, reason TEXT, silent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS payments (
  message_id TEXT NOT NULL REFERENCES payment_files, end_to_end_id TEXT NOT NULL, amount_minor INTEGER NOT NULL,
  creditor TEXT, creditor_iban TEXT, reason TEXT, PRIMARY KEY (message_id, end_to_end_id));
CREATE TABLE IF NOT EXISTS statements (
  day TEXT PRIMARY KEY, sequence INTEGER NOT NULL, opening_minor INTEGER NOT NULL, closing_minor INTEGER NOT NULL,
  told TEXT NOT NULL);
"""

_INSERT_BOOKING = """
INSERT INTO bookings VALUES (
  :number, :booked_on, :amount_minor, :currency, :kind, :bank_reference, :credit_id, :end_to_end_id,
  :batch_reference, :remittance, :counterparty, :counterparty_iban, :return_reason, :creditor_iban, :told_at)
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement on the account: a credit is positive, a debit negative.

    `creditor_iban` is the virtual account a payer sent it to; from `told_at` on, the bank notifies of a credit.
    """

    booked_on: date
    amount_minor: int
    currency: str
    kind: str
    remittance: str
    bank_reference: str = ""
    credit_id: str | None = None
    end_to_end_id: str | None = None
    batch_reference: str | None = None
    counterparty: str | None = None
    counterparty_iban: str | None = None
    return_reason: str | None = None
    creditor_iban: str | None = None
    told_at: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One line of a payment file as the bank judged it; a reason means it was rejected."""

    end_to_end_id: str
    amount_minor: int
    creditor: str
    creditor_iban: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class FileRow:
    message_id: str
    sha256: str
    received_at: str
    debit_on: date
    one_debit: bool
    reason: str | None
    silent: bool


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A closed day as the bank told it; it never changes again."""

    day: date
    sequence: int
    opening_minor: int
    closing_minor: int
    told: Sequence[Booking]


class Book:
    """Bookings, payment files and closed statements of one account."""

    def __init__(self, path: str, *, opened_on: date, opening_balance_minor: int) -> None:
        # The server may run in another thread than the one that built it; it is never used by two at once.
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_SCHEMA)
        self.opened_on = opened_on
        self.opening_balance_minor = opening_balance_minor

    def close(self) -> None:
        self._db.close()

    def add(self, bookings: Iterable[Booking]) -> list[Booking]:
        """Book all or none; what would fall into a closed day falls into the next open one."""
        first_open = self.first_open_day()
        booked = []
        with _Transaction(self._db):
            for booking in bookings:
                number = self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM bookings").fetchone()[0]
                row = asdict(booking) | {
                    "booked_on": max(booking.booked_on, first_open or booking.booked_on).isoformat(),
                    "bank_reference": f"BH{number:012d}",
                }
                self._db.execute(_INSERT_BOOKING, row | {"number": number})
                booked.append(_booking(row))
        return booked

    def credit(self, credit_id: str) -> Booking | None:
        row = self._db.execute("SELECT * FROM bookings WHERE credit_id = ?", (credit_id,)).fetchone()
        return _booking(dict(row)) if row else None

    def bookings(self, *, on: date | None = None) -> list[Booking]:
        rows = self._db.execute(
            "SELECT * FROM bookings WHERE :day IS NULL OR booked_on = :day ORDER BY booked_on, number",
            {"day": on.isoformat() if on else None},
        )
        return [_booking(dict(row)) for row in rows]

    def file(self, message_id: str) -> FileRow | None:
        row = self._db.execute("SELECT * FROM payment_files WHERE message_id = ?", (message_id,)).fetchone()
        if row is None:
            return None
        return FileRow(
            row["message_id"], row["sha256"], row["received_at"], date.fromisoformat(row["debit_on"]),
            bool(row["one_debit"]), row["reason"], bool(row["silent"]),
        )  # fmt: skip

    def files(self) -> list[FileRow]:
        ids = self._db.execute("SELECT message_id FROM payment_files ORDER BY received_at, message_id").fetchall()
        return [found for row in ids if (found := self.file(row["message_id"]))]

    def keep_file(self, file: FileRow, payments: Iterable[PaymentRow]) -> None:
        with _Transaction(self._db):
            self._db.execute(
                "INSERT INTO payment_files VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    file.message_id, file.sha256, file.received_at, file.debit_on.isoformat(),
                    int(file.one_debit), file.reason, int(file.silent),
                ),
            )  # fmt: skip
            self._db.executemany(
                "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (file.message_id, p.end_to_end_id, p.amount_minor, p.creditor, p.creditor_iban, p.reason)
                    for p in payments
                ],
            )

    def payments(self, message_id: str) -> list[PaymentRow]:
        rows = self._db.execute("SELECT * FROM payments WHERE message_id = ? ORDER BY rowid", (message_id,))
        return [
            PaymentRow(r["end_to_end_id"], r["amount_minor"], r["creditor"], r["creditor_iban"], r["reason"])
            for r in rows
        ]

    def knows_line(self, end_to_end_id: str) -> bool:
        query = "SELECT 1 FROM payments WHERE end_to_end_id = ? AND reason IS NULL"
        return self._db.execute(query, (end_to_end_id,)).fetchone() is not None

    def first_open_day(self) -> date | None:
        row = self._db.execute("SELECT max(day) FROM statements").fetchone()
        return date.fromisoformat(row[0]) + timedelta(days=1) if row[0] else None

    def statement(self, day: date) -> StatementRow | None:
        row = self._db.execute("SELECT * FROM statements WHERE day = ?", (day.isoformat(),)).fetchone()
        return _statement(row) if row else None

    def statements(self) -> list[StatementRow]:
        return [_statement(row) for row in self._db.execute("SELECT * FROM statements ORDER BY day")]

    def first_day(self) -> date:
        """Return the first day that has a statement: the account's opening, or an earlier booking."""
        row = self._db.execute("SELECT min(booked_on) FROM bookings").fetchone()
        return min(self.opened_on, date.fromisoformat(row[0])) if row[0] else self.opened_on

    def keep_statement(self, statement: StatementRow) -> None:
        told = json.dumps([asdict(line) | {"booked_on": line.booked_on.isoformat()} for line in statement.told])
        self._db.execute(
            "INSERT INTO statements VALUES (?, ?, ?, ?, ?)",
            (statement.day.isoformat(), statement.sequence, statement.opening_minor, statement.closing_minor, told),
        )


class _Transaction:
    """Commits what was done inside, or leaves nothing of it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _booking(row: dict[str, Any]) -> Booking:
    row = {name: value for name, value in row.items() if name != "number"}
    return Booking(**(row | {"booked_on": date.fromisoformat(row["booked_on"])}))


def _statement(row: sqlite3.Row) -> StatementRow:
    told = tuple(_booking(line) for line in json.loads(row["told"]))
    return StatementRow(
        date.fromisoformat(row["day"]), row["sequence"], row["opening_minor"], row["closing_minor"], told
    )
