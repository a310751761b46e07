"""The simulated wallet's own book, in SQLite: requests that wait for the payer, transactions, daily payouts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.simulation.books import open_book
from adapters.simulation.faults import Fault
from adapters.simulation.misbehaviour import RefusedError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS requests (
  correlation TEXT PRIMARY KEY, server_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, our_reference TEXT NOT NULL,
  original TEXT, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, mobile TEXT NOT NULL, description TEXT NOT NULL,
  callback_url TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL,
  status TEXT NOT NULL, -- pending -> completed | failed
  error_code TEXT, transaction_reference TEXT, resolve_at TEXT, resolve_to TEXT
);
CREATE INDEX IF NOT EXISTS requests_by_reference ON requests (our_reference);
CREATE TABLE IF NOT EXISTS transactions (
  reference TEXT PRIMARY KEY, kind TEXT NOT NULL, our_reference TEXT NOT NULL, original TEXT,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, mobile TEXT NOT NULL, status TEXT NOT NULL,
  fee_minor INTEGER NOT NULL, vat_minor INTEGER NOT NULL, created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS transactions_by_time ON transactions (created_at);
CREATE TABLE IF NOT EXISTS payouts (
  batch TEXT PRIMARY KEY, business_date TEXT NOT NULL, currency TEXT NOT NULL, net_minor INTEGER NOT NULL
);
"""

Row = dict[str, Any]
EXPIRY_S: Final = 300
VAT_PERCENT: Final = 5
EXPIRED: Final = "requestDeclined"


