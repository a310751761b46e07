"""Verify signed days of Mizan's books from an export and the public key, and from nothing else.

    mizan ledger export --format jsonl --day 2026-11-22 > day.jsonl
    python verify_day.py day.jsonl PUBLIC_KEY_IN_HEXADECIMAL

Reads one sealed day (the export then begins with the seal before it), or the whole books. Proves that every journal
is what was hashed, that the hashes form one chain, that every journal balances, that running balances are right, that
the totals are those of the sealed trial balance, and that each seal is signed with the key and follows the one before.
Needs Python 3.11 and the package `cryptography`; shares no code with Mizan.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NO_HASH = "00" * 32


class BrokenError(Exception):
    """The books are not what was sealed."""


def instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


# How PostgreSQL sends each type: its number in the catalogue, and its bytes.
TYPES = {
    "bool": (16, lambda value: struct.pack(">?", value)),
    "bytea": (17, bytes.fromhex),
    "bigint": (20, lambda value: struct.pack(">q", value)),
    "smallint": (21, lambda value: struct.pack(">h", value)),
    "integer": (23, lambda value: struct.pack(">i", value)),
    "text": (25, str.encode),
    "char": (1042, str.encode),
    "date": (1082, lambda value: struct.pack(">i", (date.fromisoformat(value) - EPOCH.date()).days)),
    "instant": (1184, lambda value: struct.pack(">q", instant(value))),
}
JOURNAL = (
    ("id", "bigint"), ("reference", "text"), ("kind", "text"), ("business_date", "date"), ("effective_at", "instant"),
    ("recorded_at", "instant"), ("payment", "text"), ("provider", "text"), ("provider_reference", "text"),
    ("file", "text"), ("line", "integer"), ("corrects", "bigint"), ("late_for", "date"), ("below_floor", "bool"),
    ("description", "text"), ("fingerprint", "bytea"),
)  # fmt: skip
POSTING = (
    ("journal_id", "bigint"), ("recorded_at", "instant"), ("effective_at", "instant"), ("amount_minor", "bigint"),
    ("balance_minor", "bigint"), ("account_id", "integer"), ("seq", "smallint"), ("currency", "char"), ("item", "text"),
)  # fmt: skip
ACCOUNT = (
    ("id", "integer"), ("path", "text"), ("currency", "char"), ("type", "text"), ("side", "text"), ("by_item", "bool"),
    ("opened_by", "bigint"), ("opened_at", "instant"),
)  # fmt: skip
DECISION = (
    ("id", "integer"), ("kind", "text"), ("path", "text"), ("currency", "char"), ("floor_minor", "bigint"),
    ("closed_until", "date"), ("closed_before", "instant"), ("reason", "text"), ("decided_by", "text"),
    ("recorded_at", "instant"), ("journal_id", "bigint"),
)  # fmt: skip


def row_bytes(columns: tuple[tuple[str, str], ...], row: dict[str, Any]) -> bytes:
    """Return a row as PostgreSQL's record_send gives it: the number of columns, then type, length and bytes of each."""
    parts = [struct.pack(">i", len(columns))]
    for name, kind in columns:
        number, encode = TYPES[kind]
        if row[name] is None:
            parts.append(struct.pack(">Ii", number, -1))
        else:
            data = encode(row[name])
            parts.append(struct.pack(">Ii", number, len(data)) + data)
    return b"".join(parts)


def seal_message(seal: dict[str, Any]) -> bytes:
    return (
        "mizan ledger seal 1\n"
        f"number {seal['number']}\n"
        f"business_date {seal['business_date']}\n"
        f"journal {seal['journal_id']} {seal['journal_hash']}\n"
        f"decision {seal['decision_id']} {seal['decision_hash']}\n"
        f"sealed_at {seal['sealed_at'].replace('Z', '+00:00')}\n"
        f"trial_balance {hashlib.sha256(seal['trial_balance'].encode()).hexdigest()}\n"
        f"previous {seal['previous']}\n"
        f"public_key {seal['public_key']}\n"
    ).encode()


