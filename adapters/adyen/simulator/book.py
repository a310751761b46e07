"""The simulated processor's own book, in SQLite: links, payments, refunds, answers by key, settled batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.simulation.books import open_book
from adapters.simulation.faults import Fault
from adapters.simulation.misbehaviour import RefusedError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS links (
  id TEXT PRIMARY KEY, idempotency_key TEXT UNIQUE, reference TEXT NOT NULL, merchant_account TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, description TEXT NOT NULL, locale TEXT NOT NULL,
  return_url TEXT NOT NULL, country_code TEXT NOT NULL, expires_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  status TEXT NOT NULL, -- active -> completed | expired, or paymentPending in between
  resolve_at TEXT, resolve_to TEXT
);
CREATE INDEX IF NOT EXISTS links_by_reference ON links (reference);
CREATE TABLE IF NOT EXISTS movements (
  psp_reference TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('payment', 'refund')),
  link TEXT NOT NULL REFERENCES links, original TEXT, reference TEXT NOT NULL, idempotency_key TEXT UNIQUE,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, success INTEGER NOT NULL, reason TEXT NOT NULL,
  scheme TEXT NOT NULL, card TEXT NOT NULL, created_at TEXT NOT NULL, batch INTEGER
);
CREATE INDEX IF NOT EXISTS movements_by_link ON movements (link);
CREATE TABLE IF NOT EXISTS reports (
  batch INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, business_date TEXT NOT NULL, currency TEXT NOT NULL,
  payout_text TEXT NOT NULL, net_minor INTEGER NOT NULL, content BLOB NOT NULL, listed_from TEXT NOT NULL,
  credited INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS closed_dates (business_date TEXT PRIMARY KEY);
"""

Row = dict[str, Any]
_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"


