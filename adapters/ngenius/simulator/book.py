"""The simulated acquirer's own book, in SQLite: orders, money in and out, events and settled batches."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from adapters.simulation.books import open_book

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
  reference TEXT PRIMARY KEY, outlet TEXT NOT NULL, merchant_reference TEXT NOT NULL, action TEXT NOT NULL,
  currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, language TEXT NOT NULL, redirect_url TEXT NOT NULL,
  cancel_url TEXT NOT NULL, page_code TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  payment TEXT NOT NULL UNIQUE, state TEXT NOT NULL, -- STARTED -> AWAIT_3DS -> CAPTURED ... as the acquirer words it
  scheme TEXT, card TEXT, result_code TEXT, authorisation_code TEXT, rrn TEXT, trans_status TEXT,
  resolve_at TEXT, resolve_to TEXT
);
CREATE INDEX IF NOT EXISTS orders_by_merchant_reference ON orders (outlet, merchant_reference);
CREATE TABLE IF NOT EXISTS movements (
  identifier TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('capture', 'refund', 'chargeback', 'representment')),
  order_reference TEXT NOT NULL REFERENCES orders, amount_minor INTEGER NOT NULL, state TEXT NOT NULL,
  created_at TEXT NOT NULL, batch TEXT
);
CREATE INDEX IF NOT EXISTS movements_by_order ON movements (order_reference);
CREATE TABLE IF NOT EXISTS reports (
  name TEXT PRIMARY KEY, outlet TEXT NOT NULL, business_date TEXT NOT NULL, batch TEXT NOT NULL, currency TEXT NOT NULL,
  net_minor INTEGER NOT NULL, content BLOB NOT NULL, listed_from TEXT NOT NULL, credited INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS closed_dates (business_date TEXT PRIMARY KEY, closed_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  event_id TEXT PRIMARY KEY, order_reference TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL
);
"""

Row = dict[str, Any]

_COLUMNS: Final = frozenset(
    {
        "state", "scheme", "card", "result_code", "authorisation_code", "rrn", "trans_status", "resolve_at",
        "resolve_to",
    }
)  # fmt: skip