class Books:
    """The chain as far as it has been read."""

    def __init__(self, public_key: bytes) -> None:
        self.public_key = public_key
        self.journal_id = self.decision_id = self.seal_number = 0
        self.hash = self.decision_hash = self.seal_hash = NO_HASH
        self.seals = self.sealed_journals = self.journals = 0
        self.decisions = {0: NO_HASH}
        self.accounts: dict[int, tuple[str, str]] = {}
        self.opened: defaultdict[int, bytes] = defaultdict(bytes)
        self.totals: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])

    def account(self, row: dict[str, Any]) -> None:
        self.accounts[row["id"]] = (row["path"], row["currency"])
        self.opened[row["opened_by"]] += row_bytes(ACCOUNT, row)

    def decision(self, row: dict[str, Any]) -> None:
        covered = bytes.fromhex(self.decision_hash) + row_bytes(DECISION, row)
        if row["id"] != self.decision_id + 1 or hashlib.sha256(covered).hexdigest() != row["hash"]:
            raise BrokenError(f"decision {row['id']} is not as hashed")
        self.decision_id, self.decision_hash = row["id"], row["hash"]
        self.decisions[row["id"]] = row["hash"]

    def journal(self, row: dict[str, Any]) -> None:
        sums: defaultdict[str, int] = defaultdict(int)
        covered = bytes.fromhex(self.hash) + row_bytes(JOURNAL, row)
        for posting in row["postings"]:
            shared = {"journal_id": row["id"], "recorded_at": row["recorded_at"], "effective_at": row["effective_at"]}
            covered += row_bytes(POSTING, {**shared, **posting})
            account = self.accounts[posting["account_id"]]
            if account != (posting["account"], posting["currency"]):
                raise BrokenError(f"journal {row['id']} names account {posting['account_id']} wrongly")
            totals = self.totals[account]
            totals[posting["amount_minor"] < 0] += abs(posting["amount_minor"])
            if totals[0] - totals[1] != posting["balance_minor"]:
                raise BrokenError(f"journal {row['id']} leaves a wrong running balance on {account[0]}")
            sums[posting["currency"]] += posting["amount_minor"]
        covered += self.opened.pop(row["id"], b"")
        if row["id"] != self.journal_id + 1 or hashlib.sha256(covered).hexdigest() != row["hash"]:
            raise BrokenError(f"journal {row['id']} is not as hashed, or does not follow journal {self.journal_id}")
        if len(row["postings"]) < 2 or any(sums.values()):
            raise BrokenError(f"journal {row['id']} does not balance")
        self.journal_id, self.hash = row["id"], row["hash"]
        self.journals += 1

    def seal(self, row: dict[str, Any]) -> None:
        message, signature = seal_message(row), bytes.fromhex(row["signature"])
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            raise BrokenError(f"seal {row['number']} is not signed with the given key") from None
        if not (self.seal_number or self.accounts or self.journals or self.decision_id):
            self._start_from(row)  # the seal before the day: signed, so where it stood may be believed
        else:
            if (row["number"], row["previous"]) != (self.seal_number + 1, self.seal_hash):
                raise BrokenError(f"seal {row['number']} does not follow the seal before it")
            if (row["journal_id"], row["journal_hash"]) != (self.journal_id, self.hash):
                raise BrokenError(f"seal {row['number']} seals another journal than the export ends with")
            if self.decisions.get(row["decision_id"]) != row["decision_hash"]:
                raise BrokenError(f"seal {row['number']} seals other decisions")
            lines = (f"{path} {money} {owed[0]} {owed[1]}" for (path, money), owed in sorted(self.totals.items()))
            if "\n".join(lines) != row["trial_balance"]:
                raise BrokenError(f"seal {row['number']} seals another trial balance")
            self.seals += 1
            self.sealed_journals = self.journals
            print(f"{row['business_date']}: sealed up to journal {row['journal_id']}, signature and trial balance hold")
        self.seal_number = row["number"]
        self.seal_hash = hashlib.sha256(message + signature).hexdigest()

    def _start_from(self, row: dict[str, Any]) -> None:
        self.journal_id, self.hash = row["journal_id"], row["journal_hash"]
        self.decision_id, self.decision_hash = row["decision_id"], row["decision_hash"]
        self.decisions[self.decision_id] = self.decision_hash
        for line in row["trial_balance"].splitlines():
            path, currency, debits, owed = line.split(" ")
            self.totals[path, currency] = [int(debits), int(owed)]
        print(f"beginning after seal {row['number']} of {row['business_date']}, journal {row['journal_id']}")


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    books = Books(bytes.fromhex(arguments[1]))
    try:
        with sys.stdin if arguments[0] == "-" else Path(arguments[0]).open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                getattr(books, record.pop("record"))(record)
    except (BrokenError, KeyError, ValueError, AttributeError, TypeError, struct.error) as error:
        print(f"BROKEN: {error}")
        return 1
    if not books.seals:
        print("BROKEN: there is no seal to verify")
        return 1
    unsealed = books.journals - books.sealed_journals
    print(f"VERIFIED: {books.seals} sealed, {books.sealed_journals} journals; {unsealed} after")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
