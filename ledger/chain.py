"""Walking the chain of journals: hashing each anew, and reading its postings out of the bytes that were hashed.

Nothing here touches the database. A journal arrives as PostgreSQL's `record_send` of its row, of its postings in order
and of the accounts it opened; that is what its hash covers, after the hash of the journal before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

NO_HASH: Final = bytes(32)

# The fixed part of a posting: nine columns, each behind its type and length, the item last and of any length.
_POSTING: Final = struct.Struct(">12xq8x8s8x8s8xq8xq8xi8xh8x3s4xi")

Find = Callable[[str, object, str], None]


@dataclass(slots=True)
class Walk:
    """Where a walk along the chain stands, and what the postings passed so far add up to."""

    find: Find
    journal_id: int = 0
    stored: bytes = NO_HASH
    computed: bytes = NO_HASH
    recorded_at: bytes = b""
    journals: int = 0
    postings: int = 0
    debits: dict[int, int] = field(default_factory=dict)
    credits: dict[int, int] = field(default_factory=dict)
    currencies: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def open_accounts(self, rows: Iterable[Any]) -> dict[int, bytes]:
        """Take accounts in; return the bytes hashed with each journal that opened some."""
        opened: dict[int, bytes] = {}
        for row in rows:
            account, journal = row["id"], row["opened_by"]
            self.names[account] = f"{row['path']} {row['currency']}"
            self.currencies[account] = row["currency"].encode()
            self.debits[account] = self.credits[account] = 0
            opened[journal] = opened.get(journal, b"") + row["body"]
        return opened

    def step(self, journal: Any, opened: bytes) -> None:
        """Pass one journal: its place, its hash, its order in time, its postings."""
        journal_id, stored, recorded_at, effective_at, body, postings = journal
        if journal_id != self.journal_id + 1:
            self.find("journal", self.journal_id + 1, f"is missing: journal {journal_id} follows {self.journal_id}")
        self.journal_id = journal_id
        postings = postings or b""
        covered = body + postings + opened
        computed = sha256(self.stored + covered).digest()
        if computed != stored:
            # The fault may be the stored hash before this one; then the chain goes on from what it should have been.
            if sha256(self.computed + covered).digest() == stored:
                computed = stored
            else:
                self.find("journal", journal_id, "its row, a posting or an account it opened is not as hashed")
        self.stored, self.computed = stored, computed
        if recorded_at < self.recorded_at:
            self.find("journal", journal_id, "is recorded before the journal it follows")
        self.recorded_at = recorded_at
        self.journals += 1
        try:
            self._add(journal_id, recorded_at, effective_at, postings)
        except (struct.error, KeyError):
            self.find("journal", journal_id, "has postings that cannot be read, or to accounts not opened")

    def _add(self, journal_id: int, recorded_at: bytes, effective_at: bytes, postings: bytes) -> None:
        unpack, size = _POSTING.unpack_from, _POSTING.size
        debits, owed, currencies = self.debits, self.credits, self.currencies
        sums: dict[bytes, int] = {}
        at = seq = 0
        while at < len(postings):
            posted_in, recorded, effective, minor, balance, account, number, currency, item = unpack(postings, at)
            at += size + item if item > 0 else size
            seq += 1
            if minor > 0:
                debits[account] += minor
            else:
                owed[account] -= minor
            sums[currency] = sums.get(currency, 0) + minor
            if debits[account] - owed[account] != balance:
                self.find("posting", f"{journal_id}/{number}", "its running balance is wrong")
            if (recorded, effective, number, posted_in) != (recorded_at, effective_at, seq, journal_id):
                self.find("posting", f"{journal_id}/{number}", "its place or instants are not those of its journal")
            if currencies[account] != currency:
                self.find("posting", f"{journal_id}/{number}", "its currency is not that of its account")
        self.postings += seq
        if seq < 2 or any(sums.values()):  # noqa: PLR2004 - double entry
            self.find("journal", journal_id, "does not balance")

    def trial_balance(self) -> str:
        """Return the totals so far as a seal writes them: one line an account, by path and currency."""
        accounts = sorted((self.names[account].split(" "), account) for account in self.names)
        return "\n".join(
            f"{path} {currency} {self.debits[account]} {self.credits[account]}"
            for (path, currency), account in accounts
        )
