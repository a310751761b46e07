"""The simulated banks' own book, in SQLite: consents, codes, tokens, payments."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.simulation.books import open_book
from adapters.simulation.faults import Fault
from adapters.simulation.misbehaviour import RefusedError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS consents (
  consent_id TEXT PRIMARY KEY, bank TEXT NOT NULL, our_reference TEXT NOT NULL, description TEXT NOT NULL,
  purpose TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, creditor_iban TEXT NOT NULL,
  creditor_name TEXT NOT NULL, redirect_uri TEXT NOT NULL, state TEXT NOT NULL, challenge TEXT NOT NULL,
  webhook_url TEXT NOT NULL, permissions TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL,
  status TEXT NOT NULL, -- AwaitingAuthorization -> Authorized | Rejected | Revoked | Expired; Authorized -> Consumed
  status_at TEXT NOT NULL, revoked_by TEXT, debtor_iban TEXT,
  reject_code TEXT, resolve_s INTEGER, resolve_to TEXT -- what the payment will come to
);
CREATE INDEX IF NOT EXISTS consents_by_reference ON consents (our_reference);
CREATE TABLE IF NOT EXISTS requests (
  request_uri TEXT PRIMARY KEY, consent_id TEXT NOT NULL, expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS codes (
  code TEXT PRIMARY KEY, consent_id TEXT NOT NULL, expires_at TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, bank TEXT NOT NULL, consent_id TEXT, scope TEXT NOT NULL, thumbprint TEXT NOT NULL,
  expires_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS assertions (jti TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS payments (
  payment_id TEXT PRIMARY KEY, consent_id TEXT NOT NULL UNIQUE, idempotency_key TEXT NOT NULL UNIQUE,
  transaction_id TEXT NOT NULL, billing TEXT NOT NULL, created_at TEXT NOT NULL, status TEXT NOT NULL,
  status_at TEXT NOT NULL, reject_code TEXT, resolve_at TEXT, resolve_to TEXT,
  told_bank INTEGER NOT NULL DEFAULT 0
);
"""

_PAYMENT: Final = """
SELECT p.*, c.bank, c.our_reference, c.description, c.purpose, c.amount_minor, c.currency, c.webhook_url, c.debtor_iban
  FROM payments p JOIN consents c USING (consent_id) WHERE """
BY_ID: Final = _PAYMENT + "p.payment_id = ?"
BY_KEY: Final = _PAYMENT + "p.idempotency_key = ?"
BY_CONSENT: Final = _PAYMENT + "p.consent_id = ?"

Row = dict[str, Any]
REQUEST_LIFE_S: Final = 90
CODE_LIFE_S: Final = 60
TOKEN_LIFE_S: Final = 600
CREDITED: Final = "AcceptedCreditSettlementCompleted"
CODE_FOR_NOTHING: Final = "AM04"