class Wallet:
    """Takes requests, lets the payer decide, and keeps what moved."""

    def __init__(
        self,
        path: str,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        *,
        fee_basis_points: int,
    ) -> None:
        self._database = open_book(path, SCHEMA)
        self._clock = clock
        self._random_bytes = random_bytes
        self._fee_basis_points = fee_basis_points

    def close(self) -> None:
        self._database.close()

    def mint(self) -> str:
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))

    def now(self) -> str:
        return self._text(self._clock())

    def rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._database.execute(statement, values)]

    def ask(self, request: Row) -> Row:
        """Take a merchant payment that waits for the payer; a correlation id is taken once."""
        self._insist_new(request["correlation"])
        row = {
            "original": None,
            **request,
            "server_id": self.mint(),
            "created_at": self.now(),
            "expires_at": self._text(self._clock() + timedelta(seconds=EXPIRY_S)),
        }
        self._database.execute(
            "INSERT INTO requests (correlation, server_id, kind, our_reference, original, amount_minor, currency,"
            " mobile, description, callback_url, created_at, expires_at, status) VALUES (:correlation, :server_id,"
            " :kind, :our_reference, :original, :amount_minor, :currency, :mobile, :description, :callback_url,"
            " :created_at, :expires_at, 'pending')",
            row,
        )
        return self.request(request["correlation"])

    def find_request(self, correlation: str) -> Row | None:
        found = self.rows("SELECT * FROM requests WHERE correlation = ?", correlation)
        return self._ripen(found[0]) if found else None

    def find_state(self, server_id: str) -> Row | None:
        found = self.rows("SELECT * FROM requests WHERE server_id = ?", server_id)
        return self._ripen(found[0]) if found else None

    def request(self, correlation: str) -> Row:
        found = self.find_request(correlation)
        if found is None:
            raise KeyError(correlation)
        return found

    def request_by_reference(self, reference: str) -> Row | None:
        found = self.rows("SELECT correlation FROM requests WHERE our_reference = ?", reference)
        return self.find_request(found[0]["correlation"]) if found else None

    def waiting(self) -> list[Row]:
        found = self.rows("SELECT * FROM requests WHERE status = 'pending' AND kind = 'merchantpay' ORDER BY rowid")
        return [row for row in map(self._ripen, found) if row["status"] == "pending"]

    def transaction(self, reference: str) -> Row | None:
        found = self.rows("SELECT * FROM transactions WHERE reference = ?", reference)
        return found[0] if found else None

    def approve(self, request: Row) -> Row:
        """Move the money; only a pending request can be approved."""
        if request["status"] != "pending":
            return request
        fee = (
            0 if request["kind"] == "reversal" else (request["amount_minor"] * self._fee_basis_points + 5000) // 10_000
        )
        reference = f"T{int.from_bytes(self._random_bytes(6), 'big'):015d}"
        self._database.execute(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, 'completed', ?, ?, ?)",
            (
                reference, request["kind"], request["our_reference"], request["original"], request["amount_minor"],
                request["currency"], request["mobile"], fee, (fee * VAT_PERCENT + 50) // 100, self.now(),
            ),
        )  # fmt: skip
        self._database.execute(
            "UPDATE requests SET status = 'completed', transaction_reference = ?, resolve_at = NULL"
            " WHERE correlation = ?",
            (reference, request["correlation"]),
        )
        return self.request(request["correlation"])

    def decline(self, request: Row, code: str) -> Row:
        if request["status"] != "pending":
            return request
        self._database.execute(
            "UPDATE requests SET status = 'failed', error_code = ?, resolve_at = NULL WHERE correlation = ?",
            (code, request["correlation"]),
        )
        return self.request(request["correlation"])

    def hold(self, request: Row, fault: Fault) -> Row:
        """Let a request decide itself later, as the fault says."""
        until = self._text(self._clock() + timedelta(seconds=fault.number("delay_s", 60)))
        outcome = "completed" if fault.text("outcome", "captured") in {"captured", "completed", "ok"} else "failed"
        self._database.execute(
            "UPDATE requests SET resolve_at = ?, resolve_to = ? WHERE correlation = ?",
            (until, outcome, request["correlation"]),
        )
        return self.request(request["correlation"])

    def reverse(self, request: Row) -> Row:
        """Take a reversal; it waits until it is approved, like everything."""
        self._insist_new(request["correlation"])
        original = self.transaction(request["original"])
        if original is None or original["kind"] != "merchantpay":
            raise RefusedError("identifierError", 404)
        given_back = self.rows(
            "SELECT coalesce(sum(amount_minor), 0) AS total FROM requests WHERE original = ? AND status <> 'failed'",
            request["original"],
        )[0]["total"]
        if request["currency"] != original["currency"]:
            raise RefusedError("currencyNotSupported", 400)
        if not 0 < request["amount_minor"] <= original["amount_minor"] - given_back:
            raise RefusedError("overPaymentNotAllowed", 400)
        return self.ask({**request, "mobile": original["mobile"]})

    def completed(self, start: str, end: str) -> list[Row]:
        return self.rows(
            "SELECT * FROM transactions WHERE created_at BETWEEN ? AND ? ORDER BY created_at, reference", start, end
        )

    def charges(self, reference: str) -> Row:
        """Sum what one merchant reference was charged and given back."""
        return self.rows(
            "SELECT count(DISTINCT p.reference) AS charges, count(r.reference) AS refunds,"
            " coalesce((SELECT sum(amount_minor) FROM transactions WHERE kind = 'merchantpay'"
            " AND our_reference = ?1), 0) AS captured_minor, coalesce(sum(r.amount_minor), 0) AS refunded_minor,"
            " max(p.currency) AS currency"
            " FROM transactions p LEFT JOIN transactions r ON r.original = p.reference"
            " WHERE p.kind = 'merchantpay' AND p.our_reference = ?1",
            reference,
        )[0]

    def is_paid_out(self, batch: str) -> bool:
        return bool(self.rows("SELECT 1 FROM payouts WHERE batch = ?", batch))

    def write_payout(self, batch: str, business_date: str, currency: str, net_minor: int) -> None:
        self._database.execute("INSERT INTO payouts VALUES (?, ?, ?, ?)", (batch, business_date, currency, net_minor))

    def whole(self) -> dict[str, list[Row]]:
        return {
            "requests": self.rows("SELECT * FROM requests ORDER BY rowid"),
            "transactions": self.rows("SELECT * FROM transactions ORDER BY rowid"),
            "payouts": self.rows("SELECT * FROM payouts ORDER BY rowid"),
        }

    def _insist_new(self, correlation: str) -> None:
        if self.rows("SELECT 1 FROM requests WHERE correlation = ?", correlation):
            raise RefusedError("duplicateRequest", 400)

    def _ripen(self, request: Row) -> Row:
        """Let a pending request whose time has come take its outcome, or expire, whoever looks first."""
        if request["status"] != "pending":
            return request
        if request["resolve_at"]:
            if request["resolve_at"] > self.now():
                return request
            if request["resolve_to"] == "completed":
                return self.approve({**request, "resolve_at": None})
            return self.decline(request, "insufficientFunds")
        return self.decline(request, EXPIRED) if request["expires_at"] < self.now() else request

    @staticmethod
    def _text(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
