"""The simulated till's own book, in SQLite: prompts that wait for the payer, payments, daily credits."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.simulation.books import open_book
from adapters.simulation.faults import Fault

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS prompts (
  checkout_id TEXT PRIMARY KEY, merchant_id TEXT NOT NULL, account TEXT NOT NULL, shillings INTEGER NOT NULL,
  mobile TEXT NOT NULL, description TEXT NOT NULL, callback_url TEXT NOT NULL, created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL, result_code TEXT, -- NULL while the phone asks
  receipt TEXT, resolve_at TEXT, resolve_to TEXT
);
CREATE TABLE IF NOT EXISTS payments (
  receipt TEXT PRIMARY KEY, account TEXT NOT NULL, shillings INTEGER NOT NULL, mobile TEXT NOT NULL,
  paid_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payments_by_time ON payments (paid_at);
CREATE TABLE IF NOT EXISTS payouts (batch TEXT PRIMARY KEY, business_date TEXT NOT NULL, net_minor INTEGER NOT NULL);
"""

Row = dict[str, Any]
NAIROBI: Final = ZoneInfo("Africa/Nairobi")
EXPIRY_S: Final = 180
NO_ANSWER: Final = "1037"
UNSPECIFIC: Final = "1001"
RECEIPT_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


class Till:
    """Takes pushes, lets the payer decide, and keeps what was paid."""

    def __init__(self, path: str, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._database = open_book(path, SCHEMA)
        self._clock = clock
        self._random_bytes = random_bytes

    def close(self) -> None:
        self._database.close()

    def now(self) -> datetime:
        return self._clock()

    def mint_token(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(21)).decode()

    def rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._database.execute(statement, values)]

    def push(self, asked: Row) -> Row:
        """Send a prompt. The API knows no key: the same request again is another prompt."""
        now = self._clock()
        stamp = f"{now.astimezone(NAIROBI):%d%m%Y%H%M%S}{int.from_bytes(self._random_bytes(5)):013d}"
        row = {
            **asked,
            "checkout_id": f"ws_CO_{stamp}",
            "merchant_id": f"29115-{int.from_bytes(self._random_bytes(4)):010d}-1",
            "created_at": text(now),
            "expires_at": text(now + timedelta(seconds=EXPIRY_S)),
        }
        self._database.execute(
            "INSERT INTO prompts (checkout_id, merchant_id, account, shillings, mobile, description, callback_url,"
            " created_at, expires_at) VALUES (:checkout_id, :merchant_id, :account, :shillings, :mobile, :description,"
            " :callback_url, :created_at, :expires_at)",
            row,
        )
        return self.prompt(row["checkout_id"])

    def find(self, checkout_id: str) -> Row | None:
        found = self.rows("SELECT * FROM prompts WHERE checkout_id = ?", checkout_id)
        return self._ripen(found[0]) if found else None

    def prompt(self, checkout_id: str) -> Row:
        found = self.find(checkout_id)
        if found is None:
            raise KeyError(checkout_id)
        return found

    def last_for(self, account: str) -> Row | None:
        found = self.rows("SELECT * FROM prompts WHERE account = ? ORDER BY rowid DESC LIMIT 1", account)
        return self._ripen(found[0]) if found else None

    def waiting(self) -> list[Row]:
        found = self.rows("SELECT * FROM prompts WHERE result_code IS NULL ORDER BY rowid")
        return [row for row in map(self._ripen, found) if row["result_code"] is None]

    def approve(self, prompt: Row) -> Row:
        """Move the money; only a prompt that waits can be approved."""
        if prompt["result_code"] is not None:
            return prompt
        receipt = "".join(RECEIPT_LETTERS[byte % len(RECEIPT_LETTERS)] for byte in self._random_bytes(10))
        self._database.execute(
            "INSERT INTO payments VALUES (?, ?, ?, ?, ?)",
            (receipt, prompt["account"], prompt["shillings"], prompt["mobile"], text(self._clock())),
        )
        self._database.execute(
            "UPDATE prompts SET result_code = '0', receipt = ?, resolve_at = NULL WHERE checkout_id = ?",
            (receipt, prompt["checkout_id"]),
        )
        return self.prompt(prompt["checkout_id"])

    def decline(self, prompt: Row, code: str) -> Row:
        """Let a prompt come to nothing; what M-Pesa has no number for is its unspecific refusal."""
        if prompt["result_code"] is not None:
            return prompt
        self._database.execute(
            "UPDATE prompts SET result_code = ?, resolve_at = NULL WHERE checkout_id = ?",
            (code if code.isdigit() else UNSPECIFIC, prompt["checkout_id"]),
        )
        return self.prompt(prompt["checkout_id"])

    def hold(self, prompt: Row, fault: Fault) -> Row:
        """Let a prompt decide itself later, as the fault says."""
        until = text(self._clock() + timedelta(seconds=fault.number("delay_s", 60)))
        code = "0" if fault.text("outcome", "captured") in {"captured", "completed", "ok"} else "1"
        self._database.execute(
            "UPDATE prompts SET resolve_at = ?, resolve_to = ? WHERE checkout_id = ?",
            (until, code, prompt["checkout_id"]),
        )
        return self.prompt(prompt["checkout_id"])

    def paid(self, start: datetime, end: datetime) -> list[Row]:
        return self.rows(
            "SELECT * FROM payments WHERE paid_at BETWEEN ? AND ? ORDER BY paid_at, rowid", text(start), text(end)
        )

    def charges(self, account: str) -> Row:
        return self.rows(
            "SELECT count(*) AS charges, 0 AS refunds, coalesce(sum(shillings), 0) * 100 AS captured_minor,"
            " 0 AS refunded_minor, 'KES' AS currency FROM payments WHERE account = ?",
            account,
        )[0]

    def is_paid_out(self, batch: str) -> bool:
        return bool(self.rows("SELECT 1 FROM payouts WHERE batch = ?", batch))

    def write_payout(self, batch: str, business_date: str, net_minor: int) -> None:
        self._database.execute("INSERT INTO payouts VALUES (?, ?, ?)", (batch, business_date, net_minor))

    def whole(self) -> dict[str, list[Row]]:
        return {
            "prompts": self.rows("SELECT * FROM prompts ORDER BY rowid"),
            "payments": self.rows("SELECT * FROM payments ORDER BY rowid"),
            "payouts": self.rows("SELECT * FROM payouts ORDER BY rowid"),
        }

    def _ripen(self, prompt: Row) -> Row:
        """Let a prompt whose time has come take its outcome, or time out, whoever looks first."""
        if prompt["result_code"] is not None:
            return prompt
        now = text(self._clock())
        if prompt["resolve_at"]:
            if prompt["resolve_at"] > now:
                return prompt
            cleared = {**prompt, "resolve_at": None}
            return self.approve(cleared) if prompt["resolve_to"] == "0" else self.decline(cleared, prompt["resolve_to"])
        return self.decline(prompt, NO_ANSWER) if prompt["expires_at"] < now else prompt


def text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