class Book:
    """Every change is one committed statement or one transaction; reads are plain rows."""

    def __init__(self, path: str, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._database = open_book(path, SCHEMA)
        self._clock = clock
        self._random_bytes = random_bytes

    def close(self) -> None:
        self._database.close()

    def mint(self) -> str:
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))

    def digits(self, count: int) -> str:
        return str(int.from_bytes(self._random_bytes(8), "big")).zfill(count)[-count:]

    def now(self) -> str:
        """Return the instant as text that sorts in time."""
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._database.execute(statement, values)]

    def add_order(self, order: Row) -> Row:
        """Write a new order; the identifiers are minted here."""
        now = self.now()
        row = {
            **order,
            "reference": self.mint(),
            "page_code": self.mint().replace("-", ""),
            "payment": self.mint(),
            "created_at": now,
            "updated_at": now,
            "state": "STARTED",
        }
        self._database.execute(
            "INSERT INTO orders (reference, outlet, merchant_reference, action, currency, amount_minor, language,"
            " redirect_url, cancel_url, page_code, created_at, updated_at, payment, state) VALUES (:reference, :outlet,"
            " :merchant_reference, :action, :currency, :amount_minor, :language, :redirect_url, :cancel_url,"
            " :page_code, :created_at, :updated_at, :payment, :state)",
            row,
        )
        return self.order(str(row["reference"]))

    def find_order(self, reference: str) -> Row | None:
        found = self.rows("SELECT * FROM orders WHERE reference = ?", reference)
        return self._ripen(found[0]) if found else None

    def order(self, reference: str) -> Row:
        found = self.find_order(reference)
        if found is None:
            raise KeyError(reference)
        return found

    def order_by_page(self, code: str) -> Row | None:
        found = self.rows("SELECT reference FROM orders WHERE page_code = ?", code)
        return self.find_order(found[0]["reference"]) if found else None

    def orders_by_merchant_reference(self, outlet: str, merchant_reference: str) -> list[Row]:
        found = self.rows(
            "SELECT reference FROM orders WHERE outlet = ? AND merchant_reference = ? ORDER BY created_at, reference",
            outlet,
            merchant_reference,
        )
        return [self.order(row["reference"]) for row in found]

    def change(self, reference: str, **values: object) -> Row:
        """Change an order's standing."""
        if not values.keys() <= _COLUMNS:
            raise KeyError(", ".join(values.keys() - _COLUMNS))
        standing = self.rows("SELECT * FROM orders WHERE reference = ?", reference)[0]
        self._database.execute(
            "UPDATE orders SET state = :state, scheme = :scheme, card = :card, result_code = :result_code,"
            " authorisation_code = :authorisation_code, rrn = :rrn, trans_status = :trans_status,"
            " resolve_at = :resolve_at, resolve_to = :resolve_to, updated_at = :updated_at"
            " WHERE reference = :reference",
            {**standing, **values, "updated_at": self.now()},
        )
        return self.order(reference)

    def add_movement(self, kind: str, reference: str, amount_minor: int, state: str = "SUCCESS") -> Row:
        row = {
            "identifier": self.mint(),
            "kind": kind,
            "order_reference": reference,
            "amount_minor": amount_minor,
            "state": state,
            "created_at": self.now(),
        }
        self._database.execute(
            "INSERT INTO movements (identifier, kind, order_reference, amount_minor, state, created_at)"
            " VALUES (:identifier, :kind, :order_reference, :amount_minor, :state, :created_at)",
            row,
        )
        return row

    def movements(self, reference: str, kind: str) -> list[Row]:
        return self.rows(
            "SELECT * FROM movements WHERE order_reference = ? AND kind = ? ORDER BY rowid", reference, kind
        )

    def moved(self, reference: str, kind: str) -> int:
        return sum(row["amount_minor"] for row in self.movements(reference, kind) if row["state"] != "FAILED")

    def resolve_refund(self, identifier: str, state: str) -> None:
        self._database.execute("UPDATE movements SET state = ? WHERE identifier = ?", (state, identifier))

    def add_event(self, reference: str, name: str) -> str:
        event_id = self.mint()
        self._database.execute(
            "INSERT INTO events (event_id, order_reference, name, created_at) VALUES (?, ?, ?, ?)",
            (event_id, reference, name, self.now()),
        )
        return event_id

    def unsettled(self, before: str) -> Iterator[Row]:
        """Yield money that moved before the instant and stands in no batch yet, with its order."""
        yield from self.rows(
            "SELECT m.*, o.outlet, o.merchant_reference, o.currency, o.action, o.scheme, o.card,"
            " o.authorisation_code, o.rrn FROM movements m JOIN orders o ON o.reference = m.order_reference"
            " WHERE m.batch IS NULL AND m.state = 'SUCCESS' AND m.created_at < ? ORDER BY m.rowid",
            before,
        )

    def is_closed(self, business_date: str) -> bool:
        return bool(self.rows("SELECT 1 FROM closed_dates WHERE business_date = ?", business_date))

    def write_close(self, business_date: str, batches: dict[str, str], reports: list[Row]) -> None:
        """Close a date: mark the movements, keep the reports and the date in one transaction."""
        with self._transaction():
            self._database.executemany(
                "UPDATE movements SET batch = ? WHERE identifier = ?",
                [(batch, identifier) for identifier, batch in batches.items()],
            )
            self._database.executemany(
                "INSERT INTO reports (name, outlet, business_date, batch, currency, net_minor, content, listed_from)"
                " VALUES (:name, :outlet, :business_date, :batch, :currency, :net_minor, :content, :listed_from)",
                reports,
            )
            self._database.execute("INSERT INTO closed_dates VALUES (?, ?)", (business_date, self.now()))

    def mark_credited(self, name: str) -> None:
        self._database.execute("UPDATE reports SET credited = 1 WHERE name = ?", (name,))

    def charges(self, merchant_reference: str) -> Row:
        """Sum what one merchant reference was charged and given back, over all its orders."""
        return self.rows(
            "SELECT count(DISTINCT CASE WHEN m.kind = 'capture' THEN o.reference END) AS charges,"
            " count(CASE WHEN m.kind = 'refund' THEN 1 END) AS refunds,"
            " coalesce(sum(CASE WHEN m.kind = 'capture' THEN m.amount_minor END), 0) AS captured_minor,"
            " coalesce(sum(CASE WHEN m.kind = 'refund' THEN m.amount_minor END), 0) AS refunded_minor,"
            " max(o.currency) AS currency"
            " FROM orders o LEFT JOIN movements m ON m.order_reference = o.reference WHERE o.merchant_reference = ?",
            merchant_reference,
        )[0]

    def whole(self) -> dict[str, list[Row]]:
        """Return the book as a test or the demo's proof reads it."""
        return {
            "orders": self.rows("SELECT * FROM orders ORDER BY rowid"),
            "movements": self.rows("SELECT * FROM movements ORDER BY rowid"),
            "reports": self.rows(
                "SELECT name, outlet, business_date, batch, currency, net_minor, listed_from, credited FROM reports"
                " ORDER BY rowid"
            ),
            "events": self.rows("SELECT * FROM events ORDER BY rowid"),
        }

    def _ripen(self, order: Row) -> Row:
        """Let a pending payment whose time has come take its outcome, whoever looks first."""
        if order["state"] != "PENDING" or not order["resolve_at"] or order["resolve_at"] > self.now():
            return order
        reference = str(order["reference"])
        state = str(order["resolve_to"])
        if state == "CAPTURED":
            self.add_movement("capture", reference, int(order["amount_minor"]))
        return self.change(reference, state=state, resolve_at=None, resolve_to=None)

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._database.execute("ROLLBACK" if kind else "COMMIT")