class Book:
    """Takes consents, lets the payer decide, and keeps what moved."""

    def __init__(self, path: str, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._database = open_book(path, SCHEMA)
        self.clock = clock
        self._random_bytes = random_bytes

    def close(self) -> None:
        self._database.close()

    def mint(self) -> str:
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))

    def now(self, after_s: float = 0) -> str:
        return text_of(self.clock() + timedelta(seconds=after_s))

    def rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._database.execute(statement, values)]

    def take_assertion(self, jti: str) -> bool:
        """Say whether an assertion is new; each is good for one request."""
        return bool(self.rows("INSERT INTO assertions VALUES (?) ON CONFLICT DO NOTHING RETURNING 1", jti))

    def lodge(self, consent: Row) -> tuple[str, Row]:
        """Keep a consent and return a request URI. The same consent again, as long as it waits, is the same one."""
        known = self.consent(consent["consent_id"])
        if known is not None:
            same = all(known[name] == consent[name] for name in ("bank", "amount_minor", "currency", "creditor_iban"))
            if not same or known["status"] != "AwaitingAuthorization":
                raise RefusedError("invalid_request", 400)
            self._database.execute(
                "UPDATE consents SET challenge = ?, state = ? WHERE consent_id = ?",
                (consent["challenge"], consent["state"], consent["consent_id"]),
            )
        else:
            row = {**consent, "created_at": self.now(), "status_at": self.now()}
            self._database.execute(
                "INSERT INTO consents (consent_id, bank, our_reference, description, purpose, amount_minor, currency,"
                " creditor_iban, creditor_name, redirect_uri, state, challenge, webhook_url, permissions, created_at,"
                " expires_at, status, status_at) VALUES (:consent_id, :bank, :our_reference, :description, :purpose,"
                " :amount_minor, :currency, :creditor_iban, :creditor_name, :redirect_uri, :state, :challenge,"
                " :webhook_url, :permissions, :created_at, :expires_at, 'AwaitingAuthorization', :status_at)",
                row,
            )
        uri = f"urn:ietf:params:oauth:request-uri:{self.mint()}"
        self._database.execute(
            "INSERT INTO requests VALUES (?, ?, ?)", (uri, consent["consent_id"], self.now(REQUEST_LIFE_S))
        )
        return uri, self.existing(consent["consent_id"])

    def consent(self, consent_id: str) -> Row | None:
        found = self.rows("SELECT * FROM consents WHERE consent_id = ?", consent_id)
        return self._ripen(found[0]) if found else None

    def existing(self, consent_id: str) -> Row:
        found = self.consent(consent_id)
        if found is None:
            raise KeyError(consent_id)
        return found

    def consent_by_reference(self, reference: str) -> Row | None:
        found = self.rows("SELECT consent_id FROM consents WHERE our_reference = ?", reference)
        return self.consent(found[0]["consent_id"]) if found else None

    def consent_of_request(self, request_uri: str) -> Row | None:
        """Return the consent a link shows; a link is good for a minute and a half."""
        found = self.rows(
            "SELECT consent_id FROM requests WHERE request_uri = ? AND expires_at > ?", request_uri, self.now()
        )
        return self.consent(found[0]["consent_id"]) if found else None

    def decide(self, consent: Row, status: str, **details: object) -> Row:
        """Move a consent; details are the columns that say what its payment will come to."""
        columns = {"debtor_iban": None, "reject_code": None, "resolve_s": None, "resolve_to": None, "revoked_by": None}
        values = {**{name: consent[name] for name in columns}, **details}
        self._database.execute(
            "UPDATE consents SET status = :status, status_at = :at, debtor_iban = :debtor_iban,"
            " reject_code = :reject_code, resolve_s = :resolve_s, resolve_to = :resolve_to, revoked_by = :revoked_by"
            " WHERE consent_id = :consent_id",
            {**values, "status": status, "at": self.now(), "consent_id": consent["consent_id"]},
        )
        return self.existing(consent["consent_id"])

    def issue_code(self, consent: Row) -> str:
        code = self.mint()
        self._database.execute(
            "INSERT INTO codes VALUES (?, ?, ?, 0)", (code, consent["consent_id"], self.now(CODE_LIFE_S))
        )
        return code

    def redeem(self, code: str) -> Row:
        """Use a code up; one that is used, old or made up is refused."""
        found = self.rows(
            "UPDATE codes SET used = 1 WHERE code = ? AND used = 0 AND expires_at > ? RETURNING consent_id",
            code,
            self.now(),
        )
        if not found:
            raise RefusedError("invalid_grant", 400)
        return self.existing(found[0]["consent_id"])

    def issue_token(self, bank: str, consent_id: str | None, scope: str, thumbprint: str) -> str:
        token = f"simulated-{self.mint()}"
        self._database.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
            (token, bank, consent_id, scope, thumbprint, self.now(TOKEN_LIFE_S)),
        )
        return token

    def token(self, token: str, thumbprint: str) -> Row | None:
        """Return a token that lives, to whoever shows the certificate it is bound to."""
        found = self.rows(
            "SELECT * FROM tokens WHERE token = ? AND thumbprint = ? AND expires_at > ?", token, thumbprint, self.now()
        )
        return found[0] if found else None

    def pay(self, consent: Row, key: str, billing: str) -> Row:
        """Make the payment of a consent: once, whatever is asked how often."""
        known = self.payment_by_key(key)
        if known is not None:
            return known
        if consent["status"] != "Authorized":
            raise RefusedError("Consent.Invalid", 400)
        status, resolve_at = CREDITED, None
        if consent["resolve_s"] is not None:
            status, resolve_at = "Pending", self.now(consent["resolve_s"])
        elif consent["reject_code"]:
            status = "Rejected"
        payment_id = self.mint()
        self._database.execute(
            "INSERT INTO payments (payment_id, consent_id, idempotency_key, transaction_id, billing, created_at,"
            " status, status_at, reject_code, resolve_at, resolve_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                payment_id, consent["consent_id"], key, f"AANI{self._random_bytes(10).hex().upper()}", billing,
                self.now(), status, self.now(), consent["reject_code"], resolve_at, consent["resolve_to"],
            ),
        )  # fmt: skip
        self.decide(consent, "Consumed")
        found = self.payment(payment_id)
        if found is None:
            raise KeyError(payment_id)
        return found

    def payment(self, payment_id: str) -> Row | None:
        return self._payment(BY_ID, payment_id)

    def payment_by_key(self, key: str) -> Row | None:
        return self._payment(BY_KEY, key)

    def payment_of(self, consent_id: str) -> Row | None:
        return self._payment(BY_CONSENT, consent_id)

    def untold(self) -> list[Row]:
        """Return credited payments the receiving bank has not been told of."""
        due = self.rows("SELECT payment_id FROM payments WHERE told_bank = 0 AND status <> 'Rejected' ORDER BY rowid")
        found = [self.payment(row["payment_id"]) for row in due]
        return [row for row in found if row is not None and row["status"] == CREDITED]

    def mark_told(self, payment_id: str) -> None:
        self._database.execute("UPDATE payments SET told_bank = 1 WHERE payment_id = ?", (payment_id,))

    def charges(self, reference: str) -> Row:
        """Sum what one merchant reference was charged."""
        return self.rows(
            "SELECT count(*) AS charges, 0 AS refunds, coalesce(sum(c.amount_minor), 0) AS captured_minor,"
            " 0 AS refunded_minor, max(c.currency) AS currency FROM payments p JOIN consents c USING (consent_id)"
            " WHERE c.our_reference = ? AND p.status <> 'Rejected'",
            reference,
        )[0]

    def whole(self) -> dict[str, list[Row]]:
        return {
            "consents": self.rows("SELECT * FROM consents ORDER BY rowid"),
            "payments": self.rows("SELECT * FROM payments ORDER BY rowid"),
        }

    def _payment(self, statement: str, value: str) -> Row | None:
        found = self.rows(statement, value)
        if not found:
            return None
        row = found[0]
        if row["status"] == "Pending" and row["resolve_at"] and row["resolve_at"] <= self.now():
            done = row["resolve_to"] != "declined"
            self._database.execute(
                "UPDATE payments SET status = ?, status_at = ?, reject_code = ?, resolve_at = NULL"
                " WHERE payment_id = ?",
                (
                    CREDITED if done else "Rejected",
                    row["resolve_at"],
                    None if done else row["reject_code"] or CODE_FOR_NOTHING,
                    row["payment_id"],
                ),
            )
            return self._payment(statement, value)
        return row

    def _ripen(self, consent: Row) -> Row:
        """Let a consent nobody decided about expire, whoever looks first."""
        if consent["status"] not in {"AwaitingAuthorization", "Authorized"} or consent["expires_at"] > self.now():
            return consent
        return self.decide(consent, "Expired") if consent["status"] == "AwaitingAuthorization" else consent


def hold(fault: Fault) -> dict[str, object]:
    """Say what a payment held by a fault will come to, and when."""
    done = fault.text("outcome", "captured") in {"captured", "completed", "ok"}
    return {"resolve_s": int(fault.number("delay_s", 60)), "resolve_to": "credited" if done else "declined"}


def text_of(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