class Book:
    """Every change is one committed statement or one transaction; reads are plain rows."""

    def __init__(self, path: str, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._database = open_book(path, SCHEMA)
        self._clock = clock
        self._random_bytes = random_bytes

    def close(self) -> None:
        self._database.close()

    def mint(self, prefix: str = "") -> str:
        return prefix + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._random_bytes(16))

    def now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._database.execute(statement, values)]

    def add_link(self, link: Row) -> Row:
        """Make a link; the same idempotency key gives the link made first, and another request is refused."""
        if link["idempotency_key"]:
            known = self.rows("SELECT * FROM links WHERE idempotency_key = ?", link["idempotency_key"])
            if known:
                if any(known[0][name] != link[name] for name in ("reference", "amount_minor", "currency")):
                    raise RefusedError("the idempotency key was used for another request")
                return {**known[0], "status": "active", "replayed": True}
        if datetime.fromisoformat(link["expires_at"]) <= self._clock():
            raise RefusedError("expiresAt lies in the past")
        row = {**link, "id": self.mint("PL"), "updated_at": self.now()}
        self._database.execute(
            "INSERT INTO links (id, idempotency_key, reference, merchant_account, amount_minor, currency, description,"
            " locale, return_url, country_code, expires_at, updated_at, status) VALUES (:id, :idempotency_key,"
            " :reference, :merchant_account, :amount_minor, :currency, :description, :locale, :return_url,"
            " :country_code, :expires_at, :updated_at, 'active')",
            row,
        )
        return self.link(str(row["id"]))

    def find_link(self, identifier: str) -> Row | None:
        found = self.rows("SELECT * FROM links WHERE id = ?", identifier)
        return self._ripen(found[0]) if found else None

    def link(self, identifier: str) -> Row:
        found = self.find_link(identifier)
        if found is None:
            raise KeyError(identifier)
        return found

    def link_by_reference(self, reference: str) -> Row | None:
        found = self.rows("SELECT id FROM links WHERE reference = ? ORDER BY rowid", reference)
        return self.find_link(found[-1]["id"]) if found else None

    def set_status(self, identifier: str, status: str) -> Row:
        self._database.execute(
            "UPDATE links SET status = ?, updated_at = ?, resolve_at = NULL WHERE id = ?",
            (status, self.now(), identifier),
        )
        return self.link(identifier)

    def hold(self, identifier: str, fault: Fault) -> Row:
        """Let a payment decide itself later, as the fault says."""
        until = (self._clock() + timedelta(seconds=fault.number("delay_s", 60))).astimezone(UTC)
        outcome = "completed" if fault.text("outcome", "captured") in {"captured", "completed", "ok"} else "active"
        self._database.execute(
            "UPDATE links SET status = 'paymentPending', resolve_at = ?, resolve_to = ? WHERE id = ?",
            (until.isoformat(timespec="milliseconds"), outcome, identifier),
        )
        return self.link(identifier)

    def add_payment(self, link: Row, *, reason: str, scheme: str, card: str) -> Row:
        """Book a payment on a link; without a reason it went through and completes the link."""
        row = {
            "psp_reference": self.mint(), "kind": "payment", "link": link["id"], "original": None,
            "reference": link["reference"], "idempotency_key": None, "amount_minor": link["amount_minor"],
            "currency": link["currency"], "success": not reason, "reason": reason, "scheme": scheme, "card": card,
            "created_at": self.now(),
        }  # fmt: skip
        self._insert(row)
        if not reason:
            self.set_status(link["id"], "completed")
        return row

    def take_at_terminal(self, amount_minor: int, currency: str) -> Row:
        """Book what a card terminal charged: a payment nobody asked for by a link, under the terminal's own number."""
        link = {
            "id": self.mint("PT"), "reference": self.mint("T"), "merchant_account": "terminal",
            "amount_minor": amount_minor, "currency": currency, "at": self.now(),
        }  # fmt: skip
        self._database.execute(
            "INSERT INTO links (id, reference, merchant_account, amount_minor, currency, description, locale,"
            " return_url, country_code, expires_at, updated_at, status) VALUES (:id, :reference, :merchant_account,"
            " :amount_minor, :currency, '', '', '', 'AE', :at, :at, 'completed')",
            link,
        )
        return self.add_payment(link, reason="", scheme="visa", card="1111")

    def void_at_terminal(self, psp_reference: str) -> bool:
        """Take back what a terminal charged, before the day is closed."""
        done = self._database.execute(
            "UPDATE movements SET success = 0, reason = 'Cancelled' WHERE psp_reference = ? AND kind = 'payment'"
            " AND success AND batch IS NULL AND link IN (SELECT id FROM links WHERE merchant_account = 'terminal')",
            (psp_reference,),
        )
        return done.rowcount == 1

    def add_refund(self, psp_reference: str, refund: Row) -> Row:
        """Book a refund; the same idempotency key gives the refund made first."""
        if refund["idempotency_key"]:
            known = self.rows("SELECT * FROM movements WHERE idempotency_key = ?", refund["idempotency_key"])
            if known:
                return {**known[0], "replayed": True}
        found = self.rows(
            "SELECT * FROM movements WHERE psp_reference = ? AND kind = 'payment' AND success", psp_reference
        )
        if not found:
            raise RefusedError("Original pspReference required for this operation")
        payment = found[0]
        given_back = self.rows(
            "SELECT coalesce(sum(amount_minor), 0) AS total FROM movements WHERE original = ? AND success",
            psp_reference,
        )[0]["total"]
        if refund["currency"] != payment["currency"]:
            raise RefusedError("the currency is not the payment's")
        if not 0 < refund["amount_minor"] <= payment["amount_minor"] - given_back:
            raise RefusedError("the amount is more than is left to refund")
        row = {
            **refund, "psp_reference": self.mint(), "kind": "refund", "link": payment["link"],
            "original": psp_reference, "success": True, "reason": "", "scheme": payment["scheme"],
            "card": payment["card"], "created_at": self.now(),
        }  # fmt: skip
        self._insert(row)
        return row

    def fail_refund(self, reference: str) -> Row | None:
        """Let a refund fail that was done, as a card scheme does; one that is settled comes back another way.

        One that has failed is told of again, as notifications are that nobody has accepted.
        """
        found = self.rows(
            "SELECT * FROM movements WHERE reference = ? AND kind = 'refund' AND batch IS NULL ORDER BY rowid",
            reference,
        )
        if not found:
            return None
        self._database.execute(
            "UPDATE movements SET success = 0, reason = 'Refund Failed' WHERE psp_reference = ?",
            (found[0]["psp_reference"],),
        )
        return {**found[0], "success": False, "reason": "Refund Failed"}

    def unsettled(self, until: str) -> list[Row]:
        return self.rows(
            "SELECT * FROM movements WHERE success AND batch IS NULL AND created_at <= ? ORDER BY rowid", until
        )

    def is_closed(self, business_date: str) -> bool:
        return bool(self.rows("SELECT 1 FROM closed_dates WHERE business_date = ?", business_date))

    def write_close(self, business_date: str, batches: dict[str, int], reports: list[Row]) -> None:
        """Close a date: mark the movements and keep the reports in one transaction."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "UPDATE movements SET batch = ? WHERE psp_reference = ?",
                [(batch, reference) for reference, batch in batches.items()],
            )
            self._database.executemany(
                "INSERT INTO reports (batch, name, business_date, currency, payout_text, net_minor, content,"
                " listed_from) VALUES (:batch, :name, :business_date, :currency, :payout_text, :net_minor, :content,"
                " :listed_from)",
                reports,
            )
            self._database.execute("INSERT INTO closed_dates VALUES (?)", (business_date,))
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def next_batch(self) -> int:
        return int(self.rows("SELECT coalesce(max(batch), 0) + 1 AS next FROM reports")[0]["next"])

    def mark_credited(self, batch: int) -> None:
        self._database.execute("UPDATE reports SET credited = 1 WHERE batch = ?", (batch,))

    def charges(self, reference: str) -> Row:
        """Sum what one merchant reference was charged and given back, over all its links."""
        return self.rows(
            "SELECT count(CASE WHEN m.kind = 'payment' THEN 1 END) AS charges,"
            " count(CASE WHEN m.kind = 'refund' THEN 1 END) AS refunds,"
            " coalesce(sum(CASE WHEN m.kind = 'payment' THEN m.amount_minor END), 0) AS captured_minor,"
            " coalesce(sum(CASE WHEN m.kind = 'refund' THEN m.amount_minor END), 0) AS refunded_minor,"
            " max(l.currency) AS currency"
            " FROM links l LEFT JOIN movements m ON m.link = l.id AND m.success WHERE l.reference = ?",
            reference,
        )[0]

    def whole(self) -> dict[str, list[Row]]:
        return {
            "links": self.rows("SELECT * FROM links ORDER BY rowid"),
            "movements": self.rows("SELECT * FROM movements ORDER BY rowid"),
            "reports": self.rows(
                "SELECT batch, name, business_date, currency, payout_text, net_minor, listed_from, credited"
                " FROM reports"
            ),
        }

    def _insert(self, row: Row) -> None:
        self._database.execute(
            "INSERT INTO movements (psp_reference, kind, link, original, reference, idempotency_key, amount_minor,"
            " currency, success, reason, scheme, card, created_at) VALUES (:psp_reference, :kind, :link, :original,"
            " :reference, :idempotency_key, :amount_minor, :currency, :success, :reason, :scheme, :card, :created_at)",
            row,
        )

    def _ripen(self, link: Row) -> Row:
        """Let a held payment take its outcome, and an old link expire, whoever looks first."""
        if link["status"] == "paymentPending" and link["resolve_at"] and link["resolve_at"] <= self.now():
            if link["resolve_to"] == "completed":
                self.add_payment(link, reason="", scheme="visa", card="1111")
                return self.link(link["id"])
            return self.set_status(link["id"], "active")
        if link["status"] == "active" and datetime.fromisoformat(link["expires_at"]) <= self._clock():
            return self.set_status(link["id"], "expired")
        return link
